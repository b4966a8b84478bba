"""Saliency: maps of what in an image speaks for a class."""
