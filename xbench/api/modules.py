"""Modules that somebody holds, as classifiers: their architecture, with whatever weights."""

import copy
import inspect
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import nn

from xbench.errors import ParameterError
from xbench.interfaces.classifier import Classifier, Normalisation
from xbench.interfaces.component import Tree, fingerprint
from xbench.networks.network import AS_THEY_ARE

SIDE = 224
"""Of images, where nothing tells it."""


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
    images are 224 pixels wide and stay in [0, 1].
    """
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise ParameterError(f"classifier: expected a torch.nn.Module, got {kind}")
    told = _told(module)
    return LiveClassifier(
        module,
        side=side or told.get("side", SIDE),
        mean=mean or told.get("mean", AS_THEY_ARE.mean),
        std=std or told.get("std", AS_THEY_ARE.std),
        layer=layer,
    )


def _told(module: nn.Module) -> dict[str, Any]:
    """What the module says of its own input."""
    said = getattr(module, "pretrained_cfg", None)
    if not isinstance(said, dict) or "mean" not in said or "std" not in said:
        return {}
    size = said.get("input_size", (3, SIDE, SIDE))
    return {"mean": tuple(said["mean"]), "std": tuple(said["std"]), "side": size[-1]}


def _digest(module: nn.Module) -> str:
    cls = type(module)
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):  # a class of a prompt has none
        source = ""
    return fingerprint([cls.__module__, cls.__qualname__, repr(module), source])
