"""Pure numeric functions that plugins may use."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
