"""Images in folders, by class or by context."""
