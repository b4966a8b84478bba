"""Maps of class activations."""
