"""The protocol: whether maps lie on the object, or on parts of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from xbench import (
    AnnotationKind,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Entry,
    Explainer,
    ObjectBoxes,
    PartMasks,
    Protocol,
    Recipe,
    Request,
    Rows,
    Tree,
    subject_of,
    weights_recipe,
)
from xbench_saliency.given.given_maps import GivenMaps
from xbench_saliency.localisation.object_masks import object_masks, part_numbers
from xbench_saliency.localisation.rows import rows_table
from xbench_saliency.localisation.summary import case_scores, table_notes
from xbench_saliency.maps.choice import Choice, chosen_cases
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import check_names

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""


@dataclass(frozen=True)
class PointingGame(Protocol):
    """Whether a map lies where the object is.

    Its maximum in the object's mask: the pointing game of "Top-down Neural Attention by
    Excitation Backprop" (Zhang et al., IJCV 2018); and the share of its positive values there:
    the energy of "Score-CAM" (Wang et al., CVPR workshops 2020). Where a dataset has boxes alone,
    a box is the mask. A case is an image. What the mask covers of the image is what chance gives.
    An empty map is a miss.
    """

    name: ClassVar[str] = "pointing-game"
    scores: ClassVar[type[SaliencyMap]] = SaliencyMap

    images: int = 0
    """How many test images are explained; 0 for all."""
    choice: Choice = "first"
    """Which test images: the first ones, or evenly spread ones."""
    parts: tuple[str, ...] = ()
    """Names of the parts or objects whose masks count together; () for all that the masks show."""
    tolerance: int = 0
    """How far beside the mask a maximum may lie, in pixels of the image; energy has none."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 0 or self.tolerance < 0:
            raise ValueError(
                f"images and tolerance must be at least 0, not {self.images} and {self.tolerance}"
            )

    def terms(self) -> Mapping[str, str]:
        """What counts as inside, and both scores."""
        what = f"the mask of {', '.join(self.parts)}" if self.parts else "the object's mask or box"
        near = f", or at most {self.tolerance} pixels beside it" if self.tolerance else ""
        return {
            "energy inside": f"the share of a map's positive values that lies in {what}; chance "
            "is the share of the image that the mask covers.",
            "hit": f"whether a map's maximum lies in {what}{near}; an empty map misses.",
        }

    def given(self, path: Path) -> Explainer:
        """The maps of an `.npz` file."""
        return GivenMaps(str(path))

    def needs(self) -> tuple[AnnotationKind, ...]:
        """Masks, or boxes."""
        return (PartMasks | ObjectBoxes,)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, and what the explainer needs."""
        part_numbers(entry.datasets["test"].dataset, self.parts)
        weights = weights_recipe(entry)
        check_names(entry.required_explainer, entry.datasets["test"])
        own = entry.required_explainer.artefacts(weights, entry.datasets)
        return {"weights": weights, **{EXPLAINER + name: recipe for name, recipe in own.items()}}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The chosen test images."""
        return chosen_cases(entry.datasets["test"], self.images, self.choice)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The maps of the cases."""
        ids = tuple(case.id for case in cases)
        return [Request(entry.required_explainer, subject_of(entry), entry.datasets["test"], ids)]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image."""
        test, ids = entry.datasets["test"], [case.id for case in cases]
        made = bench.explanations(entry.required_explainer, subject_of(entry), test, ids)
        maps = cast("Sequence[SaliencyMap]", made)
        with bench.stage("annotate"):
            masks = object_masks(test, ids, self.parts)
        with bench.stage("score"):
            return rows_table(cases, maps, masks, self.tolerance)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Per image its energy inside, and whether it hits."""
        return {label: case_scores(table) for label, table in rows.items()}

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many images have no mask, and how many maps are empty."""
        return {label: table_notes(table) for label, table in rows.items()}
