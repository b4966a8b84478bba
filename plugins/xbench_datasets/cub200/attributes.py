"""Which attributes of CUB-200-2011 speak of which part, and the parts that share them."""

from collections.abc import Sequence
from typing import NamedTuple

CURRENT = {
    "back": ("back_color", "back_pattern"),
    "beak": ("bill_shape", "bill_length", "bill_color"),
    "belly": ("belly_color", "belly_pattern"),
    "breast": ("breast_pattern", "breast_color"),
    "crown": ("head_pattern", "forehead_color", "crown_color"),
    "forehead": ("head_pattern", "forehead_color"),
    "eyes": ("eye_color", "head_pattern"),
    "legs": ("leg_color",),
    "wings": ("wing_color", "wing_shape", "wing_pattern"),
    "nape": ("nape_color",),
    "tail": ("tail_shape", "upper_tail_color", "under_tail_color", "tail_pattern"),
    "throat": ("head_pattern", "throat_color"),
}
"""Names of attributes, without `has_`, for each of the twelve kinds of parts."""

EARLIER = {
    **CURRENT,
    "crown": ("crown_color",),
    "forehead": ("forehead_color",),
    "eyes": ("eye_color",),
    "throat": ("throat_color",),
}
"""An earlier version: the head's pattern counts for no part, the forehead not for the crown."""

TABLES = {"current": CURRENT, "earlier": EARLIER}

KINDS = {
    f"{side} {part}": f"{part}s" for side in ("left", "right") for part in ("eye", "leg", "wing")
}
"""Parts that come in pairs share their attributes."""


class Group(NamedTuple):
    """An attribute: the values it can have, and their columns among all 312."""

    name: str
    values: tuple[str, ...]
    columns: tuple[int, ...]


def groups(names: Sequence[str]) -> dict[str, Group]:
    """The attributes by name, without `has_`, from entries `has_name::value`."""
    entries: dict[str, list[tuple[str, int]]] = {}
    for column, entry in enumerate(names):
        name, _, value = entry.removeprefix("has_").partition("::")
        entries.setdefault(name, []).append((value, column))
    return {
        name: Group(name, tuple(v for v, _ in pairs), tuple(c for _, c in pairs))
        for name, pairs in entries.items()
    }
