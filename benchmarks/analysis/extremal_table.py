"""Tables of what extremal_torchray.py kept of extremal perturbation, ours beside TorchRay's.

python benchmarks/analysis/extremal_table.py rewards FILE...

prints for one to four starts and each area: our mean reward, TorchRay's, ours less TorchRay's with
a 95 % interval over photographs, the same where a reward is the mean over an image and its mirror
image (TorchRay mirrors images at random, so its masks are made for both), the mean overlap of our
regions with TorchRay's and with our own of other seeds, and how much less the former is; then mean
soft areas of both, and how far ours are from the area at most. Two starts are the better one of two
seeds, area by area, as the explainer's `starts` choose; means are over all choices of seeds.

python benchmarks/analysis/extremal_table.py sizes FILE...

prints overlaps of regions that have the sizes of TorchRay's.

extremal_torchray.json and extremal_torchray_sizes.json beside this file have the numbers that
docs/extremal-perturbation.md shows. Neither TorchRay nor photographs are needed.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from scipy.spatial.distance import squareform

AREAS = (0.1, 0.2, 0.4, 0.5)
MOST_STARTS = 4


def main(task: str, *given: str) -> None:
    files = [json.loads(Path(file).read_text()) for file in given]
    (print_rewards if task == "rewards" else print_sizes)(joined(files), files[0]["fields"])


def joined(files: list[dict]) -> dict[str, dict]:
    """All photographs of the files, which must be of the same fields."""
    if any(file["fields"] != files[0]["fields"] for file in files):
        sys.exit("the files have numbers of different fields")
    return {name: one for file in files for name, one in file["photographs"].items()}


def print_rewards(held: dict[str, dict], fields: dict[str, Any]) -> None:
    """A line for each number of starts and area."""
    soft, rewards, mirrored = (
        np.array([one[of] for one in held.values()]) for of in ("soft", "rewards", "mirrored")
    )
    overlaps = np.array([[squareform(at) for at in one["overlaps"]] for one in held.values()])
    seconds = np.mean([one["seconds"] for one in held.values()])
    print(f"{len(held)} photographs; ours with {fields}")
    print(f"TorchRay took {seconds:.0f} s for one on average")
    print(
        "area: ours, TorchRay's, difference [95 %], of image and mirror image; overlap with"
        " TorchRay's, of ours by itself, difference [95 %]"
    )
    for starts in range(1, MOST_STARTS + 1):
        print(f"best of {starts}:")
        for place, area in enumerate(AREAS):
            at = rewards[..., place], mirrored[..., place], overlaps[:, place]
            print(f"{area}:", line(*at, starts))
    for place, area in enumerate(AREAS):
        theirs, ours = soft[:, 0, place].mean(), soft[:, 1:, place]
        off = np.abs(ours - area).max()
        print(
            f"soft area {area}: {ours.mean():.3f}, at most {off:.3f} off; TorchRay's {theirs:.3f}"
        )


def line(rewards: np.ndarray, mirrored: np.ndarray, overlaps: np.ndarray, starts: int) -> str:
    """Of one area; TorchRay's come first in each photograph's row."""
    theirs, every = rewards[:, 0], np.arange(len(rewards))
    chosen = {
        seeds: 1 + np.array(seeds)[rewards[:, 1:][:, list(seeds)].argmax(1)]
        for seeds in itertools.combinations(range(rewards.shape[1] - 1), starts)
    }
    both = (rewards + mirrored) / 2
    ours, of_both = (
        np.mean([values[every, places] for places in chosen.values()], 0)
        for values in (rewards, both)
    )
    with_theirs = np.mean([overlaps[every, places, 0] for places in chosen.values()], 0)
    by_itself = np.mean(
        [
            overlaps[every, chosen[one], chosen[other]]
            for one, other in itertools.combinations(chosen, 2)
            if not {*one} & {*other}
        ],
        0,
    )
    return (
        f"{ours.mean():.2f}, {theirs.mean():.2f}, {interval(ours - theirs)},"
        f" {interval(of_both - both[:, 0])};"
        f" {with_theirs.mean():.3f}, {by_itself.mean():.3f}, {interval(by_itself - with_theirs)}"
    )


def print_sizes(held: dict[str, dict], fields: dict[str, Any]) -> None:
    """A line for each area: mean size, overlaps, and by how much that with TorchRay's is less."""
    print(f"{len(held)} photographs; ours with {fields}")
    names = ("sizes", "with TorchRay's", "by itself")
    sizes, theirs, own = (np.array([one[name] for one in held.values()]) for name in names)
    print("area: TorchRay's size; overlap with TorchRay's, of ours by itself, difference [95 %]")
    for place, area in enumerate(AREAS):
        size, with_theirs, by_itself = (of[:, place] for of in (sizes, theirs, own))
        print(
            f"{area}: {size.mean():.3f}; {with_theirs.mean():.3f}, {by_itself.mean():.3f},"
            f" {interval(by_itself - with_theirs)}"
        )


def interval(differences: np.ndarray) -> str:
    """Mean and Student's 95 % interval; no interval of a single photograph."""
    mean, count = float(differences.mean()), len(differences)
    if count < 2:
        return f"{mean:+.2f} [one photograph]"
    reach = float(scipy.stats.t.ppf(0.975, count - 1) * scipy.stats.sem(differences))
    return f"{mean:+.2f} [{mean - reach:+.2f}, {mean + reach:+.2f}]"


if __name__ == "__main__":
    main(*sys.argv[1:])
