"""What the ground truth of CUB-200-2011 consists of, and what it costs to make.

python benchmarks/speed/ground_truth.py FOLDER_OF_CUB_200_2011
"""

import resource
import sys
import time

from xbench_datasets.cub200 import Cub200
from xbench_deliberative.ground_truth import AmbiguousParts, facts


def peak_mib() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(root: str) -> None:
    """Print facts, seconds and growth of the peak memory; annotation files are read first."""
    data = Cub200(root=root)
    data.class_attributes()
    runs = [("official", 0.0), *(("paper", smoothing) for smoothing in (1e-6, 0.1, 1.0, 10.0))]
    for definition, smoothing in runs:
        before, start = peak_mib(), time.perf_counter()
        found = facts(AmbiguousParts(data, definition, smoothing, 0.2).triplets())
        seconds = time.perf_counter() - start
        print(f"{definition} {smoothing}: {seconds:.2f} s, +{peak_mib() - before:.0f} MiB, {found}")


if __name__ == "__main__":
    main(sys.argv[1])
