"""xbench: a plugin-based benchmark for explanations of image classifiers."""

from importlib.metadata import version

from xbench.exports import exports

__version__ = version("xbench-xai")
__getattr__, __dir__, __all__ = exports(__name__, __file__)
