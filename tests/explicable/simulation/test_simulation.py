"""The loss-simulation protocol, against what can be computed by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from named_cases import ids_of
from xbench import (
    ImageSet,
    LocalExecutor,
    MismatchError,
    Registry,
    Store,
    Transform,
    UnknownNameError,
    generator,
    load_benchmark,
    run_benchmark,
)
from xbench.testing import check_component, tiny_images
from xbench_explicable.losses.hierarchical import HierarchicalCrossEntropy
from xbench_explicable.losses.weighted import WeightedLoss
from xbench_explicable.simulation.plane import ProbabilityPlane, ThreeClasses
from xbench_explicable.simulation.protocol import LossSimulation
from xbench_explicable.simulation.summary import loss_columns
from xbench_zoo.losses import CrossEntropy

SETTINGS = {"top": (0.4, 0.05), "middle": (0.1, 0.05), "bottom": (0.4, 0.5)}
PROTOCOL = LossSimulation()


def lemmas_of(*variants):
    return load_benchmark("explicable-lemmas", Registry(third_party=False), variants=variants)


def weighted(close, far, own=None, preset="normalised"):
    own = 1 - close - far if own is None else own
    return WeightedLoss(ThreeClasses(close, far, own), preset)


def rows_of(loss, plane=None):
    images = ImageSet(plane or ProbabilityPlane(), "plane", Transform())
    entry = SimpleNamespace(
        label="loss", loss=loss, datasets={"test": images}, source=lambda: generator(0)
    )
    return PROTOCOL.evaluate(entry, list(PROTOCOL.cases(entry, {})), {}, None)


def scores_of(loss, plane=None):
    (scores,) = PROTOCOL.summarise({"loss": rows_of(loss, plane)}).values()
    return {score.name: float(score.values.mean()) for score in scores}


def test_rows_hold_every_prediction_and_its_loss():
    table = rows_of(weighted(0.4, 0.05)).to_pylist()
    assert len(table) == 4 * 36
    for row in table:
        whole = row["p_correct"] + row["p_close"] + row["p_far"]
        assert whole == pytest.approx(1, abs=1e-12)
        expected = -0.55 * math.log(row["p_correct"]) - 0.4 * math.log(row["p_close"])
        assert row["loss"] == pytest.approx(expected - 0.05 * math.log(row["p_far"]), abs=1e-12)


def test_cross_entropy_knows_nothing_of_the_far_class():
    scores = scores_of(CrossEntropy())
    assert scores["average rises towards far"] == 0
    assert scores["average falls towards correct"] == 1


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("own", [None, 1.0, 0.01])
def test_the_loss_rises_beyond_the_far_classs_share_of_both_weights(setting, own):
    close, far = SETTINGS[setting]
    plane = ProbabilityPlane(points=200)
    scores = scores_of(weighted(close, far, own), plane)
    expected = 1 - far / (far + close)
    for name in ("average rises towards far", *(f"rises towards far@{p:g}" for p in plane.correct)):
        assert scores[name] == pytest.approx(expected, abs=0.01)
    notes = PROTOCOL.notes({"loss": rows_of(weighted(close, far, own), plane)})["loss"]
    for share in notes["smallest_where_far_has"].values():
        assert share == pytest.approx(far / (far + close), abs=0.006)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("preset", ["normalised", "softmax"])
def test_the_loss_rises_at_a_step_exactly_where_lemma_2_says(setting, preset):
    loss = weighted(*SETTINGS[setting], preset=preset)
    _, w_c, w_f = loss.rows(ProbabilityPlane())[0].tolist()
    for column in loss_columns(rows_of(loss)):
        step = np.diff(column.far)
        tau = np.log(column.far[1:] / column.far[:-1])
        tau /= np.log((column.close[1:] + step) / column.close[1:])
        assert (column.rises() == (w_c > tau * w_f)).all()


@pytest.mark.parametrize("setting", ["top", "middle"])
def test_where_the_far_class_is_ahead_the_loss_rises_at_every_step(setting):
    assert scores_of(weighted(*SETTINGS[setting]))["rises towards far where far is ahead"] == 1


@pytest.mark.parametrize("own", [None, 1.0])
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_loss_falls_up_to_the_own_share_of_all_weights_and_rises_beyond(setting, own):
    close, far = SETTINGS[setting]
    loss = weighted(close, far, own)
    own = 1 - close - far if own is None else own
    turn = own / (own + close + far)
    below = ProbabilityPlane(correct=(turn / 2, turn))
    beyond = ProbabilityPlane(correct=(turn, (1 + turn) / 2))
    assert scores_of(loss, below)["average falls towards correct"] == 1
    assert scores_of(loss, beyond)["average falls towards correct"] == 0


def test_the_drop_is_the_difference_of_two_columns():
    plane = ProbabilityPlane(correct=(0.25, 0.5), points=5)
    drop = scores_of(CrossEntropy(), plane)["drop towards correct@0.25 to 0.5"]
    assert drop == pytest.approx(math.log(2))


def test_hierarchical_cross_entropy_punishes_every_step():
    scores = scores_of(HierarchicalCrossEntropy(0.6))
    assert scores["average rises towards far"] == 1
    assert scores["average falls towards correct"] == 1


def test_one_column_has_no_next_one():
    names = scores_of(CrossEntropy(), ProbabilityPlane(correct=(0.5,))).keys()
    assert list(names) == [
        "average rises towards far",
        "rises towards far@0.5",
        "rises towards far where far is ahead",
    ]


def test_a_step_is_scored_as_the_prediction_it_begins_at():
    plane = ProbabilityPlane(correct=(0.2, 0.7), points=4)
    (scores,) = PROTOCOL.summarise({"loss": rows_of(CrossEntropy(), plane)}).values()
    assert scores[0].headline
    assert ids_of(scores[0].cases) == [0, 1, 2, 4, 5, 6]
    assert ids_of(scores[2].cases) == [4, 5, 6]


@given(
    correct=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True).map(sorted),
    points=st.integers(2, 20),
)
def test_predictions_are_distributions_that_move_from_close_to_far(correct, points):
    plane = ProbabilityPlane(tuple(correct), points)
    made = plane.predictions(plane.ids("plane"))
    assert torch.allclose(made.sum(1), torch.ones(len(made), dtype=torch.float64))
    assert (made > 0).all()
    for column, known in zip(made.split(points), correct, strict=True):
        assert (column[:, 0] == known).all()
        assert (column[:, 2].diff() > 0).all()
        assert torch.allclose(column[:, 2], column[:, 1].flip(0))


def test_the_plane_has_one_split():
    with pytest.raises(UnknownNameError, match="unknown split of probability-plane 'test'"):
        ProbabilityPlane().ids("test")


def test_images_are_predictions_as_colours():
    plane = ProbabilityPlane(correct=(0.2,), points=2)
    first, last = plane.images([0, 1])
    assert first[:, 0, 0].tolist() == [51, 153, 51]
    assert last[:, 0, 0].tolist() == [51, 51, 153]


@pytest.mark.parametrize("component", [ProbabilityPlane(), ThreeClasses()])
def test_components_keep_the_contract_of_their_kind(component):
    check_component(component)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"correct": ()}, "it needs probabilities between 0 and 1"),
        ({"correct": (0.0, 0.5)}, "it needs probabilities between 0 and 1"),
        ({"correct": (0.5, 0.2)}, "it needs to grow"),
        ({"correct": (0.5, 0.5)}, "it needs to grow"),
        ({"points": 1}, "points is 1; at least 2 are needed"),
    ],
)
def test_impossible_grids_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ProbabilityPlane(**fields)


def test_three_classes_are_refused_for_other_datasets():
    with pytest.raises(MismatchError) as refused:
        WeightedLoss(ThreeClasses()).check(tiny_images())
    assert str(refused.value) == (
        "similarity 'three-classes' is one of three classes, but dataset 'tiny' has 5"
    )


@pytest.fixture
def lemmas():
    return lemmas_of()


def test_the_benchmark_runs_and_draws_its_figure(lemmas, workplace, tmp_path):
    store = Store(str(tmp_path / "store"))
    records = run_benchmark(lemmas, store, LocalExecutor(), workplace)
    rises = [record.scores[0].value for record in records]
    assert rises == pytest.approx([31 / 35, 23 / 35, 16 / 35, 0])
    rows = {line.label: [rows_of(line.loss)] for line in lemmas.lines}
    roles = {line.label: line.role for line in lemmas.lines}
    (drawing,) = PROTOCOL.figures(rows, roles, None).values()
    assert len(drawing.figure.axes) == 12
    assert "cross-entropy: the loss rises in 0 % of the steps and does not depend" in drawing.text
    assert (
        "(.4, .05) close explicable, far not: the loss rises in 89 % of the steps" in drawing.text
    )
    drawing.figure.savefig(tmp_path / "figure.png")


@pytest.mark.parametrize("variant", ["own-one", "softmax", "trees"])
def test_variants_of_the_benchmark_can_be_scored(variant):
    made = lemmas_of(variant)
    for line in made.lines:
        line.loss.check(made.datasets["train"])
        assert np.isfinite(rows_of(line.loss)["loss"].to_numpy()).all()


def test_the_own_weight_does_not_change_where_the_loss_rises():
    one, other = lemmas_of(), lemmas_of("own-one")
    for line, twin in zip(one.lines, other.lines, strict=True):
        pairs = zip(loss_columns(rows_of(line.loss)), loss_columns(rows_of(twin.loss)), strict=True)
        assert all((mine.rises() == theirs.rises()).all() for mine, theirs in pairs)
