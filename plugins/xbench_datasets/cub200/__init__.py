"""Photographs of birds with points and attributes of their parts."""
