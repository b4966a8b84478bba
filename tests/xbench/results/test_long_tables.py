"""Long tables: what programs read of records."""

import csv
import io

import pytest

from hand_made_records import compared, record, scored
from xbench.results.long_tables import difference_table, score_table, written


@pytest.mark.parametrize(("form", "between"), [("csv", ","), ("tsv", "\t")])
def test_every_score_is_a_row_with_the_digits_of_the_record(form, between):
    given = record(
        "a, b",
        scored("hits", 1 / 3, chance=0.25),
        scored("no", None, headline=False, unit="number"),
    )
    text = written(score_table([given]), form).decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=between))
    expected = {
        "benchmark": "made",
        "version": "1",
        "entry": "a, b",
        "role": "entry",
        "score": "hits",
        "direction": "higher",
        "headline": "true",
        "ranking": "false",
        "unit": "share",
        "value": str(1 / 3),
        "low": str(1 / 3 - 0.01),
        "high": str(1 / 3 + 0.01),
        "level": "0.95",
        "deviation": "",
        "chance": "0.25",
        "n": "10",
        "n_unscored": "0",
    }
    assert {name: rows[0][name] for name in expected} == expected
    assert (rows[1]["value"], rows[1]["unit"]) == ("", "number")


@pytest.mark.parametrize(("direction", "word"), [("higher", "worse"), ("lower", "better")])
def test_differences_say_who_is_better(direction, word):
    lines = (("mine", "entry", 0.5), ("random", "floor", 0.6))
    rows = difference_table(compared(*lines, direction=direction)).to_pylist()
    assert [(row["entry"], row["minus"]) for row in rows] == [
        ("mine", "random"),
        ("random", "mine"),
    ]
    assert rows[0]["verdict"] == word
