"""Pictures of the explicability protocol show what its tables say."""

import numpy as np
import pyarrow as pa
import pytest

from xbench import Case, Resampling, summarised
from xbench_explicable.kernels.explicability import order, wrong_class_mean_and_max
from xbench_explicable.pictures.figures import MOST_PAIRS, SHARES, figures
from xbench_explicable.protocol.rows import Answers, answer_rows
from xbench_explicable.protocol.summary import notes_by_label, scores_by_label
from xbench_explicable.protocol.yardstick import Yardstick

PLAN = Resampling(resamples=30)
LABELS = ("cross-entropy", "weighted by what people said of these very images", "other")
LOSSES = ("cross-entropy", "weighted(ihl)")
NAMES = ("cat", "dog", "car", "truck")


def table(seed: int, repeat: int, sets=("test", "shifted")) -> pa.Table:
    source, parts, first = np.random.default_rng(seed), [], 0
    matrix = np.array([[6.0, 3, 1, 1], [3, 6, 1, 1], [1, 1, 6, 3], [1, 1, 3, 6]]) / 11
    nothing = np.full(matrix.shape, np.nan)
    measures = wrong_class_mean_and_max(matrix)
    by = Yardstick(NAMES, matrix, *measures, order(matrix), nothing, nothing[0])
    for name in sets:
        true = np.random.default_rng([repeat, first]).integers(0, 4, 30)
        predicted = (true + source.integers(0, 4, 30)) % 4
        losses = {loss: source.random(30) + place for place, loss in enumerate(LOSSES)}
        cases = [Case(name, image) for image in range(first, first + 30)]
        images = np.arange(first, first + 30)
        known = np.full(30, 0.5)
        answers = (name, repeat, cases, images, true, predicted, known, known, losses, 0)
        parts.append(answer_rows(Answers(*answers), by))
        first += 30
    return pa.concat_tables(parts)


@pytest.fixture(scope="module")
def rows() -> dict[str, list[pa.Table]]:
    """Two repeats of three entries and a floor."""
    labels = (*LABELS, "floor")
    return {label: [table(2 * n, 0), table(2 * n + 1, 1)] for n, label in enumerate(labels)}


@pytest.fixture(scope="module")
def made(rows):
    roles = {label: "floor" if label == "floor" else "entry" for label in rows}
    return figures(rows, roles, LOSSES, PLAN)


def entries(rows, repeat: int) -> dict[str, pa.Table]:
    return {label: rows[label][repeat] for label in LABELS}


def value(rows, label: str, name: str) -> float:
    of_repeats = [scores_by_label(entries(rows, repeat), LOSSES)[label] for repeat in (0, 1)]
    return summarised([next(s for s in of if s.name == name) for of in of_repeats], PLAN).value


def test_every_entry_has_confusions_and_all_have_the_rest_in_common(made) -> None:
    assert list(made) == [
        "explicability",
        "explicability-pairs",
        "explicability-losses",
        "confusion-1",
        "confusion-2",
        "confusion-3",
    ]
    for drawing in made.values():
        assert drawing.caption.endswith(".")
        assert drawing.text.endswith(".")


def test_bars_are_the_scores_of_the_table_and_marks_are_chance(made, rows) -> None:
    axes = made["explicability"].figure.axes
    measures = ("hard score", "soft score", "closeness of common mistakes")
    for ax, measure in zip(axes, measures, strict=True):
        assert len(ax.containers) == len(LABELS)
        for bars, label in zip(ax.containers, LABELS, strict=True):
            expected = [100 * value(rows, label, f"{measure}@{s}") for s in ("test", "shifted")]
            np.testing.assert_allclose([bar.get_width() for bar in bars], expected)


def test_sets_say_how_many_images_all_get_wrong(made, rows) -> None:
    ticks = [tick.get_text() for tick in made["explicability"].figure.axes[0].get_yticklabels()]
    common = set()
    for repeat in (0, 1):
        of = scores_by_label(entries(rows, repeat), LOSSES)["other"]
        common |= set(next(s for s in of if s.name == "hard score@test").cases.tolist())
    assert ticks[0] == f"test\n{len(common)} images"


def test_pairs_are_those_of_the_notes(made, rows) -> None:
    tables = {label: pa.concat_tables(rows[label]) for label in LABELS}
    ax = made["explicability-pairs"].figure.axes[0]
    notes = notes_by_label(tables)
    of_first = notes["cross-entropy"]["sets"]["test"]["pairs"]["other"]
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(ticks) == 3 * 2
    place = ticks.index(f"cross-entropy | other on test\n{of_first['images']} images")
    widths = [bars[0].get_width() for bars in ax.containers[4 * place : 4 * place + 4]]
    np.testing.assert_allclose(widths, [100 * of_first[name] for name, _, _ in SHARES])
    assert sum(widths) == pytest.approx(100)


def test_pairs_beyond_the_room_there_is_are_counted() -> None:
    rows = {f"net {n}": [table(n, 0, ("test",))] for n in range(12)}
    drawing = figures(rows, dict.fromkeys(rows, "entry"), (), PLAN)["explicability-pairs"]
    assert len(drawing.figure.axes[0].get_yticks()) == MOST_PAIRS
    assert f"{66 - MOST_PAIRS} more pairs are in the record's notes." in drawing.caption


def test_the_table_of_losses_has_the_lowest_of_each_column_in_bold(made, rows) -> None:
    for ax, name in zip(made["explicability-losses"].figure.axes, ("test", "shifted"), strict=True):
        expected = [[value(rows, a, f"loss {b}@{name}") for b in LOSSES] for a in LABELS]
        assert [text.get_text() for text in ax.texts] == [
            f"{v:.2f}" for row in expected for v in row
        ]
        bold = [text.get_fontweight() == "bold" for text in ax.texts]
        assert np.flatnonzero(bold).tolist() == sorted(
            int(row) * len(LOSSES) + column for column, row in enumerate(np.argmin(expected, 0))
        )
        assert ax.get_title(loc="left") == name


def test_confusions_are_shares_of_each_true_class_of_the_first_set(made, rows) -> None:
    both = pa.concat_tables(rows["other"]).to_pylist()
    counts = np.zeros((4, 4))
    for row in both:
        if row["set"] == "test":
            counts[row["label"], row["predicted"]] += 1
    shown = made["confusion-3"].figure.axes[0].images[0].get_array().filled(0)
    np.testing.assert_allclose(shown, counts / counts.sum(1, keepdims=True))
    right = 100 * np.trace(counts) / counts.sum()
    assert made["confusion-3"].text.startswith(f"Accuracy {right:.1f} %.")


def test_one_entry_without_losses_has_its_confusions_alone(rows) -> None:
    alone = {"other": rows["other"]}
    assert list(figures(alone, {"other": "entry"}, (), PLAN)) == ["confusion-1"]


def test_pictures_can_be_drawn_where_nothing_is_wrong_for_all() -> None:
    right = table(0, 0, ("test",))
    place = right.column_names.index("predicted")
    right = right.set_column(place, "predicted", right.column("label"))
    rows = {"a": [right], "b": [table(1, 0, ("test",))]}
    for drawing in figures(rows, {"a": "entry", "b": "entry"}, LOSSES, PLAN).values():
        drawing.figure.draw_without_rendering()
        assert "nan" not in drawing.text
