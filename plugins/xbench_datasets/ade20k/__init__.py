"""Photographs of scenes with masks of objects, in three official layouts."""
