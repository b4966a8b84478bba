"""torchvision's classifiers."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import nn

from xbench import Normalisation, PhotoTransform, UnknownNameError
from xbench_zoo.heads import replace_head
from xbench_zoo.library_models import Inputs, LibraryClassifier

_TWO_HEADED = ("googlenet", "inception_v3")


@final
@dataclass(frozen=True)
class Torchvision(LibraryClassifier):
    """A classifier of torchvision, by its name there."""

    name: ClassVar[str] = "torchvision"

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """Names of torchvision's image classifiers."""
        return _names()

    def check_architecture(self) -> None:
        """Raise `UnknownNameError` for what torchvision does not list."""
        if self.architecture not in _names():
            raise UnknownNameError("torchvision architecture", self.architecture, _names())

    def source(self) -> str:
        """The address of torchvision's default weights."""
        weights = _default_weights(self.architecture)
        return "" if weights is None else str(weights.url)

    def inputs(self) -> Inputs:
        """What the default weights are tested with, or what is usual."""
        weights = _default_weights(self.architecture)
        if weights is None:
            return Inputs()
        transform = weights.transforms()
        normalisation = Normalisation(tuple(transform.mean), tuple(transform.std))
        return Inputs(normalisation, int(transform.crop_size[0]))

    def class_names(self) -> tuple[str, ...]:
        """Those of the default weights' metadata."""
        weights = _default_weights(self.architecture)
        return () if weights is None else tuple(weights.meta["categories"])

    def photo_transform(self, size: int) -> PhotoTransform | None:
        """The default weights' own, its sizes in proportion, without its normalisation."""
        weights = _default_weights(self.architecture)
        if weights is None:
            return None
        own = weights.transforms()
        short = round(own.resize_size[0] * size / own.crop_size[0])
        transform: PhotoTransform = weights.transforms(
            crop_size=size, resize_size=short, mean=(0.0,) * 3, std=(1.0,) * 3
        )
        return transform

    def takes_one_size(self) -> bool:
        """As those whose places are learned do."""
        return self.architecture.startswith(_ONE_SIZE)

    def network(self, classes: int, *, pretrained: bool) -> nn.Module:
        """A new network, with the default weights and a head of its own if need be."""
        from torchvision.models import get_model

        options: dict[str, Any] = {}
        if self.architecture in _TWO_HEADED:
            # the library's weights switch `transform_input` on; with it always on, the network
            # is the same one whatever weights are loaded into it
            options = {"aux_logits": False, "transform_input": True}
            options["init_weights"] = not pretrained
        if not pretrained:
            return get_model(self.architecture, num_classes=classes, **options)
        weights = _default_weights(self.architecture)
        module = get_model(self.architecture, weights=weights, **options)
        outputs = len(weights.meta["categories"])
        return module if outputs == classes else replace_head(module, outputs, classes)


_ONE_SIZE = ("vit_", "maxvit_")


@functools.cache
def _names() -> tuple[str, ...]:
    from torchvision import models

    return tuple(models.list_models(module=models))


def _default_weights(architecture: str) -> Any:
    from torchvision.models import get_model_weights

    return getattr(get_model_weights(architecture), "DEFAULT", None)
