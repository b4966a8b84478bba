"""Pictures of similarities and of mistakes."""
