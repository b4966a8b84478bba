"""The spurious-recovery protocol: whether explanations name what a network wrongly relies on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, cast, get_args

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    ClassifierWeights,
    Contexts,
    Drawing,
    Entry,
    ImageSet,
    MismatchError,
    ParameterError,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Subject,
    TrainingPlan,
    Tree,
    UnknownNameError,
    View,
    planned_weights,
)
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.spurious.confounded import Confounded
from xbench_ces.spurious.rows import ImageRows, Scenario, Which, rows_table
from xbench_ces.spurious.summary import Scoring, case_scores, table_notes

WEIGHTS = "weights"
"""Follows a model's name in the names of artefacts; the explainer's own follow it as well."""


class Model(NamedTuple):
    """One of the confounded models: its scenario and how strongly it is confounded."""

    scenario: Scenario
    strength: float

    @property
    def label(self) -> str:
        """How artefacts name it."""
        return f"{self.scenario.label} at {self.strength:g}"

    def group(self, which: Which) -> tuple[str, str]:
        """What the case of an image of these belongs to."""
        return self.label.strip().replace("/", "|"), which


@dataclass(frozen=True)
class SpuriousRecovery(Protocol):
    """How often the context of a confounded class is among the concepts that score highest.

    Section 4 of the paper: in each scenario a classifier of a few classes is trained on images
    of which one class keeps to one context; images of the class without the context are
    explained. A case is an image of a scenario, out of distribution or in it; the latter
    are classified only. Cases of all entries and strengths are the same images.

    The rank of a concept is 1 + the number of concepts with a higher raw score + half the
    number of others with the same one; it is among the top k if that is at most k.
    """

    name: ClassVar[str] = "spurious-recovery"
    scores: ClassVar[type[ConceptScores]] = ConceptScores
    trains: ClassVar[bool] = True

    classes: tuple[str, ...] = ()
    """Names of the classes; () for all."""
    scenarios: tuple[Scenario, ...] = ()
    """Which class keeps to which context, each with a model of its own."""
    strengths: tuple[float, ...] = (1.0,)
    """Shares of the class's training images that show the context; the largest is scored,
    the others are for a curve."""
    train_split: str = "train"
    """Of the benchmark's dataset; training and validation images are taken from it."""
    test_split: str = "test"
    training_images: int = 150
    """Of each class."""
    validation_images: int = 50
    """Of each class."""
    images: int = 50
    """How many images are explained in each scenario, if there are so many."""
    confidence: float = 0.9
    """A right prediction with a lower probability counts as one of low confidence."""
    batch_sizes: tuple[int, ...] = (1, 2, 3, 5, 10)
    """How many images are explained together, for a curve."""
    batch: int = 5
    """Size of the batches that are scored in each scenario."""
    tops: tuple[int, ...] = (1, 3, 5)
    """Among how many of the highest concepts the true one is looked for."""
    top: int = 3
    """The one of them that decides."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers, and scenarios that no class or table has room for."""
        labels = [scenario.label for scenario in self.scenarios]
        if len(set(labels)) < len(labels):
            raise ValueError("scenarios: two have the same class and context")
        for scenario in self.scenarios:
            if self.classes and scenario.class_name not in self.classes:
                raise UnknownNameError("class of a scenario", scenario.class_name, self.classes)
        counts = (*self.batch_sizes, *self.tops, self.batch, self.images)
        if not self.strengths or any(count < 1 for count in counts):
            raise ValueError("sizes, counts and tops must be at least 1, and a strength be given")
        for strength in self.strengths:
            if not 0 <= strength <= 1:
                raise ValueError(f"strengths: {strength:g} is no share; give numbers from 0 to 1")
        if self.top not in self.tops:
            raise ValueError(f"top is {self.top}, which is none of tops {self.tops}")

    def terms(self) -> Mapping[str, str]:
        """What is to be recovered, and when it is."""
        return {
            "concept score": "by how much more probable the image's class would be with a concept, "
            "such as snow, added to its activations.",
            "scenario": "a classifier that saw one class in one context alone, and wrongly relies "
            "on it; images of that class without the context are explained.",
            f"recovery at {self.top}": "the share of images in which that context is among the "
            f"{self.top} concepts that score highest.",
        }

    def needs(self) -> tuple[type[Annotation], ...]:
        """The contexts of images."""
        return (Contexts,)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The weights of every model, and what the explainer needs for each."""
        self._check(entry)
        recipes: dict[str, Recipe] = {}
        for model in self.models():
            weights = self.weights(entry, model)
            explainer_recipes = entry.required_explainer.artefacts(weights, entry.datasets)
            recipes[f"{model.label}/{WEIGHTS}"] = weights
            recipes |= {
                f"{model.label}/{WEIGHTS}/{name}": recipe
                for name, recipe in explainer_recipes.items()
            }
        return recipes

    def models(self) -> tuple[Model, ...]:
        """Every scenario at every strength."""
        return tuple(Model(scenario, s) for scenario in self.scenarios for s in self.strengths)

    def weights(self, entry: Entry, model: Model) -> ClassifierWeights:
        """How a model is trained; the control's without any confounding."""
        if entry.weights is not None:
            raise MismatchError(
                f"protocol {self.name!r} trains networks of its own, on confounded images, and "
                f'has no use for given weights: -p weights=""'
            )
        transform = entry.datasets["train"].transform
        control = is_control(entry)
        dataset = self._control_dataset(entry) if control else self.confounded(entry, model)
        plan = TrainingPlan(
            entry.classifier,
            entry.loss,
            entry.training,
            ImageSet(dataset, "train", transform),
            ImageSet(dataset, "validation", transform),
            entry.seed,
            len(dataset.class_names()),
        )
        return planned_weights(plan)

    def confounded(self, entry: Entry, model: Model) -> Confounded:
        """The images of a model: what it is trained on, and what is explained."""
        scenario = model.scenario
        confound = (scenario.class_name, scenario.context, model.strength)
        return self._dataset(entry, *confound)

    def _control_dataset(self, entry: Entry) -> Confounded:
        return self._dataset(entry, "", "", 1.0)

    def _dataset(self, entry: Entry, name: str, context: str, strength: float) -> Confounded:
        return Confounded(
            entry.datasets["train"].dataset,
            self.train_split,
            self.test_split,
            self.classes,
            name,
            context,
            strength,
            self.training_images,
            self.validation_images,
            self.images,
            entry.seed,
        )

    def _check(self, entry: Entry) -> None:
        if not self.scenarios:
            raise ParameterError(
                "protocol 'spurious-recovery' has no scenarios; give it some in a benchmark file: "
                '[[protocol.scenarios]] with class_name = "…" and context = "…"'
            )
        if entry.companion is not None:
            raise MismatchError(
                "protocol 'spurious-recovery' trains classifiers alone, but an entry needs them "
                f"trained jointly with {entry.companion.name!r}"
            )
        for model in self.models():
            self.confounded(entry, model).check()

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """Of each model the images out of distribution, then those in it."""
        return [
            Case("test", image, model.group(which))
            for model in self.models()
            for which in get_args(Which)
            for image in self.confounded(entry, model).ids(which)
        ]

    def groups(self) -> Mapping[tuple[str, ...], tuple[Model, Which]]:
        """What the images of cases are, by what the cases belong to."""
        models, sets = self.models(), get_args(Which)
        return {model.group(which): (model, which) for model in models for which in sets}

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterator[Request]:
        """What the models say of the cases, and explanations of those out of distribution."""
        for group, members in _by_group(cases).items():
            model, which = self.groups()[group]
            images, ids = self.model_images(entry, model, which), tuple(c.id for c in members)
            asked = self.subject(entry, model), images, ids
            yield Request(None, *asked)
            if which == "out":
                yield Request(entry.required_explainer, *asked)

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per concept of an explained image; one without a concept for the others."""
        rows: list[ImageRows] = []
        for group, members in _by_group(cases).items():
            rows.extend(self._image_rows(entry, *self.groups()[group], members, bench))
        return rows_table(rows)

    def _image_rows(
        self, entry: Entry, model: Model, which: Which, cases: Sequence[Case], bench: Bench
    ) -> Iterator[ImageRows]:
        """What the model says of images, and the concept scores of those out of distribution."""
        images, ids = self.model_images(entry, model, which), [case.id for case in cases]
        asked, places = (self.subject(entry, model), images, ids), _places(images)
        probabilities = bench.predictions(*asked).double().softmax(1)
        labels = images.dataset.labels(ids).tolist()
        scores: Sequence[ConceptScores | None] = [None] * len(cases)
        if which == "out":
            explanations = bench.explanations(entry.required_explainer, *asked)
            scores = cast("Sequence[ConceptScores]", explanations)
        of_images = zip(cases, labels, probabilities, scores, strict=True)
        for case, label, distribution, of_image in of_images:
            yield ImageRows(
                case,
                places[case.id],
                entry.repeat,
                model.scenario.label,
                model.strength,
                which,
                case.id,
                label,
                int(distribution.argmax()),
                float(distribution[label]),
                of_image,
            )

    def model_images(self, entry: Entry, model: Model, which: Which) -> ImageSet:
        """The images of a scenario, as its model sees them."""
        return ImageSet(self.confounded(entry, model), which, entry.datasets["test"].transform)

    def view(self, entry: Entry, case: Case, artefacts: Artefacts) -> View:
        """An image of a scenario, explained with the scenario's model."""
        (model, which), image = self.groups()[case.within], case.id
        name, context = model.scenario.class_name, model.scenario.context
        share = f"{100 * model.strength:g} % of its class in training shown with {context}"
        title = f"{name}, image {image}; {'control' if is_control(entry) else share}"
        return View(
            title, self.model_images(entry, model, which), image, self.subject(entry, model)
        )

    def subject(self, entry: Entry, model: Model) -> Subject:
        """A model, as what is explained."""
        weights = self.weights(entry, model)
        return Subject(entry.classifier, weights, entry.datasets, entry.seed)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Recovery among the top k, ranks, recovery in batches and by prediction, accuracy."""
        return {label: case_scores(table, self.scoring()) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Recovery by scenario, by the number of images together, and by strength."""
        from xbench_ces.spurious.figures import figures

        return figures(rows, roles, self.scoring(), resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """Per scenario: accuracies, kinds of predictions, concepts kept and saturated."""
        return {label: table_notes(table, self.scoring()) for label, table in rows.items()}

    def scoring(self) -> Scoring:
        """What summaries need to know."""
        return Scoring(
            self.scenarios,
            tuple(sorted(set(self.strengths))),
            self.confidence,
            tuple(sorted(set(self.batch_sizes))),
            self.batch,
            tuple(sorted(set(self.tops))),
            self.top,
        )


def is_control(entry: Entry) -> bool:
    """Whether the entry explains the model that is trained without any confounding."""
    from xbench_ces.scores.floors import ControlModel

    return isinstance(entry.explainer, ControlModel)


def _by_group(cases: Sequence[Case]) -> Mapping[tuple[str, ...], Sequence[Case]]:
    """The cases by the model and the images that they belong to."""
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(case.within, []).append(case)
    return groups


def _places(images: ImageSet) -> Mapping[int, int]:
    return {image: place for place, image in enumerate(images.ids())}
