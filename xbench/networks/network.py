"""Networks: a classifier with its weights, cut, counted and ready to be explained."""

import contextlib
import copy
import dataclasses
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from torch import Tensor, fx, nn

from xbench.errors import CutError
from xbench.interfaces.artefact import Artefact
from xbench.interfaces.classifier import Classifier, Network, Normalisation, PassCounter
from xbench.interfaces.data.dataset import ImageSet
from xbench.networks.cutting import CutPoint, cut_traced, default_layer, points_of
from xbench.networks.tracing import layer_name, trace
from xbench.networks.weights import State, load_state
from xbench.randomness import generator, seeded

_MAPS = 3
"""Dimensions of one image's activations: channels, height, width."""


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
        self.network = network

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Tensor:
        """What the network makes of the normalised images."""
        return self.network((images - self.mean) / self.std)


@dataclass(frozen=True, eq=False)
class CutNetwork(Network):
    """A network whose module was cut in two."""

    bottom: nn.Module
    top: nn.Module
    layer: str
    classes: int
    passes: PassCounter
    name: str = "network"
    auxiliary: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    _remembered: dict[int, Tensor | None] = field(default_factory=dict, repr=False)
    """Activations by the identity of images, of those that are to be remembered."""

    @property
    def device(self) -> torch.device:
        """The device on which the network lives."""
        tensors = itertools.chain(self.bottom.parameters(), self.bottom.buffers())
        return next(tensors, torch.zeros(())).device

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
        with torch.no_grad():
            return self.checked(self.top(self.activations(images)), ids)


def load_network(classifier: Classifier, weights: Artefact, device: torch.device) -> Network:
    """The classifier with these weights, cut at its layer or at the default one.

    Its parts are in evaluation mode, need no gradient, and count what passes through them.
    """
    classes = int(weights.facts["classes"])
    module = blank_module(_without_weights(classifier), classes)
    load_state(module, weights.tensors, f"{classifier.name} weights {weights.key}")
    return cut_classifier(classifier, module.to(device), classes)


def cut_classifier(classifier: Classifier, module: nn.Module, classes: int) -> CutNetwork:
    """The classifier's module, which has its weights already, as a network."""
    network = cut_module(
        module,
        layer=classifier.layer,
        classes=classes,
        normalisation=classifier.normalisation(),
        size=classifier.input_size(),
    )
    return dataclasses.replace(network, name=f"classifier {classifier.name!r}")


def blank_module(classifier: Classifier, classes: int, seed: int = 0) -> nn.Module:
    """A new module of the classifier; its random weights are a function of the seed."""
    with seeded(seed):
        return classifier.module(classes)


def _without_weights(classifier: Classifier) -> Classifier:
    """The same network with random weights: nothing is downloaded that is then overwritten."""
    return dataclasses.replace(classifier, weights="")


def cut_module(
    module: nn.Module,
    *,
    classes: int,
    size: int,
    layer: str = "",
    normalisation: Normalisation = AS_THEY_ARE,
) -> CutNetwork:
    """A module with its weights as a network, cut at `layer` or at the default one.

    Without a `normalisation` the module gets images in [0, 1] as they are.
    """
    example = _example(module, normalisation, size)
    traced = trace(module, example)
    layer = layer or default_layer(traced, example, classes)
    halves = cut_traced(traced, layer, example)
    if len(halves.shape) != _MAPS:
        shape = "×".join(map(str, halves.shape))
        message = f"layer {layer!r} gives {shape} values for an image, not maps (d, h, w); "
        raise CutError(message + "leave classifier.layer empty for the last one with maps")
    bottom = Normalised(halves.bottom, normalisation).to(example.device).eval()
    top = halves.top.eval()
    passes = PassCounter()
    for part in (bottom, top):
        part.requires_grad_(requires_grad=False)
    bottom.register_forward_hook(_counting(passes, "bottom_forward"))
    top.register_forward_hook(_counting(passes, "top_forward"))
    top.register_forward_hook(_counting_backward(passes))
    return CutNetwork(bottom, top, halves.layer, classes, passes, type(module).__name__)


def original_names(part: nn.Module) -> dict[str, str]:
    """For each tensor of a part of a cut network, what the module that was cut calls it."""
    if isinstance(part, Normalised):
        inside = original_names(part.network)
        return {f"network.{name}": original for name, original in inside.items()}
    if isinstance(part, fx.GraphModule):
        return {name: layer_name(name) for name in part.state_dict()}
    return {name: name for name in part.state_dict()}


def with_state(part: nn.Module, state: State, source: str) -> nn.Module:
    """A copy of a part of a network with other weights; what passes through it is not counted.

    `state` has the names of the module that was cut. `source` is named in the `WeightsError`
    for weights that do not fit.
    """
    copied = copy.deepcopy(part, {id(part._forward_hooks): OrderedDict()})  # noqa: SLF001
    names = original_names(copied)
    inside = {name: state[names[name]] for name in names if names[name] in state}
    kept = {name: t for name, t in copied.state_dict().items() if name not in names}
    load_state(copied, {**kept, **inside}, source)
    return copied.eval().requires_grad_(requires_grad=False)


class CutTable(NamedTuple):
    """Where a classifier can be cut, and where it is cut if nothing is said ("" for nowhere)."""

    points: tuple[CutPoint, ...]
    default: str


def cut_table(classifier: Classifier, classes: int) -> CutTable:
    """Where the classifier, with random weights, can be cut."""
    module = blank_module(_without_weights(classifier), classes)
    example = _example(module, classifier.normalisation(), classifier.input_size())
    traced = trace(module, example)
    try:
        default = default_layer(traced, example, classes)
    except CutError:  # such as a network of tokens: a layer must be named
        default = ""
    return CutTable(points_of(traced, example), default)


def predict(
    network: Network, images: ImageSet, ids: Sequence[int], batch_size: int
) -> Float32[Tensor, "n classes"]:
    """The class probabilities of the images, on the CPU."""
    probabilities = [torch.zeros(0, network.classes)]
    for start in range(0, len(ids), batch_size):
        chunk = ids[start : start + batch_size]
        batch = images.batch(chunk).to(network.device)
        probabilities.append(network.logits(batch.images, chunk).softmax(dim=1).float().cpu())
    return torch.cat(probabilities)


def accuracy(network: Network, images: ImageSet, ids: Sequence[int], batch_size: int) -> float:
    """The share of the images whose most probable class is their label."""
    labels = images.dataset.labels(ids)
    predicted = predict(network, images, ids, batch_size).argmax(dim=1)
    return float((predicted == labels).double().mean())


def _example(module: nn.Module, normalisation: Normalisation, size: int) -> Tensor:
    images = torch.rand(2, 3, size, size, generator=generator("example"))
    place = next(module.parameters(), torch.zeros(()))
    normalised = Normalised(nn.Identity(), normalisation)(images)
    return normalised.to(device=place.device, dtype=place.dtype)


def _counting(passes: PassCounter, count: str) -> Callable[[nn.Module, object, Tensor], None]:
    def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
        setattr(passes, count, getattr(passes, count) + output.shape[0])

    return hook


def _counting_backward(passes: PassCounter) -> Callable[[nn.Module, object, Tensor], None]:
    def gradient(value: Tensor) -> None:
        passes.top_backward += value.shape[0]

    def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(gradient)  # type: ignore[no-untyped-call]

    return hook
