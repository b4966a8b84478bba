"""What of a submission was not there to be checked, with the way out."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from xbench.api.leaderboard.images import wrong_places
from xbench.api.leaderboard.places import WEIGHTS
from xbench.benchmark.assembly import Benchmark
from xbench.interfaces.classifier import LIBRARY
from xbench.interfaces.data.dataset import Dataset
from xbench.results.board.events import Part


class Unchecked(NamedTuple):
    """A part of a submission that was not there to be checked."""

    what: Part
    reason: str
    """What is not here, and how it can be said where it is."""

    @property
    def remark(self) -> str:
        """What is to be known of a submission that passes without."""
        return f"{self.what} unchecked: {self.reason}"


def unchecked_images(absent: Collection[Dataset], places: Sequence[str]) -> Unchecked:
    """That images are not here: neither their fingerprints nor the ids of cases are compared."""
    names = " and ".join(sorted({f"dataset {of.name!r}" for of in absent}))
    wrong = [f"there is no {place}" for of in absent for place in wrong_places(of)]
    told = f" ({', '.join(wrong)})" if wrong else ""
    said = " or ".join(f"-p {path}=…" for path in places if path != WEIGHTS)
    get = "".join(f", or `xbench data get {of.name}`" for of in absent if of.downloads())
    return Unchecked("images", f"{names} is not here{told}; say where it lies: {said}{get}")


def unchecked_weights(benchmark: Benchmark) -> Unchecked:
    """That weights from a file could not be told to be the benchmark's."""
    if any(line.classifier.weights == LIBRARY for line in benchmark.lines):
        reason = "the record's network has weights from a file, and the benchmark the library's"
        return Unchecked("weights", f"{reason}; say which file these are: -p {WEIGHTS}=FILE")
    return Unchecked("weights", "they cannot be compared where the images are not here")
