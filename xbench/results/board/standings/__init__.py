"""Standings: the current entries of a benchmark as ranked tables, from their files alone."""
