"""Whether a network that was cut is the one it was: in value bit for bit, and in gradient.

A graph has no gradients of its own making: what a module does without gradients, or with other
ones than its operations have, is lost when it is traced. Values alone do not show that.
"""

import contextlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench.errors import CutError
from xbench.files.home import home
from xbench.files.seals import seal, sealed_record
from xbench.interfaces.component import fingerprint
from xbench.networks.tracing import identical
from xbench.randomness import generator

Computed = Callable[[Tensor], Tensor]
_GRADIENT_APART = 1e-5
"""Of its largest entry: what gradients may differ by."""
_ZERO = "its gradient is zero, cut or not: that shows nothing of how exact the cut is"
_NONE = "its own code cannot be differentiated: that its cut has its gradient is not shown"
_LIBRARIES = ("torch", "torchvision", "timm")
"""Whose code is what their versions say."""
_IN_PROCESS: dict[str, list[str]] = {}
"""Verdicts on networks with code of others, which may change between two processes."""


def check_exact(
    whole: Computed,
    parts: Computed,
    example: Float[Tensor, "n 3 h w"],
    weights: Iterable[nn.Parameter] = (),
) -> list[str]:
    """Compare a module with its parts on noise, which is given, and on a smooth picture.

    `CutError` where logits, or their gradient in the images, are others. Returned is what cannot
    be shown: a gradient that is zero on both sides, or that the module does not have, proves
    nothing. Where it is zero, as before a head that is, other `weights`, which both use, are asked.
    """
    images = torch.cat([example[:1], smooth_picture(example)])
    found = _compared(whole, parts, images)
    if found != [_ZERO]:
        return found
    with drawn(weights):
        with torch.no_grad():
            finite = bool(torch.isfinite(whole(images.clone())).all())
        return _compared(whole, parts, images) if finite else found


def check_values(whole: Computed, parts: Computed, example: Float[Tensor, "n 3 h w"]) -> None:
    """Compare the logits of the first image alone; `CutError` where they are others."""
    with torch.no_grad():
        _check_logits(whole(example[:1].clone()), parts(example[:1].clone()))


class KeptVerdict:
    """What `check_exact` said of a layer of an architecture.

    Of networks that consist of libraries' layers it is kept in xbench's home, by their versions
    and the kind of device; of others in this process.
    """

    def __init__(
        self, module: nn.Module, architecture: str, layer: str, device: torch.device
    ) -> None:
        """Name the place by the architecture's fingerprint and the layer."""
        versions = [metadata.version(tool) for tool in ("xbench-xai", *_LIBRARIES)]
        self._name = f"{fingerprint([architecture, layer, device.type, versions])}.json"
        packages = {type(part).__module__.partition(".")[0] for part in module.modules()}
        self._lasts = packages <= set(_LIBRARIES)

    @property
    def _path(self) -> Path:
        return home() / "cache" / "cuts" / self._name

    def read(self) -> list[str] | None:
        """What it said; None where nothing that is whole is kept."""
        if not self._lasts:
            return _IN_PROCESS.get(self._name)
        with contextlib.suppress(OSError):
            data = self._path.read_bytes()
            if seal(self._name, data):
                notes: list[str] = json.loads(data)["notes"]
                return notes
        return None

    def keep(self, notes: list[str]) -> None:
        """Keep it; in a home, if that can be written to."""
        if not self._lasts:
            _IN_PROCESS[self._name] = notes
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(sealed_record(self._name, {"notes": notes}))


def _compared(whole: Computed, parts: Computed, images: Tensor) -> list[str]:
    computed, of_parts = _computed(whole, images), _computed(parts, images)
    _check_logits(computed.logits, of_parts.logits)
    if computed.gradient is None or of_parts.gradient is None:
        return [_NONE]
    for own, other in zip(computed.gradient, of_parts.gradient, strict=True):
        _check_gradient(own, other)
    return [] if all(own.any() for own in computed.gradient) else [_ZERO]


def _check_logits(logits: Tensor, of_parts: Tensor) -> None:
    if not identical(logits, of_parts):
        raise CutError("cut, the network computes something else")


def _check_gradient(gradient: Tensor, of_parts: Tensor) -> None:
    largest, apart = float(gradient.abs().max()), float((gradient - of_parts).abs().max())
    if not apart <= _GRADIENT_APART * largest:
        raise CutError(
            "cut, the network has another gradient than before (the largest entry is "
            f"{largest:.3g}, they differ by {apart:.3g}): it has a backward pass of its own, or "
            "computes something without gradients, which a cut loses"
        )


def smooth_picture(example: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "1 3 h w"]:
    """Waves of another direction and phase in each channel, of the range of the example."""
    height, width = example.shape[-2:]
    rows = torch.linspace(0, 1, height, dtype=torch.float64)[:, None]
    columns = torch.linspace(0, 1, width, dtype=torch.float64)
    channels = range(example.shape[1])
    waves = [torch.sin(math.tau * ((1 + c) * rows + (2 - c / 2) * columns) + c) for c in channels]
    picture = torch.stack(waves)[None].to(example)
    low, high = example.amin((0, 2, 3), keepdim=True), example.amax((0, 2, 3), keepdim=True)
    return low + (high - low) * (picture + 1) / 2


@contextlib.contextmanager
def drawn(weights: Iterable[nn.Parameter]) -> Iterator[None]:
    """In this block the weights are random ones, in the memory where they lie: none are zero."""
    every, draws = list(weights), generator("drawn weights")
    before = [weight.detach().clone() for weight in every]
    try:
        for weight in every:
            noise = torch.randn(weight.shape, generator=draws)
            inputs = weight[0].numel() if weight.dim() > 1 else 0
            weight.detach().copy_(noise / inputs**0.5 if inputs else 1 + noise / 10)
        yield
    finally:
        for weight, values in zip(every, before, strict=True):
            weight.detach().copy_(values)


class _Made(NamedTuple):
    """Logits, and the gradient of a random sum of them in the images, if it can be had."""

    logits: Tensor
    gradient: Tensor | None


def _computed(function: Computed, images: Tensor) -> _Made:
    point = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = function(point * 1)  # no leaf: it may be written into
    weights = torch.randn(logits.shape, generator=generator("cut"), dtype=torch.float64).to(logits)
    if not logits.requires_grad:
        return _Made(logits.detach(), torch.zeros_like(images))
    try:
        (gradient,) = torch.autograd.grad((logits * weights).sum(), point, allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # it overwrote what its gradient needs
        return _Made(logits.detach(), None)
    return _Made(logits.detach(), torch.zeros_like(images) if gradient is None else gradient)
