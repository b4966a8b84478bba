"""Tables as text for other programs."""

import csv
import io

import pytest

from xbench.errors import UnknownNameError
from xbench.results.rendering import rendered
from xbench.results.tables import Row, Table

TABLE = Table(
    "Scores in per cent & 95 % of_all",
    ("", "a|b", "what"),
    (
        Row("own_one", ("64.6\n63.6–65.7", "[x] <b> $5 #1")),
        Row("centre, prior", ("! 61.7", "tab\there")),
        Row("low", ("-1.5", "")),
    ),
    "! better",
)
FLOOR = TABLE._replace(rows=(Row("f", ("1", "2"), "floor"),))


def test_text_is_aligned_numbers_to_the_right():
    assert rendered(TABLE, "text").split("\n") == [
        "Scores in per cent & 95 % of_all",
        "                          a|b  what",
        "own_one        64.6 63.6–65.7  [x] <b> $5 #1",
        "centre, prior          ! 61.7  tab here",
        "low                      -1.5",
        "! better",
    ]


def test_separated_values_are_heads_and_rows_alone():
    assert rendered(TABLE, "tsv").split("\n")[2] == "centre, prior\t! 61.7\ttab here"
    rows = list(csv.reader(io.StringIO(rendered(TABLE, "csv"))))
    assert rows[0] == ["", "a|b", "what"]
    assert rows[2] == ["centre, prior", "! 61.7", "tab here"]
    assert len(rows) == 4


def test_markdown_is_escaped():
    assert rendered(TABLE, "md").split("\n") == [
        r"**Scores in per cent \& 95 % of\_all**",
        "",
        r"|  | a\|b | what |",
        "| --- | --: | --- |",
        r"| own\_one | 64.6 63.6–65.7 | \[x\] \<b\> \$5 \#1 |",
        "| centre, prior | ! 61.7 | tab here |",
        "| low | -1.5 |  |",
        "",
        "! better",
    ]


def test_latex_is_escaped():
    assert rendered(TABLE, "latex").split("\n") == [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        r"\caption{Scores in per cent \& 95 \% of\_all}",
        r"\begin{tabular}{lrl}",
        r"\toprule",
        r" & a\textbar{}b & what \\",
        r"\midrule",
        r"own\_one & 64.6 63.6--65.7 & {[}x{]} \textless{}b\textgreater{} \$5 \#1 \\",
        r"centre, prior & ! 61.7 & tab here \\",
        r"low & $-$1.5 &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip ! better",
        r"\end{table}",
    ]


@pytest.mark.parametrize("form", ["text", "tsv", "csv", "md", "latex"])
def test_what_is_no_entry_says_so(form):
    assert "f (floor)" in rendered(FLOOR, form)
    assert rendered(TABLE._replace(rows=()), form)


def test_an_unknown_format_names_those_there_are():
    with pytest.raises(UnknownNameError, match=r"unknown format 'html'.*latex"):
        rendered(TABLE, "html")
