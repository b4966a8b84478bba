"""Captum's methods as an explainer."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn

from xbench import (
    Artefacts,
    Batch,
    Explainer,
    Given,
    MismatchError,
    Network,
    Tree,
    UnknownNameError,
    per_image,
)
from xbench.kernels import on_grid
from xbench_saliency.by_captum.inputs import options_for
from xbench_saliency.by_captum.methods import (
    BETWEEN_IMAGES,
    TOGETHER,
    CaptumMethod,
    call,
    check_fits,
    drawing,
    explained_errors,
    hookable,
    method_class,
    settle,
    settled_fields,
)
from xbench_saliency.maps.reduction import Channels, reduced
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Target, target_classes


class _Subject(NamedTuple):
    """What Captum explains."""

    module: nn.Module
    layer: nn.Module | None


@dataclass(frozen=True)
class CaptumExplainer(Explainer):
    """Any attribution class of Captum that explains a class of an image, by its name.

    `captum:IntegratedGradients`. The network takes images in [0, 1] and normalises them itself, so
    values and baselines are of pixels, and the baseline 0 is black. What Captum gives is kept as
    `raw`; the map sums its channels.
    """

    name: ClassVar[str] = "captum"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    example = MappingProxyType({"method": "Saliency"})

    method: str
    """The name of a class in `captum.attr`, or `package.module:Class`."""
    layer: str = ""
    """Of methods that look at a layer: its name in the network; "" for where it is cut."""
    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    channels: Channels = "sum"
    """How the values of a location's channels become one."""
    constructor: dict = field(default_factory=dict)
    """What the class is made with, such as `multiply_by_inputs`."""
    options: dict = field(default_factory=dict)
    """What its `attribute` is given, such as `n_steps` and `baselines`."""

    def __post_init__(self) -> None:
        """Find the class, and refuse what it does not take."""
        settle(self)
        object.__setattr__(self, "method", _spelt(self.method))
        method = self._method
        if self.layer and not method.of_layer:
            raise ValueError(f"layer: captum's {method.name} looks at no layer; leave it out")

    @property
    def needs_cut(self) -> bool:  # type: ignore[override]
        """Whether the method looks at the layer where the network is cut."""
        return self._method.of_layer and not self.layer

    @property
    def _method(self) -> CaptumMethod:
        return CaptumMethod(method_class(self.method), self.constructor, self.options)

    def parameters(self) -> Tree:
        """The fields; of what is no plain value the hash of its bytes."""
        return settled_fields(self)

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image; what is random is drawn for each image from its own seed."""
        if not batch.ids:
            return []
        method, subject = self._method, self._subject(network)
        logits = network.logits(batch.images, batch.ids)
        classes = target_classes(self.target, logits, batch)
        with hookable(subject.module), explained_errors(method, network.name):
            check_fits(method, subject.module, batch.images[:1], network.name)
            raw = self._values(method, subject, batch, classes, generator)
        if subject.layer is not None and not self.layer:
            raw = on_grid(raw, network.extra_rows)
        shares = logits.double().softmax(1).gather(1, classes[:, None])[:, 0]
        size = (batch.images.shape[-2], batch.images.shape[-1])
        maps, kept = reduced(raw, self.channels).cpu(), raw.cpu()
        parts = zip(maps, classes.tolist(), shares.tolist(), kept, strict=True)
        return [SaliencyMap(values, label, share, size, own) for values, label, share, own in parts]

    def _subject(self, network: Network) -> _Subject:
        if not self._method.of_layer:
            return _Subject(network.module, None)
        if not self.layer:
            network.cut()
            whole = network.module
            return _Subject(whole, whole.get_submodule("bottom"))
        return _Subject(network.module, named_layer(network.module, self.layer))

    def _values(
        self,
        method: CaptumMethod,
        subject: _Subject,
        batch: Batch,
        classes: Int64[Tensor, " n"],
        generator: Generator,
    ) -> Float[Tensor, "n d h w"]:
        """What Captum gives, of all images at once or of one after the other."""
        made, images, device = method.made(*subject), batch.images, batch.images.device
        if method.name in BETWEEN_IMAGES and len(images) < 2:
            raise MismatchError(
                f"captum's {method.name} exchanges values between the images of a batch, and here "
                "is one alone; take FeatureAblation"
            )
        if method.name in TOGETHER or method.name in BETWEEN_IMAGES:
            with drawing(per_image(generator, batch.ids[0]).initial_seed(), device):
                return maps_of(call(method, made, images, classes, options_for(method, images)))
        values = []
        for place, image in enumerate(batch.ids):
            alone = images[place : place + 1]
            with drawing(per_image(generator, image).initial_seed(), device):
                options = options_for(method, alone)
                values.append(call(method, made, alone, classes[place : place + 1], options))
        return maps_of(torch.cat(values))


def maps_of(values: Tensor) -> Float[Tensor, "n d h w"]:
    """The values, if they are maps."""
    if values.ndim != 4:
        shape = tuple(values.shape)
        raise MismatchError(
            f"captum gives values of the shape {shape}, no maps (n, channels, h, w); choose "
            'another layer, or layer="", where the network is cut into maps'
        )
    return values


def named_layer(module: nn.Module, name: str) -> nn.Module:
    """The layer that the network's own module calls so."""
    layers = dict(module.named_modules())
    found = [one for one in layers if one == name or one.endswith(f".{name}")]
    if not found:
        known = [one.removeprefix("network.") for one in layers if one]
        raise UnknownNameError("layer", name, known)
    return layers[min(found, key=len)]


def _spelt(method: str) -> str:
    """The method as Captum spells it."""
    return method if ":" in method else method_class(method).__name__
