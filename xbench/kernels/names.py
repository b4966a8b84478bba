"""Names in natural order, and the place of each among them."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

Names: TypeAlias = "np.ndarray | pa.Array | pa.ChunkedArray"
"""Strings; in an array of numpy, of type object or str."""

DIGITS = re.compile(r"([0-9]+)")


class Places(NamedTuple):
    """The distinct names of a column, and which of them each row has."""

    names: np.ndarray
    """In natural order."""
    places: Int64[np.ndarray, " rows"]

    @property
    def rows(self) -> np.ndarray:
        """The name of each row."""
        return self.names[self.places]


def name_places(names: Names) -> Places:
    """The distinct names in natural order, and the place of each row's among them."""
    encoded = _encoded(names)
    indices = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(indices, minlength=len(encoded.dictionary))
    used = np.flatnonzero(counts)  # a filtered column keeps names that no row has any more
    distinct = encoded.dictionary.take(pa.array(used))
    order = natural_order(distinct)
    ranks = np.zeros(len(counts), np.int64)
    ranks[used[order]] = np.arange(len(used))
    return Places(distinct.to_numpy(zero_copy_only=False)[order], ranks[indices])


def _encoded(names: Names) -> pa.DictionaryArray:
    column = names if isinstance(names, (pa.Array, pa.ChunkedArray)) else pa.array(names)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    kind = column.type
    text = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(text) or pa.types.is_large_string(text)):
        raise TypeError(f"names are strings, not of type {kind}")
    if column.null_count:
        raise ValueError(f"{column.null_count} rows have no name")
    if not pa.types.is_dictionary(kind):
        return _whole(column.dictionary_encode())
    return _whole(column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column)


def _whole(column: pa.DictionaryArray | pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one chunk."""
    if isinstance(column, pa.ChunkedArray):
        empty = pa.array([], column.type)
        column = pa.concat_arrays(column.chunks) if column.num_chunks else empty
    return column


def natural_order(names: pa.Array) -> Int64[np.ndarray, " n"]:
    """How distinct names are sorted: part by part between slashes, digits as numbers.

    A whole number in the last part counts after all parts before it, and is compared as one.
    """
    numbered = _numbered(names)
    if numbered is None:
        return _sorted_places(names.to_pylist(), natural_key)
    befores, numbers = numbered
    encoded = befores.dictionary_encode()
    order = _sorted_places(encoded.dictionary.to_pylist(), _parts_key)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return np.lexsort((numbers, ranks[encoded.indices.to_numpy(zero_copy_only=False)]))


def natural_key(name: str) -> tuple[Any, ...]:
    """What names are compared by."""
    before, _, last = name.rpartition("/")
    number = int(last) if last.isascii() and last.removeprefix("-").isdigit() else None
    whole = number is not None and str(number) == last
    return (_parts_key(before), not whole, number if whole else _digits_key(last))


def _parts_key(text: str) -> tuple[Any, ...]:
    return tuple(_digits_key(part) for part in text.split("/"))


def _digits_key(text: str) -> tuple[tuple[str | int, ...], str]:
    """Text and numbers by turns, text first; the text itself tells 7 from 07."""
    pieces = DIGITS.split(text)
    turns = (int(piece) if place % 2 else piece for place, piece in enumerate(pieces))
    return tuple(turns), text


def _numbered(names: pa.Array) -> tuple[pa.Array, Int64[np.ndarray, " n"]] | None:
    """What stands before the last slash of each name and the number after it, if all have both."""
    parts = pc.split_pattern(names, "/", max_splits=1, reverse=True)
    if not pc.all(pc.equal(pc.list_value_length(parts), 2), min_count=0).as_py():
        return None
    befores, lasts = (pc.list_element(parts, place) for place in (0, 1))
    try:
        numbers = lasts.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    canonical = pc.all(pc.equal(numbers.cast(lasts.type), lasts), min_count=0).as_py()
    return (befores, numbers.to_numpy(zero_copy_only=False)) if canonical else None


def _sorted_places(
    texts: Sequence[str], key: Callable[[str], tuple[Any, ...]]
) -> Int64[np.ndarray, " n"]:
    keys = [key(text) for text in texts]
    return np.array(sorted(range(len(texts)), key=keys.__getitem__), np.int64)
