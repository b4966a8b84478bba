"""Participants with their answers, and who is left out by the rules fixed before collection."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import RowMapping, select

from xbench_study.answers.progress import Participant
from xbench_study.answers.replies import is_right, reply_from
from xbench_study.answers.steps import Reply
from xbench_study.answers.storage.keyed import participant_key
from xbench_study.answers.storage.tables import answers, participants, trials
from xbench_study.designs.description import Checks
from xbench_study.material.item import Kind
from xbench_study.material.study import Study

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook


@dataclass(frozen=True)
class Answered:
    """A trial that was answered."""

    position: int
    item: str
    kind: Kind
    condition: str
    options: tuple[str, ...]
    """As they stood before the participant."""
    reply: Reply
    seconds: float | None
    right: bool | None


@dataclass(frozen=True)
class Judged:
    """A participant, never a pilot one, with all answers."""

    key: str
    """What exports call the participant."""
    person: Participant
    answers: tuple[Answered, ...]
    excluded: str
    """Which rules leave the participant out, parted by blanks; "" for none."""

    def of_kind(self, kind: Kind) -> list[Answered]:
        """Answers to items of a kind."""
        return [answered for answered in self.answers if answered.kind == kind]


def judged(book: "AnswerBook") -> list[Judged]:
    """All participants but those of the pilot, in the order in which they came."""
    study = book.study
    with book.database.reading() as connection:
        real = select(participants).where(participants.c.pilot.is_(False))
        rows = connection.execute(real.order_by(participants.c.number)).mappings()
        people = [Participant(**row) for row in rows]
        query = select(trials, answers.c.reply, answers.c.seconds).join(answers)
        ordered = query.order_by(trials.c.participant, trials.c.position)
        replies = connection.execute(ordered).mappings().all()
    by_person = {
        number: tuple(_answered(study, row) for row in rows)
        for number, rows in groupby(replies, key=lambda row: row["participant"])
    }
    return [_judged(study, person, by_person.get(person.number, ())) for person in people]


def _judged(study: Study, person: Participant, given: tuple[Answered, ...]) -> Judged:
    reasons = " ".join(_reasons(study.description.checks, person, given))
    return Judged(participant_key(study.secret, person.number), person, given, reasons)


def _answered(study: Study, cells: RowMapping) -> Answered:
    reply = reply_from(cells["reply"])
    return Answered(
        cells["position"],
        cells["item"],
        cells["kind"],
        cells["condition"],
        tuple(cells["options"].split()),
        reply,
        cells["seconds"],
        is_right(reply, study.secrets[cells["item"]].right),
    )


def _reasons(checks: Checks, person: Participant, given: Sequence[Answered]) -> Iterator[str]:
    """`comprehension`, `checks`, `too-fast`: each rule that leaves a participant out."""
    if person.state == "failed":
        yield "comprehension"
    asked = [bool(answered.right) for answered in given if answered.kind == "check"]
    if asked and sum(asked) < checks.right * len(asked):
        yield "checks"
    seconds = seconds_of(given)
    if seconds and median(seconds) < checks.fastest_seconds:
        yield "too-fast"


def seconds_of(given: Sequence[Answered]) -> list[float]:
    """How long trials took, training, practice and checks apart."""
    of_trials = [answered.seconds for answered in given if answered.kind == "trial"]
    return [seconds for seconds in of_trials if seconds is not None]
