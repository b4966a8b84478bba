"""Concept scores: the explanation, its explainer and its floors."""
