"""Explicable misclassification: class similarities, losses that know them, and a protocol."""
