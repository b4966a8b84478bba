"""Part deletion: does a map rank an image's parts as the network does when they are taken away."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Drawing,
    Entry,
    Explainer,
    ImageSet,
    ParameterError,
    PartMasks,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    annotated,
    subject_of,
    weights_recipe,
)
from xbench_saliency.given.given_maps import GivenMaps
from xbench_saliency.maps.choice import Choice, chosen_cases
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import check_names
from xbench_saliency.part_deletion.checks import NO_CHECKS, checks
from xbench_saliency.part_deletion.effects import PartEffects
from xbench_saliency.part_deletion.interventions import (
    ChangedImages,
    Intervention,
    PartInterventions,
    kinds_needed,
)
from xbench_saliency.part_deletion.observer import evidence
from xbench_saliency.part_deletion.rows import rows_table
from xbench_saliency.part_deletion.seen import Seen, image_row, seen_images
from xbench_saliency.part_deletion.sensitivity import (
    Question,
    by_class,
    questions,
    sensitivities,
    shared_parts,
    with_target,
)
from xbench_saliency.part_deletion.summary import TERMS, case_scores, table_notes

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""


@dataclass(frozen=True)
class PartDeletion(Protocol):
    """Whether a map says most of the parts that the network would miss most.

    Each part of an image is taken away, one at a time, as only a dataset that is drawn can do it;
    the fall of the logit that the map explains is what the part is worth to this network. The
    headline is the rank correlation, image by image, of these drops with the map's means over
    the parts. Beside it the scores of "FunnyBirds" (Hesse, Schaub-Meyer, Roth, ICCV 2023).
    """

    name: ClassVar[str] = "part-deletion"
    scores: ClassVar[type[SaliencyMap]] = SaliencyMap

    images: int = 500
    """How many of the test images are asked about; 0 for all."""
    choice: Choice = "first"
    """Which test images: the first ones, or evenly spread ones."""
    intervention: Intervention = "removal"
    """Whether parts are taken away, or get values drawn from the mixture of all classes."""
    draws: int = 4
    """Of `redraw`: how many independent draws are averaged."""
    minimum_pixels: int = 10
    """How many pixels of a part must show, in the image as the network sees it."""
    thresholds: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2)
    """From which share of a map on a part counts as important, in the checks; () for no checks.

    FunnyBirds has 80 from 0.01 to 0.5.
    """
    width: int = 2
    """By how many pixels parts are widened where FunnyBirds sums maps over them."""
    target_sensitivity: bool = False
    """Whether it is asked, too: it takes maps of two more classes for each image."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        self.interventions()
        for field in ("images", "width"):
            if getattr(self, field) < 0:
                raise ParameterError(f"{field} is {getattr(self, field)}; it must be at least 0")
        if not all(0 < threshold < 1 for threshold in self.thresholds):
            raise ParameterError("thresholds must lie between 0 and 1, both excluded")

    def interventions(self) -> PartInterventions:
        """What is asked of the network, the same for all entries."""
        return PartInterventions(self.intervention, self.draws, self.minimum_pixels)

    def given(self, path: Path) -> Explainer:
        """The maps of an `.npz` file."""
        return GivenMaps(str(path))

    def needs(self) -> tuple[type[Annotation], ...]:
        """Part masks, and images that can be drawn without parts or with others."""
        return kinds_needed(self.intervention)

    def terms(self) -> Mapping[str, str]:
        """What drops are, and what is asked of maps."""
        return TERMS

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, and what the explainer needs."""
        weights = weights_recipe(entry)
        check_names(entry.required_explainer, entry.datasets["test"])
        own = entry.required_explainer.artefacts(weights, entry.datasets)
        return {"weights": weights, **{EXPLAINER + name: recipe for name, recipe in own.items()}}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The chosen test images."""
        return chosen_cases(entry.datasets["test"], self.images, self.choice)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The maps, the interventions, and maps of other classes where these are asked for."""
        test, ids = entry.datasets["test"], tuple(case.id for case in cases)
        subject, explainer = subject_of(entry), entry.required_explainer
        asked = [Request(one, subject, test, ids) for one in (explainer, self.interventions())]
        for label, images in by_class(self._questions(test, ids)).items():
            other = with_target(explainer, label)
            asked += [Request(other, subject, test, images)] if other else []
        return asked

    def _questions(self, test: ImageSet, ids: Sequence[int]) -> list[Question]:
        if not self.target_sensitivity:
            return []
        return questions(shared_parts(test.dataset), ids, test.dataset.labels(ids))

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image."""
        test, ids = entry.datasets["test"], [case.id for case in cases]
        subject, explainer = subject_of(entry), entry.required_explainer
        saliency = cast("Sequence[SaliencyMap]", bench.explanations(explainer, subject, test, ids))
        made = bench.explanations(self.interventions(), subject, test, ids)
        effects = cast("Sequence[PartEffects]", made)
        with bench.stage("annotate"):
            seen = seen_images(test, cases, saliency, effects, self.width)
            observed = evidence(test.dataset, ids, [of_image.label for of_image in saliency])
        changes = self._changes(entry, artefacts, bench)
        with bench.stage("score"):
            checked = checks(seen, changes, self.thresholds) if changes else [NO_CHECKS] * len(seen)
            sensitivities = self._sensitivities(entry, seen, changes, bench)
        names = annotated(test.dataset, PartMasks).mask_names()
        columns = zip(seen, observed, checked, sensitivities, strict=True)
        return rows_table([image_row(*of_image, names) for of_image in columns])

    def _changes(self, entry: Entry, artefacts: Artefacts, bench: Bench) -> ChangedImages | None:
        """What shows the network images with several parts changed, where any are asked for."""
        if not (self.thresholds or self.target_sensitivity):
            return None
        network = bench.network(entry.classifier, artefacts["weights"])
        return ChangedImages(network, entry.datasets["test"], self.intervention, bench.batch_size)

    def _sensitivities(
        self, entry: Entry, seen: Sequence[Seen], changes: ChangedImages | None, bench: Bench
    ) -> list[float]:
        """The target sensitivity of each image; NaN where it is not asked for or not defined."""
        test, ids = entry.datasets["test"], [image.case.id for image in seen]
        asked = self._questions(test, ids)
        explainer = entry.required_explainer
        if not asked or changes is None or with_target(explainer, 0) is None:
            return [math.nan] * len(seen)
        maps: dict[tuple[int, int], SaliencyMap] = {}
        for label, images in by_class(asked).items():
            maps |= _maps_of_class(entry, label, images, bench)
        return sensitivities(seen, asked, maps, changes, self.width)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """The rank correlation of map and drops first, then what stands beside it."""
        return {label: case_scores(table) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Which parts the network would miss most, and of which parts maps say most."""
        from xbench_saliency.part_deletion.figures import figures

        return figures(rows, roles)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """What was left out and why, and the checks at each threshold."""
        return {label: table_notes(table, self.thresholds) for label, table in rows.items()}


def _maps_of_class(
    entry: Entry, label: int, images: Sequence[int], bench: Bench
) -> dict[tuple[int, int], SaliencyMap]:
    """The entry's maps of one class, by image and class."""
    explainer = cast("Explainer", with_target(entry.required_explainer, label))
    made = bench.explanations(explainer, subject_of(entry), entry.datasets["test"], images)
    maps = cast("Sequence[SaliencyMap]", made)
    return {(image, label): one for image, one in zip(images, maps, strict=True)}
