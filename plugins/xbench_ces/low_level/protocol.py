"""The low-level protocol: a class loses its colour, and the concept of it should explain that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Derivation,
    Drawing,
    Entry,
    MismatchError,
    ParameterError,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    UnknownNameError,
    subject_of,
    weights_recipe,
)
from xbench_ces.kernels.appearance import Perturbation, perturbed
from xbench_ces.low_level.rows import ImageStep, Target, rows_table
from xbench_ces.low_level.summary import Scale, Scoring, case_scores, table_notes
from xbench_ces.scores.concept_scores import ConceptScores

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""


@dataclass(frozen=True)
class LowLevelPerturbation(Protocol):
    """Whether the concept that a perturbation takes from an image explains its fall best.

    Section 4 of the paper and its Figure 2: images are blended with a perturbed version of
    themselves, step by step, and explained at each step. A case is an image of a class in
    `targets`. Images that the network gets wrong, or of whose class it is less sure than
    `minimum_probability`, are counted and not scored.

    The paper asks that the score of the matching concept rises while the probability P of
    the class falls. Rank correlation alone is degenerate: a step that is large beside the
    activations leaves nothing of the class, so that every raw score is about −P, and rises
    with it; opposite concepts correlate as well as matching ones. So it is asked that the
    matching concept's score is positive at the end, that it rises, and that it rises more
    than every other concept's.
    """

    name: ClassVar[str] = "low-level-perturbation"
    scores: ClassVar[type[ConceptScores]] = ConceptScores

    targets: tuple[Target, ...] = ()
    """Which classes are perturbed, and which concept each of them loses."""
    perturbation: Perturbation = "grey"
    amount: float = 1.0
    """Strength of the perturbation at the last step, up to 1."""
    steps: int = 10
    score: Scale = "log"
    """Which scores decide: differences of P (`raw`, the paper) or of log P."""
    minimum_probability: float = 0.15
    """That the class must have in the image as it is."""
    correlation: float = 0.8
    """Rank correlation with the steps from which on something counts as rising or falling."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers, and two targets of one class."""
        if not 0 < self.amount <= 1:
            raise ValueError(f"amount is {self.amount}; it must be above 0 and at most 1")
        if self.steps < 2:
            raise ValueError(f"steps is {self.steps}; at least 2 are needed")
        if not 0 <= self.minimum_probability < 1 or not 0 <= self.correlation <= 1:
            raise ValueError("minimum_probability and correlation must lie between 0 and 1")
        names = [target.class_name for target in self.targets]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"targets: class {name!r} stands there twice")

    def terms(self) -> Mapping[str, str]:
        """What is asked of the concept that a perturbation takes from an image."""
        return {
            "concept score": "by how much more probable the image's class would be with a concept, "
            "such as a colour, added to its activations.",
            "matching concept": "the one that a perturbation takes from the image step by step.",
            "explained": "the share of images in which the matching concept's score ends above 0, "
            "rises with the steps, and rises more than every other concept's.",
        }

    def needs(self) -> tuple[type[Annotation], ...]:
        """Nothing of the test dataset."""
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, and what the explainer needs."""
        self._targets_by_label(entry)
        weights = weights_recipe(entry)
        explainer_recipes = entry.required_explainer.artefacts(weights, entry.datasets)
        return {
            "weights": weights,
            **{EXPLAINER + name: recipe for name, recipe in explainer_recipes.items()},
        }

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The test images of the targets' classes."""
        test, targets = entry.datasets["test"], self._targets_by_label(entry)
        ids = test.ids()
        labels = test.dataset.labels(ids).tolist()
        images = [image for image, label in zip(ids, labels, strict=True) if label in targets]
        if not images:
            message = f"split {test.split!r} of dataset {test.dataset.name!r} has no image of the "
            raise MismatchError(f"{message}{len(targets)} classes in protocol.targets")
        return [Case("test", image) for image in images]

    def _targets_by_label(self, entry: Entry) -> Mapping[int, Target]:
        if not self.targets:
            message = f"protocol {self.name!r} needs targets: which classes lose which concept, "
            message += 'such as -p \'protocol.targets=[{class_name = "strawberry", '
            raise ParameterError(message + 'concept = "redness"}]\'')
        names = entry.datasets["test"].dataset.class_names()
        for target in self.targets:
            if target.class_name not in names:
                raise UnknownNameError("class in protocol.targets", target.class_name, names)
        return {names.index(target.class_name): target for target in self.targets}

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The scores of the cases at each step."""
        test, ids = entry.datasets["test"], tuple(case.id for case in cases)
        asked = entry.required_explainer, subject_of(entry), test, ids
        return [Request(*asked, self.derivation(step)) for step in range(self.steps + 1)]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image, step and concept, image by image within each step."""
        return rows_table(list(self._image_steps(entry, cases, bench)))

    def _image_steps(
        self, entry: Entry, cases: Sequence[Case], bench: Bench
    ) -> Iterator[ImageStep]:
        """Each image at each step; what is drawn at random is drawn anew at each."""
        test, targets = entry.datasets["test"], self._targets_by_label(entry)
        ids, asked = [case.id for case in cases], (entry.required_explainer, subject_of(entry))
        labels = test.dataset.labels(ids).tolist()
        for step in range(self.steps + 1):
            explanations = bench.explanations(*asked, test, ids, self.derivation(step))
            for case, label, explanation in zip(cases, labels, explanations, strict=True):
                scores = cast("ConceptScores", explanation)
                self._check_concepts(scores)
                yield ImageStep(case, targets[label], step, self.blend(step), scores)

    def _check_concepts(self, scores: ConceptScores) -> None:
        """Raise if no target has a concept that is there: names are misspelt, or all were lost."""
        names = [concept.name for concept in scores.concepts]
        concepts = dict.fromkeys(target.concept for target in self.targets)
        if not any(name in names for name in concepts):
            message = f"none of the concepts in protocol.targets ({', '.join(concepts)}) is among "
            message += f"the {len(names)} that were scored ({', '.join(names[:5])}, …); name those "
            raise MismatchError(message + "of the bank, or lower the explainer's threshold")

    def derivation(self, step: int) -> Derivation:
        """The images perturbed as far as the step goes."""
        strength = self.blend(step)
        images = partial(perturbed, perturbation=self.perturbation, strength=strength)
        return Derivation("step", step, {self.perturbation: strength}, images)

    def blend(self, step: int) -> float:
        """The strength of the perturbation at a step."""
        return self.amount * step / self.steps

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Whether the matching concept explains the fall, by itself and beside all others."""
        return {label: case_scores(table, self.scoring()) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """The paper's Figure 2 with raw scores and with differences of log P; and the rises."""
        from xbench_ces.low_level.figures import figures

        return figures(rows, roles, self.scoring(), resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many images were not scored, and why; and which concepts rose most."""
        return {label: table_notes(table, self.scoring()) for label, table in rows.items()}

    def scoring(self) -> Scoring:
        """What summaries need to know."""
        return Scoring(
            self.targets, self.perturbation, self.score, self.minimum_probability, self.correlation
        )
