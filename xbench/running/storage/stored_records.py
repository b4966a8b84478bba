"""The records of a store, those that cannot be read told apart."""

import json
from typing import NamedTuple

from xbench.errors import RecordError
from xbench.results.record import Record, read_record
from xbench.results.stored.runs import StoredRecord
from xbench.running.storage.store import Store
from xbench.running.storage.store_files import STRANGE

FOLDER = "records/"


class Holdings(NamedTuple):
    """What of a store's records can be read, and a line for each of the others."""

    records: list[StoredRecord]
    problems: list[str]


def stored_records(store: Store) -> Holdings:
    """All records of a store; one without a right seal is told of, and taken if it is whole."""
    holdings = Holdings([], [])
    for path in store.files.listed(FOLDER):
        if path.endswith(".json"):
            record, problem = _read(store, path)
            holdings.problems.extend(problem)
            if record is not None:
                holdings.records.append(StoredRecord(path.removeprefix(FOLDER), record))
    return holdings


def _read(store: Store, path: str) -> tuple[Record | None, list[str]]:
    what = f"record {store.files.path(path)}"
    sealed = store.record(path.removeprefix(FOLDER))
    try:
        record = read_record(sealed if sealed is not None else _unsealed(store, path), path)
    except RecordError as error:
        return None, [f"{what} is left out: {error}"]
    except (OSError, RecursionError, *STRANGE):
        return None, [f"{what} is left out: it is damaged; `xbench store gc` removes it"]
    return record, [] if sealed is not None else [f"{what} was changed after it was written"]


def _unsealed(store: Store, path: str) -> object:
    with store.files.open(path) as file:
        return json.load(file)
