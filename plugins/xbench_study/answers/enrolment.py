"""How a person becomes a participant, once."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from xbench import ParameterError
from xbench_study.answers.assignment import Slot, assigned, loads
from xbench_study.answers.progress import token_digest
from xbench_study.answers.sequence import sequence
from xbench_study.answers.steps import Platform
from xbench_study.answers.storage.keyed import keyed
from xbench_study.answers.storage.tables import invitations, participants, platforms, tokens, trials
from xbench_study.material.study import Study


@dataclass(frozen=True)
class Newcomer:
    """Who consents."""

    consent: str
    platform: Platform | None = None
    invitation: str = ""
    pilot: bool = False
    ticket: str = ""
    """What the form of consent had: the same form sent twice is one consent."""


def enrolled(connection: Connection, study: Study, who: Newcomer, now: float) -> int | None:
    """The number of the participant, who may be one already; None where the study is full."""
    known = _known(connection, study, who)
    if known is not None:
        return known
    seed = secrets.randbits(31)
    load = {} if who.pilot else loads(connection, study, now)
    chosen = assigned(study, load, seed)
    if not chosen:
        return None
    number = _person(connection, study, who, (chosen, seed, now))
    _note_origin(connection, study, who, number)
    return number


def is_full(connection: Connection, study: Study, who: Newcomer, now: float) -> bool:
    """Whether there is no place for a person who would consent now, and is no participant yet."""
    known = _known(connection, study, who)
    return known is None and not assigned(study, loads(connection, study, now), 0)


def new_token(connection: Connection, study: Study, number: int) -> str:
    """A token of a participant; older ones stay good."""
    token = secrets.token_urlsafe(32)
    digest = token_digest(study, token)
    connection.execute(insert(tokens).values(digest=digest, participant=number))
    return token


def invited(connection: Connection, study: Study, count: int) -> list[str]:
    """New invitations; only their hashes are kept."""
    words = [secrets.token_urlsafe(24) for _ in range(count)]
    connection.execute(
        insert(invitations), [{"digest": invitation_digest(study, word)} for word in words]
    )
    return words


def invitation_digest(study: Study, invitation: str) -> str:
    """What is kept of an invitation."""
    return keyed(study.secret, "invitation", invitation)


def ticket_digest(study: Study, ticket: str) -> str:
    """What is kept of a form of consent."""
    return keyed(study.secret, "ticket", ticket)


def _known(connection: Connection, study: Study, who: Newcomer) -> int | None:
    """The participant of this platform's name or invitation; an invitation has to be ours."""
    number: int | None = None
    if who.ticket:
        digest = ticket_digest(study, who.ticket)
        sent = select(invitations.c.participant).where(invitations.c.digest == digest)
        number = connection.execute(sent).scalar()
    if who.invitation:
        digest = invitation_digest(study, who.invitation)
        query = select(invitations.c.participant).where(invitations.c.digest == digest)
        row = connection.execute(query).first()
        if row is None:
            raise ParameterError("this invitation is none of the study's; ask for another link")
        number = row.participant
    if number is None and who.platform:
        query = select(platforms.c.participant)
        named = query.where(platforms.c.name == who.platform.participant)
        number = connection.execute(named).scalar()
    return number


def _person(
    connection: Connection, study: Study, who: Newcomer, drawn: tuple[list[Slot], int, float]
) -> int:
    """The number of a new participant, whose trials are laid out."""
    slots, seed, now = drawn
    rows = sequence(study, slots, seed)
    between = study.description.assignment.conditions == "between"
    person = insert(participants).values(
        condition=slots[0].condition if between else "",
        state="taking-part",
        pilot=who.pilot,
        consent=who.consent,
        seed=seed,
        trials=len(rows),
        started_at=now,
    )
    number = connection.execute(person.returning(participants.c.number)).scalar_one()
    connection.execute(insert(trials), [{**row, "participant": number} for row in rows])
    return number


def _note_origin(connection: Connection, study: Study, who: Newcomer, number: int) -> None:
    if who.platform:
        name, where, session = who.platform.participant, who.platform.study, who.platform.session
        row = insert(platforms).values(name=name, study=where, session=session, participant=number)
        connection.execute(row)
    if who.invitation:
        digest = invitation_digest(study, who.invitation)
        used = update(invitations).where(invitations.c.digest == digest)
        connection.execute(used.values(participant=number))
    elif who.ticket:
        digest = ticket_digest(study, who.ticket)
        connection.execute(insert(invitations).values(digest=digest, participant=number))
