"""Extremal perturbation: the region of a given size that a class needs most."""
