"""The public conformance suite: what every registered component must do.

A plugin's own tests call `check_component(component)`; `xbench plugins check PKG` runs the
suite on everything that a distribution registers.
"""

import dataclasses
import json
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from jaxtyping import Int, Int64, UInt8
from torch import Tensor, nn

from xbench.components.kinds import KIND
from xbench.errors import DatasetError, MismatchError, PluginError, XbenchError
from xbench.interfaces.attribution import Attribution
from xbench.interfaces.classifier import Classifier, Network, PassCounter
from xbench.interfaces.component import Component
from xbench.interfaces.data.annotation import ClassHierarchy, HumanLabels
from xbench.interfaces.data.dataset import Batch, Dataset, ImageSet
from xbench.interfaces.data.similarity import Similarity, checked_similarity
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.explanation import Explainer, explained
from xbench.interfaces.loss import Loss
from xbench.interfaces.readout import Difficulty, Readout
from xbench.networks.network import CutNetwork
from xbench.randomness import generator

if TYPE_CHECKING:
    from xbench.components.registry import Claim
    from xbench.components.specification import Builder

CLASSES = 5
"""How many classes the tiny dataset and the tiny network have."""
Faults = Iterator[str]


def check_component(component: Component) -> None:
    """Raise `PluginError` that lists every rule of its kind which the component breaks."""
    faults = list(faults_in(component))
    if faults:
        raise PluginError(f"{component.kind} {component.name!r}: {'; '.join(faults)}")


def faults_in(component: Component) -> Faults:
    """Every rule which the component breaks, in words."""
    yield from _faults_in_form(component)
    for kind, rules in RULES.items():
        if isinstance(component, kind):
            yield from rules(component)


def faults_of(claim: "Claim", builder: "Builder") -> Faults:
    """Faults of what an entry point claims to provide."""
    try:
        item = builder.registry.get(claim.kind, claim.name)
        if not (isinstance(item, type) and issubclass(item, Component)):
            return
        if claim.kind == KIND:
            if not (item.__doc__ or "").strip():
                yield f"kind {claim.name!r}: has no docstring"
            return
        component = sample(builder, claim.kind, claim.name)
    except XbenchError as error:
        yield f"{claim.kind} {claim.name!r}: {error}"
        return
    for fault in faults_in(component):
        yield f"{claim.kind} {claim.name!r}: {fault}"


def sample(builder: "Builder", kind: str, name: str, depth: int = 2) -> Any:
    """The component with its defaults; component parameters without one get any that fits."""
    cls = builder.registry.get(kind, name)
    defaults = builder.defaults.get(kind, {}).get(name, {})
    makes = getattr(cls, "makes", None)
    filled = {
        field.name: _any(builder, typing.cast("type[Component]", field.type).kind, depth, makes)
        for field in dataclasses.fields(cls)
        if _open(field) and field.name not in defaults and field.name not in cls.example
    }
    return builder.build(kind, {"name": name, **cls.example, **filled})


def _open(field: "dataclasses.Field[Any]") -> bool:
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return required and isinstance(field.type, type) and issubclass(field.type, Component)


def _any(builder: "Builder", kind: str, depth: int, makes: type | None) -> Component:
    """Any component of the kind; an explainer inside another one makes what that one makes.

    One that needs artefacts is the last choice: it cannot be tried without a dataset.
    """
    kinds = {name: builder.registry.get(kind, name) for name in builder.registry.names(kind)}
    fitting = {
        name: cls
        for name, cls in kinds.items()
        if makes is None or issubclass(getattr(cls, "makes", makes), makes)
    }
    for name in sorted(fitting, key=lambda name: _declares_artefacts(fitting[name])):
        nested = any(map(_open, dataclasses.fields(fitting[name])))
        if depth and not (depth == 1 and nested):
            component: Component = sample(builder, kind, name, depth - 1)
            return component
    raise PluginError(f"no {kind} is there to try it with")


def _faults_in_form(component: Component) -> Faults:
    cls = type(component)
    if not dataclasses.is_dataclass(component):
        yield "is no dataclass"
        return
    if not cls.__dataclass_params__.frozen:
        yield "is not frozen: use @dataclass(frozen=True)"
    for attribute in ("name", "version"):
        if not isinstance(getattr(cls, attribute, None), str):
            yield f"lacks the class attribute {attribute!r}"
    if not (cls.__doc__ or "").strip() or (cls.__doc__ or "").startswith(f"{cls.__name__}("):
        yield "has no docstring"
    yield from _faults_in_parameters(component)
    if dataclasses.replace(component) != component:
        yield "is not equal to itself with the same parameters"


def _faults_in_parameters(component: Component) -> Faults:
    try:
        parameters = component.parameters()
    except DatasetError:
        return  # what lies at a location is not here
    if json.loads(json.dumps(parameters)) != parameters:
        yield "has parameters that JSON cannot hold"


def tiny_network(seed: int = 0) -> Network:
    """A small random network for 16×16 images and five classes, cut after its convolution."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bottom = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU())
        top = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, CLASSES))
    for module in (bottom, top):
        module.eval().requires_grad_(requires_grad=False)
    return CutNetwork(bottom, top, "1", CLASSES, PassCounter())


def tiny_batch(count: int = 4, seed: int = 0) -> Batch:
    """Random 16×16 images with labels."""
    draws = generator("tiny", seed)
    labels = torch.randint(CLASSES, (count,), generator=draws)
    return Batch(torch.rand(count, 3, 16, 16, generator=draws), tuple(range(count)), labels)


@dataclass(frozen=True)
class TinyDataset(Dataset, ClassHierarchy, HumanLabels):
    """Five classes in a small tree, for components that ask a dataset about its classes."""

    name: ClassVar[str] = "tiny"
    simulated = True

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        """Always the same."""
        return "tiny"

    def class_names(self) -> tuple[str, ...]:
        """Five plain words."""
        return ("cat", "dog", "horse", "car", "truck")

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """Three animals, two of them pets, and two vehicles."""
        pet, animal, vehicle = ("pet", "animal", "thing"), ("animal", "thing"), ("vehicle", "thing")
        return (pet, pet, animal, vehicle, vehicle)

    def splits(self) -> tuple[str, ...]:
        """One split."""
        return ("test",)

    def ids(self, split: str) -> Sequence[int]:
        """Four images of each class."""
        return range(4 * CLASSES)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The classes in turn."""
        return torch.tensor(list(ids), dtype=torch.int64) % CLASSES

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 16 16"]]:
        """Noise."""
        sources = [generator("tiny image", image) for image in ids]
        return [torch.randint(256, (3, 16, 16), generator=s).to(torch.uint8) for s in sources]

    def label_counts(self, ids: Sequence[int]) -> Int[Tensor, "n classes"]:
        """Eight of ten annotators are right; the others say the next class."""
        right = torch.nn.functional.one_hot(self.labels(ids), CLASSES)
        return 8 * right + 2 * right.roll(1, dims=1)


def tiny_images() -> ImageSet:
    """The images of the tiny dataset."""
    return ImageSet(TinyDataset(), "test", Transform())


def _readout(network: Network) -> Readout:
    return Readout(network.bottom, network.top, lambda logits: logits.softmax(dim=1))


def _faults_in_dataset(dataset: Dataset) -> Faults:
    try:
        dataset.check()
    except DatasetError:
        return  # its data is not here; nothing more can be said
    names = dataset.class_names()
    if len(set(names)) != len(names):
        yield "has two classes of one name"
    seen: set[int] = set()
    for split in dataset.splits():
        ids = list(dataset.ids(split))
        if seen.intersection(ids):
            yield f"split {split!r} shares images with another split"
        seen.update(ids)
        yield from _faults_in_images(dataset, ids[:3], len(names))
    if dataset.fingerprint() != dataset.fingerprint():
        yield "has a fingerprint that changes"


def _faults_in_images(dataset: Dataset, ids: list[int], classes: int) -> Faults:
    labels = dataset.labels(ids)
    if labels.shape != (len(ids),) or not ((labels >= 0) & (labels < classes)).all():
        yield "has labels out of range, or not one per image"
    images, again = dataset.images(ids), dataset.images(list(reversed(ids)))
    for image, same in zip(images, reversed(list(again)), strict=True):
        if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
            yield f"gives an image of shape {tuple(image.shape)} and type {image.dtype}"
        elif not torch.equal(image, same):
            yield "gives other images when ids come in another order"


def _faults_in_classifier(classifier: Classifier) -> Faults:
    if classifier.weights:
        return  # may need a download
    size = classifier.input_size()
    module = classifier.module(CLASSES).eval()
    with torch.no_grad():
        logits = module(torch.rand(2, 3, size, size, generator=generator("images")))
    if logits.shape != (2, CLASSES):
        yield f"makes logits of shape {tuple(logits.shape)} for 2 images and {CLASSES} classes"


def _faults_in_loss(loss: Loss) -> Faults:
    batch = dataclasses.replace(tiny_batch(), source=tiny_images())
    try:
        loss.check(tiny_images())
    except (DatasetError, MismatchError):
        return  # it speaks of the classes of another dataset, or of files that are not here
    options: dict[str, Any] = {"classes": CLASSES, "epoch": 0}
    first, second = (loss.targets(batch, generator=generator(0), **options) for _ in range(2))
    if not torch.allclose(first.distribution.sum(dim=1), torch.ones(len(batch.ids))):
        yield "has target distributions that do not sum to 1"
    if not torch.equal(first.distribution, second.distribution):
        yield "draws randomness from elsewhere than its generator"
    logits = torch.zeros(len(batch.ids), CLASSES, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss.score(logits, first), logits)
    if not torch.isfinite(gradient).all():
        yield "is not differentiable in the logits"


def _faults_in_similarity(similarity: Similarity) -> Faults:
    dataset = TinyDataset()
    try:
        matrix = similarity.matrix(dataset)
    except (DatasetError, MismatchError):
        return  # it speaks of the classes of another dataset, or of files that are not here
    if matrix.dtype != torch.float64:
        yield f"makes a matrix of type {matrix.dtype}, not of double precision"
    try:
        checked_similarity(matrix, dataset.class_names(), "its matrix")
    except MismatchError as error:
        yield str(error)


def _faults_in_difficulty(difficulty: Difficulty) -> Faults:
    if type(difficulty).artefacts is not Difficulty.artefacts:
        return  # it cannot be read out before they are made
    scores = difficulty.readout(tiny_network(), {}).predictions(tiny_batch().images)
    if scores.shape != (4, 1):
        yield f"makes scores of shape {tuple(scores.shape)} for 4 images, not (4, 1)"
    elif not ((scores >= 0) & (scores <= 1)).all():
        yield "makes scores outside [0, 1]"


def _faults_in_attribution(attribution: Attribution) -> Faults:
    network, batch = tiny_network(), tiny_batch()
    activations = network.activations(batch.images)
    kept = activations.clone()
    maps = attribution.attribute(_readout(network), activations, batch.images)
    if maps.shape != (4, CLASSES, *activations.shape[-2:]):
        yield f"makes maps of shape {tuple(maps.shape)}"
    elif maps.requires_grad or not torch.isfinite(maps).all():
        yield "makes maps that are not finite or carry a gradient"
    if not torch.equal(activations, kept):
        yield "changes the activations it is given"


def _faults_in_explainer(explainer: Explainer) -> Faults:
    if not hasattr(type(explainer), "makes"):
        yield "does not say what kind of explanation it `makes`"
        return
    if any(_declares_artefacts(type(one)) for one in (explainer, *explainer.inner().values())):
        return  # they need a dataset
    network, batch = tiny_network(), tiny_batch()
    explanations, again = (explained(explainer, network, batch, {}, generator(0)) for _ in range(2))
    if len(explanations) != len(batch.ids):
        yield f"makes {len(explanations)} explanations for {len(batch.ids)} images"
    for one, same in zip(explanations, again, strict=True):
        yield from _faults_in_explanation(explainer, one, same)
    last = Batch(batch.images[-1:], batch.ids[-1:], batch.labels[-1:], None)  # type: ignore[index]
    alone = explained(explainer, network, last, {}, generator(0))
    if not _close(explanations[-1].tensors(), alone[0].tensors()):
        yield "explains an image differently when it is alone in its batch"


def _declares_artefacts(cls: type) -> bool:
    return issubclass(cls, Explainer) and cls.artefacts is not Explainer.artefacts


def _faults_in_explanation(explainer: Explainer, one: Any, same: Any) -> Faults:
    if not isinstance(one, explainer.makes):
        yield f"makes {type(one).__name__}, not {explainer.makes.__name__}"
    elif not _close(one.tensors(), same.tensors()):
        yield "draws randomness from elsewhere than its generator"
    elif not _close(one.tensors(), type(one).from_tensors(one.tensors()).tensors()):
        yield "makes explanations that cannot be loaded as they were saved"


def _close(one: Any, other: Any) -> bool:
    if one.keys() != other.keys():
        return False
    return all(
        one[key].shape == other[key].shape
        and torch.allclose(one[key].double(), other[key].double(), atol=1e-5, equal_nan=True)
        for key in one
    )


RULES: dict[type[Component], Callable[[Any], Faults]] = {
    Dataset: _faults_in_dataset,
    Classifier: _faults_in_classifier,
    Loss: _faults_in_loss,
    Similarity: _faults_in_similarity,
    Difficulty: _faults_in_difficulty,
    Attribution: _faults_in_attribution,
    Explainer: _faults_in_explainer,
}
"""What each kind must do beyond being a component."""
