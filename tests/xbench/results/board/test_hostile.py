"""Hostile submissions: each is refused, and the message says why."""

import copy
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from small_submissions import FIELDS, made_up, record_of, table_of
from xbench.errors import SubmissionError
from xbench.results.board.checks import check
from xbench.results.board.folder import read_submission, write_submission

SCRIPT = "<script>alert(1)</script>"
KNOWN = {f"test/{number}" for number in range(2000000, 2000012)}


class Draft:
    """A submission that is about to become hostile."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = json.loads((folder / "submission.json").read_text())
        self.record = json.loads((folder / "record.json").read_text())
        self.scores = pq.read_table(folder / "scores.parquet")
        self.raw = {}
        """Bytes of files that are no more what the trees and the table say."""

    def seal(self):
        """Write all files; the hashes are right."""
        files = {
            "record.json": json.dumps(self.record).encode(),
            "scores.parquet": parquet(self.scores),
            **{name: data for name, data in self.raw.items() if name != "submission.json"},
        }
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
            stamp = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            if name in self.manifest["files"] and self.manifest["files"][name] is not None:
                self.manifest["files"][name] = stamp
        text = self.raw.get("submission.json") or json.dumps(self.manifest).encode()
        (self.folder / "submission.json").write_bytes(text)


def parquet(table, **options):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **{"compression": "zstd", **options})
    return buffer.getvalue()


class Hostile(NamedTuple):
    reason: str
    before: Callable[[Draft], object] = lambda draft: None
    """Done to what is written, before hashes are made."""
    after: Callable[[Path], object] = lambda folder: None
    """Done to the files."""


def put(tree, value, *places):
    """A change of one field of a tree of the draft."""

    def change(draft):
        node = getattr(draft, tree)
        for place in places[:-1]:
            node = node[place]
        node[places[-1]] = value

    return change


def manifest(value, *places):
    return put("manifest", value, *places)


def record(value, *places):
    return put("record", value, *places)


def text(file, old, new, count=1):
    """A change of the bytes of a JSON file."""

    def change(draft):
        tree = draft.manifest if file == "submission.json" else draft.record
        data = json.dumps(tree).encode()
        assert old in data
        draft.raw[file] = data.replace(old, new, count)

    return change


def raw(file, data):
    return lambda draft: draft.raw.update({file: data})


def table(change, **options):
    """A change of the table of scores."""

    def of(draft):
        draft.raw["scores.parquet"] = parquet(change(draft.scores), **options)

    return of


def column(name, values):
    """The same table, one column of other values."""

    def change(scores):
        place = scores.column_names.index(name)
        made = values(scores[name].to_pylist())
        kind = scores.schema.field(name).type if not isinstance(made, pa.Array) else made.type
        return scores.set_column(
            place, name, made if isinstance(made, pa.Array) else pa.array(made, kind)
        )

    return table(change)


def first(value):
    return lambda values: [value, *values[1:]]


def varint(number):
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def footer(old, new, count=-1):
    """Another footer of the table of scores: it lies."""

    def change(draft):
        data = parquet(draft.scores)
        length = int.from_bytes(data[-8:-4], "little")
        body, end = data[: -8 - length], data[-8 - length : -8]
        assert old in end
        end = end.replace(old, new, count)
        draft.raw["scores.parquet"] = body + end + len(end).to_bytes(4, "little") + b"PAR1"

    return change


def first_page(size):
    """The first page claims to unpack to so many bytes, in as many digits."""

    def change(draft):
        data = parquet(draft.scores)
        assert data[4:7] == b"\x15\x04\x15"  # a page with a dictionary, and then its size
        assert data[7] >= 128 > data[8]
        assert len(varint(2 * size)) == 2
        draft.raw["scores.parquet"] = data[:7] + varint(2 * size) + data[9:]

    return change


def of_one_word(word, rows=48):
    return lambda _: _flat([word] * rows)


def _flat(cases):
    rows = len(cases)
    return pa.table(
        {
            "case": pa.array(cases).dictionary_encode(),
            "cluster": pa.array(["x"] * rows).dictionary_encode(),
            "repeat": pa.array(np.zeros(rows), pa.int32()),
            "score": pa.array(["hits"] * rows).dictionary_encode(),
            "value": pa.array(np.zeros(rows)),
        }
    )


def bad_utf8(scores):
    offsets = pa.py_buffer(np.arange(len(scores) + 1, dtype=np.int32).tobytes())
    words = pa.Array.from_buffers(
        pa.string(), len(scores), [None, offsets, pa.py_buffer(b"\xff" * len(scores))]
    )
    return scores.set_column(0, "case", words)


def sparse(name, size=100_000_000):
    return lambda folder: os.truncate(folder / name, size)


def link(name):
    def change(folder):
        outside = folder.parent / "outside"
        (folder / name).rename(outside)
        (folder / name).symlink_to(outside)

    return change


def replaced(name, make):
    def change(folder):
        (folder / name).unlink()
        make(folder / name)

    return change


def nested(depth):
    tree = []
    for _ in range(depth):
        tree = [tree]
    return tree


FILES = {
    "a link to a table outside": Hostile("scores.parquet is a link", after=link("scores.parquet")),
    "a link to a record outside": Hostile("record.json is a link", after=link("record.json")),
    "a link to the manifest": Hostile("submission.json is a link", after=link("submission.json")),
    "a pipe": Hostile("record.json is no file", after=replaced("record.json", os.mkfifo)),
    "a folder for a file": Hostile(
        "scores.parquet (is no file|cannot be read)", after=replaced("scores.parquet", Path.mkdir)
    ),
    "an executable": Hostile(
        "record.json is executable", after=lambda folder: (folder / "record.json").chmod(0o755)
    ),
    "a module beside": Hostile(
        "holds 'plugin.py', which has no place in it; remove it",
        after=lambda folder: (folder / "plugin.py").write_text("import os"),
    ),
    "a pickle beside": Hostile(
        "holds 'scores.pkl', which has no place",
        after=lambda folder: (folder / "scores.pkl").write_bytes(b"cos\nsystem\n(S'x'\ntR."),
    ),
    "a hidden file": Hostile(
        "holds '.git', which has no place", after=lambda folder: (folder / ".git").touch()
    ),
    "a folder beside": Hostile(
        "holds 'more', which has no place", after=lambda folder: (folder / "more").mkdir()
    ),
    "many files": Hostile(
        "which has no place",
        after=lambda folder: [(folder / f"a{n}").touch() for n in range(200)],
    ),
    "rows that nobody asked for": Hostile(
        "rows-0.parquet is not both there and named",
        after=lambda folder: (folder / "rows-0.parquet").touch(),
    ),
    "rows of a repeat that has a zero too much": Hostile(
        "holds 'rows-00.parquet', which has no place",
        after=lambda folder: (folder / "rows-00.parquet").touch(),
    ),
    "no record": Hostile(
        "has no file record.json", after=lambda folder: (folder / "record.json").unlink()
    ),
    "no table": Hostile(
        "has no file scores.parquet", after=lambda folder: (folder / "scores.parquet").unlink()
    ),
    "no manifest": Hostile(
        "has no file submission.json", after=lambda folder: (folder / "submission.json").unlink()
    ),
    "a manifest of 100 MB": Hostile(
        "submission.json has 100000000 bytes, and at most 65536", after=sparse("submission.json")
    ),
    "a record of 100 MB": Hostile(
        "record.json has 100000000 bytes, and at most 4194304", after=sparse("record.json")
    ),
    "a table of 100 MB": Hostile(
        "scores.parquet has 100000000 bytes, and at most 67108864", after=sparse("scores.parquet")
    ),
    "an altered table": Hostile(
        "scores.parquet is another file than submission.json says",
        after=lambda folder: (folder / "scores.parquet").write_bytes(parquet(_flat(["x"]))),
    ),
    "an altered record": Hostile(
        "record.json is another file than submission.json says",
        after=lambda folder: (folder / "record.json").write_text("{}"),
    ),
}
"""What is wrong with the files."""

MANIFESTS = {
    "a name that is a path": Hostile("at name: ", manifest("../../etc", "name")),
    "a name with a slash": Hostile("at name: ", manifest("a/b", "name")),
    "a name of capitals": Hostile("at name: ", manifest("Mine", "name")),
    "a name that begins with a hyphen": Hostile("at name: ", manifest("-rf", "name")),
    "a name with a line's end": Hostile("name holds .*000A", manifest("mine\n", "name")),
    "a name of 81 characters": Hostile("at name: ", manifest("a" * 81, "name")),
    "no name": Hostile("at name: ", manifest("", "name")),
    "a name that is a number": Hostile("at name: .*string", manifest(7, "name")),
    "a benchmark that is a path": Hostile("at benchmark: ", manifest("../made", "benchmark")),
    "a key that is a path": Hostile("at record_key: ", manifest("../../../x", "record_key")),
    "a file that is named elsewhere": Hostile(
        "no file of a submission", manifest({"sha256": "a" * 64, "size": 1}, "files", "../x")
    ),
    "a file that is not there": Hostile(
        "rows-0.parquet is not both there and named",
        manifest({"sha256": "a" * 64, "size": 1}, "files", "rows-0.parquet"),
    ),
    "a negative size": Hostile(
        "at files.record.json.size|at files.rows-0.parquet.size",
        manifest({"sha256": "a" * 64, "size": -1}, "files", "rows-0.parquet"),
    ),
    "a hash that is none": Hostile(
        "at files.rows-0.parquet.sha256",
        manifest({"sha256": "A" * 64, "size": 1}, "files", "rows-0.parquet"),
    ),
    "a format of the future": Hostile("at format: is 2, not 1", manifest(2, "format")),
    "a format that is a truth": Hostile("format", manifest("1", "format")),
    "a field that nobody knows": Hostile("at plugins: ", manifest("x", "plugins")),
    "a contact of 401 characters": Hostile("401 characters", manifest("a" * 401, "contact")),
    "a contact of no words": Hostile("at contact: ", manifest("", "contact")),
    "text that runs backwards": Hostile(
        r"contact holds the character U\+202E \(RIGHT-TO-LEFT OVERRIDE\)",
        manifest("abc\u202etxt.exe", "contact"),
    ),
    "an isolate of direction": Hostile("U.2066", manifest("a\u2066b", "contact")),
    "a blank without width": Hostile("ZERO WIDTH SPACE", manifest("a\u200bb", "contact")),
    "a joiner": Hostile("ZERO WIDTH JOINER", manifest("a\u200db", "contact")),
    "a filler": Hostile("HANGUL FILLER", manifest("\u3164", "contact")),
    "a selector of variants": Hostile(
        "VARIATION SELECTOR", manifest("a\N{VARIATION SELECTOR-1}", "contact")
    ),
    "a mark of bytes in text": Hostile("FEFF", manifest("a\ufeffb", "contact")),
    "a null character": Hostile("0000", manifest("a\0b", "contact")),
    "an escape of terminals": Hostile("001B", manifest("\x1b[2Jx", "contact")),
    "half a character": Hostile("D800", manifest("\ud800", "contact")),
    "a private character": Hostile("E000", manifest("\ue000", "contact")),
    "a tower of marks": Hostile("tower of marks", manifest("a" + "\u0300" * 30, "contact")),
    "a link of a script": Hostile(
        "at links.paper: ", manifest("javascript:alert(1)", "links", "paper")
    ),
    "a link of data": Hostile("at links.code: ", manifest("data:text/html,x", "links", "code")),
    "a link to a file": Hostile("at links.code: ", manifest("file:///etc/passwd", "links", "code")),
    "a link with a password": Hostile(
        "user name or a password", manifest("https://a:b@example.org/", "links", "code")
    ),
    "a link without a host": Hostile("at links.code", manifest("https:///x", "links", "code")),
    "a link with a bad port": Hostile(
        "at links.code", manifest("https://a.org:99999/", "links", "code")
    ),
    "a link that ends an attribute": Hostile(
        "at links.code: ", manifest('https://a.org/"onclick="x', "links", "code")
    ),
    "a link with a host of other letters": Hostile(
        "at links.code: ", manifest("https://ex\u0430mple.org/", "links", "code")
    ),
    "a plugin that is an option": Hostile(
        "at links.plugin", manifest("--index-url", "links", "plugin")
    ),
    "a plugin that is a command": Hostile(
        "at links.plugin", manifest("a; rm x", "links", "plugin")
    ),
    "a licence that is none": Hostile("at licence: ", manifest("MIT; rm", "licence")),
    "a day that is none": Hostile("at made: ", manifest("2026-02-31", "made")),
    "a day in other digits": Hostile("at made: ", manifest("20260501", "made")),
    "tuned on nothing that is": Hostile(
        "at declarations.tuned_on.0", manifest(["all"], "declarations", "tuned_on")
    ),
    "tuned on a split twice": Hostile(
        "a split twice", manifest(["test", "test"], "declarations", "tuned_on")
    ),
    "tuned on none and one": Hostile(
        "'none' beside", manifest(["none", "test"], "declarations", "tuned_on")
    ),
    "no configuration": Hostile(
        "at declarations.configurations_tried", manifest(0, "declarations", "configurations_tried")
    ),
    "half a configuration": Hostile(
        "at declarations.configurations_tried",
        manifest(1.5, "declarations", "configurations_tried"),
    ),
    "a declaration in words": Hostile(
        "at declarations.uses_labels", manifest("no", "declarations", "uses_labels")
    ),
    "a declaration that is missing": Hostile(
        "at declarations: ", lambda draft: draft.manifest.pop("declarations")
    ),
    "one that supersedes itself": Hostile(
        "names the submission itself",
        lambda draft: draft.manifest.update(supersedes=draft.manifest["record_key"]),
    ),
}
"""What is wrong with `submission.json`."""

RECORDS = {
    "no JSON": Hostile("no JSON as it must be", raw("record.json", b"{")),
    "nothing": Hostile("no JSON as it must be", raw("record.json", b"")),
    "another encoding": Hostile("not in UTF-8", raw("record.json", '{"a": "ü"}'.encode("latin-1"))),
    "a mark of bytes first": Hostile(
        "no JSON as it must be", raw("record.json", b"\xef\xbb\xbf{}")
    ),
    "a list": Hostile("record.json, at the whole: ", raw("record.json", b"[]")),
    "a field twice": Hostile(
        "the field 'label' is there twice",
        text("record.json", b'"label":', b'"label": "another", "label":'),
    ),
    "not a number": Hostile(
        "NaN is no number", text("record.json", b'"cases": 12', b'"cases": NaN')
    ),
    "infinity": Hostile(
        "Infinity is no number", text("record.json", b'"cases": 12', b'"cases": -Infinity')
    ),
    "an exponent of 999": Hostile(
        "is not finite", text("record.json", b'"cases": 12', b'"cases": 1e999')
    ),
    "a million digits": Hostile(
        "a number of 1000000 digits is too large",
        text("record.json", b'"cases": 12', b'"cases": ' + b"9" * 10**6),
    ),
    "a million digits behind the point": Hostile(
        "is not finite, or has too many digits",
        text("record.json", b'"cases": 12', b'"cases": 0.' + b"1" * 10**6),
    ),
    "an integer of 30 digits": Hostile(
        "a number of 30 digits is too large",
        text("record.json", b'"cases": 12', b'"cases": ' + b"9" * 30),
    ),
    "nested 33 levels deep": Hostile("nested deeper than 32", record(nested(40), "notes", "x")),
    "nested a million levels deep": Hostile(
        "nested deeper than 32", raw("record.json", b"[" * 10**6 + b"]" * 10**6)
    ),
    "a million empty objects": Hostile(
        "record.json, at the whole: ", raw("record.json", b"[" + b"{}," * 10**6 + b"0]")
    ),
    "a record of schema 1": Hostile("at record_schema: is 1, not 2", record(1, "record_schema")),
    "a record of schema 3": Hostile("at record_schema: is 3, not 2", record(3, "record_schema")),
    "a record of no schema": Hostile(
        "at record_schema: is None", lambda draft: draft.record.pop("record_schema")
    ),
    "a field that no record has": Hostile("at plugin: ", record("x", "plugin")),
    "a negative n": Hostile("at scores.0.n: ", record(-1, "scores", 0, "n")),
    "an n in words": Hostile("at scores.0.n: ", record("12", "scores", 0, "n")),
    "an n that is a truth": Hostile("at scores.0.n: ", record(True, "scores", 0, "n")),
    "a value in words": Hostile("at scores.0.value: ", record("0.5", "scores", 0, "value")),
    "a direction that is none": Hostile(
        "at scores.0.direction: ", record("best", "scores", 0, "direction")
    ),
    "a text of 5 000 characters": Hostile("5000 characters", record("a" * 5000, "label")),
    "a field's name that is a script": Hostile(
        "the name of a field of notes holds", record(1, "notes", SCRIPT)
    ),
    "a path of a machine": Hostile(
        "at notes.x: holds a path of a machine", record("/etc/passwd", "notes", "x")
    ),
}
"""What is wrong with `record.json`."""

TABLES = {
    "no Parquet": Hostile("it is no Parquet", raw("scores.parquet", b"PK\3\4" * 100)),
    "an empty table file": Hostile("it is no Parquet", raw("scores.parquet", b"")),
    "an encrypted table": Hostile(
        "it is encrypted", raw("scores.parquet", b"PAR1" + b"x" * 99 + b"PARE")
    ),
    "a footer that is longer than the file": Hostile(
        "its footer has", raw("scores.parquet", b"PAR1" + b"\xff" * 64 + b"\xff\xff\xff\x7fPAR1")
    ),
    "a footer that is none": Hostile(
        "no table that can be read",
        raw("scores.parquet", b"PAR1" + b"\xff" * 64 + b"\x20\0\0\0PAR1"),
    ),
    "a cut-off table": Hostile(
        "it is no Parquet",
        lambda draft: draft.raw.update({"scores.parquet": parquet(draft.scores)[:-5]}),
    ),
    "5 million and one rows of one word": Hostile(
        "claims 5000001 rows; at most 5000000", table(of_one_word("test/1", 5_000_001))
    ),
    "2^31 rows in the footer": Hostile(
        "claims 2147483648 rows", footer(b"\x16\x60\x19", b"\x16" + varint(2**32) + b"\x19")
    ),
    "fewer rows in the footer": Hostile(
        "other numbers of rows than it claims", footer(b"\x16\x60\x19", b"\x16\x5e\x19")
    ),
    "negative rows in the footer": Hostile(
        "claims -1 rows|no table that can be read", footer(b"\x16\x60\x19", b"\x16\x01\x19")
    ),
    "2^31 values in a column": Hostile(
        "another number of values than it has rows|no table that can be read",
        footer(b"\x16\x60\x16", b"\x16" + varint(2**32) + b"\x16", 1),
    ),
    "a page that unpacks to more": Hostile("unpack to more than its footer says", first_page(8000)),
    "a word of 60 MB": Hostile("has 60000000 characters", table(of_one_word("a" * 60_000_000, 2))),
    "260 MiB that pack to nothing": Hostile(
        "bytes once unpacked; at most 268435456",
        table(
            lambda _: _flat([f"{n:04d}" + "a" * 2**20 for n in range(260)]), use_dictionary=False
        ),
    ),
    "words that build on each other": Hostile(
        "encoded in way 7",
        table(
            lambda scores: scores.set_column(0, "case", scores["case"].cast(pa.string())),
            use_dictionary=False,
            column_encoding={"case": "DELTA_BYTE_ARRAY"},
        ),
    ),
    "another compression": Hostile(
        "compressed in way 2; allowed are none, Snappy, Zstandard",
        table(lambda scores: scores, compression="gzip"),
    ),
    "a thousand row groups": Hostile(
        "row groups; at most 64",
        table(lambda scores: pa.concat_tables([scores] * 21), row_group_size=1),
    ),
    "two hundred columns": Hostile(
        "claims 205 columns",
        table(
            lambda s: pa.table(
                {
                    **dict(zip(s.column_names, s.columns, strict=True)),
                    **{f"c{n}": s["value"] for n in range(200)},
                }
            )
        ),
    ),
    "a nested column": Hostile(
        "is nested", column("value", lambda values: pa.array([[value] for value in values]))
    ),
    "a column of bytes": Hostile(
        "another type than text or number", column("case", lambda v: pa.array([b"x"] * len(v)))
    ),
    "a column of decimals": Hostile(
        "another type than text or number",
        column("value", lambda v: pa.array([None] * len(v), pa.decimal128(38))),
    ),
    "values as integers": Hostile(
        "column 'value' is of type int64", column("value", lambda v: pa.array([1] * len(v)))
    ),
    "repeats as 64-bit integers": Hostile(
        "column 'repeat' is of type int64", column("repeat", lambda v: pa.array(v, pa.int64()))
    ),
    "cases as numbers": Hostile(
        "column 'case' is of type int64", column("case", lambda v: pa.array(range(len(v))))
    ),
    "a column more": Hostile(
        "has the columns .*labels",
        table(lambda scores: scores.append_column("labels", scores["value"])),
    ),
    "a column less": Hostile(
        "has the columns", table(lambda scores: scores.drop_columns(["cluster"]))
    ),
    "a column's name that is a script": Hostile(
        "name of a column holds",
        table(lambda scores: scores.append_column(SCRIPT, scores["value"])),
    ),
    "a case without a name": Hostile("rows have no case", column("case", first(None))),
    "a row without a value": Hostile("rows have no value", column("value", first(None))),
    "an infinite value": Hostile("a value is infinite", column("value", first(float("inf")))),
    "a repeat that is not there": Hostile(
        "repeats run from 0 to 2", column("repeat", lambda v: [*v[:-1], 2])
    ),
    "a negative repeat": Hostile("repeats run from -1", column("repeat", first(-1))),
    "a case twice": Hostile(
        "case 'test/2000001' stands twice",
        table(lambda scores: pa.concat_tables([scores, scores.slice(1, 1)])),
    ),
    "all rows twice": Hostile(
        "stands twice in one score", table(lambda scores: pa.concat_tables([scores, scores]))
    ),
    "a score that is none of the record's": Hostile(
        "score 'other' is none of the record's", column("score", first("other"))
    ),
    "a case that is a path": Hostile(
        "reads like a path", column("case", first("../../etc/passwd"))
    ),
    "a case that begins at the root": Hostile("reads like a path", column("case", first("/etc/1"))),
    "a case with a script": Hostile("column 'case' holds", column("case", first(f"test{SCRIPT}"))),
    "a case that runs backwards": Hostile("202E", column("case", first("test/\u202e1"))),
    "a cluster with a control character": Hostile("0007", column("cluster", first("a\x07"))),
    "a case of 201 characters": Hostile("has 201 characters", column("case", first("a" * 201))),
    "text that is none": Hostile("no table that can be read", table(bad_utf8)),
}
"""What is wrong with `scores.parquet`."""


def scored(*places, value):
    return record(value, "scores", *places)


CLAIMS = {
    "a better mean": Hostile(
        "at scores.0.value: of 'hits' is .*follows from scores.parquet",
        scored(0, "value", value=0.9),
    ),
    "a mean that is a hair better": Hostile(
        "at scores.0.value",
        lambda draft: draft.record["scores"][0].update(
            value=draft.record["scores"][0]["value"] + 1e-7
        ),
    ),
    "a narrower interval": Hostile(
        "at scores.0.low",
        lambda draft: draft.record["scores"][0].update(low=draft.record["scores"][0]["value"]),
    ),
    "another upper end": Hostile("at scores.0.high", scored(0, "high", value=1.0)),
    "no interval": Hostile("at scores.0.low", scored(0, "low", value=None)),
    "more cases than were scored": Hostile(
        "at scores.0.n: of 'hits' is 600", scored(0, "n", value=600)
    ),
    "hidden cases without a score": Hostile(
        "at scores.1.n_unscored", scored(1, "n_unscored", value=9)
    ),
    "another deviation": Hostile("at scores.0.deviation", scored(0, "deviation", value=0.0)),
    "another way of making intervals": Hostile(
        "at scores.0.interval", scored(0, "interval", value="by eye")
    ),
    "values that are higher": Hostile(
        "at scores.0.value",
        column(
            "value",
            lambda values: [value if isnan(value) else min(1, value + 0.1) for value in values],
        ),
    ),
    "hard cases left out": Hostile("at scores.0.", table(lambda scores: scores.slice(3))),
    "a score without cases": Hostile(
        "at scores.1.value: of 'size' is .*, and nothing follows",
        table(
            lambda scores: scores.filter(
                pa.array([s != "size" for s in scores["score"].to_pylist()])
            )
        ),
    ),
    "a case that scores more than all": Hostile("1.5 is no share", column("value", first(1.5))),
    "a mean beyond 1": Hostile("at scores.0.value: 1.2 is no share", scored(0, "value", value=1.2)),
    "a chance beyond 1": Hostile(
        "at scores.0.chance: 7.0 is no share", scored(0, "chance", value=7.0)
    ),
    "a difference beyond 2": Hostile(
        "at scores.0.high: 2.2 is no difference of shares",
        lambda draft: draft.record["scores"][0].update(unit="points", high=2.2),
    ),
    "a case that differs by more than all": Hostile(
        "-2.5 is no difference of shares",
        lambda draft: (
            draft.record["scores"][0].update(unit="points"),
            column("value", first(-2.5))(draft),
        ),
    ),
    "no score that ranks": Hostile("0 of them rank entries", scored(0, "ranking", value=False)),
    "two scores that rank": Hostile("2 of them rank entries", scored(1, "ranking", value=True)),
    "a score twice": Hostile(
        "'hits' is there twice",
        lambda draft: draft.record["scores"].append(copy.deepcopy(draft.record["scores"][0])),
    ),
    "501 scores": Hostile(
        "there are 503; at most 500",
        lambda draft: draft.record["scores"].extend(
            {**draft.record["scores"][1], "name": f"s{n}"} for n in range(501)
        ),
    ),
    "a billion resamples": Hostile("at intervals: ", record(10**9, "intervals", "resamples")),
    "a level of 2": Hostile("at intervals: ", record(2.0, "intervals", "level")),
    "a negative seed of intervals": Hostile("at intervals: ", record(-1, "intervals", "seed")),
    "a failed run": Hostile("at status: is failed", record("failed", "status")),
    "a run that awaits answers": Hostile(
        "at status: is awaiting-answers", record("awaiting-answers", "status")
    ),
    "figures of a paper": Hostile("at source: is 'reported'", record("reported", "source")),
    "a limited run": Hostile(
        "only 10 cases were evaluated; run it whole: xbench run --benchmark made",
        record(10, "limited_to"),
    ),
    "a record of another benchmark": Hostile(
        "at benchmark: is 'other'", record("other", "benchmark")
    ),
    "a record of another version": Hostile(
        "at benchmark_version: is '2'", record("2", "benchmark_version")
    ),
    "a record of another key": Hostile("at key: ", record("f" * 32, "key")),
    "rows of another key": Hostile(
        "at key: is not that of its rows", record([["f"], ["g"]], "rows")
    ),
    "no rows": Hostile("at rows: a repeat has no rows", record([[], []], "rows")),
    "a seed less": Hostile("at seeds: there are 1, and rows of 2", record([0], "seeds")),
    "a seed twice": Hostile("two repeats have the same seed", record([5, 5], "seeds")),
    "weights of one repeat": Hostile("at weights: they are of 1 repeats", record([[]], "weights")),
    "more cases than the record": Hostile(
        "repeat 0 has 12 cases, and the record 3", record(3, "cases")
    ),
    "a case that does not exist": Hostile(
        "1 cases are none of the benchmark's, such as 'test/7'", column("case", first("test/7"))
    ),
}
"""What is wrong between the files."""

KINDS = {**FILES, **MANIFESTS, **RECORDS, **TABLES, **CLAIMS}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("honest") / "mine"
    scores = made_up()
    write_submission(folder, FIELDS, record_of(scores), table_of(scores))
    return folder


@pytest.fixture
def draft(honest, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in honest.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return Draft(folder)


def judged(folder):
    submission = read_submission(folder)
    check(submission, KNOWN)
    return submission


def test_the_tables_of_kinds_do_not_hide_each_other():
    assert len(KINDS) == sum(map(len, (FILES, MANIFESTS, RECORDS, TABLES, CLAIMS))) >= 60


def test_what_is_honest_passes(draft):
    draft.seal()
    assert judged(draft.folder).scores.num_rows > 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_and_the_message_says_why(draft, kind):
    if "pipe" in kind and sys.platform == "win32":
        pytest.skip("there are no pipes")
    hostile = KINDS[kind]
    hostile.before(draft)
    draft.seal()
    hostile.after(draft.folder)
    with pytest.raises(SubmissionError, match=hostile.reason) as caught:
        judged(draft.folder)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1500


def test_a_folder_that_is_a_link_is_refused(draft):
    draft.seal()
    (draft.folder.parent / "link").symlink_to(draft.folder)
    with pytest.raises(SubmissionError, match="is no folder; name the folder that holds"):
        judged(draft.folder.parent / "link")
    with pytest.raises(SubmissionError, match="cannot be read: No such file"):
        judged(draft.folder.parent / "nowhere")


def places(tree, place=()):
    """The places of all strings in a tree."""
    if isinstance(tree, str):
        yield place
    elif isinstance(tree, (dict, list)):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for name, value in items:
            yield from places(value, (*place, name))


@pytest.mark.parametrize("mark", [SCRIPT, "abc\u202edef", "a\x00b"])
@pytest.mark.parametrize("name", ["manifest", "record"])
def test_a_script_is_refused_in_every_string(draft, name, mark):
    # hashes have a form of their own, and are made anew here
    fields = [place for place in places(getattr(draft, name)) if place[0] != "files"]
    assert len(fields) > 10
    whole = {one: copy.deepcopy(getattr(draft, one)) for one in ("manifest", "record")}
    for place in fields:
        for one, tree in whole.items():
            setattr(draft, one, copy.deepcopy(tree))
        put(name, mark, *place)(draft)
        draft.seal()
        with pytest.raises(SubmissionError, match="no plain text"):
            judged(draft.folder)
