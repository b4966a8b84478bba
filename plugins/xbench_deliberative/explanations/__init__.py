"""Insecurities, the explainer that makes them, and their picture."""
