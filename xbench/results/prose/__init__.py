"""What numbers say, in sentences."""
