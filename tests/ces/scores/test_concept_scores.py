"""Concept scores: kept, put together, ranked, drawn, and shown in notebooks."""

import dataclasses
import io
import math
import re
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import (
    Batch,
    Concept,
    ImageSet,
    MismatchError,
    generator,
    load_explanations,
    save_explanations,
)
from xbench_ces.scores.concept_scores import ConceptScores, together

CLASS_NAMES = ("ant", "bee", "cat", "$d_o_g$")


def scores_of(raw, label=1, pictures=False, **fields):
    raw = torch.tensor(raw, dtype=torch.float64)
    concepts = tuple(Concept(f"concept {place}", "settings") for place in range(len(raw)))
    examples = torch.randint(256, (len(raw), 3, 8, 8), generator=generator("pictures")).byte()
    values = {
        "concepts": concepts,
        "raw": raw,
        "logarithmic": 2 * raw,
        "probability": 0.25,
        "label": label,
        "predicted": 2,
        "saturated": 0.5,
        "examples": examples if pictures else None,
    }
    return ConceptScores(**{**values, **fields})


def images(count=1, labels=None, source=None):
    pixels = torch.rand(count, 3, 20, 20, generator=generator("images"))
    return Batch(pixels, tuple(range(count)), labels, source)


NAMES = st.text(st.characters(codec="utf-8"), max_size=6)
RAW = st.lists(st.floats(-1, 1), max_size=5)


@given(RAW, st.data(), st.booleans(), st.booleans(), st.booleans())
def test_scores_are_what_their_tensors_say(raw, data, known, verified, pictures):
    pairs = [Concept(data.draw(NAMES), data.draw(NAMES)) for _ in raw]
    scores = scores_of(
        raw, concepts=tuple(pairs), known=known, verified=verified, images=3, pictures=pictures
    )
    loaded = ConceptScores.from_tensors(scores.tensors())
    for field in dataclasses.fields(ConceptScores):
        ours, theirs = getattr(scores, field.name), getattr(loaded, field.name)
        same = torch.equal(ours, theirs) if isinstance(ours, torch.Tensor) else ours == theirs
        assert same, field.name


def test_scores_are_saved_and_loaded(tmp_path):
    explanations = [scores_of([0.5, -0.25], pictures=True), scores_of([], saturated=math.nan)]
    save_explanations(tmp_path / "scores.safetensors", explanations)
    loaded = load_explanations(tmp_path / "scores.safetensors", ConceptScores)
    assert [scores.concepts for scores in loaded] == [scores.concepts for scores in explanations]
    assert loaded[0].raw.tolist() == [0.5, -0.25]
    assert loaded[0].normalised.tolist() == [1.0, -0.5]
    assert torch.equal(loaded[0].examples, explanations[0].examples)
    assert loaded[1].examples is None
    assert math.isnan(loaded[1].saturated)


def test_normalised_scores_and_ranks_follow_the_raw_ones():
    scores = scores_of([0.1, -0.4, 0.1, 0.2])
    assert scores.normalised.tolist() == [0.25, -1.0, 0.25, 0.5]
    assert scores.ranks().tolist() == [2.5, 4.0, 2.5, 1.0]
    assert scores_of([0.0, 0.0]).normalised.tolist() == [0.0, 0.0]


def test_the_strongest_concepts_come_first_with_both_scores():
    scores = scores_of([0.125, -0.5, 0.25])
    strongest = scores.strongest(2)
    assert [
        (concept.concept.name, concept.raw, concept.normalised, concept.place)
        for concept in strongest
    ] == [
        ("concept 2", 0.25, 0.5, 2),
        ("concept 0", 0.125, 0.25, 0),
    ]
    assert [concept.place for concept in scores.opposing(2)] == [1, 0]
    assert len(scores.strongest(9)) == 3


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_scores_of_several_images_are_sums(batch):
    total = together([scores_of(raw, probability=place / 10) for place, raw in enumerate(batch)])
    for concept in range(3):
        expected = sum(raw[concept] for raw in batch)
        assert float(total.raw[concept]) == pytest.approx(expected, abs=1e-12)
        assert float(total.logarithmic[concept]) == pytest.approx(2 * expected, abs=1e-12)
    assert total.images == len(batch)
    assert total.probability == pytest.approx(sum(range(len(batch))) / 10 / len(batch))


@given(RAW)
def test_the_same_image_twice_doubles_raw_scores_and_leaves_normalised_ones(raw):
    single = scores_of(raw)
    both = together([single, single])
    assert torch.equal(both.raw, 2 * single.raw)
    torch.testing.assert_close(both.normalised, single.normalised)
    assert torch.equal(both.ranks(), single.ranks())
    assert both.saturated == single.saturated


def test_sums_can_be_summed_again():
    first, second, third = (scores_of([x, -x], saturated=x) for x in (0.25, 0.5, 0.75))
    at_once = together([first, second, third])
    in_turn = together([together([first, second]), third])
    assert torch.equal(at_once.raw, in_turn.raw)
    assert (at_once.images, at_once.saturated) == (in_turn.images, in_turn.saturated) == (3, 0.5)


def test_a_sum_is_known_and_verified_only_if_all_are():
    good = scores_of([0.1], predicted=3)
    total = together([good, scores_of([0.1], known=False), scores_of([0.1], verified=False)])
    assert (total.known, total.verified) == (False, False)
    assert total.predicted == 2, "what is predicted most often"
    assert together([good, scores_of([0.1])]).predicted == 2, "the smaller label of two equals"


def test_scores_of_different_classes_are_not_summed():
    with pytest.raises(MismatchError) as error:
        together([scores_of([0.1], label=3), scores_of([0.1], label=1)])
    assert str(error.value) == (
        "concept scores can be put together for images of one class, not of classes 1, 3; "
        "group them by `label` first"
    )


def test_scores_of_different_concepts_are_not_summed():
    with pytest.raises(MismatchError) as error:
        together([scores_of([0.1]), scores_of([0.1, 0.2])])
    assert str(error.value) == (
        "concept scores can be put together if they are of the same concepts in the same order; "
        "explain all images with one bank and threshold"
    )
    with pytest.raises(MismatchError, match=r"^there are no concept scores to put together; give"):
        together([])


def words(figure):
    """All text of a figure; that it can be drawn is part of what is tested."""
    figure.savefig(io.BytesIO(), format="png")
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def bars(figure):
    return [patch.get_width() for ax in figure.axes for patch in ax.patches]


def test_the_picture_shows_the_strongest_concepts_of_both_signs():
    scores = scores_of([0.01 * x for x in range(-10, 11)], pictures=True)
    figure = scores.draw(images(), None, CLASS_NAMES)
    texts = words(figure)
    names = [text for text in texts if text.startswith("concept ")]
    strongest = [*range(20, 14, -1), *range(5, -1, -1)]
    assert names == [f"concept {place}" for place in strongest]
    assert bars(figure) == pytest.approx(scores.normalised[strongest].tolist())
    assert {"+0.1", "−0.1", "+0.05"} <= set(texts)
    assert "bee" in texts
    assert "P(bee) = 25.0 %  ·  predicted, wrongly: cat" in texts
    assert not [text for text in texts if "nverified" in text or "unknown" in text]
    pictures = [ax for ax in figure.axes if ax.images]
    assert len(pictures) == 1 + 12, "the image, and one example for each concept"


def test_the_picture_says_what_is_not_known():
    scores = scores_of([0.5, -0.1], label=2, known=False, verified=False)
    texts = words(scores.draw(images(), None, CLASS_NAMES))
    assert "predicted: cat" in texts
    assert (
        "Unverified bank: it is not known that it belongs to this network.  "
        "Label unknown: these are scores of the predicted class."
    ) in texts


def test_names_are_no_formulas():
    scores = scores_of([0.5], label=3, concepts=(Concept("$\\frac$", "a_b"),))
    texts = words(scores.draw(images(), None, CLASS_NAMES))
    assert {"$d_o_g$", "$\\frac$", "a b"} <= set(texts)


def test_several_images_are_drawn_with_their_sum():
    scores = scores_of([0.5, -0.1])
    figure = together([scores] * 5).draw(images(5), None, CLASS_NAMES)
    texts = words(figure)
    assert "bee  ·  5 images" in texts
    assert "mean P(bee) = 25.0 %  ·  mostly predicted, wrongly: cat" in texts
    assert "+2.5" in texts
    assert [text for text in texts if "summed over 5 images" in text]
    assert len([ax for ax in figure.axes if ax.images]) == 4


def test_scores_that_are_all_zero_have_a_picture():
    texts = words(scores_of([0.0, 0.0]).draw(images(), None, CLASS_NAMES))
    assert "No concept changes the probability." in texts
    assert "No concept changes the probability." in words(
        scores_of([]).draw(images(), None, CLASS_NAMES)
    )


def test_pictures_of_concepts_come_from_the_data_set_where_there_are_no_others(shapes):
    dataset = ImageSet(shapes(), "train")
    scores = scores_of([0.5, -0.1], concepts=(shapes().concepts()[0], Concept("other", "")))
    figure = scores.draw(images(), dataset, CLASS_NAMES)
    assert len([ax for ax in figure.axes if ax.images]) == 2, "the image, and one known concept"
    again = scores.draw(images(), dataset, CLASS_NAMES)
    first, second = (f.axes[2].images[0].get_array() for f in (figure, again))
    assert (first == second).all()


class Reader(HTMLParser):
    """Collects text, and fails on what has no place in a table."""

    def __init__(self):
        super().__init__()
        self.text, self.sources, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag in {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "span", "img"}
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def read(scores):
    reader = Reader()
    reader.feed(scores._repr_html_())
    reader.close()
    return reader


def test_the_table_escapes_names_and_carries_its_pictures():
    nasty = Concept("<script>alert('&')</script>", '"><img src=x>')
    table = read(scores_of([0.5, -0.1], pictures=True, concepts=(nasty, Concept("b", "c"))))
    assert {nasty.name, nasty.family, "+0.5", "−0.1", "1", "2"} <= set(table.text)
    assert table.tags.count("img") == 2
    assert all(source.startswith("data:image/png;base64,") for source in table.sources)


def test_the_table_has_bars_to_both_sides():
    html = scores_of([0.5, -0.25])._repr_html_()
    lengths = [tuple(map(int, pair)) for pair in re.findall(r"left:(\d+)px;width:(\d+)px", html)]
    assert lengths == [(110, 110), (55, 55)]


def test_the_table_says_what_the_picture_says():
    table = read(scores_of([0.5], known=False, verified=False, images=3))
    text = " ".join(table.text)
    assert "Class 1: P(y) = 25.0 %, mean over 3 images; predicted class 2; 1 concepts" in text
    assert "Unverified bank" in text
    assert "Label unknown" in text
    assert read(scores_of([])).tags.count("tr") == 1
