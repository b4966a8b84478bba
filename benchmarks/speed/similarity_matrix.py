"""Measure what similarities of many classes cost.

OMP_NUM_THREADS=1 python benchmarks/speed/similarity_matrix.py
"""

import time

import torch

from xbench_explicable.kernels.paths import common_heights
from xbench_explicable.wordnet.nouns import nouns, path_similarities, synset_of
from xbench_explicable.wordnet.senses import imagenet

PAIRS = 2_000
"""How many pairs the library's own function is timed on."""


def seconds(work) -> tuple[float, object]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main() -> None:
    torch.set_num_threads(1)
    reading, reader = seconds(nouns)
    finding, synsets = seconds(lambda: [synset_of(reader, wnid) for wnid in imagenet().values()])
    making, matrix = seconds(lambda: path_similarities(synsets))
    again, _ = seconds(lambda: path_similarities(synsets))
    draws = torch.randint(len(synsets), (PAIRS, 2), generator=torch.Generator().manual_seed(0))
    pairs = [(synsets[i], synsets[j]) for i, j in draws.tolist()]
    library, slow = seconds(lambda: [one.path_similarity(other) for one, other in pairs])
    assert slow == matrix[draws[:, 0], draws[:, 1]].tolist()
    up = torch.randint(1, 9, (1000, 2000)).double()
    up[torch.rand(1000, 2000) > 0.01] = torch.inf
    heights, _ = seconds(lambda: common_heights(up))
    print(f"importing nltk and reading the bundled nouns: {reading:.2f} s")
    print(f"finding the {len(synsets)} synsets of ImageNet: {finding:.2f} s")
    print(f"their {matrix.numel()} path similarities: {making:.2f} s, once more {again:.2f} s")
    print(
        f"the library's own function: {library / PAIRS * 1e6:.0f} µs a pair, "
        f"{library / PAIRS * matrix.numel():.0f} s for all of them"
    )
    print(f"heights of common ancestors of 1000 classes below 2000 nodes: {heights:.2f} s")


if __name__ == "__main__":
    main()
