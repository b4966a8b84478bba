"""Photographs by what they show and in which context."""
