"""Conclusions: every sentence that is made of records, from records made by hand."""

from types import SimpleNamespace

import pytest

from hand_made_records import benchmark, compared, difference, record, scored
from xbench.benchmark.published import read_published
from xbench.results.conclusions import conclusions
from xbench.results.prose.winners import suite_sentences

NO_CEILING = "There is no ceiling: how much better a method could be is not known."
ONE = ("a", "entry", 0.6)
FLOORS = (("guess", "floor", 0.5), ("centre", "floor", 0.4))
TOP = ("truth", "ceiling", 1.0)


def said(records, **changes):
    return conclusions(benchmark(**changes), records)


def stands(*lines, **changes):
    return said(compared(*lines, **changes)).standings


def test_what_was_run_comes_first():
    found = said(compared(ONE, *FLOORS))
    assert found.title == "By hand"
    assert found.measured == ("benchmark made 1, dataset pictures, 10 images, 1 repeat",)


def test_an_entry_that_is_better_than_all_floors_is_beside_the_best_of_them_and_the_ceiling():
    (sentence,) = stands(ONE, *FLOORS, TOP)
    assert sentence == (
        "In hits 'a' is better than both floors (the best is 'guess': 60.0 % against 50.0 %, "
        "+10.0 [+8.0, +12.0] points). It is 40.0 points away from the ceiling 'truth' (100.0 %)."
    )


def test_a_floor_that_wins_is_named_with_its_numbers():
    sentence, ceiling = stands(("a", "entry", 0.45), *FLOORS)
    assert sentence == (
        "In hits 'a' is worse than the floor 'guess' (45.0 % against 50.0 %, -5.0 [-7.0, -3.0] "
        "points); it is better than 1 of 2 floors."
    )
    assert ceiling == NO_CEILING


def test_worse_than_one_floor_and_level_with_another():
    lines = (("a", "entry", 0.45), FLOORS[0], ("edge", "floor", 0.44), ("dark", "floor", 0.1))
    assert stands(*lines)[0] == (
        "In hits 'a' is worse than the floor 'guess' (45.0 % against 50.0 %, -5.0 [-7.0, -3.0] "
        "points); it ties with the floor 'edge' (45.0 % against 44.0 %, +1.0 [-1.0, +3.0] "
        "points); it is better than 1 of 3 floors."
    )


def test_worse_than_every_floor():
    assert stands(("a", "entry", 0.1), *FLOORS)[0] == (
        "In hits 'a' is worse than both floors (the best is 'guess': 10.0 % against 50.0 %, -40.0 "
        "[-42.0, -38.0] points)."
    )


def test_where_less_is_better_a_larger_value_is_worse():
    lines = (("a", "entry", 3.0), ("guess", "floor", 2.0), ("centre", "floor", 9.0))
    worse, _ = stands(*lines, direction="lower", unit="number")
    assert worse == (
        "In hits 'a' is worse than the floor 'guess' (3.00 against 2.00, +1.00 [+0.98, +1.02]); it "
        "is better than 1 of 2 floors."
    )
    top = (("a", "entry", 3.0), ("truth", "ceiling", 1.0))
    (sentence,) = stands(*top, direction="lower", unit="number")
    assert sentence.endswith("It is 2.00 away from the ceiling 'truth' (1.00).")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.99, "It ties with the ceiling 'truth' (100.0 %)."),
        (1.2, "It is better than the ceiling 'truth' (100.0 %), which is therefore none."),
    ],
)
def test_a_ceiling_that_is_reached(value, words):
    (sentence,) = stands(("a", "entry", value), TOP)
    assert sentence.endswith(words)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.6, "better than"), (0.505, "not told apart from"), (0.4, "worse than")],
)
@pytest.mark.parametrize("turned", [False, True])
def test_chance_is_compared_with_the_interval(value, words, turned):
    direction = "lower" if turned else "higher"
    value = 1 - value if turned else value
    entry = record("a", scored("hits", value, chance=0.5, direction=direction))
    sentence = said([entry]).standings[0]
    assert sentence.endswith(f"and no floor to compare with. It is {words} chance (50.0 %).")


def test_without_floors_the_value_stands_alone():
    assert stands(ONE) == (
        "In hits 'a' has 60.0 % [59.0, 61.0], and no floor to compare with.",
        NO_CEILING,
    )


def test_every_headline_gets_its_sentence_the_one_that_ranks_first():
    scores = [scored("recall", 0.5), scored("precision", 0.6, ranking=True)]
    other = scored("detail", 0.1, headline=False)
    first, second, _ = said([record("a", *scores, other)]).standings
    assert (first.split()[1], second.split()[1]) == ("precision", "recall")


def test_what_cannot_be_computed_is_said():
    entry = record("a", scored("hits", None), differences=[difference("hits", "guess", None)])
    floor = record("guess", scored("hits", 0.5), role="floor")
    assert said([entry, floor]).standings[0] == "'a' has no hits: it could not be computed."
    known = record("a", scored("hits", 0.6), differences=[difference("hits", "guess", None)])
    assert said([known, floor]).standings[0] == (
        "In hits 'a' has 60.0 % [59.0, 61.0], and no floor to compare with."
    )
    two = [difference("hits", "guess", None), difference("hits", "centre", 0.2)]
    both = record("a", scored("hits", 0.6), differences=two)
    other = record("centre", scored("hits", 0.4), role="floor")
    assert said([both, floor, other]).standings[0] == (
        "In hits 'a' is better than the floor 'centre' (60.0 % against 40.0 %, +20.0 [+18.0, "
        "+22.0] points); it cannot be compared with 'guess'."
    )


def test_an_unpaired_difference_is_marked():
    apart = difference("hits", "guess", 0.1, paired=False)
    entry = record("a", scored("hits", 0.6), differences=[apart])
    found = said([entry, record("guess", scored("hits", 0.5), role="floor")])
    assert "(60.0 % against 50.0 %, +10.0 [+8.0, +12.0] points, unpaired)" in found.standings[0]
    assert found.remarks == ("Unpaired differences are of different images, and less sharp.",)


def test_a_floor_beside_another_entry_is_not_counted():
    lines = (("a", "entry", 0.6), ("b", "entry", 0.7), ("floor: b", "floor", 0.65))
    sentences = stands(*lines)
    assert not any("'a' is worse" in sentence for sentence in sentences)
    assert any(
        sentence.startswith("In hits 'b' is better than the floor") for sentence in sentences
    )


def test_of_two_entries_the_better_one_wins_by_so_much():
    sentences = stands(("a", "entry", 0.5), ("b", "entry", 0.6))
    assert sentences == (
        "In hits 'b' is better than 'a' (60.0 % against 50.0 %, +10.0 [+8.0, +12.0] points).",
        NO_CEILING,
    )
    assert stands(("a", "entry", 0.6), ("b", "entry", 0.6))[0] == (
        "In hits 'a' and 'b' tie (60.0 % against 60.0 %, +0.0 [-2.0, +2.0] points)."
    )
    apart = [record(label, scored("hits", value)) for label, value in (("a", 0.5), ("b", 0.6))]
    assert said(apart).standings[0] == (
        "In hits 'b' and 'a' cannot be compared (60.0 % against 50.0 %)."
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            (0.5, 0.6, 0.9),
            (
                "In hits 'c' has the best value of 3 entries (90.0 %) and is better than all "
                "others; next is 'b' (60.0 %: +30.0 [+28.0, +32.0] points)."
            ),
        ),
        (
            (0.5, 0.9, 0.9),
            (
                "In hits 'b' has the best value of 3 entries (90.0 %), is better than 1, and is "
                "not told apart from 'c'."
            ),
        ),
        (
            (0.9, 0.9, 0.9),
            (
                "In hits 'a' has the best value of 3 entries (90.0 %), and is not told apart from "
                "any other."
            ),
        ),
    ],
)
def test_of_several_entries_the_best_is_named_and_those_it_ties_with(values, sentence):
    lines = [(label, "entry", value) for label, value in zip("abc", values, strict=True)]
    assert stands(*lines)[0] == sentence


def test_where_no_score_decides_nobody_wins_and_no_verdict_is_explained():
    shown = scored("alike", 0.5, direction="none", headline=False)
    found = said([record("x", shown), record("y", shown, role="floor")])
    assert found.standings == (
        "Scores without a better side are shown next to each other, and rank nobody.",
    )
    assert "better, worse, tie" not in [term.name for term in found.terms]


def test_where_less_is_better_the_smallest_wins():
    lines = [(label, "entry", value) for label, value in zip("abc", (3, 1, 2), strict=True)]
    assert stands(*lines, direction="lower", unit="number")[0].startswith(
        "In hits 'b' has the best"
    )


def test_of_many_entries_it_is_said_how_many_are_better_than_their_floors():
    entries = [(f"e{n}", "entry", 0.6) for n in range(6)]
    best, beside, _ = stands(*entries, ("guess", "floor", 0.5))
    assert best.endswith("and is not told apart from any other.")
    assert beside == "All 6 entries are better than all floors beside them in hits."
    low = [(f"low{n}", "entry", 0.3) for n in range(5)]
    _, some, _ = stands(entries[0], *low, ("guess", "floor", 0.5))
    assert some == (
        "1 of 6 entries is better than all floors beside them in hits; not 'low0', 'low1', "
        "'low2', 'low3' and 1 more."
    )


def test_of_many_entries_chance_is_told_too():
    entries = [record(f"e{n}", scored("hits", 0.6, chance=0.5)) for n in range(4)]
    assert "All 4 entries are better than chance in hits." in said(entries).standings
    assert "Both entries are better than chance in hits." in said(entries[:2]).standings
    level = record("level", scored("hits", 0.5, chance=0.5))
    only = [record("a", scored("hits", 0.6)), level]
    assert "'level' is not better than chance in hits." in said(only).standings


def test_of_a_grid_the_best_cell_is_named_and_only_neighbours_count_for_what_can_be_told():
    lines = [(f"{x}{y}", "entry", 0.5 + x / 10 + y / 100) for x in (0, 1) for y in (0, 1)]
    cells = [
        SimpleNamespace(label=f"{x}{y}", cell={"x": str(x), "y": str(y)})
        for x in (0, 1)
        for y in (0, 1)
    ]
    records = compared(*lines)
    wide = difference("hits", "11", -0.11, width=0.4)
    records[0] = records[0].model_copy(update={"differences": [wide, *records[0].differences[:-1]]})
    found = said(records, lines=cells)
    assert found.standings[0].startswith("In hits '11' has the best value of 4 entries")
    assert found.detectable.startswith("Smallest detectable difference: 2.0 points in hits")


def test_the_smallest_detectable_difference_is_half_of_the_widest_interval():
    entry, *floors = compared(ONE, *FLOORS)
    wide = difference("hits", "guess", 0.1, width=0.05)
    entry = entry.model_copy(update={"differences": [wide, *entry.differences[1:]]})
    assert said([entry, *floors]).detectable == (
        "Smallest detectable difference: 5.0 points in hits (half of the widest 95 % interval of "
        "a difference)."
    )
    assert said([record("a", scored("hits", 0.5))]).detectable == ""


def test_what_an_entry_is_bad_at():
    lost = said(compared(("a", "entry", 0.45), *FLOORS)).weaknesses
    assert lost == ("'a' is bad at: hits, where the floor 'guess' is better by 5.0 points.",)
    tied = said(compared(("a", "entry", 0.51), *FLOORS)).weaknesses
    assert tied == ("'a' is bad at: hits, where it is no better than the floor 'guess'.",)
    assert said(compared(ONE, *FLOORS)).weaknesses == ()
    scores = [scored("hits", 0.6), scored("more", 0.6)]
    beside = [difference(name, "guess", 0.1) for name in ("hits", "more")]
    floor = record("guess", scored("hits", 0.5), scored("more", 0.5), role="floor")
    won = said([record("a", *scores, differences=beside), floor]).weaknesses
    assert won == ("'a' is better than every floor in every headline score.",)
    guessing = record("a", scored("hits", 0.5, chance=0.5), scored("more", 0.1, chance=0.5))
    assert said([guessing]).weaknesses == (
        (
            "'a' is bad at: hits, where it is no better than chance; more, where it is no better "
            "than chance."
        ),
    )
    assert said(compared(ONE)).weaknesses == ()


@pytest.mark.parametrize(("direction", "worst"), [("higher", "10%"), ("lower", "50%")])
def test_the_weakest_of_the_scores_that_are_averaged_is_named(direction, worst):
    parts = {"10%": 0.2, "30%": 0.5, "50%": 0.8, "70%": None}
    scores = [
        scored(f"hits@{name}", value, headline=False, direction=direction)
        for name, value in parts.items()
    ]
    entry = record("a", scored("average hits", 0.5, direction=direction), *scores)
    value = f"{100 * parts[worst]:.1f}"
    assert said([entry]).weaknesses == (f"'a' is at its weakest with hits@{worst} ({value} %).",)


def test_contrasts_are_answered_in_every_headline():
    contrast = SimpleNamespace(title="what the place gives", of="guess", minus="centre")
    entry, guess, centre = compared(ONE, *FLOORS)
    more = difference("recall", "centre", -0.1)
    guess = guess.model_copy(update={"differences": [*guess.differences, more]})
    found = said([entry, guess, centre], contrasts=(contrast,))
    assert found.standings[-1] == (
        "What the place gives: +10.0 [+8.0, +12.0] points in hits and -10.0 [-12.0, -8.0] points "
        "in recall."
    )
    gone = SimpleNamespace(title="t", of="gone", minus="centre")
    assert said([entry, guess, centre], contrasts=(gone,)).standings[-1] == NO_CEILING


def test_the_claims_of_a_paper_are_judged_by_the_score_that_ranks():
    published = read_published(
        {
            "source": "Somebody 1999",
            "scores": ["hits"],
            "rows": [{"label": "a", "values": [50.0]}, {"label": "b", "values": [40.0]}],
            "orders": [{"higher": "a", "lower": "b"}],
            "not_comparable": "other pictures",
        }
    )
    one, other = compared(("a", "entry", 0.5), ("b", "entry", 0.6))
    recall = difference("recall", "b", 0.3)
    one = one.model_copy(update={"differences": [recall, *one.differences]})
    found = said([one, other], published=published)
    assert found.standings[-1] == (
        "Somebody 1999 claims a above b: it is reversed here (-10.0 [-12.0, -8.0])."
    )
    assert found.remarks == ("Not comparable with Somebody 1999: other pictures.",)


def test_what_is_to_be_known_before_numbers_are_used():
    entry = record("a", scored("hits", 0.5, n_unscored=3), limited_to=5, awaited=2)
    assert said([entry]).remarks == (
        "Limited to 5 images: a try, not a result.",
        "a: 2 answers of people still to come; run the same command again when more are there.",
        (
            "Not everything could be scored: 'a' lacks a score of 3 of 13 images, the most of all; "
            "differences are of the images that both have."
        ),
    )


def test_words_are_explained_that_the_numbers_need():
    protocol = SimpleNamespace(case="bird", terms=lambda: {"insecurity": "a region of a bird."})
    alone = said([record("a", scored("hits", 0.5))], protocol=protocol)
    assert [term.name for term in alone.terms] == ["insecurity", "interval"]
    assert "with other birds (95 % of the resamples of a bootstrap over birds)" in str(alone.terms)
    every = compared(ONE, *FLOORS, TOP)
    every[0] = every[0].model_copy(update={"scores": [scored("hits", 0.5, chance=0.2)]})
    names = [term.name for term in said(every).terms]
    assert names == ["floor", "ceiling", "chance", "interval", "better, worse, tie"]


def test_where_every_entry_failed_nothing_is_said_of_them():
    found = said([record("guess", scored("hits", 0.5), role="floor")])
    assert found.standings == (NO_CEILING,)
    assert (found.weaknesses, found.detectable) == ((), "")
    assert said([record("a", scored("hits", 0.5, headline=False))]).standings == (NO_CEILING,)


def test_sentences_are_read_in_order():
    found = said(compared(ONE, *FLOORS))
    assert found.sentences == (*found.standings, *found.weaknesses, found.detectable)
    alone = said([record("a", scored("hits", 0.5))])
    assert "" not in alone.sentences


def test_a_suite_is_summed_up_by_who_is_better_than_all_others():
    def run(name, *lines):
        return [of.model_copy(update={"benchmark": name}) for of in compared(*lines)]

    a_wins = (("a", "entry", 0.6), ("b", "entry", 0.5), ("guess", "floor", 0.9))
    level = (("a", "entry", 0.6), ("b", "entry", 0.6))
    runs = [run("x", *a_wins), run("y", *level), run("z", *a_wins), run("one", ONE)]
    assert list(suite_sentences(runs)) == [
        "'a' is better than all other entries in 2 of 3 benchmarks with several entries: x and z.",
        "No entry is better than all others in y.",
    ]
    assert list(suite_sentences([run("one", ONE)])) == []
