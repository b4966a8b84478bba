"""Images as people give them: photos, folders, arrays, tensors, lists of these, data loaders.

Photos are files, Pillow images and arrays or tensors of bytes: they are fitted to a network.
Tensors and arrays of floats are what the network gets, and no size of theirs is changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from xbench.errors import MismatchError, UsageError
from xbench.files.photos import photos_below, upright_photo
from xbench.interfaces.classifier import PhotoTransform

ENOUGH = 4
"""How often the side of a network's images a large photo's short side is read with at least."""
EDGE = 1e-6
"""What rounding may add to colours from 0 to 1."""
_TAKEN = (
    "the path of a photo or of a folder, a Pillow image, an array, a tensor, a list of these, or "
    "a DataLoader"
)


class GivenImage(NamedTuple):
    """One image, as it was given; a photo in a file is not read yet."""

    name: str
    source: Any
    """A path, the bytes of a file, a Pillow image, or a tensor (3, h, w) of floats."""
    label: int | None = None
    normalised: bool = False
    """Whether a tensor's values, or those of another image given with it, are no colours."""

    @property
    def path(self) -> str:
        """Where it lies; "" for what lies in no file."""
        return str(self.source) if isinstance(self.source, Path) else ""


class Pixels(NamedTuple):
    """An image as it was read."""

    image: Float[Tensor, "3 h w"]
    normalised: bool
    """Whether its values are no colours: they are normalised already."""


def given_images(given: Any) -> Iterator[GivenImage]:
    """Every image of what was given, in order; nothing is decoded."""
    for place, image in enumerate(_images(given), start=1):
        yield image if image.name else image._replace(name=f"image {place}")


def pixels_of(given: GivenImage, transform: PhotoTransform, size: int) -> Pixels:
    """The image as the network gets it; photos go through the transform."""
    source = given.source
    if isinstance(source, Tensor):
        image = source.detach().float().cpu()
        if not torch.isfinite(image).all():
            raise UsageError(f"{given.name} has values that are NaN or infinite")
        return Pixels(image, given.normalised)
    photo = source if isinstance(source, Image.Image) else _decoded(given, size)
    image = transform(photo)
    if not isinstance(image, Tensor) or image.dim() != 3 or image.shape[0] != 3:
        shown = f"shape {tuple(image.shape)}" if isinstance(image, Tensor) else type(image).__name__
        raise MismatchError(f"the transform made {shown} of {given.name}, not a tensor (3, h, w)")
    image = image.float() / 255 if image.dtype == torch.uint8 else image.float()
    return Pixels(image, _outside(image))


def _outside(images: Tensor) -> bool:
    return bool((images < -EDGE).any() or (images > 1 + EDGE).any())


def _decoded(given: GivenImage, size: int) -> Image.Image:
    source = BytesIO(given.source) if isinstance(given.source, bytes) else given.source
    return upright_photo(
        source, given.name if isinstance(source, BytesIO) else "photo", ENOUGH * size
    )


def _images(given: Any) -> Iterator[GivenImage]:
    for kind, reader in _READERS.items():
        if isinstance(given, kind):
            yield from reader(given)
            return
    if _is_pair(given):
        yield from _of_batch(given)
    elif isinstance(given, Iterable) and not isinstance(given, Mapping):
        for item in given:  # a DataLoader's batches, too
            yield from _images(item)
    else:
        raise UsageError(f"{type(given).__name__} is no image; give {_TAKEN}")


def _of_photo(photo: Image.Image) -> Iterator[GivenImage]:
    yield GivenImage("", ImageOps.exif_transpose(photo).convert("RGB"))


def _files(given: str | Path) -> Iterator[GivenImage]:
    path = Path(given).expanduser()
    if path.is_dir():
        yield from (GivenImage(photo.name, photo) for photo in photos_below(path))
    elif path.is_file():
        yield GivenImage(path.name, path)
    else:
        raise UsageError(f"there is no photo {str(path)!r}")


def _of_array(array: "np.ndarray[Any, Any]") -> Iterator[GivenImage]:
    """(h, w), (h, w, 3 or 4), (3, h, w), or several of these."""
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim not in (3, 4):
        raise UsageError(_misshapen("array", array.shape))
    if array.ndim == 4:
        for image in array:
            yield from _of_array(image)
        return
    last = array.shape[-1]
    if last in (1, 3, 4) and array.shape[0] not in (1, 3):
        array = np.moveaxis(array[:, :, :3] if last > 1 else np.repeat(array, 3, axis=2), -1, 0)
    yield from _of_tensor(torch.from_numpy(np.ascontiguousarray(array)))


def _of_tensor(tensor: Tensor) -> Iterator[GivenImage]:
    """(3, h, w) or (n, 3, h, w), or grey with one channel; bytes are photos."""
    images = tensor if tensor.dim() == 4 else tensor[None]
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise UsageError(_misshapen("tensor", tensor.shape))
    images = images.expand(-1, 3, -1, -1)
    if images.dtype == torch.uint8:
        for image in images:
            yield GivenImage("", Image.fromarray(image.permute(1, 2, 0).cpu().numpy().copy()))
    elif images.is_floating_point():
        outside = _outside(images)
        yield from (GivenImage("", image, normalised=outside) for image in images)
    else:
        raise UsageError(
            f"images of {tensor.dtype} are no images; give bytes (uint8) or floats in [0, 1]"
        )


def _is_pair(given: Any) -> bool:
    """Whether this is images with their labels."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return False
    labels = given[1]
    if isinstance(labels, Tensor):
        return labels.dim() < 2 and not labels.is_floating_point()
    return isinstance(labels, int)


def _of_batch(batch: Any) -> Iterator[GivenImage]:
    """What a data loader gives: images, or images with their labels."""
    if not _is_pair(batch):
        yield from _images(batch)
        return
    images, labels = list(_images(batch[0])), torch.as_tensor(batch[1]).reshape(-1).tolist()
    if len(images) != len(labels):
        raise UsageError(f"a batch has {len(images)} images and {len(labels)} labels")
    for image, label in zip(images, labels, strict=True):
        yield image._replace(label=int(label))


def _misshapen(what: str, shape: Sequence[int]) -> str:
    shown = "×".join(map(str, shape)) or "no size"
    return f"{what} of shape {shown} is no image; give h×w×3 or 3×h×w, or several of them"


_READERS: dict[Any, Callable[[Any], Iterator[GivenImage]]] = {
    (str, Path): _files,
    bytes: lambda content: iter([GivenImage("", content)]),
    Image.Image: _of_photo,
    np.ndarray: _of_array,
    Tensor: _of_tensor,
    GivenImage: lambda image: iter([image]),
}
"""What reads images of what people give, by what it is."""
