"""Copies of the answers that erasing reaches: those in the study's folder `backups/`."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from xbench import ParameterError
from xbench_study.answers.storage.database import Database, open_database, sqlite_url
from xbench_study.answers.storage.tables import erasures

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

BACKUPS = "backups"
PART = ".part"
"""What a copy is called until it is whole."""


def backup(book: "AnswerBook", now: float) -> Path:
    """Copy the answers as they are into the study's folder `backups/`; the file.

    `ParameterError` on PostgreSQL, whose own tools do it, and for a second copy in one second.
    """
    if not book.database.sqlite:
        raise ParameterError(
            "backups of PostgreSQL are made by pg_dump, and erasing does not reach them; "
            "keep them no longer than the information sheet says"
        )
    stamp = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(now))
    path = book.study.folder / BACKUPS / f"answers-{stamp}.sqlite"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists():
        raise ParameterError(f"{path} is there already; backups are at least a second apart")
    while not _copied(book, path):
        path.unlink()
    return path


def copies(book: "AnswerBook") -> list[Path]:
    """The study's backups, the oldest first."""
    return sorted((book.study.folder / BACKUPS).glob("*.sqlite"))


def open_copy(book: "AnswerBook", path: Path) -> Database:
    """A backup as a database; `ParameterError` for one of another study or schema."""
    return open_database(sqlite_url(path), book.study.identity)


def _copied(book: "AnswerBook", path: Path) -> bool:
    """Make a copy; whether nobody was erased meanwhile, who would be in it still."""
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    book.database.copy_to(part)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    copy = open_copy(book, path)
    same = _erased(copy) == _erased(book.database)
    copy.close()
    return same


def _erased(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(erasures.c.persons)).scalar_one()
