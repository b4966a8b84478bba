"""Loading: a classifier with its weights as a network, and the cutting of it."""

import copy
import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float32
from torch import Tensor, fx, nn

from xbench.errors import CutError
from xbench.interfaces.artefact import Artefact
from xbench.interfaces.classifier import Classifier, Network, Normalisation, PassCounter
from xbench.interfaces.component import fingerprint
from xbench.interfaces.data.dataset import ImageSet
from xbench.networks.adapting import adapted
from xbench.networks.arrangements import Arrangement
from xbench.networks.cutting import CutPoint, Halves, as_maps, halves_of, points_of
from xbench.networks.exactness import KeptVerdict, check_exact, check_values
from xbench.networks.network import (
    AS_THEY_ARE,
    CutNetwork,
    Normalised,
    Parts,
    WholeNetwork,
    count_passes,
    device_of,
)
from xbench.networks.stages import arrangement_at, default_layer, proven_arrangements
from xbench.networks.tracing import (
    check_graph,
    graph_of,
    layer_name,
    on_shared_tensors,
    trace,
)
from xbench.networks.weights import State, load_state
from xbench.randomness import generator, seeded


def load_network(classifier: Classifier, weights: Artefact, device: torch.device) -> WholeNetwork:
    """The classifier with these weights; it is cut, at its layer or at the default one, if asked.

    Its module is in evaluation mode, needs no gradient, and counts what passes through it.
    """
    classes = int(weights.facts["classes"])
    module = blank_module(_without_weights(classifier), classes)
    load_state(module, weights.tensors, f"{classifier.name} weights {weights.key}")
    return whole_classifier(classifier, module.to(device), classes)


def whole_classifier(
    classifier: Classifier,
    module: nn.Module,
    classes: int,
    *,
    normalisation: Normalisation | None = None,
    size: int = 0,
) -> WholeNetwork:
    """The classifier's module, which has its weights already, as a network.

    With another normalisation or another side of its images than the classifier's, if given.
    """
    side = size or classifier.input_size()
    own = side == classifier.input_size()
    cutting = _Cutting(
        classifier.layer,
        classifier.arrangement,
        side,
        fingerprint([_without_weights(classifier).tree(), classes, *([] if own else [side])]),
    )
    name = f"classifier {classifier.name!r}"
    return _whole(module, classes, normalisation or classifier.normalisation(), name, cutting)


def whole_module(
    module: nn.Module,
    *,
    classes: int,
    size: int,
    layer: str = "",
    arrangement: str = "",
    normalisation: Normalisation = AS_THEY_ARE,
    name: str = "",
) -> WholeNetwork:
    """A module with its weights as a network, to be cut at `layer` or at the default one.

    `arrangement` is how its values there lie, as `Classifier` declares it, where that is not
    proven. Without a `normalisation` the module gets images in [0, 1] as they are. The network's
    weights are the module's; its modes and hooks are its own. Whether a cut is exact is looked at
    each time.
    """
    name = name or type(module).__name__
    return _whole(module, classes, normalisation, name, _Cutting(layer, arrangement, size))


class _Cutting(NamedTuple):
    """How a network is to be cut."""

    layer: str
    arrangement: str
    size: int
    architecture: str = ""
    """Whether a cut has the network's gradient is looked at once for each layer of it."""


def _whole(
    module: nn.Module, classes: int, normalisation: Normalisation, name: str, cutting: _Cutting
) -> WholeNetwork:
    def cutter(whole: nn.Module, passes: PassCounter) -> Parts:
        assert isinstance(whole, Normalised)  # noqa: S101 - it was made below
        return _halved(whole, cutting, passes)

    own = on_shared_tensors(module)
    whole = Normalised(own, normalisation).to(device_of(module)).eval()
    whole.requires_grad_(requires_grad=False)
    return WholeNetwork(whole, cutter, classes, name)


def _halved(whole: Normalised, cutting: _Cutting, passes: PassCounter) -> Parts:
    normalisation, module = whole.normalisation, whole.network
    example = _example(module, normalisation, cutting.size)
    traced = graph_of(module)
    try:
        arranged = _arranged(traced, cutting, example)
        notes = _notes(module, arranged.halves, example, cutting.architecture)
    except Exception:  # whatever a graph does that is not the network's
        check_graph(module, traced, example)  # that says more
        raise
    bottom = Normalised(arranged.halves.bottom, normalisation).to(example.device).eval()
    top = arranged.halves.top.eval()
    for part in (bottom, top):
        part.requires_grad_(requires_grad=False)
    count_passes(bottom, top, passes)
    (_, _, layer, _), arrangement = arranged
    return Parts(bottom, top, layer, arrangement.grid, arrangement.extra_rows, tuple(notes))


class _Arranged(NamedTuple):
    """Halves with maps between them, and how the values lie there in the network itself."""

    halves: Halves
    arrangement: Arrangement


def _arranged(traced: fx.GraphModule, cutting: _Cutting, example: Tensor) -> _Arranged:
    """A graph in two halves; whether they are exact is not looked at."""
    layer = cutting.layer or default_layer(traced, example, cutting.arrangement)
    halves = halves_of(traced, layer, example)
    arrangement = arrangement_at(traced, halves.layer, example, cutting.arrangement)
    return _Arranged(as_maps(halves, arrangement, example), arrangement)


def _notes(module: nn.Module, halves: Halves, example: Tensor, architecture: str) -> list[str]:
    """What cannot be shown of how exact the cut is; `CutError` where it is not."""

    def parts(images: Tensor) -> Tensor:
        made: Tensor = halves.top(halves.bottom(images))
        return made

    if not architecture:
        return check_exact(module, parts, example, module.parameters())
    verdict = KeptVerdict(module, architecture, halves.layer, example.device)
    notes = verdict.read()
    if notes is None:
        notes = check_exact(module, parts, example, module.parameters())
        verdict.keep(notes)
    else:
        check_values(module, parts, example)
    return notes


def cut_classifier(classifier: Classifier, module: nn.Module, classes: int) -> CutNetwork:
    """The classifier's module, which has its weights already, as a network that is cut."""
    return whole_classifier(classifier, module, classes).cut()


def cut_module(
    module: nn.Module,
    *,
    classes: int,
    size: int,
    layer: str = "",
    arrangement: str = "",
    normalisation: Normalisation = AS_THEY_ARE,
) -> CutNetwork:
    """A module with its weights as a network that is cut at `layer` or at the default one.

    Without a `normalisation` the module gets images in [0, 1] as they are.
    """
    return whole_module(
        module,
        classes=classes,
        size=size,
        layer=layer,
        arrangement=arrangement,
        normalisation=normalisation,
    ).cut()


def blank_module(classifier: Classifier, classes: int, seed: int = 0) -> nn.Module:
    """A new module of the classifier, `adapted`; its random weights are a function of the seed."""
    with seeded(seed):
        return adapted(classifier.module(classes), classifier.input_size())


def _without_weights(classifier: Classifier) -> Classifier:
    """The same network with random weights: nothing is downloaded that is then overwritten."""
    return dataclasses.replace(classifier, weights="")


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
    reason: str
    """Why there is no default, and where there are no points, no cut at all."""
    arrangements: dict[str, str]
    """How values lie at the layers where that is proven, by layer."""


def cut_table(classifier: Classifier, classes: int) -> CutTable:
    """Where the classifier, with random weights, can be cut."""
    module = blank_module(_without_weights(classifier), classes)
    example = _example(module, classifier.normalisation(), classifier.input_size())
    try:
        traced = trace(module, example)
    except CutError as error:
        return CutTable((), "", str(error), {})
    try:
        default, reason = default_layer(traced, example, classifier.arrangement), ""
    except CutError as error:  # such as a network whose arrangement is not known
        default, reason = "", str(error)
    proven = proven_arrangements(traced, example)
    known = {layer: str(own) for layer, own in proven.items() if own is not None}
    return CutTable(points_of(traced, example), default, reason, known)


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
