"""Blocks of foreign code that leave nothing changed, or are refused."""
