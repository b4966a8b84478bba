"""How results are printed on terminals and in pipes."""

import sys
from types import SimpleNamespace

import click
import pytest

from hand_made_records import benchmark, compared, record, scored
from xbench.cli.output import print_heading
from xbench.cli.standings import MORE, print_results, print_suite

PROTOCOL = SimpleNamespace(case="image", terms=lambda: {"hits": "how often it hits " * 9 + "."})
LINES = (("mine", "entry", 0.5), ("random", "floor", 0.6), ("truth, the same pair", "ceiling", 1.0))


WIDTHS = pytest.mark.parametrize("width", [40, 80, 120, None])


def look(monkeypatch, width):
    """From here on print on a terminal of so many columns; without, into a pipe."""
    if width:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def printed(capsys):
    return click.unstyle(capsys.readouterr().out).splitlines()


@WIDTHS
def test_conclusions_stand_before_the_one_table_and_no_line_is_too_long(width, monkeypatch, capsys):
    look(monkeypatch, width)
    paths = [f"/s/records/made/{n}.json" for n in range(3)]
    print_results(benchmark(protocol=PROTOCOL), compared(*LINES), paths, full=False)
    lines = printed(capsys)
    assert lines[0] == "By hand"
    found = lines.index("Conclusions")
    table = next(n for n, line in enumerate(lines) if line.startswith("Headline scores in per"))
    assert lines.index("What the words mean") < found < table
    text = " ".join(" ".join(lines).split())
    assert "'mine' is bad at: hits, where the floor 'random' is better by 10.0 points." in text
    assert "! 60.0" in text
    assert "! a floor that is better than an entry in this score" in text
    assert "3 records in /s/records/made" in lines
    assert text.endswith(MORE)
    assert max(map(len, lines)) <= (width or 1000)


def test_a_heading_is_as_long_as_it_looks(monkeypatch, capsys):
    look(monkeypatch, 40)
    print_heading("x" * 19 + " " + "y" * 20)
    assert printed(capsys) == ["x" * 19 + " " + "y" * 20]


def test_all_tables_and_paths_are_printed_where_nobody_can_ask_for_them(capsys):
    paths = [f"/s/records/made/{n}.json" for n in range(3)]
    print_results(benchmark(), compared(*LINES), paths)
    lines = printed(capsys)
    assert any(line.startswith("hits in per cent, with 95 % intervals over") for line in lines)
    assert any(line.startswith("Differences in the headline scores in perc") for line in lines)
    assert lines[-3:] == [f"record {path}" for path in paths]


def test_scores_of_which_none_decides_are_all_printed(capsys):
    print_results(
        benchmark(), [record("a", scored("hits", 0.5, headline=False))], ["p"], full=False
    )
    lines = printed(capsys)
    assert any(line.startswith("hits in per cent") for line in lines)
    assert not any(line.startswith("Headline") for line in lines)
    assert lines[-1] == "record p"


@WIDTHS
def test_a_suite_ends_with_who_wins_where(width, monkeypatch, capsys):
    look(monkeypatch, width)
    lines = (("a", "entry", 0.9), ("b", "entry", 0.5))
    run = SimpleNamespace(benchmark=benchmark(), records=compared(*lines), store=None)
    print_suite("Both", [run] * 2)
    text = " ".join(" ".join(printed(capsys)).split())
    assert text.startswith("Both - 'a' is better than all other entries in 2 of 2 benchmarks")
    assert "Both: headline scores in per cent" in text
    assert "ranks" not in text  # these records have no scores case by case
    assert width is None or "┃" in text
