"""Where a participant is: the rows that say it, and the step that follows from them."""

from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from xbench_study.answers.assignment import HOUR
from xbench_study.answers.replies import is_right, reply_from
from xbench_study.answers.steps import Reply, Stage, State, Step
from xbench_study.answers.storage.keyed import keyed
from xbench_study.answers.storage.tables import answers, participants, tokens, trials
from xbench_study.material.study import Study


@dataclass(frozen=True)
class Participant:
    """A row of the participants."""

    number: int
    condition: str
    state: State
    pilot: bool
    consent: str
    seed: int
    trials: int
    started_at: float
    instructed_at: float | None
    understood_at: float | None
    ended_at: float | None
    attempts: int


@dataclass(frozen=True)
class Trial:
    """A row of the trials, with the reply where there is one."""

    id: int
    position: int
    item: str
    kind: str
    condition: str
    options: tuple[str, ...]
    shown_at: float | None
    passed_at: float | None
    reply: Reply | None


@dataclass(frozen=True)
class Place:
    """Where a participant is."""

    participant: Participant
    stage: Stage
    trial: Trial | None = None
    """The one that is asked, or that feedback is about."""


def token_digest(study: Study, token: str) -> str:
    """What is kept of a token; it does not lead back to it."""
    return keyed(study.secret, "token", token)


# Statements are made once: making them costs more than the database takes to answer.
_PERSON = (
    select(participants)
    .join(tokens, tokens.c.participant == participants.c.number)
    .where(tokens.c.digest == bindparam("digest"))
)
_LOCKED_PERSON = _PERSON.with_for_update(of=participants)
_TRIALS = (
    select(*trials.c, answers.c.reply)
    .outerjoin(answers, answers.c.trial == trials.c.id)
    .where(trials.c.participant == bindparam("number"))
)
_TRIAL_AT = _TRIALS.where(trials.c.position == bindparam("place"))
_FEEDBACK = and_(trials.c.kind == "practice", trials.c.passed_at.is_(None))
_TO_DO = or_(answers.c.trial.is_(None), _FEEDBACK)
_CURRENT_TRIAL = _TRIALS.where(_TO_DO).order_by(trials.c.position).limit(1)
_FIRST = (
    select(func.min(trials.c.position))
    .outerjoin(answers, answers.c.trial == trials.c.id)
    .where(trials.c.participant == participants.c.number)
    .where(_TO_DO)
    .correlate(participants)
    .scalar_subquery()
)
_OF_TRIAL = tuple(column.name for column in fields(Trial) if column.name != "reply")
_OF = "participant_"
"""Before the names of a person's columns, where those of a trial stand beside them."""
_PERSON_COLUMNS = [column.label(_OF + column.name) for column in participants.c]
_IS_FIRST = and_(trials.c.participant == participants.c.number, trials.c.position == _FIRST)
_WHERE = (
    select(*_PERSON_COLUMNS, *trials.c, answers.c.reply)
    .join(tokens, tokens.c.participant == participants.c.number)
    .outerjoin(trials, _IS_FIRST)
    .outerjoin(answers, answers.c.trial == trials.c.id)
    .where(tokens.c.digest == bindparam("digest"))
)


def participant_of(
    connection: Connection, study: Study, token: str, *, lock: bool = False
) -> Participant | None:
    """Whose token it is; None for nobody's. `lock`: nobody else changes the row meanwhile."""
    digest = token_digest(study, token)
    row = connection.execute(_LOCKED_PERSON if lock else _PERSON, {"digest": digest}).first()
    return Participant(**row._mapping) if row else None  # noqa: SLF001 its public name


def where_is(connection: Connection, study: Study, token: str, now: float) -> Place | None:
    """Where a participant is, asked at once; None for nobody's token. Nothing is locked."""
    row = connection.execute(_WHERE, {"digest": token_digest(study, token)}).first()
    if row is None:
        return None
    person = Participant(**{name: getattr(row, _OF + name) for name in participants.c.keys()})
    stage = _stage_of_person(study, person, now)
    return Place(person, stage) if stage else _among_trials(person, _trial(row))


def trial_at(connection: Connection, participant: int, position: int) -> Trial | None:
    """The trial at a position of a participant."""
    values = {"number": participant, "place": position}
    return _trial(connection.execute(_TRIAL_AT, values).first())


def current_trial(connection: Connection, participant: int) -> Trial | None:
    """The first that is not answered, or is practice whose feedback is not left behind."""
    return _trial(connection.execute(_CURRENT_TRIAL, {"number": participant}).first())


def _trial(row: Any) -> Trial | None:
    """The trial of a row that has its columns, among others; None where these are empty."""
    if row is None or row.id is None:
        return None
    values = {name: getattr(row, name) for name in _OF_TRIAL}
    values["options"] = tuple(row.options.split())
    return Trial(**values, reply=None if row.reply is None else reply_from(row.reply))


def place(connection: Connection, study: Study, participant: Participant, now: float) -> Place:
    """Where a participant is now."""
    stage = _stage_of_person(study, participant, now)
    if stage is not None:
        return Place(participant, stage)
    return _among_trials(participant, current_trial(connection, participant.number))


def _among_trials(participant: Participant, trial: Trial | None) -> Place:
    """The place of somebody whose first trial that is not done is this one, or who did all."""
    if trial is None:
        return Place(participant, "debriefing")
    return Place(participant, "trial" if trial.reply is None else "feedback", trial)


def _stage_of_person(study: Study, participant: Participant, now: float) -> Stage | None:
    """The stage that the person's own row tells; None for one who is among the trials."""
    ended: dict[State, Stage] = {"finished": "debriefing", "failed": "failed", "left": "left"}
    if participant.state in ended:
        return ended[participant.state]
    if now > participant.started_at + study.description.assignment.resume_hours * HOUR:
        return "expired"
    if participant.instructed_at is None:
        return "instructions"
    if study.description.checks.comprehension and participant.understood_at is None:
        return "comprehension"
    return None


def nonce(study: Study, at: Place) -> str:
    """What the form of a step sends back: of this participant and step alone."""
    person, position = at.participant, at.trial.position if at.trial else 0
    words = (person.number, person.seed, at.stage, position, person.attempts)
    return keyed(study.secret, "nonce", *words)[:32]


def step_of(study: Study, at: Place) -> Step:
    """What a participant at this place sees."""
    person, trial = at.participant, at.trial
    stamp = nonce(study, at)
    step = Step(at.stage, of=person.trials, nonce=stamp, pilot=person.pilot)
    if trial is None:
        return replace(step, attempt=person.attempts)
    right = study.secrets[trial.item].right
    return replace(
        step,
        condition=trial.condition,
        item=trial.item,
        position=trial.position,
        options=trial.options,
        right=is_right(trial.reply, right) if trial.reply else None,
    )
