"""The public conformance suite, and tiny things to try components on."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
