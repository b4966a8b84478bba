"""Kept explanations and predictions: segments of the store, and those that were read last."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from xbench.interfaces.bench import Derivation, Subject, kept_key
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.explanation import Explainer
from xbench.running.storage import segments
from xbench.running.storage.store import Store

Tensors = Mapping[str, Tensor]
MOST_READ = 2**28
"""Bytes of tensors that a process remembers."""


def kept_folder(
    explainer: Explainer | None,
    subject: Subject,
    images: ImageSet,
    derivation: Derivation | None = None,
) -> str:
    """Where in the store explanations, or without an explainer predictions, lie."""
    key = kept_key(explainer, subject, images, derivation)
    if explainer is None:
        return f"predictions/{key}"
    kind = "".join(sign if sign.isalnum() else "-" for sign in explainer.makes.name)
    return f"explanations/{kind}/{key}"


class Kept:
    """What one process finds and keeps."""

    def __init__(self, store: Store, *, keep: bool) -> None:
        self.store = store
        self.keep = keep
        self._written: dict[str, int] = {}
        self._read: OrderedDict[tuple[str, int], Tensors] = OrderedDict()
        self._bytes = 0
        self._used: dict[str, Mapping[str, Any]] | None = None
        self._costs: dict[tuple[str, int], tuple[str, Mapping[str, Any]]] = {}

    @contextlib.contextmanager
    def noting(self, used: dict[str, Mapping[str, Any]]) -> Iterator[None]:
        """What each segment that is used in this block has cost, by its path."""
        before, self._used = self._used, used
        try:
            yield
        finally:
            self._used = before

    def newly_written(self) -> dict[str, int]:
        """Bytes of the segments that were written since this was asked last, by path."""
        written, self._written = self._written, {}
        return written

    def find(self, folder: str, ids: Sequence[int]) -> dict[int, Tensors]:
        """What is kept of these images."""
        unread = [image for image in ids if (folder, image) not in self._read]
        if unread:
            for segment in segments.found(self.store, folder, unread):
                self._remember(segment.path, folder, segment.values, segment.about)
        found = {i: self._read[folder, i] for i in ids if (folder, i) in self._read}
        for image in found:
            self._read.move_to_end((folder, image))
            self._note(folder, image)
        self._forget()
        return found

    def has(self, folder: str, ids: Sequence[int]) -> bool:
        """Whether all of these images are kept."""
        unread = [image for image in ids if (folder, image) not in self._read]
        return not unread or segments.covered(self.store, folder, unread)

    def put(
        self, folder: str, ids: Sequence[int], values: Sequence[Tensors], facts: Mapping[str, Any]
    ) -> None:
        """Keep what was made of these images; `facts` say what it cost."""
        path = segments.segment_path(folder, ids)
        self._written[path] = segments.put(self.store, folder, ids, values, facts)
        self._remember(path, folder, dict(zip(ids, values, strict=True)), facts)
        self._forget()
        self.used({path: facts})

    def used(self, costs: Mapping[str, Mapping[str, Any]]) -> None:
        """Note segments that were used, with what they cost."""
        if self._used is not None:
            self._used |= costs

    def _remember(
        self, path: str, folder: str, values: Mapping[int, Tensors], facts: Mapping[str, Any]
    ) -> None:
        for image, tensors in values.items():
            if (folder, image) not in self._read:
                self._bytes += _size(tensors)
                self._read[folder, image] = tensors
                self._costs[folder, image] = path, facts

    def _note(self, folder: str, image: int) -> None:
        if self._used is not None:
            path, facts = self._costs[folder, image]
            self._used[path] = facts

    def _forget(self) -> None:
        while self._bytes > MOST_READ:
            place, tensors = self._read.popitem(last=False)
            del self._costs[place]
            self._bytes -= _size(tensors)


class Ledger:
    """What a run keeps, the oldest first, and how much it may."""

    def __init__(self, store: Store, cap: float) -> None:
        self.store = store
        self.cap = cap
        """Bytes."""
        self._segments: dict[str, int] = {}

    def add(self, written: Mapping[str, int]) -> None:
        """Note segments that were written, with their bytes."""
        # what was there already is another run's
        self._segments |= {path: size for path, size in written.items() if size}

    def enforce(self) -> None:
        """Remove the oldest segments until what the run keeps is within its cap."""
        total = sum(self._segments.values())
        while self._segments and total > self.cap:
            path = next(iter(self._segments))
            total -= self._segments.pop(path)
            self.store.files.delete(path)


def _size(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values()) + 200
