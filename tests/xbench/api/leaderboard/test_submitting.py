"""Records of a store become folders that travel."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from small_boards import CEILING
from small_submissions import made_up, record_of, table_of
from xbench import RecordError, SubmissionError, UnknownNameError, run, submit
from xbench.api.leaderboard.submitting import distribution
from xbench.files.seals import sealed_table
from xbench.results.board.checks import check
from xbench.results.board.folder import read_submission
from xbench.results.record import HeadingRecord, ScoresFileRecord, record_path
from xbench.running.storage.store import Store
from xbench.running.storage.stored_records import stored_records


def records(store):
    return {of.record.label: of.record for of in stored_records(Store(str(store))).records}


def paths(store):
    return {of.record.label: of.path for of in stored_records(Store(str(store))).records}


def test_a_run_is_submitted_with_its_floors_or_without(ran, tmp_path):
    folders = submit("1", tmp_path / "mine", contact="me", store=ran.store)
    assert [folder.name for folder in folders] == ["deliberative"]
    names = sorted(folder.name for folder in ran.submitted.iterdir())
    assert names == ["centre-prior-same-pair", "deliberative", "known-parts-same-pair"]


def test_what_is_submitted_is_what_was_stored_and_passes_its_checks(ran):
    submission = read_submission(ran.submitted / "deliberative")
    check(submission)
    record = records(ran.store)["deliberative"]
    assert submission.record.scores == record.scores
    assert submission.scores.equals(Store(str(ran.store)).scores(record.scores_file.path))
    assert submission.manifest.links.plugin is None


def test_a_record_is_named_by_label_key_file_or_itself(ran, tmp_path):
    record, path = records(ran.store)["deliberative"], paths(ran.store)["deliberative"]
    called = ["Deliberative", "deliberative@small-board", record.key[:8], record]
    called.append(Path(ran.store) / "records" / path)
    for place, name in enumerate(called):
        (folder,) = submit(name, tmp_path / str(place), contact="me", store=ran.store)
        assert read_submission(folder).manifest.record_key == record.key


def test_what_is_said_is_in_the_manifest(ran, tmp_path):
    (folder,) = submit(
        "deliberative",
        tmp_path,
        contact="Ada, ada@example.org",
        name="mine",
        licence="MIT",
        paper="https://example.org/paper",
        code="https://example.org/code",
        plugin="xbench-mine",
        uses_labels=True,
        tuned_on=["train", "validation", "train"],
        tried=12,
        extra_data="ImageNet",
        supersedes="0" * 32,
        store=ran.store,
        on=date(2026, 5, 1),
    )
    manifest = read_submission(folder).manifest
    assert (folder.name, manifest.name, manifest.licence, manifest.made) == (
        *("mine", "mine", "MIT", "2026-05-01"),
    )
    assert manifest.links.model_dump() == {
        "paper": "https://example.org/paper",
        "code": "https://example.org/code",
        "plugin": "xbench-mine",
    }
    assert manifest.declarations.model_dump() == {
        "uses_annotations": False,
        "uses_labels": True,
        "tuned_on": ["train", "validation"],
        "configurations_tried": 12,
        "extra_training_data": "ImageNet",
    }
    assert manifest.supersedes == "0" * 32


def test_a_ceiling_declares_annotations_unless_it_says_otherwise(ran, tmp_path):
    of = read_submission(ran.submitted / "known-parts-same-pair").manifest.declarations
    floor = read_submission(ran.submitted / "centre-prior-same-pair").manifest.declarations
    assert (of.ceiling, floor.ceiling) == (True, False)
    said = {"contact": "me", "uses_annotations": False, "store": ran.store}
    (folder,) = submit(CEILING, tmp_path, **said)
    assert not read_submission(folder).manifest.declarations.ceiling


def test_the_plugin_is_the_third_partys_distribution():
    own = {"kind": "explainer", "name": "a", "distribution": "xbench-xai"}
    inner = {"name": "b", "distribution": "xbench-brightness"}
    assert distribution({"explainer": own}) is None
    assert distribution({"explainer": {**own, "parameters": {"of": [inner]}}}) == (
        "xbench-brightness"
    )


def test_a_keyword_that_there_is_not_is_named_with_the_nearest(ran, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'licence'"):
        submit("1", tmp_path, contact="me", store=ran.store, license="MIT")


def refused(out, names, error, message, **said):
    with pytest.raises(error, match=message):
        submit(names, out, **{"contact": "me", **said})
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limited_to": 8}, r"only 8 cases were evaluated .* xbench run --benchmark small-board"),
        ({"status": "failed", "failure": "no space"}, r"it failed \(no space\)"),
        ({"status": "awaiting-answers", "awaited": 3}, "3 answers are still to come"),
        ({"source": "reported"}, "figures are those of a publication"),
        ({"heading": None}, "written by an earlier version"),
        ({"label": "‽"}, "no name follows from the label '‽'; say one with --name"),
    ],
)
def test_a_record_that_is_not_whole_is_refused_with_the_way_out(ran, tmp_path, changes, message):
    record = records(ran.store)["deliberative"].model_copy(update=changes)
    refused(tmp_path / "out", record, SubmissionError, message, store=ran.store)


def test_a_limited_run_is_refused(ran, tmp_path):
    made = run(str(ran.file), limit=3, store=tmp_path / "store", quiet=True)
    said = {"store": tmp_path / "store"}
    refused(tmp_path / "out", made.records[0], SubmissionError, "only 3 cases", **said)
    refused(tmp_path / "out", "1", SubmissionError, "only 3 cases", **said)


def test_scores_or_entries_that_are_gone_are_refused(ran, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(ran.store, store)
    record = records(store)["deliberative"]
    (store / record.scores_file.path).unlink()
    message = "scores of 'deliberative' .* are not in store .* run the same command again"
    refused(tmp_path / "out", ["1"], RecordError, message, store=store)
    (store / "records" / paths(store)[CEILING]).unlink()
    message = "1 entries of run 1 have no record in the store; run it whole"
    refused(tmp_path / "out", ["1"], SubmissionError, message, store=store)


def test_two_of_one_name_and_a_folder_that_is_there_are_refused(ran, tmp_path):
    twice = ["deliberative", records(ran.store)["deliberative"].key]
    message = "two entries would be called 'deliberative'"
    refused(tmp_path / "out", twice, SubmissionError, message, store=ran.store)
    with pytest.raises(SubmissionError, match="deliberative is there already"):
        submit("1", ran.submitted, contact="me", store=ran.store)
    both = ["deliberative", CEILING]
    message = "cannot share a name"
    refused(tmp_path / "out", both, SubmissionError, message, name="a", store=ran.store)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"contact": "<b>"}, "contact"),
        ({"paper": "javascript:alert(1)"}, "links.paper"),
        ({"tuned_on": ["none", "test"]}, "tuned_on says 'none' beside a split"),
        ({"tried": 0}, "configurations_tried"),
        ({"name": "../up"}, "name"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_written(ran, tmp_path, said, message):
    refused(tmp_path / "out", "1", SubmissionError, message, store=ran.store, **said)


def relative(folder):
    """A store with an entry whose scores depend on what it was compared with."""
    scores, store = made_up(), Store(str(folder))
    table = table_of(scores)
    data = sealed_table("scores/made.parquet", table)
    file = ScoresFileRecord(path="scores/made.parquet", sha256="0" * 64)
    heading = HeadingRecord(title="made", case="image", place=0)
    record = record_of(scores, compared_set="c" * 32, scores_file=file, heading=heading)
    store.put_scores(file.path, data)
    for of_repeat in record.rows:
        for key in of_repeat:
            store.put_rows(key, table.select(["case", "value"]))
    store.put_record(record_path(record), record.model_dump())
    return record, store


def test_rows_travel_where_scores_depend_on_what_was_compared(tmp_path):
    record, store = relative(tmp_path / "store")
    (folder,) = submit("my method", tmp_path / "out", contact="me", store=store.url)
    assert sorted(path.name for path in folder.glob("rows-*")) == [
        "rows-0.parquet",
        "rows-1.parquet",
    ]
    assert len(read_submission(folder).rows[0]) == 48
    shutil.rmtree(tmp_path / "store" / "rows")
    message = "rows of 'my method' are no longer in store .* a board scores them again"
    refused(tmp_path / "more", record, RecordError, message, store=store.url)
