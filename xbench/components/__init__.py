"""Which components there are, and how they are written down and built.

The package can be called: `xbench.components("explainer")` lists what is installed of a kind.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xbench.components.listing import Listing


def components(kind: str) -> "Listing":
    """The components of a kind that are installed, by name, with what each is in a line."""
    from xbench.components.listing import listing

    return listing(kind)


class _Callable(ModuleType):
    """A package that is what its name says: importing a module of it must not hide the function."""

    __call__ = staticmethod(components)


sys.modules[__name__].__class__ = _Callable
globals()["components"] = sys.modules[__name__]
