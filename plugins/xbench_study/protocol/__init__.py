"""The protocol whose rows are people's answers."""
