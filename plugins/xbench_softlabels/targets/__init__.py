"""Targets as losses: what a network is asked to say of an image."""
