"""A study's database: SQLite by default, or PostgreSQL by its URL."""

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from xbench import MissingPackageError, ParameterError, RunError
from xbench_study.answers.storage.tables import SCHEMA, book, erasures, metadata

PRAGMAS = ("foreign_keys=ON", "busy_timeout=20000", "synchronous=FULL", "secure_delete=ON")
"""Of every connection: rows go with their person, a commit is on the disk unless its transaction
says otherwise, what is deleted is overwritten."""
LOCK = 0x78_62_65_6E_63_68
"""What those wait for who enrol on PostgreSQL: an arbitrary number."""
CONNECTIONS = 12
"""How many stay open: one for each thread of the server, and some more."""
IDLE = 1.0
"""Seconds after which a connection to PostgreSQL is tried before it is used again."""
PATIENCE = 20.0
"""Seconds in which other readers have to let go of SQLite's log."""


@dataclass(frozen=True)
class Database:
    """An open database that has the tables of one study."""

    engine: Engine
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Writers of this process wait here, in turn, and not on SQLite's lock, which polls."""

    @property
    def sqlite(self) -> bool:
        """Whether it is a file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; all of SQLite's statements see the same moment."""
        if self.sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self.engine.connect() as connection:  # every statement sees its own moment anyway
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def writing(
        self, *, alone: bool = False, lasting: bool = True, shut: Table | None = None
    ) -> Iterator[Connection]:
        """A transaction that is on the disk when this ends; `alone`, no other such one runs.

        Nobody else writes into the table `shut` meanwhile; it begins when those who do are done.

        One that is not `lasting` outlives this program, but is on the disk with the next one that
        is: a power cut may take it, and nobody waits for the disk.
        """
        if not self.sqlite:
            with self.engine.begin() as connection:
                if alone:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
                if shut is not None:
                    connection.execute(text(f"LOCK TABLE {shut.name} IN SHARE MODE"))
                if not lasting:
                    connection.execute(text("SET LOCAL synchronous_commit TO OFF"))
                yield connection
            return
        with self.engine.connect() as waiting, self.turn:
            connection = waiting.execution_options(writes="FULL" if lasting else "NORMAL")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def copy_to(self, path: Path) -> None:
        """Copy a SQLite database as it is now into a new file that only its owner may read."""
        path.touch(mode=0o600)
        with self.engine.connect() as connection:
            free = connection.execution_options(free=True)
            free.exec_driver_sql("VACUUM INTO ?", (str(path),))
        with path.open("rb+") as file:
            os.fsync(file.fileno())

    def sweep(self) -> None:
        """Leave no byte of deleted rows in the database's files.

        SQLite's pages are written anew and its log is cut to nothing; of PostgreSQL the tables
        are: what its write-ahead log and archives keep is for whoever runs it to remove.
        """
        with self.reading() as connection:
            deletions = connection.execute(select(erasures.c.deletions)).scalar_one()
        if self.sqlite:
            with self.turn:
                self._cut_log()
                self._plain("VACUUM")
                self._cut_log()
        else:
            self._vacuum()
        with self.writing() as connection:
            connection.execute(update(erasures).values(swept=deletions))

    def sweep_the_rest(self) -> None:
        """Sweep if a deletion was interrupted before its sweeping."""
        with self.reading() as connection:
            query = select(erasures.c.deletions != erasures.c.swept)
            unswept = connection.execute(query).scalar_one()
        if unswept:
            self.sweep()

    def _vacuum(self) -> None:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        with self.engine.connect() as connection:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            free.execute(text(f"VACUUM FULL {names}"))

    def _cut_log(self) -> None:
        """Move all of SQLite's log into the database, and cut the log to no bytes."""
        end = time.monotonic() + PATIENCE
        while self._plain("PRAGMA wal_checkpoint(TRUNCATE)"):
            if time.monotonic() > end:
                raise RunError(
                    f"{self.engine.url.database}: rows are deleted, but another program holds the "
                    "database's log, which may still have them; end it and erase once more"
                )
            time.sleep(0.02)

    def _plain(self, statement: str) -> int:
        """What a statement outside all transactions gives first, 0 where it gives nothing."""
        with self.engine.connect() as connection:
            free = connection.execution_options(free=True)
            rows = free.exec_driver_sql(statement)
            return int(rows.scalar() or 0) if rows.returns_rows else 0


def open_database(url: str, identity: str) -> Database:
    """The study's database, made where there is none.

    `ParameterError` for a URL of nothing known, and for a database of another study, another
    schema or other tables, which stays as it is.
    """
    engine = _engine(_address(url))
    database = Database(engine)
    _keep_private(engine.url)
    try:
        with database.writing(alone=True) as connection:
            _begin_book(connection, identity)
        _log_ahead(database)
        database.sweep_the_rest()
    except DatabaseError as error:
        engine.dispose()
        raise ParameterError(f"{_shown(engine.url)} cannot be used: {error.orig}") from error
    except ParameterError:
        engine.dispose()
        raise
    return database


def _keep_private(url: URL) -> None:
    """Make a new file of SQLite one that only its owner may read, as its log will be."""
    path = Path(url.database or "")
    if url.drivername == "sqlite" and path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def sqlite_url(path: Path) -> str:
    """The URL of a file."""
    url = URL.create("sqlite", database=str(path))
    return url.render_as_string(hide_password=False)


def _shown(url: URL) -> str:
    """What messages call a database: its file, or its URL without the password."""
    name = url.database if url.drivername == "sqlite" else url.render_as_string()
    return f"database {name}"


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ParameterError("the database's URL cannot be read; " + _ways()) from error
    if address.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if find_spec("psycopg") is None:
            raise MissingPackageError(
                "answers in PostgreSQL need the package psycopg: pip install 'psycopg[binary]'"
            )
        return address.set(drivername="postgresql+psycopg")
    if address.drivername != "sqlite" or address.database in (None, "", ":memory:"):
        raise ParameterError(f"{address.render_as_string()} is no database for answers; {_ways()}")
    return address


def _ways() -> str:
    return "it is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


def _engine(url: URL) -> Engine:
    engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=32)
    if url.drivername == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_reach, engine.dialect))
    return engine


def _note_use(connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _reach(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, proxy: object) -> None:
    """Have all connections made anew where one that lay idle leads to no server any more.

    One that was just in use is not tried: that would cost every request a way there and back.
    """
    if time.monotonic() - record.info.get("used", math.inf) < IDLE:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _prepare(connection: Any, record: object) -> None:
    """Set up a connection to SQLite; transactions begin where we say so."""
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA temp_store=MEMORY")  # no copy of answers in a temporary file


def _begin(connection: Connection) -> None:
    """Begin; who will write waits now, since a lock cannot be raised later without failing."""
    options = connection.get_execution_options()
    if writes := options.get("writes"):
        connection.exec_driver_sql(f"PRAGMA synchronous={writes}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif not options.get("free"):
        connection.exec_driver_sql("BEGIN")


def _begin_book(connection: Connection, identity: str) -> None:
    """Make the tables of an empty database, or check those that are there."""
    names = inspect(connection).get_table_names()
    if not names:
        metadata.create_all(connection)
        connection.execute(insert(book).values(schema=SCHEMA, study=identity))
        connection.execute(insert(erasures).values(persons=0, deletions=0, swept=0))
        return
    shown = _shown(connection.engine.url)
    if book.name not in names:
        raise ParameterError(
            f"{shown} holds something else (table {names[0]}); give the study an empty database"
        )
    _check_book(connection, identity, shown)
    metadata.create_all(connection)  # tables that this schema got later


def _check_book(connection: Connection, identity: str, shown: str) -> None:
    schema, study = connection.execute(select(book.c.schema, book.c.study)).one()
    if schema != SCHEMA:
        raise ParameterError(
            f"{shown} has schema {schema}, and this version of xbench writes schema {SCHEMA}; "
            "go on with the version that made it, and export the answers with that one"
        )
    if study != identity:
        raise ParameterError(
            f"{shown} has the answers of another study: its items or its key.json are other ones; "
            "serve the folder that it was made for, or give this study an empty database"
        )


def _log_ahead(database: Database) -> None:
    """Have SQLite write its log ahead; only now, for a file that is refused stays as it is."""
    if database.sqlite:
        with database.engine.connect() as connection:
            connection.execution_options(free=True).exec_driver_sql("PRAGMA journal_mode=WAL")
