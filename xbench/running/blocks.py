"""Blocks: how the images of a set are taken together, whatever is asked for of them."""

import itertools
from collections.abc import Iterator, Sequence
from math import ceil

from xbench.errors import MismatchError
from xbench.interfaces.data.dataset import ImageSet

BLOCK = 64
"""Images of a small set that follow each other and make one block, unless batches are larger."""
_SMALL, _MOST = 1024, 4


def block_size(count: int) -> int:
    """How many of `count` images, or cases, are taken together.

    Of a large set more are: each block has its price, and there are enough for many workers.
    """
    return BLOCK * min(max(count // _SMALL, 1), _MOST)


def blocks(images: ImageSet, ids: Sequence[int], batch_size: int) -> Iterator[tuple[int, ...]]:
    """The ids by the fixed block of the image set that each is in, in the set's order.

    What is explained together, and with it the last digits, depends on what is asked for, never
    on what happens to be missing. `MismatchError` for ids that the set does not have.
    """
    wanted = set(ids)
    every = images.ids()
    size = max(block_size(len(every)), batch_size)
    unknown = wanted.difference(every)
    if unknown:
        raise MismatchError(
            f"image {min(unknown)} is not in split {images.split!r} of {images.dataset.name!r}"
        )
    for start in range(0, len(every), size):
        block = tuple(image for image in every[start : start + size] if image in wanted)
        if block:
            yield block


def parts(ids: Sequence[int], batch_size: int) -> list[Sequence[int]]:
    """The ids of a block in batches that are as even as possible."""
    count = ceil(len(ids) / batch_size)
    ends = [len(ids) * place // count for place in range(count + 1)]
    return [ids[start:end] for start, end in itertools.pairwise(ends)]
