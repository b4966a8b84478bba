"""toybirds: birds drawn on the fly, of which everything is known exactly."""

from typing import TYPE_CHECKING

from xbench.interfaces.hookspecs import hookimpl

if TYPE_CHECKING:
    from xbench.interfaces.data.dataset import Dataset

__all__ = ["register_datasets"]


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the embedded dataset."""
    from xbench_toybirds.dataset import Toybirds

    return [Toybirds]
