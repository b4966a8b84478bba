"""Submission folders: what is written, and what comes back."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_submissions import FIELDS, made_up, record_of, table_of
from xbench.errors import SubmissionError
from xbench.interfaces.component import fields_tree, location
from xbench.results.board.checks import check
from xbench.results.board.folder import read_submission, write_submission
from xbench.results.board.plain_text import text_fault
from xbench.results.board.submission import Manifest


def written(folder, scores=None, *, rows=(), fields=FIELDS, **changes):
    scores = scores or made_up()
    return write_submission(folder, fields, record_of(scores, **changes), table_of(scores), rows)


PLAIN = st.text(min_size=1, max_size=40).filter(lambda text: not text_fault(text, 400))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    repeats=st.integers(1, 3),
    count=st.integers(1, 20),
    contact=PLAIN,
    label=PLAIN,
    tried=st.integers(1, 10**6),
)
def test_what_is_written_is_read_and_passes_all_checks(seed, repeats, count, contact, label, tried):
    scores = made_up(seed, repeats, count)
    record, table = record_of(scores, label=label), table_of(scores)
    declared = {**FIELDS["declarations"], "configurations_tried": tried}
    fields = {**FIELDS, "contact": contact, "declarations": declared}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "mine"
        write_submission(folder, fields, record, table)
        read = read_submission(folder)
        assert sorted(path.name for path in folder.iterdir()) == sorted(read.files)
    assert read.record == record
    assert read.scores.equals(table) or str(read.scores.to_pylist()) == str(table.to_pylist())
    assert (read.manifest.contact, read.manifest.declarations.configurations_tried) == (
        contact,
        tried,
    )
    assert read.rows == ()
    check(read, known_cases=set(table["case"].to_pylist()))


@pytest.mark.parametrize(
    "text",
    [
        "山田太郎, 東京大学",
        "Jörg Müller-Lüdenscheidt",
        "Zoë 🦉 Ångström",
        "ผู้วิจัย",
        "أحمد",
        "a > b & c's “d”",
    ],
)
def test_text_of_all_scripts_is_accepted(tmp_path, text):
    submission = written(tmp_path / "mine", fields={**FIELDS, "contact": text}, label=text)
    assert submission.manifest.contact == submission.record.label == text
    check(submission)


def test_reading_needs_no_network_library_and_loads_no_plugin(tmp_path):
    written(tmp_path / "mine")
    program = (
        "import sys; from pathlib import Path; "
        "from xbench.results.board.folder import read_submission; "
        "from xbench.results.board import history; "
        f"read_submission(Path({str(tmp_path / 'mine')!r})); "
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'captum', 'timm') "
        "or m.startswith('xbench_') or m == 'pickle.loads'])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(SubmissionError, match="is there already; name a folder that is not"):
        written(tmp_path / "mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SubmissionError, match="is there already"):
        written(tmp_path / "link")


def test_nothing_is_left_of_what_cannot_be_written(tmp_path):
    for fields in ({**FIELDS, "name": "My Method"}, {**FIELDS, "made": object()}):
        with pytest.raises(SubmissionError):
            written(tmp_path / "mine", fields=fields)
    assert list(tmp_path.iterdir()) == []


def test_of_the_checkout_only_the_commit_travels_and_the_seal_stays(tmp_path):
    git = {"commit": "c" * 40, "dirty": True, "remote": "git@example.org:ada/secret", "user": "ada"}
    submission = written(tmp_path / "mine", git=git, checksum="d" * 64)
    assert submission.record.git == {"commit": "c" * 40, "dirty": True}
    assert submission.record.checksum is None
    assert b"ada/secret" not in b"".join(submission.files.values())


PATHS = [
    "/home/ada/birds",
    "/data",
    "~/birds",
    "~ada/birds",
    r"C:\Users\ada\birds",
    "D:/birds",
    r"\\server\share",
    "file:///srv/birds",
    "read from /srv/birds/list.txt",
    "images (/mnt/birds/1.png) left out",
    "root=/srv/birds",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field", ["components", "datasets", "notes", "protocol"])
def test_paths_of_the_machine_do_not_travel(tmp_path, field, path):
    tree = {"of": {"parameters": {"folder": [path]}}}
    match = rf"record.json, at {field}.of.parameters.folder.0: holds a path of a machine"
    with pytest.raises(SubmissionError, match=match):
        written(tmp_path / "mine", **{field: tree})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "test/2000003",
        "scores/ab.parquet",
        "https://example.org/a/b",
        "a / b",
        "and/or",
        "1/20",
        "~3",
    ],
)
def test_names_with_slashes_are_no_paths(tmp_path, text):
    assert written(tmp_path / "mine", notes={"of": text}).record.notes == {"of": text}


def test_a_dataset_in_a_folder_is_named_by_what_lies_there(tmp_path):
    from dataclasses import dataclass  # a component with a location, as plugins declare it

    @dataclass(frozen=True)
    class Pictures:
        folder: str = location("")

    place = tmp_path / "pictures"
    place.write_bytes(b"pictures")
    tree = {
        "test": {"dataset": {"name": "pictures", "parameters": fields_tree(Pictures(str(place)))}}
    }
    submission = written(tmp_path / "mine", datasets=tree)
    assert str(tmp_path).encode() not in b"".join(submission.files.values())
    assert submission.record.datasets == tree


def rows_of(repeats=2):
    table = pa.table({"case": ["test/1", "test/2"], "right": [True, False], "level": [1, 2]})
    return [table] * repeats


def test_rows_travel_where_scores_depend_on_what_else_was_compared(tmp_path):
    submission = written(tmp_path / "mine", rows=rows_of(), compared_set="e" * 32)
    assert [len(rows) for rows in submission.rows] == [2, 2]
    assert submission.rows[0]["case"].to_pylist() == ["test/1", "test/2"]
    assert "rows-1.parquet" in submission.manifest.files
    check(submission)


def test_rows_are_there_exactly_where_they_are_needed(tmp_path):
    for rows, compared in ((rows_of(), None), (rows_of(1), "e" * 32), ([], "e" * 32)):
        with pytest.raises(SubmissionError, match="files of rows where its record asks for"):
            written(tmp_path / "mine", rows=rows, compared_set=compared)
    nameless = [table.drop_columns(["case"]) for table in rows_of()]
    with pytest.raises(SubmissionError, match=r"rows-0.parquet has no column 'case'"):
        written(tmp_path / "mine", rows=nameless, compared_set="e" * 32)
    nested = [table.append_column("x", pa.array([[1], [2]])) for table in rows_of()]
    with pytest.raises(SubmissionError, match=r"column 'x' is nested"):
        written(tmp_path / "mine", rows=nested, compared_set="e" * 32)


def test_two_keys_of_clusters_travel_too(tmp_path):
    scores = made_up()
    keys = [scores[0][0].cases, scores[0][0].cases[::-1]]
    scores = [[replace(of, clusters=tuple(keys)) for of in of_repeat] for of_repeat in scores]
    table = table_of(scores)
    second = pa.array(table["cluster"].to_pylist()).dictionary_encode()
    flipped = dict(zip(*keys, strict=True))
    second = pa.array([flipped[name] for name in second.to_pylist()]).dictionary_encode()
    table = table.add_column(2, "cluster_2", second)
    submission = write_submission(tmp_path / "mine", FIELDS, record_of(scores), table)
    assert submission.scores.column_names == [
        "case",
        "cluster",
        "cluster_2",
        "repeat",
        "score",
        "value",
    ]
    check(submission)


def test_a_declaration_makes_a_ceiling():
    files = {"record.json": {"sha256": "a" * 64, "size": 1}}
    said = {"benchmark": "made", "benchmark_version": "1", "record_key": "b" * 32, "files": files}
    for name in ("uses_annotations", "uses_labels"):
        declarations = {**FIELDS["declarations"], name: True}
        manifest = Manifest(**{**FIELDS, **said, "format": 1, "declarations": declarations})
        assert manifest.declarations.ceiling
    assert not Manifest(**{**FIELDS, **said, "format": 1}).declarations.ceiling


def test_the_manifest_names_all_files_with_their_hashes(tmp_path):
    submission = written(tmp_path / "mine")
    tree = json.loads((tmp_path / "mine" / "submission.json").read_text())
    assert set(tree["files"]) == {"record.json", "scores.parquet"}
    assert tree["record_key"] == submission.record.key
    assert (tree["benchmark"], tree["benchmark_version"]) == ("made", "1")
