"""What losses say of predictions that are given."""
