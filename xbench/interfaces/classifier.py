"""Classifiers, and networks: a classifier with its weights, whole or as `top ∘ bottom`."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench.errors import NumericalError
from xbench.interfaces.component import Component, Tree, content_hash, location

LIBRARY = "library"
"""The weights that a library has for one of its networks."""

PhotoTransform = Callable[[Any], Tensor]
"""What makes an image (3, h, w) in [0, 1] of a Pillow image in RGB: how photos are fitted."""


class Normalisation(NamedTuple):
    """Mean and standard deviation per channel, subtracted and divided inside a network."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Classifier(Component):
    """How to make a network; `xbench.networks.load_network` gives it weights."""

    kind: ClassVar[str] = "classifier"

    weights: str = location("")
    """"" for random weights, "library" for the library's own, or the path of a file
    (`.safetensors`, `.npz`, or a checkpoint that `torch.load(weights_only=True)` reads)."""
    layer: str = ""
    """Where the network is cut; "" for the last stage that has a grid, found automatically."""
    arrangement: str = ""
    """How the values there lie over the picture, where that cannot be proven: `maps` (d, h, w),
    `channels-last`, or `tokens+1 14x14`, one for no location and then those of 14 rows."""

    def parameters(self) -> Tree:
        """The fields, without an arrangement that is not declared.

        Of weights in a file stands there what they are, never where they lie.
        """
        weights = self.weights
        if weights not in ("", LIBRARY):
            weights = f"file {content_hash(weights)}"
        fields = {**super().parameters(), "weights": weights}
        if not self.arrangement:
            del fields["arrangement"]
        return fields

    @property
    def place(self) -> str:
        """What tells apart the cuts of one network: the layer, and how its values are said to lie.

        For keys; weights do not depend on it.
        """
        return f"{self.layer} as {self.arrangement}" if self.arrangement else self.layer

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """Names of the networks that this component can make, where it makes several."""
        return ()

    @abstractmethod
    def module(self, classes: int) -> nn.Module:
        """A new network with `classes` outputs that takes normalised images.

        With `weights="library"` it carries the library's weights; a head of another
        number of outputs is new. Random weights come from torch's current generator.
        """

    @abstractmethod
    def normalisation(self) -> Normalisation:
        """What the network expects of its input."""

    @abstractmethod
    def input_size(self) -> int:
        """Side of the square image that the network was made for."""

    def takes_one_size(self) -> bool:
        """Whether the network fails on images of another size; not unless overridden.

        Benchmarks without a transform of their own then fit images to it.
        """
        return False

    def class_names(self) -> tuple[str, ...]:
        """Names of the outputs of the library's weights, in order; () where nothing is known.

        Where only their number is known these are numbers.
        """
        return ()

    def photo_transform(self, size: int) -> PhotoTransform | None:
        """How photos are fitted to a side of `size` where the library's weights are tested.

        Without the normalisation; None where nothing is known.
        """
        return None

    @classmethod
    def of_module(cls, module: nn.Module) -> "Classifier | None":  # noqa: ARG003 - for overriding
        """The component that makes such a module, if the module says where it comes from."""
        return None


@dataclass
class PassCounter:
    """Counts images that went forward and backward through parts of a network.

    A pass counts as one of the whole network or as passes of its two parts, depending on what was
    asked for and not on how it was computed; one back from the logits of the whole counts as
    `backward`, however deep it goes. A backward call that is batched over several
    predictions counts its images once.
    """

    forward: int = 0
    backward: int = 0
    bottom_forward: int = 0
    top_forward: int = 0
    top_backward: int = 0

    def snapshot(self) -> dict[str, int]:
        """The counts so far, by name."""
        return {name: int(count) for name, count in vars(self).items()}

    @contextlib.contextmanager
    def as_whole(self, images: int) -> Iterator[None]:
        """What passes through the parts in this block counts as so many images through both."""
        before = self.bottom_forward, self.top_forward
        try:
            yield
        finally:
            self.bottom_forward, self.top_forward = before
            self.forward += images

    def back_as_whole(self, images: int) -> None:
        """What went back through the top belongs to a pass through the whole network."""
        self.top_backward -= images
        self.backward += images


class Network(ABC):
    """A classifier with its weights: whole until `bottom`, `top` or `layer` is first asked for.

    Then it is cut at the layer, and is `top(bottom(images))` exactly. Asking raises `CutError`
    where that cannot be; components that ask say so by `needs_cut`. Images are RGB in [0, 1];
    the normalisation is part of the module, and of `bottom`. The modules are in evaluation mode
    and their parameters need no gradient.
    """

    classes: int
    passes: PassCounter
    name: str
    """What errors call it."""
    auxiliary: dict[str, nn.Module]
    """Modules that were made to be used with this network, by the key of what they were made
    of: made once, and kept for as long as the network is."""

    @property
    @abstractmethod
    def module(self) -> nn.Module:
        """The whole: what makes logits of images, with gradients where these are enabled."""

    @property
    @abstractmethod
    def parts(self) -> tuple[nn.Module, ...]:
        """The modules that it consists of now: the whole, or once it is cut, bottom and top."""

    @abstractmethod
    def cut(self) -> "Network":
        """The network in two parts, which it consists of from now on; or `CutError`."""

    @property
    @abstractmethod
    def bottom(self) -> nn.Module:
        """What makes the activations at the layer of images."""

    @property
    @abstractmethod
    def top(self) -> nn.Module:
        """What makes logits of the activations at the layer."""

    @property
    @abstractmethod
    def layer(self) -> str:
        """The full name of the layer at which it is cut."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the activations over the picture, for images of its size."""

    @property
    @abstractmethod
    def extra_rows(self) -> int:
        """How many rows below the picture the activations have.

        They hold what belongs to no location, such as a class token, filled up with zeros;
        `xbench.kernels.on_grid` drops them.
        """

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """The device on which the network lives."""

    @abstractmethod
    def activations(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d i j"]:
        """What `bottom` makes of the images; no gradient is kept."""

    @abstractmethod
    def remembering(self, images: Sequence[Tensor]) -> AbstractContextManager[None]:
        """In this block the activations of these images, tensors that stay, are made once."""

    @abstractmethod
    def logits(
        self, images: Float[Tensor, "n 3 h w"], ids: Sequence[int] = ()
    ) -> Float[Tensor, "n classes"]:
        """What the network makes of the images, `checked`; no gradient is kept."""

    def checked(
        self, logits: Float[Tensor, "n classes"], ids: Sequence[int] = ()
    ) -> Float[Tensor, "n classes"]:
        """The logits, or `NumericalError` that names the images whose logits are no numbers."""
        bad = (~torch.isfinite(logits)).any(dim=1).nonzero()[:, 0].tolist()
        if bad:
            named = [ids[place] for place in bad] if len(ids) else bad
            what = "images" if len(ids) else "images at positions"
            message = f"{self.name} gives logits that are NaN or infinite for {what} "
            message += f"{', '.join(map(str, named[:5]))}{', …' if len(named) > 5 else ''}; "
            raise NumericalError(message + "check its weights and these images")
        return logits
