"""Photos: explaining them with a network alone."""
