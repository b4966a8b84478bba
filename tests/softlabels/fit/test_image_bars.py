"""Single images beside what people and networks say of them."""

import numpy as np
import pytest

from small_entries import entry_of
from xbench import Case, ImageSet, Training
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss
from xbench_softlabels.fit.chosen_images import Line, choices
from xbench_softlabels.fit.image_bars import CLASSES, MOST_LINES, image_drawings
from xbench_softlabels.fit.people import People
from xbench_softlabels.fit.protocol import HumanFit
from xbench_softlabels.fit.rows import Answers, answer_rows, fit_columns

SETS = {split: ImageSet(TinyDataset(), split) for split in ("train", "test")}
COUNTS = np.array([[8, 0], [4, 4], [6, 2], [2, 6], [8, 0], [7, 1]])


def entry(**fields):
    return entry_of(TinyClassifier(), SETS, **{"loss": TinyLoss(), **fields})


def line(label, shares, ids=range(6)):
    """A line that gives the first class this share of each image."""
    ids, q = list(ids), np.array(shares)[list(ids)]
    said = People(COUNTS[ids].argmax(1), COUNTS[ids], simulated=False)
    logarithms = np.log(np.stack([q, 1 - q], 1))
    rows = answer_rows(Answers([Case("test", n) for n in ids], 0, 0, said, logarithms))
    return Line(label, entry(), fit_columns(rows))


EVEN = line("even", [0.5] * 6)
SURE = line("sure", [0.9, 0.9, 0.9, 0.9, 0.5, 0.5])


def test_the_images_that_people_doubt_most_are_chosen_and_the_first_of_equal_ones():
    choice = choices([EVEN])["doubted-images"]
    assert [case.id for case in choice.cases] == [1, 2, 3, 5]
    assert "highest entropy (0.69, 0.56, 0.56, 0.38 nats)" in choice.rule


def test_the_images_that_networks_fit_most_unequally_are_chosen():
    choice = choices([EVEN, SURE])["disputed-images"]
    apart = np.abs(EVEN.columns.cross_entropy - SURE.columns.cross_entropy)
    assert [case.id for case in choice.cases] == np.argsort(-apart, kind="stable")[:4].tolist()
    assert choice.cases[0].id == 3
    assert "disputed-images" not in choices([EVEN])


def test_images_that_some_line_was_not_asked_about_are_left_out():
    part = line("part", [0.5] * 6, ids=(0, 2, 5))
    assert [case.id for case in choices([EVEN, part])["doubted-images"].cases] == [2, 5, 0]


@pytest.fixture
def pictures(bench):
    """Makes the pictures of these entries, and gives their rows as well."""

    def of(entries, protocol):
        artefacts = {name: bench.provider.all(protocol.artefacts(e)) for name, e in entries.items()}
        rows = {
            name: protocol.evaluate(e, protocol.cases(e, artefacts[name]), artefacts[name], bench)
            for name, e in entries.items()
        }
        columns = {name: fit_columns(table) for name, table in rows.items()}
        return protocol.pictures(entries, rows, artefacts, bench), columns

    return of


def test_bars_are_what_people_and_the_network_of_the_fold_say(pictures):
    entries = {"a": entry(training=Training(epochs=1)), "b": entry(seed=1)}
    drawn, columns = pictures(entries, HumanFit(folds=2))
    assert list(drawn) == ["doubted-images", "disputed-images"]
    picture, case = drawn["doubted-images"], columns["a"].cases[0]
    _, people, *networks = picture.figure.axes[: 2 + len(entries)]
    assert sorted((bar.get_width() for bar in people.patches), reverse=True)[:2] == [80, 20]
    for ax, of in zip(networks, columns.values(), strict=True):
        place = of.cases.tolist().index(case)
        bars = [bar.get_width() for bar in ax.patches]
        assert sum(bars) == pytest.approx(100)
        assert max(bars[:CLASSES]) == pytest.approx(100 * of.confidence[place])
        assert ax.texts[0].get_text() == f"{of.cross_entropy[place]:.2f}"
    names = [text for text in people.get_yticklabels() if text.get_fontweight() == "bold"]
    label = int(columns["a"].labels[0])
    assert [text.get_text() for text in names] == [TinyDataset().class_names()[label]]


def test_captions_say_the_rule_and_name_simulated_annotators(pictures):
    entries = {f"line {n}": entry(seed=n) for n in range(MOST_LINES + 1)}
    drawn, _ = pictures(entries, HumanFit())
    for picture in drawn.values():
        assert "Of 9 lines the first 8 are drawn" in picture.caption
        words = picture.title + picture.caption + picture.text
        assert "simulated annotators" in words
        assert "people" not in words
        assert "line 7: " in picture.text
        assert "line 8: " not in picture.text


def test_a_single_line_has_the_doubted_images_alone():
    even = np.log([0.5, 0.5])

    def answering(_, cases):
        return dict.fromkeys(cases, even)

    images = ImageSet(TinyDataset(), "test")
    few = Line("even", entry_of(TinyClassifier(), {"train": images, "test": images}), EVEN.columns)
    (stem,) = image_drawings([few], answering)
    assert stem == "doubted-images"
