"""Recipes: how artefacts are made, weights of classifiers above all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from xbench.errors import MismatchError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree, content_key, fields_tree
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.loss import Loss
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Progress, Workplace


class Recipe(ABC):
    """How to make an artefact. Frozen and cheap: nothing is made before `build`."""

    kind: ClassVar[str]
    """What it makes, in kebab-case: the folder of the store where it lies."""

    not_in_key: ClassVar[tuple[str, ...]] = ()
    """Fields that the artefact does not depend on, or whose part `needs` has in its key."""

    in_driver: ClassVar[bool] = False
    """Whether it is built in the process of the run alone: what it holds goes to no other."""

    def tree(self) -> Tree:
        """Everything the artefact depends on, as plain values: the fields, unless overridden."""
        return fields_tree(self, but=self.not_in_key)

    def needs(self) -> Mapping[str, "Recipe"]:
        """Recipes whose artefacts `build` receives, by name."""
        return {}

    @abstractmethod
    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Make it. `workplace` has the device, the batch size and a reporter of progress."""

    @property
    def key(self) -> str:
        """The content hash of the recipe and of all that it needs."""
        needs = {name: recipe.key for name, recipe in self.needs().items()}
        return content_key({"kind": self.kind, "tree": self.tree()}, needs)


@dataclass(frozen=True)
class TrainingPlan:
    """What a classifier's training consists of; plain, it trains nothing itself."""

    classifier: Classifier
    loss: Loss
    training: Training
    images: ImageSet
    validation: ImageSet | None
    seed: int
    classes: int

    def tree(self) -> Tree:
        """What weights depend on: where the network is cut is no part of it."""
        return fields_tree(
            replace(self, classifier=replace(self.classifier, layer="", arrangement=""))
        )


class ClassifierWeights(Recipe):
    """Weights of a classifier, however they come about.

    The artefact's tensors are the state of the classifier's module; its facts have `classes`.
    """

    kind: ClassVar[str] = "weights"

    @property
    @abstractmethod
    def plan(self) -> TrainingPlan | None:
        """How the classifier is trained; None for weights that come from elsewhere."""

    @property
    def trained_here(self) -> bool:
        """Whether making them is the training of their plan; not so for weights of a file."""
        return self.plan is not None

    @property
    def whole(self) -> Recipe:
        """What a file must hold that these weights can be pinned by: themselves by default."""
        return self

    def check(self, progress: Progress) -> None:
        """Raise what is wrong with the weights before anything is made; nothing by default."""

    @property
    def required_plan(self) -> TrainingPlan:
        """The plan, or `MismatchError` where there is none."""
        if self.plan is None:
            raise MismatchError(
                "these weights of a classifier come from elsewhere; what is needed here is the "
                "training that they are of"
            )
        return self.plan


class FinishedLoss(Loss):
    """A loss whose weights are made of those of a training, once that is over."""

    @abstractmethod
    def classifier_weights(self, plan: TrainingPlan) -> ClassifierWeights:
        """The weights for a plan that has this loss."""
