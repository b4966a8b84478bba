"""Who is asked about which items, and in which condition."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from xbench_study.answers.storage.keyed import drawn
from xbench_study.answers.storage.tables import answers, participants, trials
from xbench_study.material.item import Item
from xbench_study.material.study import Study


class Slot(NamedTuple):
    """An item as one condition shows it."""

    condition: str
    item: str


Loads = Mapping[Slot, int]
"""How many answers each slot has, or is about to get from participants at work."""
HOUR = 3600.0
_AT_WORK = and_(
    participants.c.state == "taking-part", participants.c.started_at >= bindparam("resumable")
)
_WHOLE = or_(_AT_WORK, participants.c.state == "finished")  # who finished answered all
_LOADS = (
    select(trials.c.condition, trials.c.item, func.count())
    .join(participants, participants.c.number == trials.c.participant)
    .outerjoin(answers, answers.c.trial == trials.c.id)
    .where(trials.c.kind == "trial", participants.c.pilot.is_(False))
    .where(or_(_WHOLE, answers.c.trial.is_not(None)))
    .group_by(trials.c.condition, trials.c.item)
)


def slots(study: Study) -> list[Slot]:
    """Every item of each condition that has it."""
    return [
        Slot(condition, item.key)
        for item in study.of_kind("trial")
        for condition in conditions_of(study, item)
    ]


def conditions_of(study: Study, item: Item) -> list[str]:
    """The conditions in which an item is shown."""
    names = [condition.name for condition in study.description.conditions]
    return [name for name in names if not item.conditions or name in item.conditions]


def loads(connection: Connection, study: Study, now: float) -> Loads:
    """The load of each slot.

    Trials of those who left, failed, or whose link expired count only if they were answered, and
    those of pilot participants never.
    """
    resumable = now - study.description.assignment.resume_hours * HOUR
    rows = connection.execute(_LOADS, {"resumable": resumable})
    return {Slot(condition, item): count for condition, item, count in rows}


def assigned(study: Study, load: Loads, seed: int) -> list[Slot]:
    """The slots of a new participant, the least loaded first; none where the study is full."""
    needed = study.description.assignment.answers
    open_slots = [slot for slot in slots(study) if load.get(slot, 0) < needed]
    if not open_slots:
        return []
    if study.description.assignment.conditions == "within":
        return _within(study, load, seed)
    lacking = Counter[str]()
    for slot in open_slots:
        lacking[slot.condition] += needed - load.get(slot, 0)
    condition = min(lacking, key=lambda name: (-lacking[name], drawn(seed, "condition", name)))
    ranked = _ranked((slot for slot in slots(study) if slot.condition == condition), load, seed)
    return ranked[: study.description.assignment.trials]


def _within(study: Study, load: Loads, seed: int) -> list[Slot]:
    """As many slots of each condition as can be, no item twice."""
    waiting = _ranked(slots(study), load, seed)
    chosen: list[Slot] = []
    while waiting and len(chosen) < study.description.assignment.trials:
        slot = _next(waiting, Counter(slot.condition for slot in chosen))
        chosen.append(slot)
        waiting = [other for other in waiting if other.item != slot.item]
    return chosen


def _next(waiting: Sequence[Slot], had: Mapping[str, int]) -> Slot:
    """The least loaded slot of a condition of which this participant has the fewest."""
    return min(waiting, key=lambda slot: had.get(slot.condition, 0))


def _ranked(among: Iterable[Slot], load: Loads, seed: int) -> list[Slot]:
    """The least loaded first; of equal ones, in an order drawn by the participant's seed."""
    return sorted(among, key=lambda slot: (load.get(slot, 0), drawn(seed, "slot", *slot)))
