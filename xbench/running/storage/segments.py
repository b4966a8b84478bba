"""Segments: kept explanations and predictions, one file for the images of a block.

A segment lies in a folder of the store that says what its values are of,
`explanations/<kind>/<key>` or `predictions/<key>`. It is named by the hash of its image ids,
which stand in its header, and never changes: two who write the same one waste work and harm
nothing. The value of an image is tensors by name. A tensor that all images share is stored once,
those of equal shape and type are stacked, the rest lie one by one.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xbench.files.seals import header, sealed_tensors, tensor_bytes
from xbench.running.storage.store import Store
from xbench.running.storage.store_files import FileEntry

FOLDERS = ("explanations", "predictions")
"""Where segments lie."""
Value = dict[str, Tensor]
"""What is kept of one image: tensors by name."""

_IDS: dict[str, tuple[int, ...]] = {}
"""The ids of segments that this process has met, by name: a name is the hash of its ids."""
_MOST_REMEMBERED = 20_000


class Segment(NamedTuple):
    """What a segment has of images that are looked for."""

    path: str
    values: dict[int, Value]
    about: dict[str, Any]
    """Plain values that were written with it."""


class _Part(NamedTuple):
    """A tensor of the file: of which name, of which images, and whether they share it."""

    name: str
    images: list[int]
    """Places of the images in the segment."""
    shared: bool
    """One value for all these images; else a first axis of the tensor runs over them."""
    shape: list[int]
    """Of one value, which may have been expanded from the tensor."""


def segment_name(ids: Sequence[int]) -> str:
    """What the segment of these images, in this order, is called."""
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:32]


def segment_path(folder: str, ids: Sequence[int]) -> str:
    """Where the segment of these images, in this order, lies."""
    return f"{folder}/{segment_name(ids)}.safetensors"


def put(
    store: Store,
    folder: str,
    ids: Sequence[int],
    values: Sequence[Mapping[str, Tensor]],
    metadata: Mapping[str, Any],
) -> int:
    """Keep a value for each image, unless they are kept; the bytes that were written.

    `metadata` are plain values that say what the folder's key is of.
    """
    if len(set(ids)) != len(ids) or len(ids) != len(values):
        raise ValueError(f"{len(values)} values for {len(set(ids))} images under {len(ids)} ids")
    path = segment_path(folder, ids)
    data = _packed(path, ids, values, metadata)
    if not store.create(path, data):
        if store.files.read(path) is not None:
            return 0
        store.files.write(path, data)
    return len(data)


def get(store: Store, folder: str, ids: Sequence[int]) -> list[Value] | None:
    """The values of exactly these images in this order, if they were kept together."""
    segment = _segment(store, segment_path(folder, ids), ids)
    return None if segment is None else [segment.values[id_] for id_ in ids]


def find(store: Store, folder: str, ids: Sequence[int]) -> dict[int, Value]:
    """The values of those of these images that are kept, in whatever segments they lie."""
    values = {
        id_: of for segment in found(store, folder, ids) for id_, of in segment.values.items()
    }
    return {id_: values[id_] for id_ in ids if id_ in values}


def found(store: Store, folder: str, ids: Sequence[int]) -> Iterator[Segment]:
    """The segments that have values of these images; an image has its value from one of them."""
    together = _segment(store, segment_path(folder, ids), ids)
    if together is not None:
        yield together
        return
    known: set[int] = set()
    for path, of in _most_of_them_first(_segments(store, folder), ids):
        wanted = [id_ for id_ in of if id_ not in known]
        segment = _segment(store, path, wanted) if wanted else None
        if segment is not None:
            known.update(segment.values)
            yield segment


def covered(store: Store, folder: str, ids: Sequence[int]) -> bool:
    """Whether all of these images are kept."""
    if store.files.read(segment_path(folder, ids)) is not None:
        return True
    known = {id_ for segment in found(store, folder, ids) for id_ in segment.values}
    return known.issuperset(ids)


def sizes(store: Store, folder: str | None = None) -> dict[str, FileEntry]:
    """Size and time of each segment in a folder, or of all, by path."""
    folders = FOLDERS if folder is None else (folder,)
    return {path: entry for of in folders for path, entry in store.files.listed(of).items()}


def delete(store: Store, folder: str) -> int:
    """Forget what is kept in a folder and below it; the bytes that this frees."""
    entries = sizes(store, folder)
    for path in entries:
        store.files.delete(path)
    return sum(entry.size for entry in entries.values())


def prune(store: Store, cap: int, keep: Collection[str] = ()) -> list[str]:
    """Remove the oldest segments until all together have at most `cap` bytes; which were removed.

    The paths in `keep` stay, whatever they weigh.
    """
    entries = sizes(store)
    total, removed = sum(entry.size for entry in entries.values()), []
    for path, entry in sorted(entries.items(), key=lambda item: item[1].modified):
        if total <= cap:
            break
        if path not in keep:
            store.files.delete(path)
            removed.append(path)
            total -= entry.size
    return removed


def _segments(store: Store, folder: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The paths of the segments in a folder, with their ids; without those that are damaged."""
    for path in store.files.listed(folder):
        name = path.rpartition("/")[2].removesuffix(".safetensors")
        if name not in _IDS:
            _remember(name, _read_ids(store, path))
        if name in _IDS:
            yield path, _IDS[name]


def _read_ids(store: Store, path: str) -> Sequence[int]:
    """The ids in the header of a segment; none where it cannot be read."""
    try:
        return _ids(store.files.header(path))
    except (OSError, LookupError, ValueError, TypeError):
        return ()


def _ids(about: Mapping[str, str]) -> list[int]:
    return [int(id_) for id_ in json.loads(about["ids"])]


def _remember(name: str, ids: Sequence[int]) -> None:
    """Remember ids if they are what the name is the hash of."""
    if len(_IDS) >= _MOST_REMEMBERED:
        _IDS.clear()
    if segment_name(ids) == name:
        _IDS[name] = tuple(ids)


def _most_of_them_first(
    segments: Iterable[tuple[str, tuple[int, ...]]], ids: Sequence[int]
) -> list[tuple[str, list[int]]]:
    """The segments that have some of these images, and which of them."""
    asked = set(ids)
    have = [(path, [id_ for id_ in of if id_ in asked]) for path, of in segments]
    return sorted(have, key=lambda item: -len(item[1]))


def _packed(
    path: str,
    ids: Sequence[int],
    values: Sequence[Mapping[str, Tensor]],
    metadata: Mapping[str, Any],
) -> bytes:
    tensors: dict[str, Tensor] = {}
    parts: list[_Part] = []
    for part, tensor in _parts(values):
        tensors[f"{len(parts)} {part.name}"] = tensor
        parts.append(part)
    kind, key = path.split("/")[-3:-1]
    about = {
        "kind": kind,
        "key": key,
        "ids": json.dumps(list(ids)),
        "count": str(len(ids)),
        "parts": json.dumps(parts),
        "about": json.dumps(dict(metadata), sort_keys=True),
    }
    return sealed_tensors(path, tensors, about)


def _parts(values: Sequence[Mapping[str, Tensor]]) -> Iterator[tuple[_Part, Tensor]]:
    for name in dict.fromkeys(name for value in values for name in value):
        alike: dict[tuple[Any, ...], list[int]] = {}
        for place, value in enumerate(values):
            if name in value:
                tensor = value[name]
                form = tensor.dtype, tuple(tensor.shape), tuple(_unexpanded(tensor).shape)
                alike.setdefault(form, []).append(place)
        for (_, shape, _), places in alike.items():
            tensors = [_unexpanded(values[place][name]) for place in places]
            shared = all(_same(tensors[0], other) for other in tensors[1:])
            whole = tensors[0] if shared else _stacked(tensors)
            yield _Part(name, places, shared, list(shape)), whole


def _unexpanded(tensor: Tensor) -> Tensor:
    """The tensor, along axes that only repeat it at one place."""
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if size > 1 and stride == 0:
            tensor = tensor.narrow(axis, 0, 1)
    return tensor


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal bit by bit."""
    if one is other:
        return True
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return tensor_bytes(one) == tensor_bytes(other)


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) == 1:
        return tensors[0][None]
    return torch.stack([tensor.detach().cpu() for tensor in tensors])


def _segment(store: Store, path: str, wanted: Sequence[int]) -> Segment | None:
    """The values of these images from one segment; None where it is gone or damaged."""
    return store.files.believed(path, lambda data: _unpacked(path, data, wanted))


def _unpacked(path: str, data: bytes, wanted: Sequence[int]) -> Segment:
    from safetensors.torch import load

    about, tensors = header(data), load(data)
    ids = _ids(about)
    if segment_name(ids) != path.rpartition("/")[2].removesuffix(".safetensors"):
        raise ValueError("the ids are not those that it is named for")
    asked = set(wanted)
    values: list[Value | None] = [{} if id_ in asked else None for id_ in ids]
    for number, content in enumerate(json.loads(about["parts"])):
        part = _Part(*content)
        _give(part, tensors[f"{number} {part.name}"], values)
    pairs = zip(ids, values, strict=True)
    kept = {id_: value for id_, value in pairs if value is not None}
    return Segment(path, kept, json.loads(about["about"]))


def _give(part: _Part, tensor: Tensor, values: Sequence[Value | None]) -> None:
    """Add a part to the values of its images; of a stack they get copies, to let go of the rest."""
    own = [tensor] * len(part.images) if part.shared else tensor.unbind()
    for image, of_image in zip(part.images, own, strict=True):
        value = values[image]
        if value is not None:
            one = of_image if part.shared else of_image.clone()
            value[part.name] = one.expand(part.shape).contiguous()
