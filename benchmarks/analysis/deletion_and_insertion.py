"""Do deletion and insertion rank explainers alike? From the rows of records of `pixel-flipping`.

python benchmarks/analysis/deletion_and_insertion.py STORE RECORD RECORD …

prints for each record what its scores are on average, and then how well the ranks agree that the
records have in deletion and in insertion (Spearman's ρ; 1 where both rank them alike): of the
means over images, with a 95 % bootstrap interval over images, and image by image, on average.
STORE is a folder, RECORDs are the paths of records in it, of the same images.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr

from xbench import Store, read_record_file
from xbench_saliency.flipping.summary import Areas, areas

RESAMPLES = 2000


def main(store: str, *paths: str) -> None:
    """Print the means, and both agreements, in probability and in logit."""
    records = [read_record_file(Path(path)) for path in paths]
    for scale in ("probability", "logit"):
        of_records = [record_areas(store, record.rows, scale) for record in records]
        print(scale)
        for record, values in zip(records, of_records, strict=True):
            gain, deletion, insertion = (
                part.mean() for part in (values.gain, values.deletion, values.insertion)
            )
            label = f"  {record.label:30}"
            print(f"{label} gain {gain:+.3f}  deletion {deletion:+.3f}  insertion {insertion:+.3f}")
        deletion = -np.stack([values.deletion for values in of_records])
        insertion = np.stack([values.insertion for values in of_records])
        low, high = interval(deletion, insertion)
        of_means = agreement(deletion.mean(1), insertion.mean(1))
        by_image = [agreement(*pair) for pair in zip(deletion.T, insertion.T, strict=True)]
        print(f"  ρ of the means {of_means:+.2f} [{low:+.2f}, {high:+.2f}]", end=", ")
        print(f"mean ρ of {deletion.shape[1]} images {np.nanmean(by_image):+.2f}")


def record_areas(store: str, keys: list[list[str]], scale: str) -> Areas:
    """The areas of all images of all repeats."""
    rows = Store(store)
    tables = [rows.rows(key) for of_repeat in keys for key in of_repeat]
    return areas(pa.concat_tables(tables), scale)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one, other).statistic)


def interval(deletion: np.ndarray, insertion: np.ndarray) -> np.ndarray:
    draws, images = np.random.default_rng(0), deletion.shape[1]
    found = []
    for _ in range(RESAMPLES):
        chosen = draws.integers(images, size=images)
        found.append(agreement(deletion[:, chosen].mean(1), insertion[:, chosen].mean(1)))
    return np.percentile(found, [2.5, 97.5])


if __name__ == "__main__":
    main(*sys.argv[1:])
