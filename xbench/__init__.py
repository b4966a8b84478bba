"""xbench: a plugin-based benchmark for explanations of image classifiers."""

from importlib.metadata import version

__version__ = version("xbench-xai")
__all__ = ["__version__"]
