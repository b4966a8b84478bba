"""From rows to scores that are shown and not ranked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from xbench import CaseScores, Tree
from xbench_saliency.randomisation.rows import MEASURES, Curves, curves
from xbench_saliency.randomisation.stages import CASCADES

NOTHING = "nothing random"
EVERYTHING = "all random"
AVERAGES = {"top": "from the top", "bottom": "from the bottom", "single": "one stage"}
"""What the mean over the steps of an order is called."""


def case_scores(table: pa.Table) -> list[CaseScores]:
    """Per image and measure the two ends, and the means along the curves between them."""
    of = curves(table)
    return [
        CaseScores(f"{measure}@{name}", "none", of.cases, values, unit="number")
        for measure in MEASURES
        for name, values in _values(of, measure).items()
    ]


def _values(of: Curves, measure: str) -> Mapping[str, Float64[np.ndarray, " n"]]:
    means = {AVERAGES[order]: of.of(measure, order).mean(1) for order in CASCADES}
    ends = of.of(measure, "none")[:, 0], of.of(measure, "top")[:, -1]
    return {NOTHING: ends[0], **means, EVERYTHING: ends[1]}


def table_notes(table: pa.Table) -> Tree:
    """How many images there are, which stages, and how often a random network's map is constant."""
    of = curves(table)
    stages = [step.name for step in of.steps if step.order == "bottom"]
    counts = zip(_names(of), of.constant.sum(0).tolist(), strict=True)
    empty = {name: count for name, count in counts if count}
    return {"images": len(of.cases), "stages": stages, "constant_maps": empty}


def _names(of: Curves) -> Sequence[str]:
    return [f"{step.order} {step.place} {step.name}".rstrip() for step in of.steps]
