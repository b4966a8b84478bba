"""Modules with their weights: cut, traced, named, loaded."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
