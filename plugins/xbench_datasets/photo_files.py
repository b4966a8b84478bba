"""What datasets have in common whose images are photographs in files of their own."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

from jaxtyping import UInt8
from torch import Tensor

from xbench import Dataset, decode_photo, photo_size


class PhotoFile(NamedTuple):
    """A photograph."""

    path: Path
    what: str
    """The photograph, in messages."""


@dataclass(frozen=True)
class PhotoFiles(Dataset):
    """A subclass says in which file each photograph lies."""

    @abstractmethod
    def photos(self, ids: Sequence[int]) -> Sequence[PhotoFile]:
        """The file of each image; `UnknownNameError` for an id of none."""

    @final
    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The photographs; grey ones are converted."""
        return [decode_photo(path, what) for path, what in self.photos(ids)]

    @final
    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width, from the files' headers."""
        return [photo_size(path, what) for path, what in self.photos(ids)]
