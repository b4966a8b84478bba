"""What is printed on a terminal of any width: nothing is cut off."""

import sys

import click
import pytest

from xbench.cli.output import print_lines, print_table

LABELS = ("deliberative", "random region, same pair\n(floor)", "cerula-secunda")


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Calls something as on a terminal so many columns wide, and gives the lines it prints."""

    def call(width, printer, *given):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        printer(*given)
        return click.unstyle(capsys.readouterr().out).splitlines()

    return call


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_number_of_a_table_is_cut_off_and_no_line_is_too_long(terminal, width):
    rows = [(label, *(f"{n}.5\n{n}.1–{n}.9" for n in range(100, 108))) for label in LABELS]
    heads = ("", "average", *(f"species-number-{n}" for n in range(7)))
    lines = terminal(width, print_table, "scores [in per cent]", heads, rows)
    assert lines[0] == "scores [in per cent]"
    assert max(map(len, lines)) <= width
    for number in range(100, 108):
        assert "\n".join(lines).count(f"{number}.1–{number}.9") == len(rows)


def test_columns_that_do_not_fit_stand_below_with_the_labels_again(terminal):
    heads = ("", *(f"column{n}" for n in range(9)))
    text = "\n".join(terminal(60, print_table, "t", heads, [("own", *("0.123456",) * 9)]))
    assert text.count("own") == text.count("┏") == 3
    text = "\n".join(terminal(120, print_table, "t", heads, [("own", *("0.123456",) * 9)]))
    assert text.count("own") == text.count("┏") == 1


def test_an_empty_table_has_its_heads(terminal):
    assert any("name" in line for line in terminal(80, print_table, "t", ("name", "kind"), []))


def test_no_line_ends_within_an_interval_or_before_a_per_cent_sign(terminal):
    line = "better by a lot of per cent: 45.5 % against 12.4 %, +6.1 [+4.1, +8.3] points"
    for width in range(20, 80):
        lines = terminal(width, print_lines, line)
        assert " ".join(" ".join(lines).split()) == line
        assert not any(of.endswith(("[+4.1,", "45.5", "12.4")) for of in lines)


def test_sentences_are_wrapped_between_words_and_paths_are_not(terminal):
    path = f"record /{'folder/' * 20}a.json"
    lines = terminal(40, print_lines, "a sentence " * 5, path, "")
    assert lines == [
        "a sentence a sentence a sentence a",
        "  sentence a sentence",
        path,
        "",
    ]
