"""How many toybirds a second one core renders and annotates.

python benchmarks/speed/toybirds_rate.py
"""

import time

import torch

from xbench_toybirds.dataset import Toybirds


def rate(work, count: int) -> float:
    """Images per CPU second."""
    start = time.process_time()
    work(list(range(count)))
    return count / (time.process_time() - start)


def main() -> None:
    """Print the rates."""
    torch.set_num_threads(1)
    birds = Toybirds()
    birds.images(list(range(64)))
    for name in ("images", "part_points", "part_masks", "class_posterior", "label_counts"):
        print(f"{name}: {rate(getattr(birds, name), 1000):.0f} a second")


if __name__ == "__main__":
    main()
