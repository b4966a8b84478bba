"""Networks: a classifier's module with its weights, counted, and cut when that is asked for."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench.interfaces.classifier import Network, Normalisation, PassCounter

AS_THEY_ARE = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""For a network that takes images in [0, 1]."""


class Normalised(nn.Module):
    """A network that takes images in [0, 1] and normalises them itself."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, normalisation: Normalisation) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(normalisation.mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(normalisation.std).view(3, 1, 1))
        self.normalisation = normalisation
        self.network = network

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Tensor:
        """What the network makes of the normalised images."""
        return self.network((images - self.mean) / self.std)


class _Composed(nn.Module):
    """A network that was cut, as one module; what passes through it counts as the whole."""

    def __init__(self, bottom: nn.Module, top: nn.Module, passes: PassCounter) -> None:
        super().__init__()
        self.bottom, self.top = bottom, top
        self._passes = passes

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Tensor:
        with self._passes.as_whole(len(images)):
            made: Tensor = self.top(self.bottom(images))
        _when_passed_back(made, self._passes.back_as_whole)
        return made


class Parts(NamedTuple):
    """A module that was cut: what is before a layer, with its output, and what comes after it."""

    bottom: nn.Module
    top: nn.Module
    layer: str
    grid: tuple[int, int]
    """Rows and columns of the activations over the picture, for images of the network's size."""
    extra_rows: int = 0
    """How many rows below the picture they have."""
    notes: tuple[str, ...] = ()
    """What could not be shown of how exact the cut is."""


class CutNetwork(Network):
    """A network in two parts."""

    def __init__(
        self,
        parts: Parts,
        classes: int,
        passes: PassCounter,
        name: str = "network",
        auxiliary: dict[str, nn.Module] | None = None,
    ) -> None:
        """Take parts that are in evaluation mode, need no gradient and count in `passes`."""
        self._parts = parts
        self.classes, self.passes, self.name = classes, passes, name
        self.auxiliary = {} if auxiliary is None else auxiliary
        self._remembered: dict[int, Tensor | None] = {}
        """Activations by the identity of images, of those that are to be remembered."""

    @property
    def bottom(self) -> nn.Module:
        """What makes the activations at the layer of images."""
        return self._parts.bottom

    @property
    def top(self) -> nn.Module:
        """What makes logits of the activations at the layer."""
        return self._parts.top

    @property
    def layer(self) -> str:
        """The full name of the layer at which it is cut."""
        return self._parts.layer

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the activations over the picture, for images of its size."""
        return self._parts.grid

    @property
    def extra_rows(self) -> int:
        """How many rows below the picture, of what belongs to no location, activations have."""
        return self._parts.extra_rows

    @property
    def module(self) -> nn.Module:
        """Bottom and top, one after the other."""
        return _Composed(self.bottom, self.top, self.passes).eval()

    @property
    def parts(self) -> tuple[nn.Module, ...]:
        """Bottom and top."""
        return self.bottom, self.top

    def cut(self) -> "CutNetwork":
        """Itself."""
        return self

    @property
    def device(self) -> torch.device:
        """The device on which the network lives."""
        return device_of(self.bottom)

    def activations(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d i j"]:
        """What `bottom` makes of the images; no gradient is kept."""
        kept = self._remembered.get(id(images))
        if kept is not None:
            self.passes.bottom_forward += len(images)  # it counts for whoever asks
            return kept
        with torch.no_grad():
            made: Tensor = self.bottom(images)
        if id(images) in self._remembered:
            self._remembered[id(images)] = made
        return made

    @contextlib.contextmanager
    def remembering(self, images: Sequence[Tensor]) -> Iterator[None]:
        """In this block the activations of these images, tensors that stay, are made once."""
        self._remembered.update({id(batch): None for batch in images})
        try:
            yield
        finally:
            self._remembered.clear()

    def logits(
        self, images: Float[Tensor, "n 3 h w"], ids: Sequence[int] = ()
    ) -> Float[Tensor, "n classes"]:
        """What `top` makes of the activations, `checked`; no gradient is kept."""
        with torch.no_grad(), self.passes.as_whole(len(images)):
            return self.checked(self.top(self.activations(images)), ids)


Cutter = Callable[[nn.Module, PassCounter], Parts]
"""Cuts a whole module; its parts then count what passes through them."""


class WholeNetwork(Network):
    """A network whose module is whole until a part of it is asked for; no weights lie twice.

    Whole, it holds the module; once cut, its parts alone.
    """

    def __init__(self, module: nn.Module, cutter: Cutter, classes: int, name: str) -> None:
        """Take a module that is in evaluation mode, needs no gradient and normalises itself."""
        self.classes, self.name = classes, name
        self.passes, self.auxiliary = PassCounter(), dict[str, nn.Module]()
        self._module: nn.Module | None = module
        self._cutter = cutter
        self._halves: CutNetwork | None = None
        self.notes: list[str] = []
        """What a user should know of the cut, once it was made."""
        module.register_forward_hook(_counting(self.passes, "forward"))
        module.register_forward_hook(_counting_backward(self.passes, "backward"))

    def cut(self) -> CutNetwork:
        """The same network in two parts, which it consists of from now on; or `CutError`."""
        if self._halves is None:
            assert self._module is not None  # noqa: S101 - one of the two is there
            halves = self._cutter(self._module, self.passes)
            self._halves = CutNetwork(halves, self.classes, self.passes, self.name, self.auxiliary)
            self._module, self.notes = None, list(halves.notes)
        return self._halves

    @property
    def module(self) -> nn.Module:
        """The whole module, as long as it is not cut; then its parts, one after the other."""
        return self.cut().module if self._module is None else self._module

    @property
    def parts(self) -> tuple[nn.Module, ...]:
        """The whole module, or bottom and top."""
        return (self._module,) if self._module is not None else self.cut().parts

    @property
    def bottom(self) -> nn.Module:
        """What makes the activations at the layer of images."""
        return self.cut().bottom

    @property
    def top(self) -> nn.Module:
        """What makes logits of the activations at the layer."""
        return self.cut().top

    @property
    def layer(self) -> str:
        """The full name of the layer at which it is cut."""
        return self.cut().layer

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the activations over the picture, for images of its size."""
        return self.cut().grid

    @property
    def extra_rows(self) -> int:
        """How many rows below the picture, of what belongs to no location, activations have."""
        return self.cut().extra_rows

    @property
    def device(self) -> torch.device:
        """The device on which the network lives."""
        return device_of(self.parts[0])

    def activations(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d i j"]:
        """What `bottom` makes of the images; no gradient is kept."""
        return self.cut().activations(images)

    @contextlib.contextmanager
    def remembering(self, images: Sequence[Tensor]) -> Iterator[None]:
        """In this block the activations of these images are made once, if it is cut already."""
        if self._halves is None:
            yield
        else:
            with self._halves.remembering(images):
                yield

    def logits(
        self, images: Float[Tensor, "n 3 h w"], ids: Sequence[int] = ()
    ) -> Float[Tensor, "n classes"]:
        """What the module makes of the images, `checked`; no gradient is kept."""
        if self._module is None:
            return self.cut().logits(images, ids)
        with torch.no_grad():
            return self.checked(self._module(images), ids)


def device_of(module: nn.Module) -> torch.device:
    """Where the module's first parameter, or else its first buffer, lies."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    return next(tensors, torch.zeros(())).device


def count_passes(bottom: nn.Module, top: nn.Module, passes: PassCounter) -> None:
    """Have two parts of a network count what passes through them."""
    bottom.register_forward_hook(_counting(passes, "bottom_forward"))
    top.register_forward_hook(_counting(passes, "top_forward"))
    top.register_forward_hook(_counting_backward(passes, "top_backward"))


def _counting(
    passes: PassCounter, count: str
) -> Callable[[nn.Module, tuple[Tensor], object], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor], output: object) -> None:
        setattr(passes, count, getattr(passes, count) + len(inputs[0]))

    return hook


def _counting_backward(
    passes: PassCounter, count: str
) -> Callable[[nn.Module, object, object], None]:
    def add(images: int) -> None:
        setattr(passes, count, getattr(passes, count) + images)

    def hook(module: nn.Module, inputs: object, output: object) -> None:
        _when_passed_back(output, add)

    return hook


def _when_passed_back(output: object, count: Callable[[int], None]) -> None:
    """Have images counted whose output gets a gradient."""

    def gradient(value: Tensor) -> None:
        count(len(value))

    if isinstance(output, Tensor) and output.requires_grad:
        output.register_hook(gradient)  # type: ignore[no-untyped-call]
