"""The kinds of components, and the plain values that pass between them."""
