"""Tables of an analysis, by what they are about."""
