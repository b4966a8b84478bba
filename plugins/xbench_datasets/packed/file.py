"""Files of packed images: an .npz with labels, and with images that are encoded or plain.

`labels` (n); and either `images` (n, h, w, 3), uint8, or `jpeg` (or `encoded`), the bytes of
all images one after another, with `offsets` (n + 1), where each begins and the last ends.
`class_names` and `ids` (n) may be there too. All images of a file have one size.
"""

import functools
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from PIL import Image

from xbench import PHOTO_DAMAGE, DatasetError
from xbench_datasets.picture_table import Pictures, Stack

WHAT = "dataset 'packed'"
SUFFIX = ".npz"
ENCODED = ("jpeg", "encoded")
"""Names that the array of bytes may have."""
MOST_BYTES = 16 << 30
"""An array that claims more is refused before it is read."""
KEPT = 1 << 30
"""Bytes of a file's decoded images up to which they are kept once they are decoded."""
UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, MemoryError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What NumPy raises for files that are no archives of arrays, damaged or too large ones."""
FORM = (
    "expected labels, and either images or jpeg with offsets; docs/datasets.md describes the form"
)


@dataclass(frozen=True, eq=False)
class Packing:
    """What is in a file."""

    pictures: "Plain | Encoded"
    labels: Int64[np.ndarray, " n"]
    ids: Int64[np.ndarray, " n"] | None
    class_names: tuple[str, ...]

    def damaged(self) -> list[str]:
        """One line for each image that does not decode."""
        return self.pictures.damaged()


@functools.lru_cache(maxsize=6)
def read(path: str, size: int, changed: int) -> Packing:
    """A file's content, its images undecoded; `DatasetError` where arrays are missing or misfit.

    `size` and `changed` tell one state of the file from another.
    """
    arrays = _Arrays(Path(path))
    labels = arrays.whole_numbers("labels")
    pictures = _pictures(arrays, len(labels))
    ids = arrays.whole_numbers("ids") if "ids" in arrays.names else None
    if ids is not None and (len(ids) != len(labels) or len(set(ids.tolist())) != len(ids)):
        raise arrays.wrong(f"ids should be {len(labels)} different numbers")
    names = arrays.texts("class_names") if "class_names" in arrays.names else ()
    return Packing(pictures, labels, ids, names)


class _Arrays:
    """The arrays of a file, read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as archive:
            self.names = set(archive.files)

    def of(self, name: str) -> np.ndarray:
        """The array of that name."""
        if name not in self.names:
            raise self.wrong(f"{name} is missing; {FORM}")
        with self._opened() as archive:
            self._check_size(archive, name)
            try:
                array: np.ndarray = archive[name]
            except UNREADABLE as error:
                raise self.wrong(f"{name} cannot be read: {error}") from error
        return array

    def _check_size(self, archive: np.lib.npyio.NpzFile, name: str) -> None:
        """Refuse what a small file would fill the memory with."""
        assert archive.zip is not None  # noqa: S101 - it is open
        claimed = archive.zip.getinfo(f"{name}.npy").file_size
        if claimed > MOST_BYTES:
            raise self.wrong(f"{name} has {claimed} bytes, more than {MOST_BYTES}")

    def whole_numbers(self, name: str) -> Int64[np.ndarray, " n"]:
        """The row of whole numbers of that name, none of them negative."""
        array = self.of(name)
        if array.ndim != 1 or array.dtype.kind not in "iu" or (len(array) and array.min() < 0):
            raise self.wrong(
                f"{name} should be a row of whole numbers from 0 on,"
                f" found {array.dtype} of shape {array.shape}"
            )
        return array.astype(np.int64)

    def texts(self, name: str) -> tuple[str, ...]:
        """The row of different texts of that name."""
        array = self.of(name)
        if array.ndim != 1 or array.dtype.kind != "U" or len(set(array.tolist())) != len(array):
            raise self.wrong(
                f"{name} should be a row of different texts,"
                f" found {array.dtype} of shape {array.shape}"
            )
        return tuple(array.tolist())

    def wrong(self, what: str) -> DatasetError:
        """An error of this file."""
        return DatasetError(f"{WHAT}: {self.path}: {what}")

    @contextmanager
    def _opened(self) -> Iterator[np.lib.npyio.NpzFile]:
        try:
            with self.path.open("rb") as file:
                archive = np.load(file, allow_pickle=False)
                if not isinstance(archive, np.lib.npyio.NpzFile):
                    raise self.wrong(f"it holds one array; {FORM}")
                with archive:
                    yield archive
        except UNREADABLE as error:
            raise self.wrong(f"it cannot be read: {error}") from error


class Plain(Pictures):
    """Images as they are; read when the first is asked for."""

    def __init__(self, arrays: _Arrays, count: int) -> None:
        self._arrays, self._count = arrays, count

    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self._stack.size()

    def pixels(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 h w"]:
        """The images at these places."""
        return self._stack.pixels(places)

    def content(self) -> list[np.ndarray]:
        """Shape and pixels."""
        return self._stack.content()

    def damaged(self) -> list[str]:
        """Why they cannot be read, if they cannot."""
        try:
            self.size()
        except DatasetError as error:
            return [str(error)]
        return []

    @functools.cached_property
    def _stack(self) -> Stack:
        images = self._arrays.of("images")
        form = f"found {images.dtype} of shape {images.shape}"
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise self._arrays.wrong(f"images should be bytes of shape (n, h, w, 3), {form}")
        if len(images) != self._count:
            raise self._arrays.wrong(f"there are {len(images)} images, but {self._count} labels")
        return Stack(images)


class Encoded(Pictures):
    """Images as files hold them; each is decoded when it is first asked for, and then kept."""

    def __init__(self, arrays: _Arrays, offsets: Int64[np.ndarray, " m"]) -> None:
        self._arrays, self._offsets = arrays, offsets

    def size(self) -> tuple[int, int]:
        """Height and width of the first image, which are those of all."""
        return self._size

    def pixels(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 h w"]:
        """The images at these places."""
        images, decoded = self._images
        if not len(images):
            return self._decoded(places)
        missing = np.unique(places[~decoded[places]])
        if len(missing):
            images[missing] = self._decoded(missing)
            decoded[missing] = True
        pixels: np.ndarray = images[places]
        return pixels

    def content(self) -> list[np.ndarray]:
        """The encoded bytes; nothing is decoded."""
        return [self._offsets, self._bytes]

    def damaged(self) -> list[str]:
        """One line for each image that does not decode, or is of another size."""
        return [line for place in range(len(self._offsets) - 1) if (line := self._fault(place))]

    def _fault(self, place: int) -> str:
        try:
            self._image(place)
        except DatasetError as error:
            return str(error)
        return ""

    def _decoded(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 h w"]:
        pixels = np.empty((len(places), 3, *self._size), np.uint8)
        for row, place in enumerate(places.tolist()):
            pixels[row] = self._image(place).transpose(2, 0, 1)
        return pixels

    def _image(self, place: int) -> UInt8[np.ndarray, "h w 3"]:
        with self._opened(place) as image:
            height, width = self._size
            if image.size != (width, height):
                raise self._arrays.wrong(
                    f"image {place} is {image.height} × {image.width}, the first is"
                    f" {height} × {width}; all images of a file have one size"
                )
            try:
                return np.asarray(image.convert("RGB"))
            except PHOTO_DAMAGE as error:
                raise self._damage(place, error) from error

    def _opened(self, place: int) -> Image.Image:
        try:
            return Image.open(io.BytesIO(self._content(place).data))
        except PHOTO_DAMAGE as error:
            raise self._damage(place, error) from error

    def _content(self, place: int) -> UInt8[np.ndarray, " bytes"]:
        content: np.ndarray = self._bytes[self._offsets[place] : self._offsets[place + 1]]
        return content

    def _damage(self, place: int, error: Exception) -> DatasetError:
        return self._arrays.wrong(f"image {place} does not decode: {error}")

    @functools.cached_property
    def _bytes(self) -> UInt8[np.ndarray, " bytes"]:
        name = next(name for name in ENCODED if name in self._arrays.names)
        array = self._arrays.of(name)
        if array.ndim != 1 or array.dtype != np.uint8 or len(array) != self._offsets[-1]:
            raise self._arrays.wrong(
                f"{name} should be a row of {self._offsets[-1]} bytes, as offsets say, found"
                f" {array.dtype} of shape {array.shape}"
            )
        return array

    @functools.cached_property
    def _size(self) -> tuple[int, int]:
        if len(self._offsets) < 2:
            return 0, 0
        with self._opened(0) as image:
            return image.height, image.width

    @functools.cached_property
    def _images(self) -> tuple[UInt8[np.ndarray, "n 3 h w"], Bool[np.ndarray, " n"]]:
        """Room for decoded images, and which are there; memory that is not written is not used."""
        shape = (len(self._offsets) - 1, 3, *self._size)
        count = shape[0] if np.prod(shape) <= KEPT else 0
        return np.empty((count, *shape[1:]), np.uint8), np.zeros(count, bool)


def _pictures(arrays: _Arrays, count: int) -> Plain | Encoded:
    if "images" in arrays.names:
        return Plain(arrays, count)
    if not arrays.names.intersection(ENCODED):
        raise arrays.wrong(f"images are missing; {FORM}")
    offsets = arrays.whole_numbers("offsets")
    if len(offsets) != count + 1 or offsets[0] != 0 or (np.diff(offsets) <= 0).any():
        raise arrays.wrong(
            f"offsets should be {count + 1} ascending numbers from 0 on, one more than labels"
        )
    return Encoded(arrays, offsets)
