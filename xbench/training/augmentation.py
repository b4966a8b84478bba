"""Augmentation: training images as a function of (seed, epoch, image id) alone."""

import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torchvision.transforms.v2.functional import to_dtype

from xbench.errors import MismatchError
from xbench.interfaces.data.dataset import ImageSet
from xbench.kernels.augmentation import crop_boxes, resized_crops, shifted
from xbench.randomness import derived_seed, generator, seeded

KEPT_BYTES = 2 * 2**30
"""Images of a training set stay in memory, as bytes, where all of them fit into this."""
_CHUNK = 64
_DRAWS = 7


class Frames:
    """Images of a set as a network sees them, as bytes; kept in memory where they fit."""

    def __init__(self, images: ImageSet, ids: Sequence[int], bound: int = KEPT_BYTES) -> None:
        self._images = images
        self._places = {image_id: place for place, image_id in enumerate(ids)}
        self._kept: Tensor | None = None
        if len(ids) and len(ids) * self._read(ids[:1]).numel() <= bound:
            chunks = [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
            frames = [self._read(chunk) for chunk in chunks]
            self._kept = torch.cat(frames).contiguous(memory_format=torch.channels_last)

    def bytes(self, ids: Sequence[int]) -> UInt8[Tensor, "n 3 h w"]:
        """The images with these ids."""
        if self._kept is None:
            return self._read(ids)
        return self._kept[[self._places[image_id] for image_id in ids]]

    def _read(self, ids: Sequence[int]) -> UInt8[Tensor, "n 3 h w"]:
        return (self._images.batch(ids).images * 255).round().to(torch.uint8)


class Augmentation(ABC):
    """Makes training images; what it draws depends on (seed, epoch, image id) alone."""

    @abstractmethod
    def images(self, ids: Sequence[int], *, seed: int, epoch: int) -> Float[Tensor, "n 3 h w"]:
        """The images with these ids, in [0, 1], augmented for this epoch."""


@dataclass(frozen=True, eq=False)
class Batched(Augmentation):
    """Mirrors, shifts and crops whole batches of frames; fast enough for a laptop."""

    frames: Frames
    flip: float
    shift: int
    scale: tuple[float, float] = (1.0, 1.0)
    ratio: tuple[float, float] = (1.0, 1.0)

    def images(self, ids: Sequence[int], *, seed: int, epoch: int) -> Float[Tensor, "n 3 h w"]:
        """The images with these ids, in [0, 1], augmented for this epoch."""
        draws = _draws(ids, seed, epoch)
        shifts = (draws[:, 1:3] * (2 * self.shift + 1)).floor().long() - self.shift
        frames = shifted(self.frames.bytes(ids), draws[:, 0] < self.flip, shifts)
        images = to_dtype(frames, torch.float32, scale=True)
        if self.scale == (1.0, 1.0):
            return images
        return resized_crops(images, crop_boxes(draws[:, 3:7], self.scale, self.ratio))


@dataclass(frozen=True, eq=False)
class PerImage(Augmentation):
    """timm's training transform, applied to the dataset's own images one by one."""

    source: ImageSet
    flip: float
    scale: tuple[float, float]
    ratio: tuple[float, float]
    colour_jitter: float
    auto_augment: str
    erasing: float
    _side: list[int] = field(default_factory=list, repr=False)

    def images(self, ids: Sequence[int], *, seed: int, epoch: int) -> Float[Tensor, "n 3 h w"]:
        """The images with these ids, in [0, 1], augmented for this epoch."""
        from timm.data.transforms_factory import create_transform
        from torchvision.transforms.functional import to_pil_image

        augmented = []
        originals = self.source.dataset.images(ids)
        transform = create_transform(
            input_size=self._input_size(ids),
            is_training=True,
            scale=self.scale,
            ratio=self.ratio,
            hflip=self.flip,
            color_jitter=self.colour_jitter,
            auto_augment=self.auto_augment or None,
            interpolation="bilinear",
            re_prob=self.erasing,
            mean=(0.0, 0.0, 0.0),  # a network normalises its images itself
            std=(1.0, 1.0, 1.0),
        )
        for image_id, image in zip(ids, originals, strict=True):
            with everything_seeded(derived_seed("augment", seed, epoch, image_id)):
                augmented.append(transform(to_pil_image(image)))
        return torch.stack(augmented)

    def _input_size(self, ids: Sequence[int]) -> int:
        """Side of the square that the classifier gets at test time."""
        if not self._side:
            height, width = self.source.batch(ids[:1]).images.shape[-2:]
            if height != width:
                message = f"images are {height}×{width} at test time; the augmentation 'timm' "
                raise MismatchError(message + "makes squares: set `crop` in [transform]")
            self._side.append(height)
        return self._side[0]


@contextlib.contextmanager
def everything_seeded(seed: int) -> Iterator[None]:
    """Python's, NumPy's and torch's global generators are seeded in this block only."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - timm draws from it
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        with seeded(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _draws(ids: Sequence[int], seed: int, epoch: int) -> Float[Tensor, "n draws"]:
    """Uniform draws for each image; in every epoch the same images get other ones."""
    rows = [
        torch.rand(_DRAWS, generator=generator("augment", seed, epoch, image_id))
        for image_id in ids
    ]
    return torch.stack(rows)
