"""timm's classifiers."""

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import nn

from xbench import Classifier, DownloadError, Normalisation, UnknownNameError, WeightsError


@dataclass(frozen=True)
class Timm(Classifier):
    """A classifier of timm, by its name there, with or without a tag (`resnet50.a1_in1k`)."""

    name: ClassVar[str] = "timm"
    example = MappingProxyType({"architecture": "resnet18"})

    architecture: str

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """Names of timm's architectures."""
        return _names()

    def module(self, classes: int) -> nn.Module:
        """A new network; the head of one with the library's weights is new if need be."""
        import timm

        pretrained = self.weights == "library"
        configuration = _configuration(self.architecture)
        if pretrained and not configuration.has_weights:
            message = f"timm has no weights for {self.architecture!r}; leave weights empty"
            raise WeightsError(message)
        try:
            return timm.create_model(self.architecture, pretrained=pretrained, num_classes=classes)
        except (OSError, RuntimeError) as error:
            if not pretrained:
                raise
            message = f"timm's weights of {self.architecture!r} could not be had: {error}. Try "
            message += 'again where the network is reachable, or give a file: weights = "PATH"'
            raise DownloadError(message) from error

    def normalisation(self) -> Normalisation:
        """What the library's weights were trained with."""
        configuration = _configuration(self.architecture)
        return Normalisation(tuple(configuration.mean), tuple(configuration.std))

    def input_size(self) -> int:
        """What the library's weights were trained with."""
        return int(_configuration(self.architecture).input_size[-1])


@functools.cache
def _names() -> tuple[str, ...]:
    import timm

    return tuple(timm.list_models())


def _check_known(architecture: str) -> None:
    import timm

    if not timm.is_model(architecture.partition(".")[0]):
        raise UnknownNameError("timm architecture", architecture, _names())


def _configuration(architecture: str) -> Any:
    import timm

    _check_known(architecture)
    try:
        configuration = timm.get_pretrained_cfg(architecture)
    except RuntimeError as error:
        tags = timm.list_pretrained(architecture.partition(".")[0])
        raise UnknownNameError("timm architecture", architecture, tags) from error
    return configuration
