"""Modules with their weights, whole or as top ∘ bottom."""
