"""Items: images and labels one by one, of whatever collection somebody holds."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from xbench.errors import DatasetError

DIGITS = 32
"""Of a hash."""
IMAGE_NAMES, LABEL_NAMES = ("image", "img", "pixel_values"), ("label", "labels", "fine_label")
"""Columns that hold images and labels, where no types tell it."""
TRIED = 3
"""How many images are read twice, to see whether they stay the same."""


class Items(Protocol):
    """Images and labels by their places."""

    classes: tuple[str, ...]
    """Names of the classes where they are known."""

    def __len__(self) -> int:
        """How many there are."""

    def image(self, place: int) -> UInt8[Tensor, "3 h w"]:
        """The image."""

    def label(self, place: int) -> int | str:
        """Its label, or the name of its class."""


class Seen(NamedTuple):
    """What was found when all items were looked at."""

    classes: tuple[str, ...]
    labels: list[int]
    digests: list[str]


def items_of(given: Any, image: str, label: str) -> Items:
    """The items of a collection; `DatasetError` where it is none."""
    if not hasattr(given, "__getitem__") or not hasattr(given, "__len__"):
        kind = type(given).__name__
        raise DatasetError(
            f"dataset_from: {kind} has no items by number; give a torch.utils.data.Dataset with "
            "a length, a Hugging Face Dataset, or a dictionary of them by split"
        )
    if hasattr(given, "features") and hasattr(given, "column_names"):
        return _Columns(given, image, label)
    return _Pairs(given, image, label)


def looked_at(parts: Sequence[Items], classes: Sequence[str] | None) -> Seen:
    """The classes, all labels, and a hash of the pixels of each part; everything is read."""
    for part in parts:
        _check_stays(part)
    found: list[int | str] = []
    digests = []
    for part in parts:
        whole = hashlib.sha256()
        for place in range(len(part)):
            pixels = part.image(place)
            whole.update(str(tuple(pixels.shape)).encode())
            whole.update(pixels.contiguous().numpy().tobytes())
            found.append(part.label(place))
        digests.append(whole.hexdigest()[:DIGITS])
    names = tuple(classes) if classes is not None else _classes(parts, found)
    return Seen(names, [_place(label, names) for label in found], digests)


def _check_stays(part: Items) -> None:
    """Refuse images that are drawn anew each time."""
    for place in range(min(TRIED, len(part))):
        if not torch.equal(part.image(place), part.image(place)):
            raise DatasetError(
                f"dataset_from: image {place} is another one each time it is read; leave random "
                "transforms out (a benchmark's training has its own augmentation)"
            )


def _classes(parts: Sequence[Items], found: Sequence[int | str]) -> tuple[str, ...]:
    known = dict.fromkeys(part.classes for part in parts if part.classes)
    if len(known) > 1:
        raise DatasetError("dataset_from: the splits have other classes; say which: classes=[…]")
    if known:
        return next(iter(known))
    if any(isinstance(label, str) for label in found):
        return tuple(sorted({str(label) for label in found}))
    most = max((int(label) for label in found), default=-1)
    return tuple(f"class {label}" for label in range(most + 1))


def _place(label: int | str, names: Sequence[str]) -> int:
    if isinstance(label, str):
        if label not in names:
            raise DatasetError(f"dataset_from: label {label!r} is none of the classes")
        return names.index(label)
    if not 0 <= label < len(names):
        raise DatasetError(f"dataset_from: label {label} is none of {len(names)} classes")
    return label


class _Pairs:
    """What a `torch.utils.data.Dataset` gives: (image, label), or a dictionary of both."""

    def __init__(self, given: Any, image: str, label: str) -> None:
        self._given, self._names = given, (image, label)
        self.classes = _known_classes(given)

    def __len__(self) -> int:
        return len(self._given)

    def image(self, place: int) -> UInt8[Tensor, "3 h w"]:
        """The first of the pair."""
        return rgb(self._pair(place)[0], f"image {place}")

    def label(self, place: int) -> int | str:
        """The second of the pair."""
        return _label(self._pair(place)[1], place)

    def _pair(self, place: int) -> tuple[Any, Any]:
        item = self._given[place]
        if isinstance(item, Mapping):
            image, label = _columns(list(item), *self._names)
            return item[image], item[label]
        if isinstance(item, (tuple, list)) and len(item) >= 2:
            return item[0], item[1]
        kind = type(item).__name__
        raise DatasetError(f"dataset_from: item {place} is {kind}, not a pair (image, label)")


class _Columns:
    """What a Hugging Face dataset gives: rows with named columns, and what these hold."""

    def __init__(self, given: Any, image: str, label: str) -> None:
        self._given, features = given, dict(given.features)
        kinds = {type(feature).__name__: name for name, feature in features.items()}
        names = list(given.column_names)
        asked = image or kinds.get("Image", ""), label or kinds.get("ClassLabel", "")
        self._image, self._label = _columns(names, *asked)
        self.classes = tuple(getattr(features.get(self._label), "names", None) or ())

    def __len__(self) -> int:
        return len(self._given)

    def image(self, place: int) -> UInt8[Tensor, "3 h w"]:
        """The column of images."""
        return rgb(self._given[place][self._image], f"image {place}")

    def label(self, place: int) -> int | str:
        """The column of labels."""
        return _label(self._given[place][self._label], place)


def _columns(names: Sequence[str], image: str, label: str) -> tuple[str, str]:
    """Which columns hold images and labels."""
    known = {"image": (image, IMAGE_NAMES), "label": (label, LABEL_NAMES)}
    chosen = []
    for what, (asked, usual) in known.items():
        found = next((name for name in ([asked] if asked else usual) if name in names), None)
        if found is None:
            listed = ", ".join(map(str, names))
            raise DatasetError(
                f"dataset_from: no column {asked or what!r} among {listed}; say {what}='NAME'"
            )
        chosen.append(found)
    return chosen[0], chosen[1]


def _known_classes(given: Any) -> tuple[str, ...]:
    """The class names of a collection, or of the one that it is a part of."""
    while given is not None:
        classes = getattr(given, "classes", None)
        if isinstance(classes, (list, tuple)) and all(isinstance(one, str) for one in classes):
            return tuple(classes)
        given = getattr(given, "dataset", None)
    return ()


def _label(value: Any, place: int) -> int | str:
    if isinstance(value, str):
        return value
    try:
        whole = value.item() if hasattr(value, "item") else value
        label = None if isinstance(whole, bool) or int(whole) != whole else int(whole)
    except (TypeError, ValueError, RuntimeError):
        label = None
    if label is None:
        shown = f"{value!r}"[:40]
        raise DatasetError(f"dataset_from: label {place} is {shown}, not one class")
    return label


def rgb(image: Any, what: str) -> UInt8[Tensor, "3 h w"]:
    """A PIL image, array or tensor as bytes in RGB; `DatasetError` where it is none."""
    if isinstance(image, Image.Image):
        image = np.array(image.convert("RGB"))
    if isinstance(image, np.ndarray):
        tensor = torch.from_numpy(np.ascontiguousarray(image))
        tensor = tensor.permute(2, 0, 1) if tensor.ndim == 3 else tensor
    elif isinstance(image, Tensor):
        tensor = image.detach().cpu()
    else:
        kind = type(image).__name__
        raise DatasetError(f"dataset_from: {what} is {kind}, no PIL image, array or tensor")
    tensor = tensor[None] if tensor.ndim == 2 else tensor
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
        shape = tuple(tensor.shape)
        raise DatasetError(f"dataset_from: {what} has the shape {shape}, not (3, height, width)")
    return _bytes(tensor[:3].expand(3, -1, -1), what)


def _bytes(tensor: Tensor, what: str) -> UInt8[Tensor, "3 h w"]:
    if tensor.dtype is torch.uint8:
        return tensor.contiguous()
    if not tensor.is_floating_point() or not bool(((tensor >= 0) & (tensor <= 1)).all()):
        raise DatasetError(
            f"dataset_from: {what} has values that are neither bytes nor in [0, 1]; leave "
            "normalising transforms out (a classifier normalises inside)"
        )
    return (tensor * 255).round().to(torch.uint8)
