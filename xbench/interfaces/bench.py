"""Benches: workplaces where protocols get explanations and predictions, kept or made now."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jaxtyping import Float, Float32
from torch import Generator, Tensor

from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree, content_key
from xbench.interfaces.data.dataset import Batch, ImageSet
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.recipe import ClassifierWeights, Recipe
from xbench.interfaces.workplace import Workplace
from xbench.randomness import generator


@dataclass(frozen=True, eq=False)
class Subject:
    """What is explained: a classifier with its weights. Plain; nothing is loaded.

    `datasets` and `seed` are those of the entry: explainers declare artefacts for the former,
    and what they draw is seeded by the latter.
    """

    classifier: Classifier
    weights: ClassifierWeights
    datasets: Mapping[str, ImageSet]
    seed: int

    def artefacts(self, explainer: Explainer) -> Mapping[str, Recipe]:
        """What the explainer needs for these weights, by name."""
        return explainer.artefacts(self.weights, self.datasets)

    def source(self, derivation: "Derivation | None" = None) -> Generator:
        """What explanations draw random numbers from, wherever they are made."""
        own = generator("explanation", self.seed)
        if derivation is None:
            return own
        return generator(derivation.name, own.initial_seed(), derivation.place)


@dataclass(frozen=True, eq=False)
class Derivation:
    """Images that are made of those of an image set, one of each: blended, masked, attacked.

    `name` and `place`, such as "step" and 3, seed what is drawn at random for them; `tree` says
    all that the images depend on beside those they are made of.
    """

    name: str
    place: int
    tree: Tree
    images: Callable[[Float[Tensor, "n 3 h w"]], Float[Tensor, "n 3 h w"]] = field(repr=False)
    """A function that other processes can import, or a `functools.partial` of one."""


class Request(NamedTuple):
    """Explanations that will be asked for; predictions where there is no explainer."""

    explainer: Explainer | None
    subject: Subject
    images: ImageSet
    ids: tuple[int, ...]
    derivation: Derivation | None = None


class Bench(Workplace):
    """A workplace that makes and keeps what a protocol evaluates."""

    @abstractmethod
    def explanations(
        self,
        explainer: Explainer,
        subject: Subject,
        images: ImageSet,
        ids: Sequence[int],
        derivation: Derivation | None = None,
    ) -> Sequence[Explanation]:
        """One explanation per image: those that are kept, the others made now, and kept.

        Explanations that the explainer builds on are found or made in the same way.
        """

    @abstractmethod
    def predictions(
        self,
        subject: Subject,
        images: ImageSet,
        ids: Sequence[int],
        derivation: Derivation | None = None,
    ) -> Float32[Tensor, "n classes"]:
        """The logits of the images, on the CPU: those that are kept, the others made now."""

    @abstractmethod
    def explain(
        self, explainer: Explainer, subject: Subject, batch: Batch
    ) -> Sequence[Explanation]:
        """Explanations of images that no image set has, such as photos; they are not kept."""


def kept_key(
    explainer: Explainer | None,
    subject: Subject,
    images: ImageSet,
    derivation: Derivation | None = None,
) -> str:
    """The key of explanations, or of predictions: of no ids, protocol, split or label."""
    view = images.tree()
    for chosen in ("split", "part"):
        view.pop(chosen, None)
    tree = {
        "explainer": explainer and explainer.tree(),
        "layer": subject.classifier.place,
        "images": view,
        "seed": subject.seed if explainer else None,
        "derivation": derivation
        and {"name": derivation.name, "place": derivation.place, "tree": derivation.tree},
    }
    needs = {"weights": subject.weights.key}
    if explainer is not None:
        declared = subject.artefacts(explainer)
        needs |= {f"artefact {name}": recipe.key for name, recipe in declared.items()}
    return content_key(tree, needs)
