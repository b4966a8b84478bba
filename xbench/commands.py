"""What a plugin's command needs: options, the session they describe, printing, progress."""

from xbench.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
