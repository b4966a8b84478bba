"""From rows to scores: how well what maps say of parts goes with what parts do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from xbench import CaseScores, Tree, Unit
from xbench_saliency.kernels.parts import LEAST, partial_rank_correlation, rank_correlation
from xbench_saliency.part_deletion.rows import ImageRow, image_rows

RANK = "rank correlation"
TERMS: Mapping[str, str] = {
    "drop of a part": "by how much the logit that a map explains falls when the part is taken away "
    "or gets other values, all else being as it was.",
    RANK: "whether the parts of an image on which a map has the larger mean are those with the "
    "larger drop: 1 if their orders agree, 0 if they have nothing in common or the map is "
    "constant, −1 if they are opposite.",
}


def headline(image: ImageRow) -> float:
    """The rank correlation of a map's means over parts with their drops."""
    return rank_correlation(image.means(), image.column("drops"))


def _of_sums(image: ImageRow) -> float:
    return rank_correlation(image.column("sums"), image.column("drops"))


def _partialled(image: ImageRow) -> float:
    columns = (image.column(name) for name in ("sums", "drops", "pixels"))
    return partial_rank_correlation(*columns)


def _of_log_probability(image: ImageRow) -> float:
    means = image.means()
    return rank_correlation(means, image.column("log_drops"))


def _single_deletion(image: ImageRow) -> float:
    return (rank_correlation(image.column("wide_sums"), image.column("drops")) + 1) / 2


def _ideal(image: ImageRow) -> float:
    return rank_correlation(image.column("evidence"), image.column("log_drops"))


def case_scores(table: pa.Table) -> Sequence[CaseScores]:
    """The headline first; what was not asked of any image is left out."""
    images = image_rows(table)
    cases = np.array([image.case for image in images], object)

    def make(
        name: str,
        value: Callable[[ImageRow], float],
        unit: Unit = "number",
        direction: Literal["higher", "lower"] = "higher",
        chance: float | None = None,
    ) -> CaseScores:
        values = np.array([value(image) for image in images], np.float64)
        first = name == RANK
        return CaseScores(name, direction, cases, values, first, unit, chance, ranking=first)

    scores = [
        make(RANK, headline, chance=0.0),
        make(f"{RANK}@sum", _of_sums),
        make(f"{RANK}@sum, area partialled", _partialled, chance=0.0),
        make(f"{RANK}@log-probability", _of_log_probability, chance=0.0),
        make("single deletion", _single_deletion, "share"),
    ]
    if any(image.preserved for image in images):
        scores.append(make("preservation check", lambda image: _mean(image.preserved), "share"))
        scores.append(make("deletion check", lambda image: _mean(image.deleted), "share"))
    if any(not np.isnan(image.sensitivity) for image in images):
        scores.append(make("target sensitivity", lambda image: image.sensitivity, "share"))
    scores.append(make("background share", lambda image: image.background_share, "share", "lower"))
    if any(image.evidence for image in images):
        scores.append(make("network and ideal observer", _ideal))
    return scores


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def table_notes(table: pa.Table, thresholds: Sequence[float]) -> Tree:
    """How many images and parts were left out, and why; the checks at each threshold."""
    images = image_rows(table)
    notes: Tree = {
        "images": len(images),
        "parts": sum(len(image.parts) for image in images),
        "parts_too_small": sum(image.too_small for image in images),
        "not_scored_too_few_parts": sum(len(image.parts) < LEAST for image in images),
        "not_scored_equal_drops": sum(_all_equal(image.drops) for image in images),
        "constant_maps": sum(_all_equal(_means(image)) for image in images),
    }
    for name in ("preserved", "deleted"):
        rates = [getattr(image, name) for image in images if getattr(image, name)]
        if rates:
            of_thresholds = zip(thresholds, np.mean(rates, axis=0).tolist(), strict=True)
            notes[name] = {f"{threshold:g}": rate for threshold, rate in of_thresholds}
    return notes


def _means(image: ImageRow) -> Sequence[float]:
    means: Sequence[float] = image.means().tolist()
    return means


def _all_equal(values: Sequence[float]) -> bool:
    return len(values) >= LEAST and len(set(values)) == 1
