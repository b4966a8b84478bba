"""Rights over what is stored: erasing persons, and what platforms call them, wherever it lies."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, delete, or_, select, update

from xbench import ParameterError, RunError, XbenchError
from xbench_study.answers.backups import copies, open_copy
from xbench_study.answers.progress import token_digest
from xbench_study.answers.storage.database import Database
from xbench_study.answers.storage.keyed import participant_key
from xbench_study.answers.storage.tables import (
    erasures,
    invitations,
    participants,
    platforms,
    tokens,
)

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

DAY = 24 * 3600.0


class Traces(NamedTuple):
    """What leads to persons in the database and in each of its copies."""

    digests: frozenset[str]
    """Of their tokens."""
    names: frozenset[str]
    """What platforms call them."""


def erase_token(book: "AnswerBook", token: str) -> bool:
    """Erase the person whose token it is, everywhere; whether there was one."""
    return _erase(book, Traces(frozenset({token_digest(book.study, token)}), frozenset()))


def erase(book: "AnswerBook", *, platform: str = "", participant: str = "") -> bool:
    """Erase the person whom a platform, or an export, calls so; whether there was one.

    In the database, its log and the study's backups nothing is left but the count of persons
    erased. Files that were exported are not reached.
    """
    if bool(platform) == bool(participant):
        raise ParameterError(
            "who is erased is said by a platform's name or by an export's, one of them"
        )
    if platform:
        return _erase(book, Traces(frozenset(), frozenset({platform})))
    with book.database.reading() as connection:
        numbers = connection.execute(select(participants.c.number)).scalars()
        keys = {participant_key(book.study.secret, number): number for number in numbers}
        traces = _traces(connection, [keys[participant]] if participant in keys else [])
    return bool(traces.digests | traces.names) and _erase(book, traces)


def expire(book: "AnswerBook", now: float, days: float) -> int:
    """Delete what platforms call persons who began more than so many days ago; how many rows.

    Their invitations, which may stand in a list of addresses, go as well. Answers stay, and
    nothing in the database or its backups leads from them to a person; the personal link still
    erases them.
    """
    old = select(participants.c.number).where(participants.c.started_at < now - days * DAY)
    tables = (platforms, invitations)
    deletions = [delete(table).where(table.c.participant.in_(old)) for table in tables]

    def clear(connection: Connection) -> int:
        return sum(connection.execute(deletion).rowcount for deletion in deletions)

    return _everywhere(book, clear)


def _erase(book: "AnswerBook", traces: Traces) -> bool:
    with book.database.reading() as connection:
        more = _traces(connection, _numbers(connection, traces))
    whole = Traces(traces.digests | more.digests, traces.names | more.names)
    return _everywhere(book, lambda connection: _clear(connection, whole)) > 0


def _numbers(connection: Connection, traces: Traces) -> list[int]:
    """The numbers that these persons have in a database."""
    query = (
        select(participants.c.number)
        .outerjoin(tokens, tokens.c.participant == participants.c.number)
        .outerjoin(platforms, platforms.c.participant == participants.c.number)
        .where(or_(tokens.c.digest.in_(traces.digests), platforms.c.name.in_(traces.names)))
    )
    return list(connection.execute(query.distinct()).scalars())


def _traces(connection: Connection, numbers: Sequence[int]) -> Traces:
    digests = select(tokens.c.digest).where(tokens.c.participant.in_(numbers))
    names = select(platforms.c.name).where(platforms.c.participant.in_(numbers))
    return Traces(
        frozenset(connection.execute(digests).scalars()),
        frozenset(connection.execute(names).scalars()),
    )


def _clear(connection: Connection, traces: Traces) -> int:
    """Delete these persons' rows, which all go with the participant's; how many persons."""
    numbers = _numbers(connection, traces)
    if numbers:
        connection.execute(delete(participants).where(participants.c.number.in_(numbers)))
        connection.execute(update(erasures).values(persons=erasures.c.persons + len(numbers)))
    return len(numbers)


def _everywhere(book: "AnswerBook", clear: Callable[[Connection], int]) -> int:
    """Clear the copies, then the database, then copies that were made meanwhile; the most rows.

    Copies come first: what is interrupted can be asked for again. `RunError`, when all else is
    cleared, for copies that cannot be opened.
    """
    failed: list[str] = []
    before = copies(book)
    counts = list(_cleared_copies(book, before, clear, failed))
    counts.append(_cleared(book.database, clear))
    since = [path for path in copies(book) if path not in before]
    counts += _cleared_copies(book, since, clear, failed)
    if failed:
        raise RunError(
            f"all is deleted but what these backups hold: {'; '.join(failed)}; remove them"
        )
    return max(counts)


def _cleared_copies(
    book: "AnswerBook", paths: Sequence[Path], clear: Callable[[Connection], int], failed: list[str]
) -> Iterator[int]:
    for path in paths:
        try:
            copy = open_copy(book, path)
        except XbenchError as error:
            failed.append(str(error))
            continue
        yield _cleared(copy, clear)
        copy.close()


def _cleared(database: Database, clear: Callable[[Connection], int]) -> int:
    with database.writing(alone=True) as connection:
        count = clear(connection)
        if count:
            connection.execute(update(erasures).values(deletions=erasures.c.deletions + 1))
    if count:
        database.sweep()
    return count
