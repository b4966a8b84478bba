"""Random generators that are functions of what they are for."""

import contextlib
import hashlib
from collections.abc import Iterator

import torch
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


@contextlib.contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Torch's global generators are seeded in this block, and what they were after it.

    For code that takes no generator, such as dropout and the initial weights of layers.
    """
    cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` would seed all devices
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
