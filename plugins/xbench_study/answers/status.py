"""How a study stands: counts, times, checks, who is left out, and what an hour is paid."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from xbench_study.answers.assignment import Slot, loads, slots
from xbench_study.answers.judging import Judged, judged, seconds_of
from xbench_study.answers.steps import State
from xbench_study.answers.storage.tables import erasures, participants
from xbench_study.categories.annotating import counts_of
from xbench_study.categories.annotations import AnnotationCounts
from xbench_study.designs.description import Payment

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook


@dataclass(frozen=True)
class SlotCount:
    """How far an item is in one condition."""

    condition: str
    item: str
    answers: int
    at_work: int
    """How many more participants at work will answer it."""


@dataclass(frozen=True)
class ConditionCount:
    """How far a condition is."""

    condition: str
    answers: int
    needed: int
    items: int
    complete: int
    """How many of its items have all their answers."""


@dataclass(frozen=True)
class ParticipantCount:
    """How far a participant is."""

    participant: str
    state: State
    answered: int
    of: int
    excluded: str


@dataclass(frozen=True)
class Status:
    """How a study stands, pilot participants left out unless they are named."""

    people: Mapping[State, int]
    pilots: int
    erased: int
    slots: Sequence[SlotCount]
    conditions: Sequence[ConditionCount]
    participants: Sequence[ParticipantCount]
    excluded: Mapping[str, int]
    """How many participants each rule leaves out."""
    checks: int
    """How many checks were answered, and of those how many rightly."""
    checks_right: int
    median_seconds: float | None
    """Of an answer."""
    median_minutes: float | None
    """From consent to the end, of those who finished."""
    hourly: float | None
    """What an hour is paid at that pace."""
    warning: str
    """What to do where that is less than was promised; "" else."""
    categories: AnnotationCounts | None = None
    """How far the errors are annotated; None where nobody began."""


def status(book: "AnswerBook", now: float) -> Status:
    """How a study stands now."""
    people = judged(book)
    with book.database.reading() as connection:
        load = loads(connection, book.study, now)
        erased = connection.execute(select(erasures.c.persons)).scalar_one()
        pilot = select(func.count()).where(participants.c.pilot.is_(True))
        pilots = connection.execute(pilot).scalar_one()
    counts = _slot_counts(slots(book.study), people, load)
    seconds = [value for person in people for value in seconds_of(person.answers)]
    checks = [answered for person in people for answered in person.of_kind("check")]
    minutes = _median_minutes(people)
    hourly = _hourly(book.study.description.payment, minutes)
    return Status(
        people=dict(Counter(person.person.state for person in people)),
        pilots=pilots,
        erased=erased,
        slots=counts,
        conditions=_condition_counts(counts, book.study.description.assignment.answers),
        participants=[_participant_count(person) for person in people],
        excluded=dict(Counter(reason for person in people for reason in person.excluded.split())),
        checks=len(checks),
        checks_right=sum(bool(answered.right) for answered in checks),
        median_seconds=median(seconds) if seconds else None,
        median_minutes=minutes,
        hourly=hourly,
        warning=_warning(book.study.description.payment, hourly),
        categories=counts_of(book),
    )


def _slot_counts(
    every: Sequence[Slot], people: Sequence[Judged], load: Mapping[Slot, int]
) -> list[SlotCount]:
    given = Counter(
        Slot(answered.condition, answered.item)
        for person in people
        for answered in person.of_kind("trial")
    )
    return [SlotCount(*slot, given[slot], load.get(slot, 0) - given[slot]) for slot in every]


def _condition_counts(counts: Sequence[SlotCount], needed: int) -> list[ConditionCount]:
    by_condition: dict[str, list[int]] = {}
    for count in counts:
        by_condition.setdefault(count.condition, []).append(count.answers)
    return [
        ConditionCount(
            name,
            sum(given),
            needed * len(given),
            len(given),
            sum(answers >= needed for answers in given),
        )
        for name, given in by_condition.items()
    ]


def _participant_count(person: Judged) -> ParticipantCount:
    row = person.person
    return ParticipantCount(person.key, row.state, len(person.answers), row.trials, person.excluded)


def _median_minutes(people: Sequence[Judged]) -> float | None:
    rows = [person.person for person in people if person.person.state == "finished"]
    minutes = [(row.ended_at - row.started_at) / 60 for row in rows if row.ended_at is not None]
    return median(minutes) if minutes else None


def _hourly(payment: Payment, minutes: float | None) -> float | None:
    return payment.amount * 60 / minutes if minutes else None


def _warning(payment: Payment, hourly: float | None) -> str:
    if hourly is None or hourly >= payment.minimum_hourly:
        return ""
    least = f"{payment.minimum_hourly:.2f} {payment.currency}"
    if not hourly:
        return f"nothing is paid, and {least} an hour are promised; pay participants"
    bonus = payment.amount * (payment.minimum_hourly / hourly - 1)
    return (
        f"at the median pace an hour is paid {hourly:.2f} {payment.currency}, less than {least}; "
        f"pay a bonus of {bonus:.2f} {payment.currency}, and raise payment.amount by it"
    )
