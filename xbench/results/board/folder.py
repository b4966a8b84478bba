"""The folder of a submission: written so that nothing travels that should not, read safely."""

import hashlib
import io
import json
import os
import re
import stat
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from xbench.errors import SubmissionError
from xbench.results.board.case_table import checked_scores
from xbench.results.board.machine_paths import machine_paths
from xbench.results.board.parquet import MIB, read_table
from xbench.results.board.strict_json import AGAIN, strict_json
from xbench.results.board.submission import (
    FORMAT,
    LONGEST,
    MANIFEST,
    RECORD,
    ROWS,
    SCORES,
    Manifest,
    Submission,
    rows_name,
)
from xbench.results.record import SCHEMA, Record

SIZES = {MANIFEST: 64 * 1024, RECORD: 4 * MIB}
"""Bytes that a file may have; tables may have `MOST_TABLE`."""
MOST_TABLE = 64 * MIB
LONGEST_IN_RECORD = 4000
MOST_REPEATS = 64


def write_submission(
    folder: Path,
    fields: Mapping[str, Any],
    record: Record,
    scores: pa.Table,
    rows: Sequence[pa.Table] = (),
    *,
    shown: Path | None = None,
) -> Submission:
    """Write a new folder, and give back what can be read from it.

    `fields` are those of `submission.json`; format, benchmark, key and files are filled in.
    `shown` is what messages call the folder.
    `SubmissionError` where the folder is there, or anything does not travel: then nothing is
    written.
    """
    if folder.exists() or folder.is_symlink():
        raise SubmissionError(f"{folder} is there already; name a folder that is not")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".submission-") as name:
        made = Path(name) / "whole"
        made.mkdir()
        for file, data in _files(fields, record, scores, rows).items():
            (made / file).write_bytes(data)
        submission = read_submission(made, shown=shown or folder)
        made.rename(folder)
    return submission


def _files(
    fields: Mapping[str, Any], record: Record, scores: pa.Table, rows: Sequence[pa.Table]
) -> dict[str, bytes]:
    tables = {SCORES: scores, **{rows_name(place): table for place, table in enumerate(rows)}}
    files = {RECORD: _json(travelling(record).model_dump(mode="json"))}
    files |= {name: _parquet(table) for name, table in tables.items()}
    manifest = {
        "format": FORMAT,
        "benchmark": record.benchmark,
        "benchmark_version": record.benchmark_version,
        "record_key": record.key,
        "files": {name: _stamp(data) for name, data in files.items()},
        **fields,
    }
    return {MANIFEST: _json(manifest), **files}


def travelling(record: Record) -> Record:
    """The record as it leaves a machine: without its seal, of the checkout only the commit."""
    git = record.git and {key: record.git[key] for key in ("commit", "dirty") if key in record.git}
    return record.model_copy(update={"checksum": None, "git": git})


def _json(tree: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(tree, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise SubmissionError(f"a submission cannot hold what it is given: {error}") from error


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd")
    return buffer.getvalue()


def _stamp(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def read_submission(folder: Path, *, shown: Path | None = None) -> Submission:
    """What a folder submits; `SubmissionError` says which file is wrong, where, and the way out.

    Nothing is believed: no file but the known ones is there, none is larger than it may be, all
    are what `submission.json` says, and neither plugins nor pickles are ever loaded. `shown` is
    what messages call the folder.
    """
    what = f"submission {shown or folder}"
    files = {name: _read(folder / name, what) for name in _names(folder, what)}
    manifest = _manifest(files, what)
    record = _record(files[RECORD], f"{what}: {RECORD}")
    tables = {
        name: read_table(data, f"{what}: {name}")
        for name, data in files.items()
        if name.endswith(".parquet")
    }
    scores = checked_scores(tables.pop(SCORES), record, f"{what}: {SCORES}")
    _check_rows(tables, record, what)
    rows = tuple(tables[rows_name(place)] for place in range(len(tables)))
    return Submission(manifest, record, scores, rows, files)


def _names(folder: Path, what: str) -> list[str]:
    """The files of the folder; `SubmissionError` for anything that is no file of a submission."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise SubmissionError(f"{what} is no folder; name the folder that holds {MANIFEST}")
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MOST_REPEATS + 4))
    except OSError as error:
        message = f"{what} cannot be read: {error.strerror}"
        raise SubmissionError(f"{message}; name a folder that holds {MANIFEST}") from error
    for name in names:
        if name not in (MANIFEST, RECORD, SCORES) and not ROWS.fullmatch(name):
            raise SubmissionError(
                f"{what} holds {name[:80]!a}, which has no place in it; remove it"
            )
    for name in (MANIFEST, RECORD, SCORES):
        if name not in names:
            raise SubmissionError(f"{what} has no file {name}; {AGAIN}")
    return names


def _read(path: Path, what: str) -> bytes:
    """The bytes of a file that is one, no link, not executable, and not too large."""
    most, name = SIZES.get(path.name, MOST_TABLE), path.name
    try:
        # neither follows a link nor waits for the other end of a pipe
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        if path.is_symlink():
            raise SubmissionError(f"{what}: {name} is a link; put the file itself there")
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            fault = _fault(status, most)
            data = b"" if fault else file.read(most + 1)
    except OSError as error:
        raise SubmissionError(f"{what}: {name} cannot be read: {error.strerror}") from error
    if fault or len(data) > most:
        raise SubmissionError(f"{what}: {name} {fault or 'grew while it was read'}; {AGAIN}")
    return data


def _fault(status: os.stat_result, most: int) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    if status.st_mode & 0o111 and os.name != "nt":
        return "is executable"
    return f"has {status.st_size} bytes, and at most {most} are allowed" * (status.st_size > most)


def _manifest(files: Mapping[str, bytes], what: str) -> Manifest:
    """What `submission.json` says, of exactly these files."""
    file = f"{what}: {MANIFEST}"
    tree = strict_json(files[MANIFEST], file, LONGEST)
    if isinstance(tree, dict) and tree.get("format") != FORMAT:
        message = f"{file}, at format: is {tree.get('format')!r:.20}, not {FORMAT}"
        raise SubmissionError(f"{message}; make the submission again with this xbench")
    manifest = _valid(Manifest, tree, file, "say it right and make the submission again")
    named, there = {MANIFEST, *manifest.files}, set(files)
    if named != there:
        name = min(named ^ there)
        raise SubmissionError(f"{what}: {name} is not both there and named by {MANIFEST}; {AGAIN}")
    for name, stated in manifest.files.items():
        if _stamp(files[name]) != stated.model_dump():
            raise SubmissionError(f"{what}: {name} is another file than {MANIFEST} says; {AGAIN}")
    return manifest


def _record(data: bytes, file: str) -> Record:
    tree = strict_json(data, file, LONGEST_IN_RECORD)
    schema = tree.get("record_schema") if isinstance(tree, dict) else None
    if isinstance(tree, dict) and schema != SCHEMA:
        message = f"{file}, at record_schema: is {schema!r:.20}, not {SCHEMA}"
        raise SubmissionError(f"{message}; run the entry again with a current xbench")
    record = _valid(Record, tree, file, AGAIN)
    for place, text in machine_paths(tree, file):
        message = f"{file}, at {place}: holds a path of a machine ({text[:80]!r})"
        raise SubmissionError(f"{message}; declare the parameter with location(), and run again")
    return record


def _valid(model: type[BaseModel], tree: Any, file: str, way_out: str) -> Any:
    try:
        return model.model_validate(tree, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part)[:80] for part in first["loc"]) or "the whole"
        wrong = re.sub(r"^Value error, ", "", first["msg"])
        raise SubmissionError(f"{file}, at {place}: {wrong[:300]}; {way_out}") from error


def _check_rows(tables: Mapping[str, pa.Table], record: Record, what: str) -> None:
    """Raise `SubmissionError` unless rows of each repeat are there, where they are needed."""
    repeats = len(record.rows) if record.compared_set is not None else 0
    needed = {rows_name(place) for place in range(min(repeats, MOST_REPEATS))}
    if repeats > MOST_REPEATS or needed != set(tables):
        there = f"{len(tables)} files of rows where its record asks for {repeats}"
        raise SubmissionError(f"{what} has {there}, of at most {MOST_REPEATS}; {AGAIN}")
    for name, table in tables.items():
        if "case" not in table.column_names:
            raise SubmissionError(f"{what}: {name} has no column 'case'; {AGAIN}")
