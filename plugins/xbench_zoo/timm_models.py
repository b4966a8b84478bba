"""timm's classifiers."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import nn

from xbench import Normalisation, PhotoTransform, UnknownNameError
from xbench_zoo.library_models import Inputs, LibraryClassifier


@final
@dataclass(frozen=True)
class Timm(LibraryClassifier):
    """A classifier of timm, by its name there, with or without a tag (`resnet50.a1_in1k`)."""

    name: ClassVar[str] = "timm"

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """Names of timm's architectures."""
        return _names()

    def check_architecture(self) -> None:
        """Raise `UnknownNameError` for an architecture or a tag that timm does not have."""
        _configuration(self.architecture)

    def source(self) -> str:
        """The place of the weights on timm's hub, or their address."""
        configuration = _configuration(self.architecture)
        places = (configuration.hf_hub_id, configuration.url, configuration.file)
        return str(next(filter(None, places), ""))

    def inputs(self) -> Inputs:
        """What timm's configuration says."""
        configuration = _configuration(self.architecture)
        normalisation = Normalisation(tuple(configuration.mean), tuple(configuration.std))
        return Inputs(normalisation, int(configuration.input_size[-1]))

    def class_names(self) -> tuple[str, ...]:
        """The first word of each class of ImageNet that timm knows, or numbers."""
        return _class_names(_configuration(self.architecture))

    def photo_transform(self, size: int) -> PhotoTransform | None:
        """What timm tests with, for images of this side, without its normalisation."""
        from timm.data.transforms_factory import create_transform

        own = _configuration(self.architecture)
        transform: PhotoTransform = create_transform(
            (3, size, size),
            interpolation=own.interpolation,
            crop_pct=own.crop_pct,
            crop_mode=own.crop_mode,
            mean=(0.0,) * 3,
            std=(1.0,) * 3,
        )
        return transform

    @classmethod
    def of_module(cls, module: nn.Module) -> "Timm | None":
        """The one whose configuration the module carries."""
        own = getattr(module, "pretrained_cfg", None)
        if not isinstance(own, Mapping) or not own.get("architecture"):
            return None
        tag = own.get("tag") or ""
        named = cls(f"{own['architecture']}.{tag}" if tag else own["architecture"])
        try:
            named.check_architecture()
        except UnknownNameError:  # a configuration of somebody's own
            return None
        return named

    def takes_one_size(self) -> bool:
        """What timm's configuration says."""
        return bool(_configuration(self.architecture).fixed_input_size)

    def network(self, classes: int, *, pretrained: bool) -> nn.Module:
        """A new network, to which timm gives a head of the right size."""
        import timm

        return timm.create_model(self.architecture, pretrained=pretrained, num_classes=classes)


@functools.cache
def _names() -> tuple[str, ...]:
    import timm

    return tuple(timm.list_models())


def _configuration(architecture: str) -> Any:
    import timm

    name = architecture.partition(".")[0]
    if not timm.is_model(name):
        raise UnknownNameError("timm architecture", architecture, _names())
    try:
        return timm.get_pretrained_cfg(architecture)
    except RuntimeError as error:
        tags = timm.list_pretrained(name)
        raise UnknownNameError("timm architecture", architecture, tags) from error


def _class_names(configuration: Any) -> tuple[str, ...]:
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    if configuration.label_descriptions:
        return tuple(configuration.label_descriptions.values())
    subset = infer_imagenet_subset(configuration.to_dict())
    if subset is None:
        return tuple(map(str, range(configuration.num_classes)))
    return tuple(one.partition(",")[0] for one in ImageNetInfo(subset).label_descriptions())
