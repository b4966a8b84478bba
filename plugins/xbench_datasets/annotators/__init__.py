"""Annotators: what several people said of the images of another dataset."""
