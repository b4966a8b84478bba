"""Submitting: stored records become folders that travel to a board."""

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import pyarrow as pa

from xbench.api.setting import opened_store
from xbench.api.stored import record_called, store_of, with_scores
from xbench.components.registry import FIRST_PARTY
from xbench.errors import RecordError, RunError, SubmissionError, UnknownNameError
from xbench.results.board.checks import check
from xbench.results.board.folder import write_submission
from xbench.results.record import Record, read_record_file
from xbench.results.stored.runs import SHORT, SHORTEST, StoredRun, run_called, stored_runs
from xbench.running.outcome import record_rows
from xbench.running.storage.store import Store
from xbench.running.storage.stored_records import stored_records

LONGEST_NAME = 80
Named = str | os.PathLike[str] | Record
"""A record, or what one or a run is called."""


class _Stored(NamedTuple):
    """A record, and the store that has its scores and rows."""

    record: Record
    store: Store


class _Parcel(NamedTuple):
    """All that a submission is written from."""

    name: str
    fields: dict[str, Any]
    record: Record
    scores: pa.Table
    rows: tuple[pa.Table, ...]


class Said(TypedDict, total=False):
    """What a submitter may say of an entry; what is left out follows from the record."""

    name: str | None
    """On the board; from the label."""
    licence: str
    """Of the submission, as an SPDX expression; CC-BY-4.0."""
    paper: str | None
    code: str | None
    plugin: str | None
    """What provides the components: a distribution or a link; from the record."""
    uses_annotations: bool | None
    """Whether it is told what annotations say of an image; a ceiling is."""
    uses_labels: bool
    tuned_on: Sequence[str]
    """The splits on which anything was chosen."""
    tried: int
    """How many configurations were evaluated, this one included; 1."""
    extra_data: str
    supersedes: str | None
    """The key of the entry of this name whose place it takes."""


def submit(
    entries: Named | Sequence[Named],
    out: str | os.PathLike[str],
    *,
    contact: str,
    floors: bool = False,
    store: str | os.PathLike[str] | None = None,
    on: date | None = None,
    **said: Unpack[Said],
) -> list[Path]:
    """Write a folder below `out` for each entry: what travels to a board. Their paths.

    `entries` are records, or what `xbench compare` calls them; or the number of a run in
    `xbench results`, for all of its entries, with `floors` also its floors and ceilings.
    `contact` says whom to ask; what else can be said is what `xbench submit` has options for.
    `SubmissionError`, or another `UsageError`, where one cannot be submitted: then nothing is
    written.
    """
    for key in said.keys() - Said.__annotations__.keys():
        raise UnknownNameError("keyword of submit", key, Said.__annotations__)
    opened = opened_store(None if store is None else os.fspath(store))
    asked = [entries] if isinstance(entries, (str, os.PathLike, Record)) else list(entries)
    stored = [one for of in asked for one in _stored(of, opened, floors=floors)]
    if len(stored) > 1 and (said.get("name") or said.get("supersedes")):
        message = f"{len(stored)} entries cannot share a name, or supersede one"
        raise SubmissionError(f"{message}; submit one at a time with --name and --supersedes")
    made = {"contact": contact, "made": (on or datetime.now(UTC).date()).isoformat()}
    return _written(
        Path(out), [_parcel(one, {**made, **_fields(one.record, said)}) for one in stored]
    )


def _stored(of: Named, store: Store, *, floors: bool) -> list[_Stored]:
    """The records that are called so; `SubmissionError` for a run that is not whole."""
    if isinstance(of, Record):
        return [_Stored(of, store)]
    name = os.fspath(of)
    path = Path(name).expanduser()
    if path.suffix == ".json" or path.is_file():
        return [_Stored(read_record_file(path), store_of(path) or store)]
    known = stored_records(store).records
    if name.isdigit() and len(name) < SHORTEST:
        run = run_called(name, stored_runs(known))
        return [_Stored(record, store) for record in _of_run(run, name, floors=floors)]
    return [_Stored(record_called(name, known, store.url), store)]


def _of_run(run: StoredRun, name: str, *, floors: bool) -> list[Record]:
    first = run.records[0]
    if run.missing:
        message = f"{run.missing} entries of run {name} have no record in the store"
        raise SubmissionError(f"{message}; {_again(first)}, or name the entries to submit")
    return [record for record in run.records if floors or record.role == "entry"]


def _parcel(stored: _Stored, fields: dict[str, Any]) -> _Parcel:
    """What the submission of a record is written from; `SubmissionError` where something lacks."""
    record = stored.record
    for fault in _faults(record):
        what = f"{record.label!r} ({record.key[:SHORT]}) cannot be submitted"
        raise SubmissionError(f"{what}: {fault}; {_again(record)}")
    scores = with_scores(record, stored.store).scores
    rows = tuple(_rows(stored)) if record.compared_set is not None else ()
    return _Parcel(fields["name"], fields, record, scores, rows)


def _again(record: Record) -> str:
    """The command by which a record becomes whole."""
    return f"run it whole, as it was otherwise: xbench run --benchmark {record.benchmark} …"


def _faults(record: Record) -> Iterator[str]:
    """Why a record is no entry of a board, as far as it says so itself."""
    if record.source != "run here":
        yield "its figures are those of a publication"
    if record.status == "awaiting-answers":
        yield f"{record.awaited} answers are still to come"
    if record.status == "failed" or record.failure:
        yield f"it failed ({record.failure})"
    if record.limited_to is not None:
        yield f"only {record.limited_to} cases were evaluated (--limit)"
    if record.heading is None:
        yield "it was written by an earlier version"


def _rows(stored: _Stored) -> Iterator[pa.Table]:
    """The rows of each repeat, by which a board scores the entry beside others."""
    try:
        yield from record_rows(stored.record, stored.store)
    except RunError as error:
        raise RecordError(f"{error}: a board scores them again beside others") from error


def _fields(record: Record, said: Said) -> dict[str, Any]:
    """The fields of `submission.json`, with what follows from the record."""
    given = said.get("uses_annotations")
    declarations = {
        "uses_annotations": record.role == "ceiling" if given is None else given,
        "uses_labels": said.get("uses_labels", False),
        "tuned_on": list(dict.fromkeys(said.get("tuned_on", ()))) or ["none"],
        "configurations_tried": said.get("tried", 1),
        "extra_training_data": said.get("extra_data", ""),
    }
    links = {"paper": said.get("paper"), "code": said.get("code"), "plugin": said.get("plugin")}
    return {
        "name": said.get("name") or _slug(record.label),
        "licence": said.get("licence", "CC-BY-4.0"),
        "links": {**links, "plugin": links["plugin"] or distribution(record.components)},
        "declarations": declarations,
        "supersedes": said.get("supersedes"),
    }


def _slug(label: str) -> str:
    """A label as a name on a board."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")
    if not name:
        raise SubmissionError(f"no name follows from the label {label!r}; say one with --name")
    return name


def distribution(tree: Any) -> str | None:
    """The first third party's distribution that a component of a record is of."""
    if isinstance(tree, dict):
        own = tree.get("distribution")
        if isinstance(own, str) and own != FIRST_PARTY:
            return own
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return next(filter(None, map(distribution, inner)), None)


def _written(out: Path, parcels: Sequence[_Parcel]) -> list[Path]:
    """The folders, all of them or none."""
    folders = [out / parcel.name for parcel in parcels]
    for folder in folders:
        if folders.count(folder) > 1:
            message = f"two entries would be called {folder.name!r}"
            raise SubmissionError(f"{message}; submit one of them alone, with another --name")
        if folder.exists() or folder.is_symlink():
            message = f"{folder} is there already"
            raise SubmissionError(f"{message}; remove it, or name another folder with --out")
    above = next(path for path in (out, *out.absolute().parents) if path.is_dir())
    with tempfile.TemporaryDirectory(dir=above, prefix=".submitting-") as name:
        for parcel, folder in zip(parcels, folders, strict=True):
            made = Path(name) / parcel.name
            what = (parcel.fields, parcel.record, parcel.scores, parcel.rows)
            check(write_submission(made, *what, shown=folder))
        out.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            (Path(name) / folder.name).rename(folder)
    return folders
