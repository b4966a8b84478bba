"""Random generators that are functions of what they are for."""

import hashlib

from torch import Generator


def derived_seed(*parts: object) -> int:
    """A 63-bit seed that is a fixed function of the parts' text."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*parts: object) -> Generator:
    """A CPU generator seeded by the parts."""
    return Generator().manual_seed(derived_seed(*parts))


def per_image(parent: Generator, image_id: int) -> Generator:
    """A generator for one image: the same however images are batched or ordered."""
    return generator(parent.initial_seed(), image_id)
