"""Photographs with labels of six kinds."""
