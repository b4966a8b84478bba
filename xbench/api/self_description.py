"""What a module says of itself: the images it wants, and what its outputs are called."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn

from xbench.interfaces.classifier import Normalisation
from xbench.networks.adapting import unwrapped

_NAMELESS = re.compile(r"label[_ ]?\d+", re.IGNORECASE)
"""Names that say no more than numbers."""


class SelfDescription(NamedTuple):
    """What a module says of itself, None and () where it says nothing."""

    side: int | None
    normalisation: Normalisation | None
    class_names: tuple[str, ...]


def self_description(module: nn.Module) -> SelfDescription:
    """What stands in a module's `pretrained_cfg`, as in timm's, and its `config.id2label`.

    The latter is Hugging Face's. What is not of the form that it has there counts as not said.
    """
    inner = unwrapped(module)
    names = _class_names(getattr(getattr(inner, "config", None), "id2label", None))
    said = getattr(inner, "pretrained_cfg", None)
    if not isinstance(said, Mapping):
        return SelfDescription(None, None, names)
    mean, std = _channels(said.get("mean")), _channels(said.get("std"))
    normalisation = Normalisation(mean, std) if mean and std else None
    return SelfDescription(_side(said.get("input_size")), normalisation, names)


def _side(size: Any) -> int | None:
    """The width of an input (channels, height, width)."""
    known = isinstance(size, (tuple, list)) and len(size) == 3 and isinstance(size[-1], int)
    return size[-1] if known and size[-1] > 0 else None


def _channels(values: Any) -> tuple[float, float, float] | None:
    """One number for each of red, green and blue; one alone, of grey images, is that of all."""
    if not isinstance(values, (tuple, list)) or len(values) not in (1, 3):
        return None
    red, green, blue = values if len(values) == 3 else 3 * tuple(values)
    return red, green, blue


def _class_names(names: Any) -> tuple[str, ...]:
    """Those of a table from number, as int or text, to name; none where numbers are left out."""
    if not isinstance(names, Mapping):
        return ()
    numbered = {str(number): str(name) for number, name in names.items()}
    ordered = tuple(numbered.get(str(number), "") for number in range(len(numbered)))
    return ordered if all(ordered) and not all(map(_NAMELESS.fullmatch, ordered)) else ()
