"""Photographs of a thousand classes."""
