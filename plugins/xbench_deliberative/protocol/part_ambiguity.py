"""The part-ambiguity protocol: whether insecurities lie on parts that their classes share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    ClassAttributes,
    Difficulty,
    Drawing,
    Entry,
    IdealObserver,
    ImageSet,
    PartMasks,
    PartPoints,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    subject_of,
    weights_recipe,
)
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.kernels import accuracy, regions, saliency
from xbench_deliberative.protocol import rows as tables
from xbench_deliberative.protocol.ground_truth import Definition, GroundTruth, by_mask_name
from xbench_deliberative.protocol.selection import HardestImages, own_difficulty
from xbench_deliberative.protocol.summary import Scoring, noted, scored
from xbench_deliberative.protocol.terms import meanings

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""


@dataclass(frozen=True)
class PartAmbiguity(Protocol):
    """Precision and recall of ambiguous parts, or IoU with them, at coverages 1…90 %.

    Section 4 of the paper. A case is an image; its rows are its insecurities.
    """

    name: ClassVar[str] = "part-ambiguity"
    version: ClassVar[str] = "2"
    scores: ClassVar[type[Insecurities]] = Insecurities

    reference: Difficulty
    """Selects the images where `selection` is `reference`."""
    parts: Literal["points", "masks"] = "points"
    ground_truth: Definition = "paper"
    smoothing: float = 1.0
    """Percentage points added to every attribute frequency; `paper` only."""
    share: float = 0.2
    """The share of all triplets that counts as ambiguous; not for `ideal`."""
    likelihood_ratio: float = 0.5
    """From which ratio of likelihoods on a part is ambiguous; `ideal` only."""
    presence_threshold: float = 0.3
    """Parts that no more than this share of a class's images show do not count; `presence` only."""
    images: int = 100
    """How many of the hardest test images are explained."""
    selection: Literal["reference", "own", "all"] = "reference"
    """Whose difficulty selects them: `reference`'s, each entry's own; or all are explained."""
    insecurities: int = 0
    """How many of an image's insecurities are scored, the strongest first; 0 for all."""
    empty_pairs: Literal["left-out", "zero"] = "left-out"
    """What becomes of pairs without an ambiguous visible part."""
    overlap: Literal["largest", "union"] = "largest"
    """Masks: IoU with the part of largest overlap, or with the union of ambiguous parts."""

    def __post_init__(self) -> None:
        """Refuse an undefined ground truth and impossible counts."""
        self.truth()
        if self.images < 1 or self.insecurities < 0:
            raise ValueError(
                f"images must be at least 1 and insecurities at least 0, "
                f"not {self.images} and {self.insecurities}"
            )

    def truth(self) -> GroundTruth:
        """The ground truth that its parameters define."""
        return GroundTruth(
            self.ground_truth,
            self.smoothing,
            self.share,
            self.likelihood_ratio,
            self.presence_threshold,
        )

    def needs(self) -> tuple[type[Annotation], ...]:
        """Part points or masks, and what the ground truth is made from."""
        place = PartPoints if self.parts == "points" else PartMasks
        return place, IdealObserver if self.ground_truth == "ideal" else ClassAttributes

    def terms(self) -> Mapping[str, str]:
        """What an insecurity is, and what is asked of its region."""
        return meanings(self.parts, self.overlap)

    def companion(self) -> Difficulty | None:
        """That of the difficulty score by which images are selected."""
        return self.reference.companion() if self.selection == "reference" else None

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, ground truth, the list of images, and what the explainer needs."""
        weights = weights_recipe(entry)
        own = entry.required_explainer.artefacts(weights, entry.datasets)
        truth = self.truth().recipes(entry.datasets["test"].dataset)
        recipes = {"weights": weights, **truth, **self._selection(entry)}
        return {**recipes, **{EXPLAINER + name: recipe for name, recipe in own.items()}}

    def _selection(self, entry: Entry) -> Mapping[str, Recipe]:
        """The list of images: by the benchmark's own classifier, so that entries share it."""
        if self.selection == "all":
            return {}
        own = own_difficulty(entry) if self.selection == "own" else None
        judge = entry.common or entry if own is None else entry
        difficulty = self.reference if own is None else own
        recipe = HardestImages(
            entry.datasets["test"], judge.classifier, weights_recipe(judge), difficulty, self.images
        )
        return {"selection": recipe}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The selected images, the hardest first."""
        ids: Sequence[int] = entry.datasets["test"].ids()
        if self.selection != "all":
            ids = artefacts["selection"].tensors["ids"].tolist()
        return [Case("test", image) for image in ids]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The insecurities of the cases."""
        ids = tuple(case.id for case in cases)
        return [Request(entry.required_explainer, subject_of(entry), entry.datasets["test"], ids)]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per insecurity; one without classes for an image that has none."""
        test, ids = entry.datasets["test"], [case.id for case in cases]
        subject = subject_of(entry)
        explanations = bench.explanations(entry.required_explainer, subject, test, ids)
        insecurities = cast("Sequence[Insecurities]", explanations)
        with bench.stage("annotate"):
            places = test.part_points(ids) if self.parts == "points" else test.part_masks(ids)
        with bench.stage("score"):
            rows = [
                self._image_rows(test, artefacts, case, of_image, place)
                for case, of_image, place in zip(cases, insecurities, places, strict=True)
            ]
        return tables.joined(rows, self.measures())

    def measures(self) -> tuple[str, ...]:
        """Names of the columns that hold a number per coverage."""
        return ("precision", "recall") if self.parts == "points" else ("iou",)

    def _image_rows(
        self,
        test: ImageSet,
        artefacts: Artefacts,
        case: Case,
        insecurities: Insecurities,
        place: Tensor,
    ) -> tables.ImageRows:
        """The insecurities of an image whose parts are at `place`, points or a mask."""
        scored = insecurities.strongest(self.insecurities) if self.insecurities else insecurities
        ambiguous = self._ambiguous(test, artefacts, case.id, scored)
        score = on_points if self.parts == "points" else self._on_masks
        curves = score(scored, place, ambiguous)
        return tables.ImageRows(case, scored.pairs, scored.strengths, curves)

    def _ambiguous(
        self, test: ImageSet, artefacts: Artefacts, image: int, insecurities: Insecurities
    ) -> Bool[Tensor, "q parts"]:
        table = self.truth().ambiguous(test.dataset, artefacts, image, insecurities.pairs)
        if self.parts == "points":
            return table
        return by_mask_name(table, test.dataset)

    def _on_masks(
        self, found: Insecurities, mask: Int64[Tensor, "h w"], ambiguous: Bool[Tensor, "q parts"]
    ) -> tables.Measured:
        return on_masks(found, mask, ambiguous, self.overlap)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Per image the scores at 10…50 % coverage and their mean, averaged over its pairs."""
        return {label: scored(table, self._scoring()) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Each measure against coverage and, for points, precision against recall."""
        from xbench_deliberative.protocol.curves import figures

        return figures(rows, roles, self._scoring(), resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """What was left out of each entry's scores, and where they could not be computed."""
        return {label: noted(table, self._scoring()) for label, table in rows.items()}

    def _scoring(self) -> Scoring:
        return Scoring(self.measures(), self.empty_pairs, self.parts)


def on_points(
    found: Insecurities, points: Tensor, ambiguous: Bool[Tensor, "q parts"]
) -> tables.Measured:
    """Precision and recall of every insecurity of an image at every coverage."""
    columns = saliency.pixel_columns(points[:, :2], found.size)
    pixels = saliency.pixel_rows(points[:, :2], found.size) * found.size[1] + columns
    visible = (points[:, 2] > 0).expand(len(found), -1)
    ranks = regions.ranks_at(found.maps(), pixels.expand(len(found), -1))
    sizes = regions.region_sizes(tables.COVERAGES, found.size[0] * found.size[1])
    curves = accuracy.precision_recall(ranks, ambiguous, visible, sizes)
    counts = (ambiguous & visible).sum(1), visible.sum(1)
    return tables.Measured(*counts, {"precision": curves.precision, "recall": curves.recall})


def on_masks(
    found: Insecurities, mask: Tensor, ambiguous: Bool[Tensor, "q parts"], overlap: str
) -> tables.Measured:
    """IoU of every insecurity of an image at every coverage."""
    parts, q = ambiguous.shape[1], len(found)
    labels = mask.long().flatten()
    areas = torch.bincount(labels + 1, minlength=parts + 1)[1:].expand(q, -1)
    ranks = regions.pixel_ranks(found.maps())
    sizes = regions.region_sizes(tables.COVERAGES, labels.numel())
    overlaps = accuracy.overlap_counts(ranks, labels.expand(q, -1), parts, sizes)
    iou = accuracy.largest_overlap_iou if overlap == "largest" else accuracy.union_iou
    counts = (ambiguous & (areas > 0)).sum(1), (areas > 0).sum(1)
    return tables.Measured(*counts, {"iou": iou(overlaps, areas, ambiguous, sizes)})
