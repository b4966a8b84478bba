"""torchvision's classifiers."""

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import nn

from xbench import Classifier, DownloadError, Normalisation, UnknownNameError, WeightsError
from xbench_zoo.heads import replace_head

_TWO_HEADED = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class Torchvision(Classifier):
    """A classifier of torchvision, by its name there."""

    name: ClassVar[str] = "torchvision"
    example = MappingProxyType({"architecture": "resnet18"})

    architecture: str

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """Names of torchvision's image classifiers."""
        return _names()

    def module(self, classes: int) -> nn.Module:
        """A new network; the head of one with the library's weights is new if need be."""
        _check_known(self.architecture)
        options: dict[str, Any] = {}
        if self.architecture in _TWO_HEADED:
            # the library's weights switch `transform_input` on; with it always on, the network
            # is the same one whatever weights are loaded into it
            options = {"aux_logits": False, "transform_input": True}
            options["init_weights"] = self.weights != "library"
        if self.weights != "library":
            return _model(self.architecture, num_classes=classes, **options)
        weights = _library_weights(self.architecture)
        module = _downloaded(self.architecture, weights, options)
        known = len(weights.meta["categories"])
        return module if known == classes else replace_head(module, known, classes)

    def normalisation(self) -> Normalisation:
        """What the library's weights were trained with, or the usual one."""
        transform = _transform(self.architecture)
        if transform is None:
            return Normalisation()
        return Normalisation(tuple(transform.mean), tuple(transform.std))

    def input_size(self) -> int:
        """What the library's weights are tested with."""
        transform = _transform(self.architecture)
        return 224 if transform is None else int(transform.crop_size[0])


@functools.cache
def _names() -> tuple[str, ...]:
    from torchvision import models

    return tuple(models.list_models(module=models))


def _check_known(architecture: str) -> None:
    if architecture not in _names():
        raise UnknownNameError("torchvision architecture", architecture, _names())


def _model(architecture: str, **options: Any) -> nn.Module:
    from torchvision.models import get_model

    return get_model(architecture, **options)


def _library_weights(architecture: str) -> Any:
    from torchvision.models import get_model_weights

    weights = getattr(get_model_weights(architecture), "DEFAULT", None)
    if weights is None:
        raise WeightsError(f"torchvision has no weights for {architecture!r}; leave weights empty")
    return weights


def _transform(architecture: str) -> Any:
    from torchvision.models import get_model_weights

    _check_known(architecture)
    weights = getattr(get_model_weights(architecture), "DEFAULT", None)
    return None if weights is None else weights.transforms()


def _downloaded(architecture: str, weights: Any, options: dict[str, Any]) -> nn.Module:
    try:
        return _model(architecture, weights=weights, **options)
    except (OSError, RuntimeError) as error:
        message = f"torchvision's weights of {architecture!r} could not be had from {weights.url}: "
        message += f"{error}. Try again where the network is reachable, or give a file: "
        raise DownloadError(message + 'weights = "PATH"') from error
