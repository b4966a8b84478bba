"""Concept banks: images of concepts, learning, files."""
