"""Rendered birds of five exchangeable parts, and pictures of them without some of the parts."""
