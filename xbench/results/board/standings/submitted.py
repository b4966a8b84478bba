"""The entries of a board as they are ranked: what was submitted, and what became of it since."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from xbench.errors import SubmissionError, UnknownNameError
from xbench.interfaces.protocol import Role
from xbench.results.board.events import RESTORE
from xbench.results.board.folder import read_submission
from xbench.results.board.history import BoardEntry, benchmarks, entries
from xbench.results.board.plain_text import shown_text
from xbench.results.board.submission import Submission
from xbench.results.record import Record, ScoreRecord

LONGEST = 60
"""Characters of a label that are shown."""


class Submitted(NamedTuple):
    """A submission, and its place on the board."""

    entry: BoardEntry
    submission: Submission

    @property
    def name(self) -> str:
        """The name on the board, which no other entry of the benchmark has."""
        return self.entry.name

    @property
    def record(self) -> Record:
        """The record that was submitted."""
        return self.submission.record

    @property
    def role(self) -> Role:
        """What it is ranked as: an entry that declares to know the answer is a ceiling."""
        knows = self.submission.manifest.declarations.ceiling
        return "ceiling" if knows else self.record.role

    @property
    def ranked(self) -> bool:
        """Whether it has a rank: floors and ceilings have none."""
        return self.role == "entry"

    def score(self, name: str | None) -> ScoreRecord | None:
        """The score of this name, or the one that ranks."""
        if name is None:
            return self.record.ranking
        return next((score for score in self.record.scores if score.name == name), None)


def submitted(board: Path, benchmark: str) -> list[Submitted]:
    """The entries of a benchmark that are ranked, read from the folder of a board.

    `UnknownNameError` for a benchmark that the board never had entries of, `SubmissionError`
    for a folder that is no more what was added.
    """
    current = entries(board, benchmark)
    if not current and benchmark not in benchmarks(board):
        raise UnknownNameError("benchmark of the board", benchmark, benchmarks(board))
    return [_read(entry) for entry in current]


def _read(entry: BoardEntry) -> Submitted:
    submission = read_submission(entry.folder)
    manifest = submission.manifest
    if (manifest.benchmark, manifest.name, manifest.record_key) != (
        entry.benchmark,
        entry.name,
        entry.key,
    ):
        raise SubmissionError(f"{entry.folder} holds another submission than was added; {RESTORE}")
    return Submitted(entry, submission)


def shown_labels(entries: Sequence[Submitted]) -> dict[str, str]:
    """By name, what an entry is called in tables: its label, and its name where two share it."""
    labels = {one.name: shown_text(one.record.label, LONGEST) for one in entries}
    given = list(labels.values())
    return {
        name: f"{label} ({name})" if given.count(label) > 1 else label
        for name, label in labels.items()
    }
