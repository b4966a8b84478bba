"""Scores case by case beside a record: enough to compute it again."""

import io
from dataclasses import asdict, replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from named_cases import named
from xbench.errors import PluginError, RecordError
from xbench.files.seals import sealed_table
from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.results.record import IntervalRecord, Record, ScoreRecord
from xbench.results.score_records import ranking_score, score_records
from xbench.results.scores_file import case_scores, scores_table
from xbench.results.statistics import Draws

PLAN = Resampling(resamples=30)


def made(seed: int, keys: int, count: int = 12, name: str = "score") -> CaseScores:
    """Random scores, some missing, of cases in no order, clustered by so many keys."""
    source = np.random.default_rng(seed)
    values = source.random(count)
    values[source.random(count) < 0.2] = np.nan
    cases = named(source.permutation(count))
    clusters = tuple(named(source.integers(0, 4, count), role) for role in ("a", "b")[:keys])
    return CaseScores(name, "higher", cases, values, headline=True, clusters=clusters)


def repeated(keys: tuple[int, ...], repeats: int) -> list[list[CaseScores]]:
    names = [f"score {place}" for place in range(len(keys))]
    return [
        [made(10 * r + p, of, name=names[p]) for p, of in enumerate(keys)] for r in range(repeats)
    ]


def record(repeats) -> Record:
    return Record.model_construct(
        label="ours",
        key="k",
        rows=[["shard"]] * len(repeats),
        scores=score_records(repeats, Draws(PLAN)),
        intervals=IntervalRecord(**asdict(PLAN)),
    )


@given(
    keys=st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple),
    repeats=st.integers(1, 3),
)
def test_values_and_intervals_follow_from_the_file_and_the_record_alone(keys, repeats):
    scores = repeated(keys, repeats)
    stated = record(scores)
    file = io.BytesIO(sealed_table("scores/k.parquet", scores_table(scores)))
    intervals = stated.intervals
    draws = Draws(Resampling(intervals.level, intervals.resamples, intervals.seed))
    read = case_scores(pq.read_table(file), stated)
    assert score_records(read, draws) == stated.scores
    for ours, theirs in zip(chain(*read), chain(*scores), strict=True):
        np.testing.assert_array_equal(ours.values, theirs.values)
        assert ours.cases.tolist() == theirs.cases.tolist()
        assert [c.tolist() for c in ours.clusters] == [c.tolist() for c in theirs.clusters]


def test_a_row_stands_for_a_case_a_score_and_a_repeat():
    one = CaseScores("right", "higher", named([7, 5]), np.array([1.0, np.nan]))
    rows = scores_table([[one], [one]]).to_pylist()
    assert [(row["case"], row["cluster"], row["repeat"], row["score"]) for row in rows] == [
        ("test/7", "test/7", 0, "right"),
        ("test/5", "test/5", 0, "right"),
        ("test/7", "test/7", 1, "right"),
        ("test/5", "test/5", 1, "right"),
    ]
    assert rows[0]["value"] == 1.0
    assert np.isnan(rows[1]["value"])
    assert "cluster_2" not in rows[0]
    assert "cluster_2" in scores_table([[made(0, 2)]]).column_names


def test_the_same_scores_give_the_same_bytes():
    files = [sealed_table("a", scores_table(repeated((0, 2), 2))) for _ in range(2)]
    assert files[0] == files[1]


def test_scores_of_no_cases_are_read_as_such():
    none = CaseScores("right", "higher", named(()), np.zeros(0))
    stated = record([[none]])
    ((read,),) = case_scores(scores_table([[none]]), stated)
    assert len(read.values) == 0
    assert score_records([[read]], Draws(PLAN)) == stated.scores


def test_a_table_that_is_none_of_the_record_is_refused():
    scores = repeated((0,), 1)
    table, stated = scores_table(scores), record(scores)
    with pytest.raises(RecordError, match=r"scores of 'ours' \(k\) have no column 'value' of type"):
        case_scores(table.drop_columns(["value"]), stated)
    with pytest.raises(RecordError, match="no column 'repeat' of type int32"):
        case_scores(table.set_column(2, "repeat", pa.array(["x"] * len(table))), stated)
    other = scores_table([[replace(scores[0][0], name="another")]])
    with pytest.raises(RecordError, match="hold 'another', which is none of its record"):
        case_scores(other, stated)


def test_the_first_headline_ranks_unless_another_score_says_so():
    plain, headline = replace(made(0, 0), headline=False, name="plain"), made(0, 0)
    assert ranking_score([plain, headline, replace(headline, name="second")]) == "score"
    assert ranking_score([replace(plain, ranking=True), headline]) == "plain"
    assert ranking_score([replace(headline, ranking=False), plain]) is None
    with pytest.raises(PluginError, match=r"2 scores want to rank \(plain, score\); only one can"):
        ranking_score([replace(plain, ranking=True), replace(headline, ranking=True)])
    ranks = [score.ranking for score in score_records([[plain, headline]], Draws(PLAN))]
    assert ranks == [False, True]
    assert isinstance(score_records([[plain]], Draws(PLAN))[0], ScoreRecord)
