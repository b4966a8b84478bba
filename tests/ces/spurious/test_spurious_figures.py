"""Pictures of the spurious-recovery protocol."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from matplotlib.figure import Figure

from xbench import Case, Concept, Resampling, summarised
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.spurious.figures import GUESSING, figures
from xbench_ces.spurious.rows import ImageRows, Scenario, rows_table
from xbench_ces.spurious.summary import Scoring, case_scores

SCENARIOS = (Scenario("dog", "snow"), Scenario("bird", "water"), Scenario("cat", "carpet"))
SCORING = Scoring(SCENARIOS, (0.6, 1.0), 0.9, (1, 2, 4), 2, (1, 3), 3)
NAMES = ("snow", "water", *(f"other {n}" for n in range(8)))
PLAN = Resampling(resamples=40)
ROLES = {"random": "floor", "ours": "entry", "control": "floor", "other": "entry"}


def table(seed: int, boost: float, first: int = 0) -> pa.Table:
    """Random scores of images of three scenarios; the concept of the last was not kept."""
    source, images = np.random.default_rng(seed), []
    for place, scenario in enumerate(SCENARIOS):
        for strength in SCORING.strengths:
            for image in range(first, first + 8):
                raw = torch.tensor(source.normal(size=len(NAMES)))
                raw[place] += boost * (place < 2)
                concepts = tuple(Concept(name, "any") for name in NAMES)
                scores = ConceptScores(concepts, raw, raw, 0.2, 0, 1)
                where = (0, scenario.label, strength)
                for which, number in (("out", image), ("in", 100 + image)):
                    case = Case("test", number, (f"{scenario.label} at {strength}", which))
                    answer = (int(image > 2), 0.4, scores) if which == "out" else (0, 0.9)
                    images.append(ImageRows(case, image, *where, which, number, 0, *answer))
    return rows_table(images)


@pytest.fixture(scope="module")
def rows() -> dict[str, list[pa.Table]]:
    """Two repeats of four lines, of which some images are the same."""
    boosts = dict(zip(ROLES, (0.0, 3.0, 1.0, 2.0), strict=True))
    return {
        label: [table(2 * n, boost), table(2 * n + 1, boost, 4)]
        for n, (label, boost) in enumerate(boosts.items())
    }


def summary(rows, label: str, name: str):
    repeats = [
        next(s for s in case_scores(rows_of_repeat, SCORING) if s.name == name)
        for rows_of_repeat in rows[label]
    ]
    return summarised(repeats, PLAN)


def curves(figure: Figure) -> dict[str, np.ndarray]:
    return {str(line.get_label()): line.get_ydata() for line in figure.axes[0].get_lines()}


def test_strength_has_a_curve_only_where_there_are_several(rows) -> None:
    drawings = figures(rows, ROLES, SCORING, PLAN)
    assert list(drawings) == ["recovery", "recovery-batches", "recovery-ranks", "recovery-strength"]
    assert (
        list(figures(rows, ROLES, SCORING._replace(strengths=(1.0,)), PLAN)) == list(drawings)[:3]
    )


def test_bars_are_the_scores_of_the_table(rows) -> None:
    ax = figures(rows, ROLES, SCORING, PLAN)["recovery"].figure.axes[0]
    bars = {c.get_label(): [bar.get_width() for bar in c] for c in ax.containers}
    assert list(bars) == ["ours", "other", "random (floor)", "control (floor)"]
    for label in ROLES:
        widths = bars[label if ROLES[label] == "entry" else f"{label} (floor)"]
        expected = [
            100 * summary(rows, label, f"recovery at 3@{scenario.label}").value
            for scenario in SCENARIOS
        ]
        np.testing.assert_allclose(widths, expected)


def test_scenarios_tell_the_drop_in_accuracy_and_lost_concepts(rows) -> None:
    ax = figures(rows, ROLES, SCORING, PLAN)["recovery"].figure.axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "dog(snow)\naccuracy 100 → 19 %"
    assert labels[2] == "cat(carpet)\naccuracy 100 → 19 %\nconcept not kept"


def test_what_guessing_gives_stands_last_in_the_legend(rows) -> None:
    figure = figures(rows, ROLES, SCORING, PLAN)["recovery"].figure
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == GUESSING
    (strokes,) = [c for c in figure.axes[0].collections if c.get_label() == GUESSING]
    assert [path.vertices[0, 0] for path in strokes.get_paths()] == pytest.approx([30.0] * 3)


def test_curves_are_the_scores_of_the_table(rows) -> None:
    drawings = figures(rows, ROLES, SCORING, PLAN)
    points = {
        "recovery-batches": [f"images together@{n}" for n in SCORING.batch_sizes],
        "recovery-strength": ["strength@60 %", "strength@100 %"],
    }
    for stem, columns in points.items():
        curve = curves(drawings[stem].figure)["ours"]
        scores = [summary(rows, "ours", f"recovery at 3 by {column}") for column in columns]
        np.testing.assert_allclose(curve, [100 * score.value for score in scores])
    ranks = curves(drawings["recovery-ranks"].figure)["ours"]
    assert len(ranks) == len(NAMES)
    for top in SCORING.tops:
        score = summary(rows, "ours", f"average recovery at {top}")
        assert ranks[top - 1] == pytest.approx(100 * score.value)
    assert (np.diff(ranks) >= 0).all()


def test_the_scenarios_of_lowest_recovery_have_curves_of_their_own(rows) -> None:
    heights = curves(figures(rows, ROLES, SCORING, PLAN)["recovery-batches"].figure)
    assert "cat(carpet) alone" in heights
    assert not heights["cat(carpet) alone"].any()
    alone = SCORING._replace(scenarios=SCENARIOS[:1])
    heights = curves(figures(rows, ROLES, alone, PLAN)["recovery-batches"].figure)
    assert not [label for label in heights if "alone" in label]


def test_pictures_are_told_in_words(rows) -> None:
    for drawing in figures(rows, ROLES, SCORING, PLAN).values():
        for label in ROLES:
            assert f"{label}: " in drawing.text
        assert "95 %" in drawing.caption


def test_nothing_evaluated_is_drawn_empty() -> None:
    for drawing in figures({"ours": [rows_table([])]}, {"ours": "entry"}, SCORING, PLAN).values():
        drawing.figure.canvas.draw()
        assert "none" in drawing.text


def test_a_picture_can_be_saved(rows, tmp_path) -> None:
    for stem, drawing in figures(rows, ROLES, SCORING, PLAN).items():
        drawing.figure.savefig(tmp_path / f"{stem}.png", dpi=40)
    pictures = [path.stat().st_size for path in tmp_path.glob("*.png")]
    assert len(pictures) >= 3
    assert min(pictures) > 1000
