"""Frames: tables of Arrow as they are, or of pandas or polars."""

import importlib.util
from typing import TYPE_CHECKING, Any, Literal, get_args

from xbench.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

Frame = Literal["auto", "arrow", "pandas", "polars"]
"""What a table can be; `auto` is the first of pandas and polars that is installed, else Arrow."""


def as_frame(table: "pa.Table", kind: Frame = "auto") -> Any:
    """The table as one of this kind; `UsageError` where its package is not installed."""
    if kind not in get_args(Frame):
        raise UnknownNameError("kind of frame", str(kind), get_args(Frame))
    chosen = _installed() if kind == "auto" else kind
    if chosen == "arrow":
        return table
    if not importlib.util.find_spec(chosen):
        raise UsageError(
            f"{chosen} is not installed; `pip install {chosen}`, or take to_frame('arrow')"
        )
    if chosen == "pandas":
        return table.to_pandas()
    import polars as pl

    return pl.from_arrow(table)


def _installed() -> str:
    found = (name for name in ("pandas", "polars") if importlib.util.find_spec(name))
    return next(found, "arrow")
