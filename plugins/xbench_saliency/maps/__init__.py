"""Saliency maps: values, pictures, and which class they speak for."""
