"""What is wrong with a submission that can be told without running anything."""

from dataclasses import replace

import numpy as np
import pytest

from named_cases import named
from small_submissions import FIELDS, made_up, record_of, table_of
from xbench.errors import SubmissionError
from xbench.results.board.checks import check, expected_key, faults
from xbench.results.board.folder import write_submission


def submitted(folder, scores=None, **changes):
    scores = scores or made_up()
    return write_submission(folder / "mine", FIELDS, record_of(scores, **changes), table_of(scores))


def test_an_honest_submission_has_no_faults(tmp_path):
    submission = submitted(tmp_path)
    assert faults(submission) == []
    check(submission, known_cases=submission.scores["case"].unique().to_pylist())


def test_all_faults_of_the_record_are_named_with_their_places(tmp_path):
    submission = submitted(tmp_path, limited_to=5, seeds=[3, 3], weights=[[]])
    with pytest.raises(SubmissionError) as caught:
        check(submission)
    assert str(caught.value) == (
        "submission 'my-method' is refused: record.json, at limited_to: only 5 cases were "
        "evaluated; run it whole: xbench run --benchmark made; record.json, at seeds: two repeats "
        "have the same seed; run it again; record.json, at weights: they are of 1 repeats, not 2. "
        "Submit a whole run's record with its scores, both as the run stored them."
    )


def test_the_key_is_computed_again_from_benchmark_rows_and_what_was_compared(tmp_path):
    record = record_of(made_up())
    assert expected_key(record) == record.key
    assert expected_key(record.model_copy(update={"benchmark_version": "1+0a1b2c"})) == record.key
    relative = record_of(made_up(), compared_set="e" * 32)
    assert expected_key(relative) == relative.key != record.key


def test_a_score_of_some_of_the_cases_is_no_fault(tmp_path):
    scores = made_up()
    fewer = [[a, replace(b, cases=b.cases[:4], values=b.values[:4])] for a, b in scores]
    assert faults(submitted(tmp_path, fewer)) == []


def test_a_clustered_score_that_one_repeat_has_no_cases_of_is_no_fault(tmp_path):
    scores = made_up(repeats=3)
    clusters = named(np.arange(12) // 3, "scene")
    table_rows = [
        [
            a,
            replace(b, clusters=(clusters,))
            if place
            else replace(b, cases=b.cases[:0], values=b.values[:0], clusters=(clusters[:0],)),
        ]
        for place, (a, b) in enumerate(scores)
    ]
    record, table = record_of(table_rows), table_of(table_rows)
    of_scene = dict(zip(scores[0][0].cases, clusters, strict=True))
    rows = [
        {**row, "cluster": of_scene[row["case"]] if row["score"] == "size" else row["case"]}
        for row in table.to_pylist()
    ]
    table = type(table).from_pylist(rows, table.schema)
    assert faults(write_submission(tmp_path / "mine", FIELDS, record, table)) == []


def test_cases_that_nobody_knows_are_named(tmp_path):
    submission = submitted(tmp_path)
    known = {f"test/{number}" for number in range(2000000, 2000010)}
    assert faults(submission, known) == [
        "scores.parquet, at case: 2 cases are none of the benchmark's, such as 'test/2000010'"
    ]


def test_what_would_take_too_long_is_not_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("xbench.results.board.checks.MOST_WORK", 100)
    (fault,) = faults(submitted(tmp_path))
    assert fault == (
        "record.json, at intervals: 30 resamples of 24 clusters in all are more than is computed "
        "again"
    )
