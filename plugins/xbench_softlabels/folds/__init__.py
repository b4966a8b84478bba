"""Folds: networks that did not see the images which they are asked about."""
