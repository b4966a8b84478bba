"""Exported answers as arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from xbench import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = (
    "participant",
    "condition",
    "item",
    "image",
    "category",
    "kind",
    "position",
    "chosen",
    "unsure",
    "skipped",
    "ratings",
    "right",
    "seconds",
    "excluded",
)


@dataclass(frozen=True, eq=False)
class Answers:
    """One line an answer; columns have the names of the export's, in the plural."""

    participants: np.ndarray
    conditions: np.ndarray
    items: np.ndarray
    images: Int64[np.ndarray, " n"]
    categories: np.ndarray
    kinds: np.ndarray
    chosen: np.ndarray
    """Keys of options, as tuples."""
    unsure: Bool[np.ndarray, " n"]
    skipped: Bool[np.ndarray, " n"]
    ratings: np.ndarray
    """Degrees by option's key, None for "cannot tell"; empty where nothing is rated."""
    right: Float64[np.ndarray, " n"]
    """1 or 0; NaN where nothing is right or wrong, or where it was skipped."""
    seconds: Float64[np.ndarray, " n"]
    excluded: np.ndarray
    """Why the answer does not count, "" where it does."""

    def __len__(self) -> int:
        """How many answers there are."""
        return len(self.participants)

    def where(self, mask: Bool[np.ndarray, " n"]) -> "Answers":
        """These answers."""
        return Answers(*(getattr(self, field.name)[mask] for field in fields(self)))

    def trials(self) -> "Answers":
        """Answers to what is asked, checks and practice left out."""
        return self.where(self.kinds == "trial")

    def counted(self) -> "Answers":
        """Answers that nothing excludes."""
        return self.where(self.excluded == "")

    def in_condition(self, name: str) -> "Answers":
        """Answers in a condition."""
        return self.where(self.conditions == name)


def read_answers(table: "pa.Table") -> Answers:
    """The answers of an export; `ParameterError` names the columns that it lacks."""
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise ParameterError(
            f"the table of answers lacks the columns {', '.join(missing)}; "
            "`xbench study export` writes all of them"
        )
    columns = {name: table.column(name).to_pylist() for name in COLUMNS}
    unsure, skipped = (np.array(columns[name], dtype=bool) for name in ("unsure", "skipped"))
    return Answers(
        participants=_words(columns["participant"]),
        conditions=_words(columns["condition"]),
        items=_words(columns["item"]),
        images=np.array(columns["image"], dtype=np.int64),
        categories=_words(columns["category"]),
        kinds=_words(columns["kind"]),
        chosen=_objects(tuple(keys or ()) for keys in columns["chosen"]),
        unsure=unsure,
        skipped=skipped,
        ratings=_objects(_degrees(of) for of in columns["ratings"]),
        right=_right(columns["right"], unsure, skipped),
        seconds=np.array(columns["seconds"], dtype=np.float64),
        excluded=_words(columns["excluded"]),
    )


def _right(
    column: list[bool | None], unsure: Bool[np.ndarray, " n"], skipped: Bool[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """Where anything can be right, "don't know" is not; what was skipped is no answer."""
    right = np.array([np.nan if of is None else float(of) for of in column])
    if not np.isnan(right).all():
        right[unsure & np.isnan(right)] = 0.0
    right[skipped] = np.nan
    return right


def _degrees(ratings: Any) -> dict[str, int | None]:
    """A map, or a list of structs with option and degree, as a dictionary."""
    if isinstance(ratings, Mapping):
        return dict(ratings)
    pairs = (
        (of["option"], of["degree"]) if isinstance(of, Mapping) else tuple(of)
        for of in ratings or ()
    )
    return dict(pairs)


def _words(column: list[str | None]) -> np.ndarray:
    return _objects(word or "" for word in column)


def _objects(values: Iterable[Any]) -> np.ndarray:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
