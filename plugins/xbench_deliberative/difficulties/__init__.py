"""Difficulty scores: what probabilities say, and a predictor of mistakes."""
