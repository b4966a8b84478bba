"""Stored records, found by what people call them, with their scores case by case."""

from collections.abc import Sequence
from pathlib import Path

from xbench.errors import RecordError
from xbench.results.record import Record, read_record_file
from xbench.results.stored.pairing import Judged
from xbench.results.stored.runs import SHORT, SHORTEST, StoredRecord
from xbench.running.storage.store import Store
from xbench.running.storage.stored_records import stored_records

CALLED = "write LABEL, LABEL@BENCHMARK, the first digits of its key, or its file"
MOST_NAMED = 6


def judged(name: str, store: Store) -> Judged:
    """The record that is called so, with its scores; those of a file lie in the file's store."""
    path = Path(name).expanduser()
    if path.suffix == ".json" or path.is_file():
        record = read_record_file(path)
        return with_scores(record, store_of(path) or store)
    return with_scores(record_called(name, stored_records(store).records, store.url), store)


def record_called(name: str, stored: Sequence[StoredRecord], where: str = "the store") -> Record:
    """The newest of the records with this label, or the one whose key begins so."""
    by_key = [
        of.record for of in stored if len(name) >= SHORTEST and of.record.key.startswith(name)
    ]
    if by_key:
        return _only(name, by_key)
    label, at, benchmark = name.rpartition("@")
    label, benchmark = (label, benchmark) if at else (name, "")
    called = [of.record for of in stored if _plain(of.record.label) == _plain(label)]
    if benchmark:
        called = [record for record in called if record.benchmark == benchmark]
    if not called:
        raise RecordError(f"no record in {where} is called {name!r}; {_known(stored)}")
    if len({record.benchmark for record in called}) > 1:
        choices = " or ".join(sorted({f"{label}@{record.benchmark}" for record in called}))
        raise RecordError(f"several records are called {name!r}; write {choices}")
    return max(called, key=lambda record: record.times.finished)


def _only(name: str, records: Sequence[Record]) -> Record:
    if len({record.key for record in records}) > 1:
        keys = ", ".join(sorted({record.key[: SHORT + 4] for record in records})[:MOST_NAMED])
        raise RecordError(f"several records begin with {name!r}: {keys}; write more digits")
    return records[0]


def _plain(label: str) -> str:
    """A label without case, signs and spaces."""
    return "".join(c for c in label.lower() if c.isalnum())


def _known(stored: Sequence[StoredRecord]) -> str:
    names = sorted({f"{of.record.label}@{of.record.benchmark}" for of in stored})
    if not names:
        return "it holds none; `xbench run` writes some, --store names another"
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{CALLED}. It holds {', '.join(names[:MOST_NAMED])}{more}"


def store_of(path: Path) -> Store | None:
    """The store that the file of a record lies in, if it lies in one."""
    folder = path.absolute().parent.parent
    return Store(str(folder.parent)) if folder.name == "records" else None


def with_scores(record: Record, store: Store) -> Judged:
    """The record with its scores case by case, from the store that it was written to."""
    if record.scores_file is None:
        raise RecordError(
            f"the record of {record.label!r} ({record.key[:SHORT]}) has no scores case by case: it "
            "was written by an earlier version; run the same command again"
        )
    table = store.scores(record.scores_file.path)
    if table is None:
        raise RecordError(
            f"scores of {record.label!r} ({record.key[:SHORT]}) are not in store {store.url!r}, or "
            "are damaged there; name its store with --store, or run the same command again"
        )
    return Judged(record, table)
