"""Stored runs are told apart, found and filtered from records alone."""

from datetime import UTC, datetime

import pytest

from xbench.components.registry import Registry
from xbench.errors import ParameterError, RecordError
from xbench.results.record import DifferenceRecord, HeadingRecord, Record, TimesRecord
from xbench.results.stored.rebuilt import rebuilt, specified
from xbench.results.stored.runs import (
    StoredRecord,
    Wanted,
    component_names,
    run_called,
    since,
    stored_runs,
)
from xbench.results.stored.settings import peculiar


def difference(key):
    return DifferenceRecord(
        score="s", minus=key, minus_key=key, value=0, low=0, high=0, n=1, paired=True
    )


def stored(key, others=(), *, role="entry", at="10:00", place=None, **fields):
    """A record of this key that names others."""
    heading = None if place is None else HeadingRecord(title="t", case="image", place=place)
    usual = {
        "suite": None,
        "benchmark": "b",
        "benchmark_version": "1",
        "protocol": {"name": "p"},
        "datasets": {"test": {"dataset": {"name": "d"}}},
        "components": {},
        "seeds": [0],
        "limited_to": None,
        "compared_set": None,
        "git": None,
        "grid": {},
        "rows": [[]],
    }
    record = Record.model_construct(
        key=key,
        label=fields.pop("label", key),
        role=role,
        heading=heading,
        differences=[difference(other) for other in others],
        times=TimesRecord(finished=f"2026-05-01T{at}:00+00:00"),
        **{**usual, **fields},
    )
    return StoredRecord(f"b/{key}.json", record)


def keys(run):
    return [record.key for record in run.records]


def test_records_that_name_each_other_are_one_run_in_the_order_of_the_benchmark():
    records = [stored("bb", ["aa"], role="floor", place=0), stored("aa", ["bb"], place=1)]
    assert [keys(run) for run in stored_runs(records)] == [["bb", "aa"]]
    records = [stored("bb", ["aa"], role="floor"), stored("aa", ["bb"])]
    assert [keys(run) for run in stored_runs(records)] == [["aa", "bb"]]


def test_a_floor_that_a_later_run_wrote_again_belongs_to_both_and_makes_neither_newer():
    floor = stored("ff", ["bb"], role="floor", at="12:00")
    runs = stored_runs([stored("aa", ["ff"]), stored("bb", ["ff"], at="12:00"), floor])
    assert [keys(run) for run in runs] == [["bb", "ff"], ["aa", "ff"]]
    assert [run.finished[11:16] for run in runs] == ["12:00", "10:00"]


def test_an_entry_that_a_later_run_wrote_again_is_shown_beside_its_own_run_alone():
    shared = stored("aa", ["cc"], at="12:00")
    runs = stored_runs([shared, stored("bb", ["aa"]), stored("cc", ["aa"], at="12:00")])
    assert [set(keys(run)) for run in runs] == [{"aa", "cc"}, {"aa", "bb"}]
    assert [d.minus_key for r in runs[1].records for d in r.differences] == ["aa"]


def test_records_that_are_gone_are_counted():
    (run,) = stored_runs([stored("aa", ["bb", "cc"])])
    assert (keys(run), run.missing) == (["aa"], 2)


def test_records_that_name_none_are_together_if_they_are_alike_and_near():
    records = [
        stored("aa"),
        stored("bb"),
        stored("cc", at="10:05"),
        stored("dd", seeds=[1]),
        stored("ee", label="aa"),
    ]
    assert sorted(map(keys, stored_runs(records))) == [["aa", "bb"], ["cc"], ["dd"], ["ee"]]


def test_a_run_is_called_by_number_by_id_and_by_any_of_its_records():
    runs = stored_runs([stored("aaaa1", ["bbbb1"]), stored("bbbb1", ["aaaa1"], role="floor")])
    for name in ("1", "aaaa", "AAAA1", "bbbb1"):
        assert run_called(name, runs) is runs[0]
    for name in ("0", "2", "aa", "cccc"):
        with pytest.raises(RecordError, match="no run is called"):
            run_called(name, runs)


NOW = datetime(2026, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [("7d", 1), ("1w", 1), ("24h", 7), ("2026-05-03", 3), ("2026-05-03T00:00+00:00", 3)],
)
def test_times_are_dates_or_ages(text, day):
    assert since(text, NOW) == datetime(2026, 5, day, tzinfo=UTC)


def test_what_is_no_time_is_refused():
    with pytest.raises(ParameterError, match="write --since 2026-05-01"):
        since("yesterday", NOW)


def component(kind, name, **parameters):
    return {"kind": kind, "name": name, "version": "1", "parameters": parameters}


def test_components_are_found_by_name_argument_and_within_others():
    inner = component("explainer", "inner", architecture="vgg")
    tree = {"member a": {"explainer": component("explainer", "outer", of=inner)}}
    assert component_names(tree, "explainer") == ["outer", "inner", "vgg", "inner:vgg"]
    of = stored("aa", components=tree)
    assert Wanted(explainer="INN*").fits(of.record)
    assert not Wanted(explainer="in").fits(of.record)
    assert not Wanted(classifier="inner").fits(of.record)


def test_records_are_told_apart_by_what_few_of_them_have():
    usual, other = (component("explainer", "e", depth=depth, wide=[1]) for depth in (1, 2))
    records = [
        stored(key, label="e", components={"explainer": tree}).record
        for key, tree in (("aa", usual), ("bb", other), ("cc", usual))
    ]
    assert peculiar(records) == {"aa": {}, "bb": {"explainer.depth": 2}, "cc": {}}


def test_a_component_is_specified_as_benchmark_files_write_it():
    inner = component("difficulty", "entropy")
    tree = component("explainer", "e", difficulty=inner, table={"a": [inner, 1]})
    named = {"name": "entropy"}
    assert specified(tree) == {"name": "e", "difficulty": named, "table": {"a": [named, 1]}}


def test_a_benchmark_is_rebuilt_even_where_its_protocol_is_not_installed():
    benchmark = rebuilt([stored("aa", place=0).record], Registry(()))
    assert (benchmark.name, benchmark.title, benchmark.protocol.case) == ("b", "t", "image")
    assert benchmark.datasets["test"].dataset.name == "d"
    assert [line.label for line in benchmark.lines] == ["aa"]
    assert dict(benchmark.protocol.terms()) == {}
