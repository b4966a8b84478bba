"""Other libraries' objects as components of ours, and ours in their shape."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
