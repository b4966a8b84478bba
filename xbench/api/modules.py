"""Modules that somebody holds, as classifiers: their architecture, with whatever weights."""

import copy
import inspect
from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn

from xbench.api.self_description import self_description
from xbench.errors import ParameterError
from xbench.interfaces.classifier import Classifier, Normalisation
from xbench.interfaces.component import Tree, fingerprint
from xbench.networks.network import AS_THEY_ARE

SIDE = 224
"""Of images, where nothing tells it."""
_AS_THEY_ARE = (
    "assumed: {} wants images in [0, 1] as they are, not normalised; "
    "xbench.classifier_from(module, mean=…, std=…) says otherwise"
)


@dataclass(frozen=True)
class LiveClassifier(Classifier):
    """The network of a module that somebody holds in this process.

    Its key has the class of the module, the class's source where Python can find it, and what the
    module prints: two networks that differ in nothing of this, and in no weight, are taken for one.
    """

    name: ClassVar[str] = "live-module"

    holder: nn.Module = field(repr=False, compare=False)
    side: int = SIDE
    mean: tuple[float, float, float] = AS_THEY_ARE.mean
    std: tuple[float, float, float] = AS_THEY_ARE.std
    digest: str = field(init=False)
    """Of what tells the architecture."""
    remark: str = field(default="", repr=False, compare=False)
    """What was assumed of the module because nothing says it, in one line."""

    def __post_init__(self) -> None:
        """Note what the architecture is."""
        object.__setattr__(self, "digest", _digest(self.holder))

    def parameters(self) -> Tree:
        """All but the module itself."""
        fields = {"side": self.side, "mean": list(self.mean), "std": list(self.std)}
        place = {"layer": self.layer}
        if self.arrangement:
            place["arrangement"] = self.arrangement
        return {**fields, "architecture": self.digest, "weights": self.weights, **place}

    def module(self, classes: int) -> nn.Module:
        """A copy of the module; whether it has so many outputs is seen when it is used."""
        return copy.deepcopy(self.holder).requires_grad_(requires_grad=True)

    def normalisation(self) -> Normalisation:
        """`mean` and `std`."""
        return Normalisation(self.mean, self.std)

    def input_size(self) -> int:
        """`side`."""
        return self.side

    def class_names(self) -> tuple[str, ...]:
        """Those that the module says."""
        return self_description(self.holder).class_names


def classifier_from(
    module: nn.Module,
    *,
    side: int = 0,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    layer: str = "",
) -> LiveClassifier:
    """A module that takes normalised images, as a classifier.

    What is not said is what the module's own `pretrained_cfg` says, as timm's have one; else
    images are 224 pixels wide and stay in [0, 1], and `remark` says so.
    """
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise ParameterError(f"classifier: expected a torch.nn.Module, got {kind}")
    said = self_description(module)
    own = said.normalisation or AS_THEY_ARE
    untold = said.normalisation is None and mean is None and std is None
    return LiveClassifier(
        module,
        side=side or said.side or SIDE,
        mean=mean or own.mean,
        std=std or own.std,
        layer=layer,
        remark=_AS_THEY_ARE.format(type(module).__name__) if untold else "",
    )


def _digest(module: nn.Module) -> str:
    cls = type(module)
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):  # a class of a prompt has none
        source = ""
    return fingerprint([cls.__module__, cls.__qualname__, repr(module), source])
