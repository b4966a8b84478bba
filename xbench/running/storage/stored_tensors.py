"""Tensors that stay in the store until they are touched."""

from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from xbench.errors import RunError
from xbench.files.seals import seal


class StoredTensors(Mapping[str, Tensor]):
    """The tensors of a file by name, read when the first of them is asked for.

    What is read must be the file that it was, else `RunError`. Pickled it carries no tensors;
    `dict(tensors)` are plain ones.
    """

    def __init__(self, read: Callable[[str], bytes | None], path: str, checksum: str) -> None:
        self._read = read
        self._path = path
        self._checksum = checksum
        self._held: dict[str, Tensor] | None = None

    def drop(self) -> None:
        """Forget what was read; the next touch reads again."""
        self._held = None

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of this name."""
        return self._tensors()[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._tensors())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tensors())

    def __reduce__(self) -> tuple[type["StoredTensors"], tuple[object, ...]]:
        """Where they lie, and nothing of what was read."""
        return StoredTensors, (self._read, self._path, self._checksum)

    def _tensors(self) -> dict[str, Tensor]:
        held = self._held  # another thread may drop them
        if held is None:
            held = self._held = self._load()
        return held

    def _load(self) -> dict[str, Tensor]:
        from safetensors.torch import load

        data = self._read(self._path)
        if data is None or seal(self._path, data) != self._checksum:
            raise RunError(
                f"the tensors in {self._path} are gone from the store, or are no longer those "
                "that were there when this run began; run the same command again"
            )
        tensors: dict[str, Tensor] = load(data)
        return tensors
