"""Numerics of saliency maps: tensors in, tensors out."""
