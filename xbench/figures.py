"""What a plugin's pictures need: one style, curves and bars with intervals, saving."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
