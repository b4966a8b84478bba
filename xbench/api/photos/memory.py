"""Memory that explaining takes, estimated before it is needed, and what is free."""

import contextlib
import resource
from pathlib import Path

import torch
from torch import Tensor

from xbench.errors import UsageError
from xbench.interfaces.classifier import Network

SHARE = 0.7
"""The part of what is free that is used."""
COPIES = 1.5
"""How often everything that a gradient needs is held: itself, its gradient, and work on it."""
BLANK = 64
"""Values for each value of an image where a network does not say what its gradient needs."""
_CGROUP = Path("/sys/fs/cgroup")


def bytes_per_pixel(network: Network, size: int) -> float:
    """What a gradient through the whole network needs for each pixel, measured on one image."""
    images = torch.zeros(1, 3, size, size, device=network.device)
    whole, kept = network.module, dict[int, int]()
    own = {one.data_ptr() for one in (*whole.parameters(), *whole.buffers())}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:  # weights do not grow with the image
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with contextlib.suppress(RuntimeError), torch.enable_grad(), hooks:
        whole(images.requires_grad_() * 1)
    least = BLANK * images.numel() * images.element_size()
    return COPIES * max(sum(kept.values()), least) / size**2


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
