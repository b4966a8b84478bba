"""What people reach themselves, what knows no image, and how calibrated a network is."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from xbench import Rows, Tree
from xbench_softlabels.fit.ceilings import (
    DRAWS,
    SMOOTHING,
    Ceilings,
    people_ceilings,
    people_key,
)
from xbench_softlabels.fit.over_folds import differences_over_folds, fold_means
from xbench_softlabels.fit.rows import FitColumns, fit_columns
from xbench_softlabels.fit.summary import ADDED_LABELS, uniform_scores, yardsticks
from xbench_softlabels.kernels.calibration import (
    Bins,
    binned,
    calibration_error,
    debiased_calibration_error,
    equal_mass_bins,
    equal_width_bins,
)
from xbench_softlabels.kernels.choices import (
    NONE,
    crowd_hits,
    person_accuracies,
    unique_second_classes,
)
from xbench_softlabels.kernels.distances import miller_madow_entropies

BINS = 15
"""Of confidence."""
TIES = (
    "a second class is one that somebody chose and that no third class equals; where two classes "
    "share the first place, the first in the order of classes is first; so it is for networks"
)


def notes_by_label(rows: Mapping[str, Rows], folds: int) -> dict[str, Tree]:
    """Facts about the images, and about each entry; `folds` part all images, scored or not."""
    ceilings: dict[tuple[bytes, ...], Ceilings] = {}
    every = {label: fit_columns(table) for label, table in rows.items()}
    notes = {}
    for label, columns in every.items():
        key = people_key(columns)
        if key not in ceilings:  # the same for all entries, and slow
            ceilings[key] = people_ceilings(columns)
        notes[label] = {**_people(columns, ceilings[key]), **_network(columns)}
        others = {other: of for other, of in every.items() if other != label}
        tests = differences_over_folds(columns, others, folds)
        if tests:
            told = {other: _plain(of._asdict()) for other, of in tests.items()}
            notes[label]["differences_over_folds"] = told
    return notes


def _people(columns: FitColumns, ceilings: Ceilings) -> Tree:
    """Of the images alone, but for the classes that the network predicts."""
    counts, labels = columns.counts, columns.labels
    totals, second = counts.sum(1), unique_second_classes(counts)
    return {
        "annotators": columns.whom,
        "images": len(columns.cases),
        "labels_of_an_image": [int(totals.min(initial=1 << 30)), int(totals.max(initial=0))],
        "images_with_one_answer": int((columns.human_entropy == 0).sum()),
        "images_with_a_second_class": int((second != NONE).sum()),
        "second_class": TIES,
        "cross_entropy": _cross_entropies(columns),
        "people_predict_people": {
            "parted": ceilings.parted,
            "added_annotators": SMOOTHING,
            "draws": DRAWS,
            "by_annotators": [_plain(of._asdict()) for of in ceilings.predicting],
        },
        "halves": {"parted": ceilings.parted, "draws": DRAWS, **_plain(ceilings.halves._asdict())},
        "accuracy": {
            "one_annotator": _mean(person_accuracies(counts, labels)),
            "most_annotators": _mean(crowd_hits(counts, labels)),
        },
    }


def _cross_entropies(columns: FitColumns) -> Tree:
    """Bounds, floors and the reference: what no network says."""
    means = {name: _mean(values) for name, values in yardsticks(columns).items()}
    corrected = _mean(miller_madow_entropies(columns.counts))
    uniform = uniform_scores(columns).cross_entropy
    floors = {name: means[name] for name in ("prior", "predicted class")}
    return {
        "bounds": {"entropy": means["entropy"], "miller_madow": corrected},
        "floors": {"uniform": uniform, **floors},
        "reference": {"true class": means["true class"]},
        "added_labels": ADDED_LABELS,
    }


def _network(columns: FitColumns) -> Tree:
    """Calibration, and how folds differ."""
    to_labels, to_people = columns.right.astype(np.float64), columns.agreeing
    return {
        "calibration": {
            "bins": BINS,
            "labels": _calibration(columns.confidence, to_labels),
            columns.whom: _calibration(columns.confidence, to_people),
        },
        **_folds(columns),
    }


def calibration_bins(
    confidence: Float64[np.ndarray, " n"], outcomes: Float64[np.ndarray, " n"]
) -> Bins:
    """Bins of equal mass."""
    return binned(confidence, outcomes, equal_mass_bins(confidence, BINS))


def _calibration(
    confidence: Float64[np.ndarray, " n"], outcomes: Float64[np.ndarray, " n"]
) -> Tree:
    bins = calibration_bins(confidence, outcomes)
    widths = binned(confidence, outcomes, equal_width_bins(confidence, BINS))
    return _plain(
        {
            "debiased_root_mean_square": debiased_calibration_error(bins),
            "plain": calibration_error(bins),
            "plain_in_bins_of_equal_width": calibration_error(widths),
        }
    )


def _folds(columns: FitColumns) -> Tree:
    """The mean of each fold and how far folds lie apart; nothing where there is one."""
    means = fold_means(columns)
    if len(means) < 2:
        return {}
    counts = np.unique(columns.folds, return_counts=True)[1]
    deviation = float(means.std(ddof=1))
    of_folds = {"images": counts.tolist(), "cross_entropy": means.tolist()}
    return {"folds": {**of_folds, "deviation": deviation}}


def _plain(values: Mapping[str, float]) -> Tree:
    """For JSON, which has no NaN."""
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def _mean(values: Float64[np.ndarray, " n"]) -> float:
    return float(values.mean()) if len(values) else float("nan")
