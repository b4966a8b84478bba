"""What folds say beside intervals over images: the mean of each, and their differences."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from xbench_softlabels.fit.rows import FitColumns
from xbench_softlabels.kernels.resampled_t import ResampledT, corrected_resampled_t


def fold_means(columns: FitColumns) -> Float64[np.ndarray, " folds"]:
    """The mean cross-entropy to people of each fold, over all repeats."""
    folds = np.unique(columns.folds)
    means = [columns.cross_entropy[columns.folds == fold].mean() for fold in folds]
    return np.array(means, np.float64)


def tested_by_trained(folds: int) -> float:
    """How many images a fold is tested on for each that its network is trained on.

    Of all folds that part the images, however many of these are scored.
    """
    return 1 / (folds - 1)


def differences_over_folds(
    own: FitColumns, others: Mapping[str, FitColumns], folds: int
) -> dict[str, ResampledT]:
    """The entry less each other one that has as many folds; nothing where it has one."""
    means = fold_means(own)
    of_others = {label: fold_means(columns) for label, columns in others.items()}
    return {
        label: corrected_resampled_t(means - of, tested_by_trained(folds))
        for label, of in of_others.items()
        if len(of) == len(means) > 1
    }
