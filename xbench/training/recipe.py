"""Training: what it consists of, and the recipe that makes trained weights."""

import dataclasses
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from xbench.errors import WeightsError
from xbench.interfaces.artefact import Artefact, Artefacts, Recipe
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree, plain
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.loss import Loss
from xbench.networks.cut import head
from xbench.networks.network import blank
from xbench.networks.weights import State, file_hash, load_state, read_state, state_hash
from xbench.randomness import derived_seed

if TYPE_CHECKING:
    from xbench.interfaces.executor import Workplace
    from xbench.interfaces.protocol import Entry
    from xbench.training.fitting import Mistakes


@dataclass(frozen=True)
class Training:
    """How a classifier is trained. `ValueError` for a value that cannot be."""

    epochs: int = 20
    """0 takes the weights as they are."""
    batch_size: int = 64
    optimiser: str = "adamw"
    """One of timm's. `momentum` is plain SGD with momentum, `sgd` has Nesterov's."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    decay_all: bool = False
    """Whether biases and the parameters of normalisation layers decay as well."""
    momentum: float = 0.9
    schedule: str = "cosine"
    """One of timm's, stepped at every update; "none" keeps the rate."""
    warmup_epochs: float = 0.0
    decay_epochs: float = 30.0
    """After how many epochs the schedule "step" multiplies the rate by `decay_rate`."""
    decay_rate: float = 0.1
    final_rate: float = 0.0
    """Where the schedule "cosine" ends."""
    body_rate: float = 1.0
    """The learning rate of everything but the head is multiplied by this; 0 freezes it."""
    frozen_epochs: int = 0
    """For how many epochs only the head learns, and the body is in evaluation mode."""
    new_head: bool = False
    """Whether the head starts from random weights, also where there are others for it."""
    augmentation: Literal["batched", "timm"] = "batched"
    flip: float = 0.5
    """How often an image is mirrored."""
    shift: int = 0
    """"batched": how far an image is moved at most, in pixels."""
    crop_scale: tuple[float, float] = (1.0, 1.0)
    """Area of the random crop that is enlarged to the full image; (1, 1) for none."""
    crop_ratio: tuple[float, float] = (0.75, 4 / 3)
    """Width / height of the random crop."""
    colour_jitter: float = 0.0
    """"timm" only."""
    auto_augment: str = ""
    """"timm" only: a policy such as "rand-m9-mstd0.5"."""
    erasing: float = 0.0
    """"timm" only: how often a rectangle is erased."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("epochs", "shift", "frozen_epochs", "learning_rate", "body_rate", "flip"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it cannot be negative")
        if self.batch_size < 2:
            raise ValueError(f"batch_size is {self.batch_size}; training needs at least 2")
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            raise ValueError(f"crop_scale is ({low}, {high}); it needs 0 < low <= high <= 1")
        single = {"colour_jitter": 0.0, "auto_augment": "", "erasing": 0.0}
        for name, off in single.items():
            if self.augmentation != "timm" and getattr(self, name) != off:
                raise ValueError(f'{name} needs augmentation = "timm"')

    def tree(self) -> Tree:
        """The fields as plain values."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


class ClassifierWeights(Recipe):
    """Weights of a classifier, however they come about.

    The artefact's tensors are the state of the classifier's module; its facts have `classes`.
    """

    kind: ClassVar[str] = "weights"

    @property
    @abstractmethod
    def plain(self) -> "TrainedWeights":
        """The training of the classifier alone: its components, images, seed and classes."""


@dataclass(frozen=True)
class TrainedWeights(ClassifierWeights):
    """Weights of a classifier, trained on `images`; with `epochs = 0` as they are.

    The same fields give the same weights on the same machine, also where a training was
    interrupted and resumed.
    """

    classifier: Classifier
    loss: Loss
    training: Training
    images: ImageSet
    validation: ImageSet | None
    seed: int
    classes: int

    @property
    def plain(self) -> "TrainedWeights":
        """This recipe."""
        return self

    def tree(self) -> Tree:
        """What the weights depend on: where the network is cut is no part of it."""
        weights = self.classifier.weights
        if weights not in ("", "library"):
            weights = f"file {file_hash(weights)}"
        classifier = dataclasses.replace(self.classifier, layer="", weights=weights)
        return {
            "classifier": classifier.tree(),
            "loss": self.loss.tree(),
            "training": self.training.tree(),
            "images": self.images.tree(),
            "validation": self.validation.tree() if self.validation else None,
            "seed": self.seed,
            "classes": self.classes,
        }

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Train, or go on with a training that was interrupted."""
        from xbench.training.fitting import fit, mistakes

        start = time.perf_counter()
        module = self.module()
        curve: Sequence[tuple[float, float]] = []
        if self.training.epochs:
            curve, before = fit(self, module, workplace)
            start -= before
        seen = mistakes(self, module, self.validation, workplace) if self.validation else None
        state = stored(module.state_dict())
        seconds = round(time.perf_counter() - start, 3)
        return Artefact(self.key, state, {**self.facts(state, curve, seen), "seconds": seconds})

    def facts(
        self,
        state: State,
        curve: Sequence[tuple[float, float]],
        seen: "Mistakes | None",
    ) -> dict[str, Any]:
        """What is told of the classifier with this state after such a training."""
        return {
            "classes": self.classes,
            "architecture": self.classifier.tree(),
            "epochs": self.training.epochs,
            "curve": [list(pair) for pair in curve],
            "state": state_hash(state),
            "accuracy": seen and seen.accuracy,
            "mistakes_within_parent": seen and seen.within_parent,
            "summary": [_summary(self, curve, seen)],
        }

    def module(self) -> nn.Module:
        """The network before training: random weights, the library's, or those of a file."""
        module = blank(self.classifier, self.classes, derived_seed("weights", self.seed))
        source = self.classifier.weights
        if source == "library":
            self._check_library_head(module)
        elif source:
            new = head(module, self.classes) if self.training.epochs else ""
            load_state(module, read_state(source), source, new_head=new)
        if source and self.training.new_head:
            self._renew_head(module)
        return module

    def _renew_head(self, module: nn.Module) -> None:
        """Put random weights into the last layer with as many outputs as classes."""
        name = head(module, self.classes)
        if not name or not self.training.epochs:
            message = f"training.new_head: {self.classifier.name!r} "
            reason = "is not trained" if name else f"has no layer of {self.classes} outputs"
            raise WeightsError(message + reason)
        plain = dataclasses.replace(self.classifier, weights="")
        fresh = blank(plain, self.classes, derived_seed("weights", self.seed))
        module.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())

    def _check_library_head(self, module: nn.Module) -> None:
        """Without training, a head that the library has no weights for would be random."""
        if self.training.epochs:
            return
        other = blank(self.classifier, self.classes, derived_seed("other", self.seed)).state_dict()
        names = [name for name, t in module.state_dict().items() if not torch.equal(t, other[name])]
        if names:
            message = f"the library's weights of {self.classifier.name!r} are not for "
            message += f"{self.classes} classes ({names[0]} is new); set training.epochs above 0"
            raise WeightsError(message)


def _summary(
    recipe: TrainedWeights, curve: Sequence[tuple[float, float]], seen: "Mistakes | None"
) -> str:
    """One line on how the training went."""
    parts = [f"{recipe.classifier.name}: {len(curve)} epoch{'s' * (len(curve) != 1)}"]
    if curve:
        parts.append(f"loss {curve[-1][0]:.3f}, accuracy {curve[-1][1]:.1%} while training")
    if recipe.validation and seen:
        parts.append(f"{seen.accuracy:.1%} on {recipe.validation.split!r}")
    if seen and seen.within_parent is not None:
        parts.append(f"{seen.within_parent:.1%} of its mistakes within the parent class")
    return ", ".join(parts)


def stored(state: State) -> dict[str, Tensor]:
    """The tensors as an artefact holds them: copied, on the CPU."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }


def recipe_for(entry: "Entry") -> ClassifierWeights:
    """The weights of an entry's classifier: trained on `train`, their accuracy seen on `test`.

    With the entry's companion where it has one.
    """
    images = entry.datasets["train"]
    plain = TrainedWeights(
        classifier=entry.classifier,
        loss=entry.loss,
        training=entry.training,
        images=images,
        validation=entry.datasets.get("test"),
        seed=entry.seed,
        classes=len(images.dataset.class_names()),
    )
    return plain if entry.companion is None else entry.companion.classifier_weights(plain)
