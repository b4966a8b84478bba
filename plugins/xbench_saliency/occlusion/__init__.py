"""Occlusion: what hiding a window of the image changes."""
