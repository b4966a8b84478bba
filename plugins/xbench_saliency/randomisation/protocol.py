"""The protocol: maps of the trained network beside maps of networks with random parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    ClassifierWeights,
    Drawing,
    Entry,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Subject,
    Tree,
    derived_seed,
    subject_of,
    weights_recipe,
)
from xbench.networks import blank_module
from xbench_saliency.maps.choice import Choice, chosen_cases
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import check_names
from xbench_saliency.randomisation.rows import Similarities, rows_table, similarities
from xbench_saliency.randomisation.same_class import check_has_target, maps_of_same_classes
from xbench_saliency.randomisation.stages import Step, stages, steps
from xbench_saliency.randomisation.summary import case_scores, table_notes
from xbench_saliency.randomisation.weights import RandomisedWeights

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""


@dataclass(frozen=True)
class ParameterRandomisation(Protocol):
    """How much of a map is left where the network's parameters are random.

    "Sanity Checks for Saliency Maps" (Adebayo et al., NeurIPS 2018): cascading from the top, from
    the bottom, and stage by stage; rank correlation of maps with their signs and of their sizes.
    A case is an image. The class stays the one that the trained network's map speaks for, and
    every map is drawn anew, so that where nothing is random the curve shows how alike two draws
    of one method are. No score ranks: a map that is drawn at random would win.
    """

    name: ClassVar[str] = "parameter-randomisation"
    scores: ClassVar[type[SaliencyMap]] = SaliencyMap
    needs_labels: ClassVar[bool] = False

    images: int = 0
    """How many test images are explained; 0 for all."""
    choice: Choice = "first"
    """Which test images: the first ones, or evenly spread ones."""
    stages: int = 8
    """Into how many stages the network's layers are put at most."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 0 or self.stages < 1:
            raise ValueError(
                f"images must be at least 0 and stages at least 1, "
                f"not {self.images} and {self.stages}"
            )

    def terms(self) -> Mapping[str, str]:
        """What is compared, and why nobody wins."""
        return {
            "similarity": "rank correlation of a map's pixels with those of the trained network's "
            "map of the same class: 1 the same order, 0 none; absolute: of the values' sizes.",
            "nothing random": "the trained network explained once more, with other draws: how "
            "alike two maps of one method are.",
            "from the top, from the bottom": "the mean while the network's stages become random "
            "one after the other, beginning with its head or with its first layer.",
            "one stage": "the mean over networks in which one stage alone is random.",
            "no winner": "low says that a map depends on what the network learned, not that it is "
            "right: a map drawn at random has 0 everywhere, an edge detector 1.",
        }

    def needs(self) -> tuple[type[Annotation], ...]:
        """Images alone."""
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, those with random layers, and what the explainer needs."""
        explainer, weights = entry.required_explainer, weights_recipe(entry)
        check_has_target(explainer)
        check_names(explainer, entry.datasets["test"])
        own = explainer.artefacts(weights, entry.datasets)
        random = {
            f"{step.order}/{step.place}": self._weights(entry, step)
            for step in self.steps(entry)
            if step.layers
        }
        recipes = {EXPLAINER + name: recipe for name, recipe in own.items()}
        return {"weights": weights, **random, **recipes}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The chosen test images."""
        return chosen_cases(entry.datasets["test"], self.images, self.choice)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The maps of the trained network: which classes are explained next follows from them."""
        ids = tuple(case.id for case in cases)
        return [Request(entry.required_explainer, subject_of(entry), entry.datasets["test"], ids)]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image and step."""
        explainer, test = entry.required_explainer, entry.datasets["test"]
        ids, of_steps = [case.id for case in cases], self.steps(entry)
        made = bench.explanations(explainer, subject_of(entry), test, ids)
        trained, found = cast("Sequence[SaliencyMap]", made), dict[tuple[str, ...], Similarities]()
        for layers, step in {step.layers: step for step in of_steps}.items():
            subject = self._subject(entry, step)
            maps = maps_of_same_classes(explainer, subject, test, ids, trained, bench)
            with bench.stage("score"):
                found[layers] = similarities(trained, maps)
        return rows_table(cases, of_steps, [found[step.layers] for step in of_steps])

    def steps(self, entry: Entry) -> tuple[Step, ...]:
        """How the entry's network is randomised."""
        module = blank_module(replace(entry.classifier, weights=""), _classes(entry))
        return steps(stages(module, self.stages))

    def _subject(self, entry: Entry, step: Step) -> Subject:
        """The network of a step; its explanations draw other numbers than the trained one's."""
        draws = derived_seed("second draw", entry.seed)
        return Subject(entry.classifier, self._weights(entry, step), entry.datasets, draws)

    def _weights(self, entry: Entry, step: Step) -> ClassifierWeights:
        trained = weights_recipe(entry)
        if not step.layers:
            return trained
        plain = replace(entry.classifier, weights="", layer="", arrangement="")
        return RandomisedWeights((trained,), plain, _classes(entry), step.layers, entry.seed)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Per image the ends of the curves and the means along them; none of them ranks."""
        return {label: case_scores(table) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Similarity against what is random, for each measure."""
        from xbench_saliency.randomisation.figures import figures

        return figures(rows, roles, resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """The network's stages, and how often a map is constant."""
        return {label: table_notes(table) for label, table in rows.items()}


def _classes(entry: Entry) -> int:
    return len(entry.datasets["train"].dataset.class_names())
