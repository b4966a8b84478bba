"""Attacks on classifiers: how small a change of an image makes them err."""
