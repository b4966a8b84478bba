"""Losses that know which classes are alike."""
