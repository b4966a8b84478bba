"""What the ground truths of CUB-200-2011 and ADE20K consist of, and what they cost to make.

python benchmarks/speed/ground_truth.py FOLDER_OF_CUB_200_2011
python benchmarks/speed/ground_truth.py FOLDER_WITH_LISTS_OF_ADE20K index_ade20k.mat [parts]
"""

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from xbench_datasets.ade20k.dataset import Ade20k
from xbench_datasets.ade20k.index import read_index
from xbench_datasets.ade20k.lists import OBJECTS, read_objects
from xbench_datasets.ade20k.presence import frequencies
from xbench_datasets.cub200.dataset import Cub200
from xbench_datasets.matlab import read_struct
from xbench_deliberative.kernels.sparse_triplets import strongest_occurrences
from xbench_deliberative.protocol.ground_truth import (
    AmbiguousParts,
    facts,
    occurrences,
    sparse_facts,
)


def peak_mib() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def birds(root: str) -> None:
    """Print facts, seconds and growth of the peak memory; annotation files are read first."""
    data = Cub200(root=root)
    data.class_attributes()
    runs = [("official", 0.0), *(("paper", smoothing) for smoothing in (1e-6, 0.1, 1.0, 10.0))]
    for definition, smoothing in runs:
        before, start = peak_mib(), time.perf_counter()
        found = facts(AmbiguousParts(data, definition, smoothing, 0.2).triplets())
        seconds = time.perf_counter() - start
        print(f"{definition} {smoothing}: {seconds:.2f} s, +{peak_mib() - before:.0f} MiB, {found}")


def scenes(root: str, index: str) -> None:
    """Print facts, seconds and memory from the lists and the index to the sparse triplets."""
    before, start = peak_mib(), time.perf_counter()
    data = Ade20k(root=root, index=index)
    print(f"{len(data.ids('train'))} training and {len(data.ids('test'))} test images")
    print(f"{len(data.class_names())} scenes have training images")
    phi = occurrences(data)
    read = time.perf_counter()
    found = strongest_occurrences(phi, 0.3, 0.01)
    end = time.perf_counter()
    print(f"read {read - start:.2f} s, triplets {end - read:.2f} s, altogether {end - start:.2f} s")
    print(
        f"+{peak_mib() - before:.0f} MiB to {peak_mib():.0f} MiB; {sparse_facts(found, *phi.shape)}"
    )
    for share in (0.001, 0.005, 0.02):
        other = strongest_occurrences(phi, 0.3, share)
        print(f"share {share}: {len(other.parts)} triplets, threshold {other.threshold:.4f}")


def parts(root: str, index: str, _: str) -> None:
    """Print how alike the triplets are with and without objects that are parts of others."""
    data = Ade20k(root=root, index=index)
    objects, known = read_objects(Path(root) / OBJECTS), read_index(Path(index))
    counts = read_struct(
        known.path, "index", {"objectPresence": "numbers", "objectIsPart": "numbers"}
    )
    whole = (counts["objectPresence"] - counts["objectIsPart"]).T > 0
    labels = data.labels(data.ids("train")).numpy()
    stems = [f"ADE_train_{image:08d}" for image in data.ids("train")]
    found = []
    for present in (known.present, whole):
        shown = replace(known, present=present).presence(objects, stems)
        shares = frequencies(shown, labels, len(data.class_names())) / 100
        kept = strongest_occurrences(torch.from_numpy(shares), 0.3, 0.01)
        found.append(set((kept.pairs * shares.shape[1] + kept.parts).tolist()))
        print(f"{len(kept.parts)} triplets, threshold {kept.threshold:.4f}")
    print(f"Jaccard index {len(found[0] & found[1]) / len(found[0] | found[1]):.3f}")


if __name__ == "__main__":
    (birds, scenes, parts)[len(sys.argv) - 2](*sys.argv[1:])
