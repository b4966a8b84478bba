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
from rank_agreement import agreement, correlations

from xbench import Store, read_record_file
from xbench_saliency.flipping.summary import Areas, areas


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
        both = np.stack([[-of.deletion for of in of_records], [of.insertion for of in of_records]])
        rho, low, high = (part[0, 1] for part in agreement(both))
        by_image = correlations(both.transpose(2, 0, 1))[:, 0, 1]
        print(f"  ρ of the means {rho:+.2f} [{low:+.2f}, {high:+.2f}]", end=", ")
        print(f"mean ρ of {len(by_image)} images {np.nanmean(by_image):+.2f}")


def record_areas(store: str, keys: list[list[str]], scale: str) -> Areas:
    """The areas of all images of all repeats."""
    rows = Store(store)
    tables = [rows.rows(key) for of_repeat in keys for key in of_repeat]
    return areas(pa.concat_tables(tables), scale)


if __name__ == "__main__":
    main(*sys.argv[1:])
