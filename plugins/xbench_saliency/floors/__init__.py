"""Floors: maps that know nothing of the network's reasons."""
