"""What participants do, each in the transaction that it is given."""

import hmac
from dataclasses import replace

from sqlalchemy import Connection, bindparam, insert, update

from xbench_study.answers.progress import (
    Participant,
    Place,
    Trial,
    nonce,
    participant_of,
    place,
    step_of,
    trial_at,
)
from xbench_study.answers.replies import fault, plain_reply
from xbench_study.answers.steps import Outcome, Reply, Skipped, State
from xbench_study.answers.storage.tables import answers, comprehension, participants, trials
from xbench_study.designs.description import Checks
from xbench_study.material.study import Study

OTHER_STEP = Outcome("invalid", reason="it is of another step")
_ANSWER = insert(answers)
_SHOWN = (
    update(trials)
    .where(trials.c.id == bindparam("trial"), trials.c.shown_at.is_(None))
    .values(shown_at=bindparam("now"))
)


def show(connection: Connection, trial: Trial, now: float) -> None:
    """Start a trial's clock, unless it runs."""
    connection.execute(_SHOWN, {"trial": trial.id, "now": now})


def go_on(connection: Connection, study: Study, at: Place, now: float) -> None:
    """Leave instructions, feedback or training behind."""
    if at.stage == "instructions":
        _set(connection, at.participant, instructed_at=now)
    elif at.stage == "feedback" and at.trial:
        passed = update(trials).where(trials.c.id == at.trial.id).values(passed_at=now)
        connection.execute(passed)
        _finish(connection, at, now)
    elif at.trial and at.trial.kind == "training" and at.trial.shown_at is not None:
        _store(connection, at, Skipped(), now)


def comprehend(
    connection: Connection, study: Study, at: Place, options: tuple[int, ...], now: float
) -> bool:
    """Whether these are the right options; an attempt is stored and counted."""
    checks, person = study.description.checks, at.participant
    if not _complete(checks, options):
        return False
    right = options == tuple(question.right for question in checks.comprehension)
    attempt = {"participant": person.number, "attempt": person.attempts + 1}
    row = {**attempt, "options": list(options), "right": right, "stored_at": now}
    connection.execute(insert(comprehension).values(**row))
    if right:
        _set(connection, person, attempts=person.attempts + 1, understood_at=now)
    elif person.attempts + 1 >= checks.attempts:
        _end(connection, person, "failed", now, attempts=person.attempts + 1)
    else:
        _set(connection, person, attempts=person.attempts + 1)
    return right


def _complete(checks: Checks, options: tuple[int, ...]) -> bool:
    """Whether every comprehension question has an option of its own; else it is no attempt."""
    pairs = list(zip(options, checks.comprehension, strict=False))
    counts = len(options) == len(checks.comprehension)
    return counts and all(0 <= option < len(question.options) for option, question in pairs)


def answer(
    connection: Connection, study: Study, sent: tuple[str, int, str, Reply], now: float
) -> Outcome:
    """What becomes of a reply: token, position, nonce, reply."""
    person = participant_of(connection, study, sent[0], lock=True)
    if person is None:
        return OTHER_STEP
    at = place(connection, study, person, now)
    outcome = _outcome(connection, study, at, sent, now)
    return replace(outcome, at=step_of(study, at))


def _outcome(
    connection: Connection, study: Study, at: Place, sent: tuple[str, int, str, Reply], now: float
) -> Outcome:
    """What becomes of the reply of who is at a place."""
    _, position, stamp, reply = sent
    trial, person = at.trial, at.participant
    if trial is None or trial.position != position:
        trial = trial_at(connection, person.number, position)
    if trial is None or not is_of(study, Place(person, "trial", trial), stamp):
        return OTHER_STEP
    if trial.reply is not None:
        return Outcome("already")
    refusal = _refusal(study, at, trial, reply, now)
    if refusal is None:
        _store(connection, at, reply, now)
    return refusal or Outcome("stored")


def is_of(study: Study, at: Place, stamp: str) -> bool:
    """Whether a form was this step's; how long it takes tells nothing."""
    return hmac.compare_digest(nonce(study, at).encode(), stamp.encode())


def _refusal(study: Study, at: Place, trial: Trial, reply: Reply, now: float) -> Outcome | None:
    """Why a reply to a trial is not stored; None where it is."""
    if at.stage != "trial" or at.trial != trial or trial.shown_at is None:
        return OTHER_STEP
    question = study.description.question
    least = 0.0 if trial.kind == "training" else question.minimum_seconds
    missing = least - (now - trial.shown_at)
    if missing > 0:
        return Outcome("too-soon", seconds=missing)
    reason = fault(reply, question, trial.options)
    return Outcome("invalid", reason=reason) if reason else None


def _store(connection: Connection, at: Place, reply: Reply, now: float) -> None:
    trial = at.trial
    if trial is None or trial.shown_at is None:
        raise AssertionError("an answer belongs to a trial that was shown")
    seconds = max(0.0, now - trial.shown_at)
    row = {"trial": trial.id, "reply": plain_reply(reply), "stored_at": now, "seconds": seconds}
    connection.execute(_ANSWER, row)
    _finish(connection, at, now)


def _finish(connection: Connection, at: Place, now: float) -> None:
    """End the participation of who has nothing left to do: trials are met in their order."""
    trial, person = at.trial, at.participant
    feedback = trial is not None and trial.kind == "practice" and at.stage == "trial"
    if trial is not None and trial.position + 1 == person.trials and not feedback:
        _end(connection, person, "finished", now)


def leave(connection: Connection, person: Participant, now: float) -> None:
    """Stop one who takes part; answers are kept."""
    if person.state == "taking-part":
        _end(connection, person, "left", now)


def _end(
    connection: Connection, person: Participant, state: State, now: float, **values: object
) -> None:
    _set(connection, person, state=state, ended_at=now, **values)


def _set(connection: Connection, person: Participant, **values: object) -> None:
    row = update(participants).where(participants.c.number == person.number)
    connection.execute(row.values(**values))
