"""Records: read whatever schema they have, and refused by field when they are none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from xbench.errors import RecordError
from xbench.results.record import Record, read_record, read_record_file, record_path

EARLIER = sorted((Path(__file__).parent / "earlier").glob("*.json"))
"""Records of schema 1, as runs wrote them; they stay readable for ever."""


def earlier(place: int = 0) -> Any:
    return json.loads(EARLIER[place].read_text(encoding="utf-8"))


def without_new(scores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    new = ("interval", "ranking")
    return [{name: of for name, of in score.items() if name not in new} for score in scores]


@pytest.mark.parametrize("place", range(len(EARLIER)))
def test_records_of_schema_1_are_read_and_nothing_of_them_is_lost(place: int) -> None:
    data, record = earlier(place), read_record_file(EARLIER[place])
    assert data["record_schema"] == 1
    dumped = record.model_dump()
    for name in (
        *("status", "benchmark", "benchmark_version", "label", "role", "key", "protocol"),
        *("components", "datasets", "seeds", "cases", "limited_to", "compared_set", "artefacts"),
        *("rows", "notes", "git", "packages", "python", "platform", "device"),
    ):
        assert dumped[name] == data[name], name
    assert without_new(dumped["scores"]) == data["scores"]
    assert without_new(dumped["differences"]) == data["differences"]
    method = data["intervals"].pop("method")
    assert {score.interval for score in record.scores} == {method}
    assert dumped["intervals"] == data["intervals"]
    assert record.times.seconds == data["cost"]["seconds"]
    assert record.times.finished == data["finished"]
    assert record.cost.passes == data["cost"]["passes"]
    assert record.threads.evaluation == [data["threads"]]
    for told, facts in zip(record.artefact_facts, data["artefact_facts"], strict=True):
        seconds = {"seconds": record.times.artefacts[told["key"]]}
        assert told | seconds == facts


def test_an_earlier_record_says_what_follows_from_it_and_no_more() -> None:
    trained = read_record(earlier(0))
    assert [score.name for score in trained.scores if score.ranking] == ["average precision"]
    assert trained.ranking is not None
    (weights,) = trained.weights[0]
    facts = {of["key"]: of for of in trained.artefact_facts}
    assert (weights.name, weights.state) == ("weights", facts[weights.key]["state"])
    assert not weights.reference
    assert (trained.source, trained.suite, trained.grid, trained.awaited) == (
        "run here",
        None,
        {},
        0,
    )
    assert (trained.scores_file, trained.batch_sizes, trained.threads.training) == (None, [], [])
    assert read_record(earlier(1)).weights == [[]]


@pytest.mark.parametrize("place", range(len(EARLIER)))
def test_an_upgraded_record_is_one_of_this_schema(place: int) -> None:
    record = read_record(earlier(place))
    again = read_record(json.loads(json.dumps(record.model_dump())))
    assert again == record
    assert again.record_schema == 2


def changed(data: Any, path: str, value: Any) -> Any:
    """The data with another value at a path."""
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for part in above:
        place = place[part]
    place[last] = value
    return data


MISTAKES = [
    ("scores.0.value", "high", "scores.0.value: Input should be a valid number"),
    ("scores.0.value", float("nan"), "scores.0.value: Input should be a finite number"),
    ("scores.1.n", -1, "scores.1.n: Input should be greater than or equal to 0"),
    ("role", "winner", "role: Input should be 'entry', 'floor' or 'ceiling'"),
    ("rows", {"a": 1}, "rows: Input should be a valid list"),
    ("more", 1, "more: Extra inputs are not permitted"),
    ("cost.passes", {"forward": "many"}, "cost.passes.forward: Input should be a valid integer"),
]


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize(("path", "value", "said"), MISTAKES)
def test_what_is_wrong_is_told_by_path_and_field(schema, path, value, said) -> None:
    data = earlier() if schema == 1 else read_record(earlier()).model_dump()
    with pytest.raises(RecordError) as caught:
        read_record(changed(data, path, value), "there/it/lies.json")
    assert str(caught.value).startswith(f"record there/it/lies.json is not valid: {said}")


def test_a_score_that_decides_has_a_direction() -> None:
    data = read_record(earlier()).model_dump()
    ranking = next(place for place, score in enumerate(data["scores"]) if score["ranking"])
    with pytest.raises(RecordError, match="decides comparisons and has no direction"):
        read_record(changed(data, f"scores.{ranking}.direction", "none"))


def test_a_missing_field_is_named_and_the_others_are_counted() -> None:
    data = earlier()
    del data["device"], data["python"]
    with pytest.raises(RecordError, match=re.escape("python: Field required (1 more)")):
        read_record(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "the record is no JSON object but list"),
        (None, "the record is no JSON object but NoneType"),
        ({}, "the record is no record of schema 1 or 2: its record_schema is None"),
        ({"record_schema": 3}, "its record_schema is 3; read it with a newer xbench"),
        ({"record_schema": [1]}, "its record_schema is [1]"),
    ],
)
def test_what_is_no_record_at_all_is_refused(data, said) -> None:
    with pytest.raises(RecordError, match=re.escape(said)):
        read_record(data)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no JSON: "), ("[" * 100_000, "is no JSON: "), ("\xff", "is no JSON: ")],
)
def test_files_that_hold_no_json_are_refused(tmp_path, text, said) -> None:
    path = tmp_path / "record.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecordError, match=re.escape(f"record {path} {said}")):
        read_record_file(path)


def test_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(RecordError, match="cannot be read: No such file or directory"):
        read_record_file(tmp_path / "none.json")


def test_two_records_are_compared_without_times_by_leaving_out_one_field() -> None:
    data = earlier()
    first = read_record(json.loads(json.dumps(data)))
    data["finished"] = "2030-01-01T00:00:00+00:00"
    data["cost"]["seconds"] = {"explain": 1.0}
    for facts in data["artefact_facts"]:
        facts["seconds"] = 5.0
    second = read_record(data)
    assert first != second
    assert first.model_dump(exclude={"times"}) == second.model_dump(exclude={"times"})


def test_every_field_of_a_record_is_described_in_the_docs(project: Path) -> None:
    text = (project / "docs" / "records.md").read_text(encoding="utf-8")
    table = text.split("## A record", 1)[1].split("\n## ", 1)[0]
    described = set(re.findall(r"`([a-z_]+)`", table))
    assert set(Record.model_fields) <= described


def test_a_record_lies_under_its_benchmark_by_label_and_key() -> None:
    record = read_record(earlier(0)).model_copy(update={"label": "a  (b) – c", "key": "0" * 32})
    assert record_path(record) == f"{record.benchmark}/a-b-c-{'0' * 12}.json"
