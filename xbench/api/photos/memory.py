"""Memory that explaining takes, estimated before it is needed, and what is free."""

import contextlib
import resource
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xbench.errors import MismatchError, UsageError
from xbench.interfaces.classifier import Network

SHARE = 0.7
"""The part of what is free that is used."""
WORK = 1.25
"""What is needed, as a multiple of the tensors that live at once: kernels need room to work."""
IMAGES = 5
"""How often an image itself is held, from reading it to drawing it."""
_CGROUP = Path("/sys/fs/cgroup")


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums what tensors that are made in this block, and live, take; `most` is the peak."""

    def __init__(self, but: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {_place(tensor): 0 for tensor in but}
        self.now = self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and _place(one) not in self._known:
                self._add(one)
        self.most = max(self.most, self.now)
        return made

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        self._known[_place(tensor)] = storage.nbytes()
        self.now += storage.nbytes()
        weakref.finalize(storage, self._drop, _place(tensor))

    def _drop(self, place: int) -> None:
        self.now -= self._known.pop(place)


def _place(tensor: Tensor) -> int:
    """Of the storage, also where it holds nothing."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - data pointers may all be zero


def bytes_per_pixel(network: Network, size: int, *, inside: bool = False) -> float:
    """What an image needs for each of its pixels, measured on one image.

    It is explained by a gradient through the whole network, or, `inside` a network that is cut,
    through what follows the cut. Weights do not count: they do not grow with the image.
    """
    images = torch.zeros(1, 3, size, size, device=network.device)
    own = (*network.module.parameters(), *network.module.buffers())
    living = _Living(own)
    with contextlib.suppress(RuntimeError, MismatchError), torch.enable_grad(), living:
        _explained(network, images, inside=inside)
    held = IMAGES * images.numel() * images.element_size()
    return (WORK * living.most + held) / size**2


def _explained(network: Network, images: Tensor, *, inside: bool) -> None:
    if inside:
        with torch.no_grad():
            images = network.bottom(images * 1)
    start = images.detach().requires_grad_()
    made = network.top(start) if inside else network.module(start * 1)
    torch.autograd.grad(made.sum(), start)


def available_bytes(device: torch.device) -> int | None:
    """Bytes that can be had on the device; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    limits = [free for free in (_free(), _free_in_group(), _free_in_process()) if free is not None]
    return min(limits, default=None)


def batch_that_fits(
    most: int, per_pixel: float, size: tuple[int, int], available: int | None, name: str
) -> int:
    """How many images of a size (h, w), at most `most`, fit into the memory that is free.

    `UsageError` where not even one does.
    """
    if available is None:
        return most
    needed = per_pixel * size[0] * size[1]
    fitting = int(SHARE * available / needed)
    if fitting:
        return min(most, fitting)
    raise UsageError(
        f"one image of {size[1]}×{size[0]} pixels needs about {_gigabytes(needed)} in {name}, and "
        f"{_gigabytes(SHARE * available)} can be had; fit photos to fewer pixels (--size 224, "
        "size=224), or take another device"
    )


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count < 1e10 else f"{count / 1e9:.0f} GB"


def _free() -> int | None:
    """What Linux says is available."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next((line for line in lines if line.startswith("MemAvailable:")), "")
        return int(available.split()[1]) * 1024
    return None


def _free_in_group() -> int | None:
    """What the limit of a container leaves."""
    with contextlib.suppress(OSError, ValueError):
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        statistics = (_CGROUP / "memory.stat").read_text(encoding="ascii").split()
        cached = int(statistics[statistics.index("file") + 1])
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        return max(limit - used + cached, 0)
    return None


def _free_in_process() -> int | None:
    """What a limit of this process's addresses leaves."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return max(limit - pages * resource.getpagesize(), 0)
    return None
