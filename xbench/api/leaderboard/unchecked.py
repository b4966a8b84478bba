"""What of a submission was not there to be checked, with the way out."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from xbench.api.leaderboard.places import WEIGHTS
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
    names = sorted({repr(of.name) for of in absent})
    what = f"dataset{'s' * (len(names) > 1)} {', '.join(names)} {'are' if names[1:] else 'is'}"
    of_data = [path for path in places if path != WEIGHTS]
    said = " or ".join(f"-p {path}=…" for path in of_data)
    fetched = [f"`xbench data get {of.name}`" for of in absent if of.downloads()]
    ways = [f"say where it lies ({said})"] * bool(said) + [f"get it ({of})" for of in fetched]
    return Unchecked("images", f"{what} not here; {' or '.join(sorted(ways)[::-1])}")


def unchecked_weights(places: Sequence[str]) -> Unchecked:
    """That the network's weights came from a file that is not known here."""
    reason = "the record's network has weights from a file, and which these are is not known here"
    said = f"; say which file has the benchmark's (-p {WEIGHTS}=FILE)" * (WEIGHTS in places)
    return Unchecked("weights", reason + said)
