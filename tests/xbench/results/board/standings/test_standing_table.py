"""Tables and sentences of a standing, and what strangers may write into them."""

import csv
import io
import json
import re

import numpy as np
import pytest

from hand_made_boards import FRESH, entry, hits, weights
from xbench.cli.output import print_table
from xbench.kernels.ranks import RankRule
from xbench.results.board.standings.sentences import sentences
from xbench.results.board.standings.standing import standing
from xbench.results.board.standings.table import standing_table, standing_tables
from xbench.results.board.standings.values import standing_values
from xbench.results.long_tables import written
from xbench.results.record import HeadingRecord
from xbench.results.rendering import WRITERS, rendered

QUICK = RankRule(resamples=199)
HOSTILE = r"\input{x} & [red]$_%#|*`~^ =1+1, 'quoted' " + '"a"' + "\u4e2d" * 3
PUBLISHED = {
    "source": "A paper, table 1",
    "remark": "",
    "not_comparable": "",
    "scores": ["misses", "hits"],
    "rows": [{"label": "theirs", "values": [1.0, 61.25], "deviations": [], "not_comparable": ""}],
    "orders": [],
}


def values(mean, count=40, networks=2, seed=0):
    source = np.random.default_rng([seed, int(1000 * mean)])
    hard = np.random.default_rng(seed).normal(0, 0.1, count)
    return np.clip(mean + hard + source.normal(0, 0.05, (networks, count)), 0, 1)


def one(name, mean, chance=0.25, **fields):
    return entry(name, hits(values(mean), chance=chance), **fields)


def made(*entries):
    return standing(entries, rule=QUICK)


def usual():
    poor = values(0.7)
    poor[:, :4] = np.nan
    heading = HeadingRecord(title="By hand", case="image", place=0, published=PUBLISHED)
    return made(
        one("best", 0.8, label="a method whose label has forty letters..", heading=heading),
        entry("left-out", hits(poor, chance=0.25), label="one that leaves out", fresh=(FRESH,)),
        one("worst", 0.3, superseded=("f" * 32,), declared={"tuned_on": ["test"]}),
        one("floor", 0.45, role="floor", label="random region"),
        one("top", 0.95, role="ceiling", label="known parts"),
        one("other", 0.9, weights=weights("x", "y")),
    )


def test_the_table_has_ranked_entries_then_floors_ceilings_chance_and_published_figures():
    table = standing_table(usual())
    text = rendered(table, "text")
    assert text.split("\n")[0] == "made 1: hits (%), with 95 % intervals over images"
    assert [row.name for row in table.rows] == [
        "a method whose label has forty letters..",
        "one that leaves out",
        "worst",
        "random region\n(floor)",
        "known parts\n(ceiling)",
        "chance\n(floor)",
        "theirs, published",
    ]
    cells = {row.label: row.cells for row in table.rows}
    assert cells["worst"][1:] == ("3\n3–3", "c")
    assert cells["random region"][0].startswith("! ")
    assert cells["random region"][1:] == ("", "")
    assert cells["chance"] == ("25.0", "", "")
    assert cells["theirs, published"] == ("61.25", "", "")
    assert table.legend.split("\n") == [
        "rank: that of the mean, and its 95 % interval (marginal)",
        "entries that share a letter are not told apart",
        "! a floor that is better than an entry in this score",
        "published: A paper, table 1",
    ]


def test_labels_of_forty_letters_fit_into_eighty_columns():
    text = rendered(standing_table(usual()), "text")
    assert max(map(len, text.split("\n"))) <= 80


def test_details_and_who_stands_apart_come_below():
    _, details, apart = standing_tables(usual())
    cells = {row.label: row.cells for row in details.rows}
    assert details.columns == ("", "networks", "left out", "passes", "time", "marks")
    assert cells["one that leaves out"] == (
        "2, 2",
        "8",
        "24",
        "0 s",
        "fresh-checked: drop +10.0 [-5.0, +25.0]",
    )
    assert cells["worst"][-1] == "tuned on test; replaces 1"
    assert cells["random region"][0] == ""
    assert apart.title == "Apart, other weights\nmade 1: hits (%), with 95 % intervals over images"
    assert apart.rows[0].cells[1:] == ("", "")


def test_the_sentences_say_who_leads_what_beats_entries_and_how_ranks_are_made():
    said = "\n".join(sentences(usual()))
    for part in [
        "In hits 'a method whose label has forty letters..' has the best value of 3 entries (7",
        ", rank 1, and is told apart from all others.",
        "letters..' has the best value on all 2 networks.",
        "The floor 'random region' (4",
        " is better than 'worst'.",
        "'known parts' knows what the others do not: a ceiling, without rank.",
        "'one that leaves out' leaves out 8 of 80 images, counted on each network;",
        "counts as 0.0 %, the worst.",
        "Detectable difference: ",
        " at 80 % power and level 0.05 (the median of 3 pairs, each by itself).",
        "Rank intervals of 95 % are marginal, with stepdown (199 resamples of 40 images, seed 0).",
        "by Holm's method at level 0.05.",
        "All of this is conditional on the 2 networks, which are not drawn anew.",
        "'other' stands apart: other weights.",
    ]:
        assert part in said


def test_what_is_simultaneous_or_alone_is_said():
    entries = [one("a", 0.5), one("b", 0.5, label="b")]
    at_once = standing(entries, rule=QUICK._replace(simultaneous=True, stepdown=False))
    assert "95 % hold all ranks at once, without stepdown" in "\n".join(sentences(at_once))
    assert "(simultaneous)" in standing_table(at_once).legend
    alone = made(entries[0])
    assert "no other entry is ranked" in sentences(alone)[0]
    assert standing_table(alone).rows[0].cells[1:] == ("1\n1–1", "")
    floors = made(one("f", 0.5, role="floor"))
    assert (
        sentences(floors)[0] == "No entry is ranked by hits: there are floors and ceilings alone."
    )


def test_labels_that_two_entries_share_get_their_names():
    rows = standing_table(made(one("a", 0.8, label="same"), one("b", 0.3, label="same"))).rows
    assert [row.label for row in rows][:2] == ["same (a)", "same (b)"]


def test_published_figures_that_records_disagree_about_are_not_shown():
    forged = {**PUBLISHED, "source": "made up"}
    wrong = {**PUBLISHED, "rows": [{"label": 3}]}
    for trees in ([PUBLISHED, forged], [wrong], [{**PUBLISHED, "scores": ["hit"]}], [{}]):
        entries = [
            one(
                f"e{place}",
                0.5,
                heading=HeadingRecord(title="", case="image", place=0, published=tree),
            )
            for place, tree in enumerate(trees)
        ]
        assert made(*entries).main.published == ()


@pytest.mark.parametrize("form", WRITERS)
def test_a_hostile_label_has_its_place_in_every_form(form):
    found = made(one("a", 0.8, label=HOSTILE), one("b", 0.3))
    plain = made(one("a", 0.8, label="x"), one("b", 0.3))
    for table, other in zip(standing_tables(found), standing_tables(plain), strict=True):
        text = rendered(table, form)
        assert len(text.split("\n")) == len(rendered(other, form).split("\n"))
        if form == "latex":
            assert r"\textbackslash{}input\{x\} \& {[}red{]}\$\_\%\#" in text
        if form == "md":
            assert r"\\input\{x\} \& \[red\]\$\_%\#\|" in text
    if form == "csv":
        assert list(csv.reader(io.StringIO(text)))[1][0] == HOSTILE[:59] + "…" * (len(HOSTILE) > 60)


def test_a_hostile_label_is_shown_as_text_on_a_terminal(monkeypatch, capsys):
    table = standing_table(made(one("a", 0.8, label="[bold]" + "x" * 3000), one("b", 0.3)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(table.title, table.columns, [(row.name, *row.cells) for row in table.rows])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "[bold]xxx" in shown
    assert max(map(len, shown.split("\n"))) <= 80
    assert len(shown.split("\n")) < 30


@pytest.mark.parametrize("label", ["=1+1", "@SUM(1)", "+cmd", "-2"])
def test_no_label_is_a_formula(label):
    text = rendered(standing_table(made(one("a", 0.8, label=label), one("b", 0.3))), "csv")
    assert f"\n'{label},".replace('"', "") in text


def test_numbers_of_any_size_have_their_place():
    scores = hits(np.array([[1e90, -1e90, 3.0]]), unit="number")
    found = made(entry("a", scores), entry("b", hits([[1.0, 2.0, 3.0]], unit="number")))
    assert max(len(cell) for row in standing_table(found).rows for cell in row.cells) < 40
    json.dumps(found.tree(), allow_nan=False)


def test_programs_get_a_row_for_each_line_with_all_digits():
    found = usual()
    rows = standing_values(found).to_pylist()
    assert [row["name"] for row in rows] == ["best", "left-out", "worst", "floor", "top", "other"]
    first, second, worst, *_, other = rows
    assert first["value"] == found.main.lines[0].value
    assert (first["rank"], first["letters"], first["by_network"]) == (1, "a", "1 1")
    assert (second["left_out"], second["scored"], second["fresh_drop"]) == (8, 80, 0.1)
    assert (worst["beaten_by"], worst["tuned_on"], worst["fresh_drop"]) == ("floor", "test", None)
    assert (first["apart"], other["apart"]) == ("", "other weights")
    lines = written(standing_values(found), "csv").decode().splitlines()
    assert lines[0].startswith('"benchmark","version","apart","score"')
    assert len(lines) == 7
