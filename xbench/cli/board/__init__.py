"""The commands of a board: entries submitted, checked, added, listed and withdrawn."""
