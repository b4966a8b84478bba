"""toybirds: birds drawn on the fly, of which everything is known exactly."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Dataset

__all__ = ["register_datasets"]


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the embedded dataset."""
    from xbench_toybirds.dataset import Toybirds

    return [Toybirds]
