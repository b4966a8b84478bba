"""Tables of what extremal_torchray.py kept of extremal perturbation, ours beside TorchRay's.

python benchmarks/analysis/extremal_table.py rewards FILE...

prints for one to four starts and each area: our mean reward, TorchRay's, ours less TorchRay's with
a 95 % interval over photographs, the same where a reward is the mean over an image and its mirror
image (TorchRay mirrors images at random, so its masks are made for both), the mean overlap of our
regions with TorchRay's and with our own of other seeds, and how much less the former is; then mean
soft areas of both, and how far ours are from the area at most. Two starts are the better one of two
seeds, area by area, as the explainer's `starts` choose; means are over all choices of seeds.

python benchmarks/analysis/extremal_table.py between FILE OTHER

prints for one start and for four what FILE's masks have more or less than those of OTHER, which are
of other fields, photograph by photograph: of rewards, of overlaps with TorchRay's, and of overlaps
of our own.

python benchmarks/analysis/extremal_table.py sizes FILE...

prints overlaps of regions that have the sizes of TorchRay's.

extremal_torchray.json, extremal_torchray_alike.json (with starts that hardly differ) and
extremal_torchray_sizes.json beside this file have the numbers that docs/extremal-perturbation.md
shows. Neither TorchRay nor photographs are needed.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.stats
from scipy.spatial.distance import squareform

AREAS = (0.1, 0.2, 0.4, 0.5)
MOST_STARTS = 4


class Compared(NamedTuple):
    """What is kept: photographs first, TorchRay's masks before ours, areas last or none."""

    rewards: np.ndarray
    mirrored: np.ndarray
    """Rewards of mirror images."""
    overlaps: np.ndarray
    """Of each pair of masks."""

    def at(self, place: int) -> "Compared":
        """Of one area."""
        return Compared(*(of[..., place] for of in self))


class Means(NamedTuple):
    """Of each photograph at one area, over all choices of seeds."""

    rewards: np.ndarray
    of_both: np.ndarray
    """Rewards, of an image and its mirror image."""
    with_theirs: np.ndarray
    """Overlaps with TorchRay's."""
    by_itself: np.ndarray
    """Overlaps of ours with ours of other seeds."""


def main(task: str, *given: str) -> None:
    files = [json.loads(Path(file).read_text()) for file in given]
    if task == "between":
        print_between(*files)
        return
    (print_rewards if task == "rewards" else print_sizes)(joined(files), files[0]["fields"])


def joined(files: list[dict]) -> dict[str, dict]:
    """All photographs of the files, which must be of the same fields."""
    if any(file["fields"] != files[0]["fields"] for file in files):
        sys.exit("the files have numbers of different fields")
    return {name: one for file in files for name, one in file["photographs"].items()}


def print_rewards(held: dict[str, dict], fields: dict[str, Any]) -> None:
    """A line for each number of starts and area."""
    every = compared(held)
    soft = np.array([one["soft"] for one in held.values()])
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
            print(f"{area}:", line(every.at(place), starts))
    for place, area in enumerate(AREAS):
        theirs, ours = soft[:, 0, place].mean(), soft[:, 1:, place]
        off = np.abs(ours - area).max()
        print(
            f"soft area {area}: {ours.mean():.3f}, at most {off:.3f} off; TorchRay's {theirs:.3f}"
        )


def print_between(file: dict, other: dict) -> None:
    """A line for each number of starts and area."""
    names = [name for name in file["photographs"] if name in other["photographs"]]
    print(f"{len(names)} photographs; {file['fields']} less {other['fields']}")
    print("area: reward, overlap with TorchRay's, of ours by itself [95 %]")
    one, two = (compared({name: of["photographs"][name] for name in names}) for of in (file, other))
    for starts in (1, MOST_STARTS):
        print(f"best of {starts}:")
        for place, area in enumerate(AREAS):
            print(f"{area}:", difference(one.at(place), two.at(place), starts))


def compared(held: dict[str, dict]) -> Compared:
    rewards, mirrored = (
        np.array([one[of] for one in held.values()]) for of in ("rewards", "mirrored")
    )
    overlaps = np.array([[squareform(at) for at in one["overlaps"]] for one in held.values()])
    return Compared(rewards, mirrored, np.moveaxis(overlaps, 1, -1))


def difference(one: Compared, other: Compared, starts: int) -> str:
    """Of one area, with intervals over photographs."""
    ours, others = means(one, starts), means(other, starts)
    return ", ".join(
        interval(getattr(ours, name) - getattr(others, name))
        for name in ("rewards", "with_theirs", "by_itself")
    )


def line(at: Compared, starts: int) -> str:
    """Of one area."""
    ours, theirs = means(at, starts), at.rewards[:, 0]
    of_both = (theirs + at.mirrored[:, 0]) / 2
    return (
        f"{ours.rewards.mean():.2f}, {theirs.mean():.2f}, {interval(ours.rewards - theirs)},"
        f" {interval(ours.of_both - of_both)};"
        f" {ours.with_theirs.mean():.3f}, {ours.by_itself.mean():.3f},"
        f" {interval(ours.by_itself - ours.with_theirs)}"
    )


def means(at: Compared, starts: int) -> Means:
    """What the best of so many seeds are worth, and what they share."""
    rewards, mirrored, overlaps = at
    every = np.arange(len(rewards))
    chosen = {
        seeds: 1 + np.array(seeds)[rewards[:, 1:][:, list(seeds)].argmax(1)]
        for seeds in itertools.combinations(range(rewards.shape[1] - 1), starts)
    }
    ours, of_both = (
        np.mean([values[every, places] for places in chosen.values()], 0)
        for values in (rewards, (rewards + mirrored) / 2)
    )
    apart = [
        overlaps[every, chosen[one], chosen[other]]
        for one, other in itertools.combinations(chosen, 2)
        if not {*one} & {*other}
    ]
    theirs = [overlaps[every, places, 0] for places in chosen.values()]
    return Means(ours, of_both, np.mean(theirs, 0), np.mean(apart, 0))


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
