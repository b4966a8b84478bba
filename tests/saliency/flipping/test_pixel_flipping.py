"""Pixel flipping: against a loop over single edits, its zero, shards, pictures and bad input."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from shards import check_shards
from small_entries import entry_of
from xbench import Case, Explainer, MismatchError, Resampling, generator, per_image
from xbench.testing import TinyClassifier, check_component, tiny_batch, tiny_images, tiny_network
from xbench_saliency.by_captum.explainer import CaptumExplainer
from xbench_saliency.flipping.edits import EditedImage, Editing
from xbench_saliency.flipping.protocol import PixelFlipping
from xbench_saliency.flipping.rows import KINDS, SCALES, column, curves
from xbench_saliency.flipping.summary import area, areas
from xbench_saliency.flipping.values import Value
from xbench_saliency.kernels.blur import blurred
from xbench_saliency.kernels.imputation import linear_imputed
from xbench_saliency.kernels.order import random_orders, removal_steps
from xbench_saliency.maps.saliency_map import SaliencyMap

PROTOCOL = PixelFlipping(images=6, steps=4, draws=2)
SIZE = (16, 16)


@dataclass(frozen=True)
class Drawn(Explainer):
    """Maps from a seed, clipped or constant or damaged; no network is looked at."""

    name: ClassVar[str] = "drawn"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    needs_cut: ClassVar[bool] = False

    kind_of_map: str = "noise"
    against: int | None = None
    side: int = 16

    def artefacts(self, weights, datasets):
        return {}

    def explain(self, network, batch, artefacts, generator, given):
        return [self._map(per_image(generator, image)) for image in batch.ids]

    def _map(self, source):
        values = torch.randn(SIZE, generator=source)
        if self.kind_of_map == "clipped":
            values = values.clamp(min=0)
        if self.kind_of_map == "constant":
            values = torch.full(SIZE, 0.3)
        if self.kind_of_map == "damaged":
            values[3, 3] = torch.nan
        return SaliencyMap(values, 1, 0.5, (self.side, self.side), None, self.against)


def made_entry(explainer=None, **fields):
    datasets = {"train": tiny_images("train"), "test": tiny_images()}
    explainer = explainer or Drawn()
    return entry_of(TinyClassifier(), datasets, explainer=explainer, **fields)


def rows_of(protocol, entry, bench):
    artefacts = bench.provider.all(protocol.artefacts(entry))
    return protocol.evaluate(entry, protocol.cases(entry, artefacts), artefacts, bench)


def slow_curves(network, editing, image, image_id, seed, saliency, value):
    """Every edited image by itself: pixels are replaced one step after the other."""
    source = per_image(generator("pixel-flipping", seed), image_id)
    orders = random_orders(editing.draws, SIZE, editing.block, source)
    noise = torch.randn(image.shape, generator=source, dtype=torch.float64) * editing.noise
    found = np.zeros((len(KINDS), editing.steps + 1, len(SCALES)))
    for order in orders:
        (steps,) = removal_steps(saliency, order[None], editing.steps, editing.block)
        for kind in range(2):
            for step in range(editing.steps + 1):
                replaced = (steps <= step) if kind == 0 else (steps > step)
                edited = image.clone()
                if editing.baseline == "mean":
                    for channel in range(3):
                        edited[channel][replaced] = image[channel].mean()
                elif editing.baseline == "blur":
                    edited[:, replaced] = blurred(image, editing.blur * 16)[:, replaced]
                else:
                    imputed = linear_imputed(image.double(), replaced) + noise
                    edited[:, replaced] = imputed.clamp(0, 1).float()[:, replaced]
                logits = network.logits(edited[None])[0].double()
                shares = logits.softmax(0)
                for scale, values in enumerate((shares, logits)):
                    less = 0 if value.against is None else float(values[value.against])
                    found[kind, step, scale] += (float(values[value.label]) - less) / len(orders)
    return found


@pytest.mark.parametrize("baseline", ["blur", "mean", "noisy-linear"])
@pytest.mark.parametrize(("block", "against"), [(1, None), (3, 2)])
@pytest.mark.parametrize("clipped", [False, True])
def test_curves_are_those_of_a_loop_over_single_edits(baseline, block, against, clipped):
    network, batch = tiny_network(), tiny_batch(1)
    editing = Editing(baseline, 5, block, 3, 0.1, 0.01)
    saliency = torch.randn(SIZE, generator=generator("saliency"))
    saliency = saliency.clamp(min=0) if clipped else saliency
    value, image = Value(1, against), batch.images[0]
    found = editing.curves(value.predicted(network, 7), EditedImage(image, 7, 3), saliency, 5)
    expected = slow_curves(network, editing, image, 7, 3, saliency, value)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_images_that_draws_share_are_predicted_once():
    sizes = []

    def predict(images):
        sizes.append(len(images))
        return images.double().mean((2, 3))

    image = EditedImage(tiny_batch(1).images[0], 0, 0)
    without_ties = torch.randn(SIZE, generator=generator("ties"))
    Editing("mean", 10, 1, 5, 0.0, 0.0).curves(predict, image, without_ties, 1000)
    assert sizes == [2 * 10]
    half = without_ties.clamp(min=float(without_ties.median()))
    Editing("mean", 10, 1, 5, 0.0, 0.0).curves(predict, image, half, 1000)
    assert sizes[1] == 2 + 2 * (5 + 5 * 4)  # five steps without ties, and four in five orders
    constant = torch.zeros(SIZE)
    Editing("mean", 10, 1, 5, 0.0, 0.0).curves(predict, image, constant, 7)
    assert sum(sizes[2:]) == 2 + 2 * 5 * 9
    assert max(sizes[2:]) <= 7


@pytest.mark.parametrize("baseline", ["blur", "mean", "noisy-linear"])
def test_the_first_and_last_points_are_the_image_and_the_baseline(baseline):
    seen, image = [], tiny_batch(1).images[0]

    def predict(images):
        seen.append(images)
        return images.double().mean((2, 3))

    edited = EditedImage(image, 0, 0)
    editing = Editing(baseline, 4, 1, 2, 0.2, 0.0)
    found = editing.curves(predict, edited, torch.rand(SIZE, generator=generator("ends")), 50)
    expected = blurred(image, 0.2 * 16) if baseline == "blur" else image.mean((1, 2), keepdim=True)
    for ends in (found[:, [0, -1]], found[:, [-1, 0]].flip(0)):
        torch.testing.assert_close(ends[0, 0].float(), image.mean((1, 2)))
        torch.testing.assert_close(ends[0, 1].float(), expected.mean((1, 2)))
    assert any(torch.equal(one, image) for one in seen[0])
    assert any(torch.allclose(one, expected, atol=1e-6) for one in seen[0])


def test_insertion_read_backwards_is_deletion_of_the_least_relevant_first():
    network, image = tiny_network(), EditedImage(tiny_batch(1).images[0], 0, 0)
    saliency = torch.randn(SIZE, generator=generator("backwards"))
    editing, predict = Editing("blur", 8, 1, 2, 0.1, 0.0), Value(0, None).predicted(network, 0)
    plain = editing.curves(predict, image, saliency, 64)
    turned = editing.curves(predict, image, -saliency, 64)
    torch.testing.assert_close(turned[0], plain[1].flip(0))
    torch.testing.assert_close(turned[1], plain[0].flip(0))


def test_the_area_is_the_trapezoid_rule():
    values = np.array([[1.0, 0.5, 0.0, 0.2], [2.0, 2.0, 2.0, 2.0]])
    np.testing.assert_allclose(area(values), [(0.75 + 0.25 + 0.1) / 3, 2.0])


def test_it_keeps_the_contract_of_components():
    check_component(PROTOCOL)
    check_component(PixelFlipping(baseline="noisy-linear", block=4))


def test_cases_are_spread_over_the_test_images():
    entry = made_entry()
    ids = tiny_images().ids()
    assert [case.id for case in PROTOCOL.cases(entry, {})] == [ids[20 * i // 6] for i in range(6)]
    every = dataclasses.replace(PROTOCOL, images=0).cases(entry, {})
    assert every == [Case("test", image) for image in ids]
    assert dataclasses.replace(PROTOCOL, images=500).cases(entry, {}) == every


@pytest.mark.parametrize("block", [1, 3])
@pytest.mark.parametrize("against", [None, 2])
def test_a_constant_map_scores_zero(bench, block, against):
    protocol = dataclasses.replace(PROTOCOL, block=block)
    table = rows_of(protocol, made_entry(Drawn("constant", against)), bench)
    for score in protocol.summarise({"x": table})["x"]:
        np.testing.assert_allclose(score.values, 0, atol=1e-6)
    for kind in KINDS:
        own, random = (curves(table, column(kind, "logit", p)) for p in ("", "random "))
        np.testing.assert_allclose(own, random, atol=1e-6)


def test_a_map_that_is_no_number_is_counted_and_not_scored(bench):
    table = rows_of(PROTOCOL, made_entry(Drawn("damaged")), bench)
    (scores,) = PROTOCOL.summarise({"x": table}).values()
    assert all(np.isnan(score.values).all() for score in scores)
    assert PROTOCOL.notes({"x": table})["x"] == {"images": 6, "images_without_map": 6}


def test_gradient_times_input_of_a_linear_network_beats_random_orders(bench):
    explainer = CaptumExplainer("InputXGradient")
    table = rows_of(dataclasses.replace(PROTOCOL, baseline="mean"), made_entry(explainer), bench)
    found = areas(table, "logit")
    assert (found.gain > 0).all()


def test_shards_and_batches_change_nothing(tmp_path):
    for explainer in (Drawn("clipped"), Drawn("noise", 2)):
        check_shards(PROTOCOL, made_entry(explainer), 2, 5, tmp_path / explainer.kind_of_map, 1e-6)


def test_one_score_ranks_and_all_have_chance_zero(bench):
    table = rows_of(PROTOCOL, made_entry(), bench)
    scores = PROTOCOL.summarise({"x": table})["x"]
    assert [score.name for score in scores if score.headline] == [
        "symmetric gain",
        "deletion",
        "insertion",
    ]
    assert [score.name for score in scores if score.ranking] == ["symmetric gain"]
    assert {score.chance for score in scores} == {0.0}
    gain, deletion, insertion = scores[:3]
    np.testing.assert_allclose(gain.values, insertion.values - deletion.values)


def test_what_a_baseline_does_not_use_makes_no_other_random_curves():
    entry = made_entry()
    orders = PROTOCOL.random_orders(entry)
    assert dataclasses.replace(PROTOCOL, noise=0.5).random_orders(entry) == orders
    assert dataclasses.replace(PROTOCOL, blur=0.5).random_orders(entry) != orders
    assert dataclasses.replace(PROTOCOL, images=2).random_orders(entry) == orders
    assert PROTOCOL.random_orders(made_entry(Drawn("clipped"))) == orders
    assert PROTOCOL.random_orders(made_entry(seed=1)) != orders


def test_random_orders_keep_the_contract_of_explainers():
    check_component(PROTOCOL.random_orders(made_entry()))


def test_random_orders_are_made_of_the_cases_alone():
    entry = made_entry()
    cases = PROTOCOL.cases(entry, {})[:2]
    maps, random = PROTOCOL.requests(entry, cases)
    assert maps.ids == random.ids == tuple(case.id for case in cases)
    assert set(PROTOCOL.artefacts(entry)) == {"weights"}


def test_figures_show_each_line_and_random_orders(bench):
    tables = {"noise": [rows_of(PROTOCOL, made_entry(), bench)]}
    drawings = PROTOCOL.figures(tables, {"noise": "entry"}, Resampling(resamples=50))
    assert list(drawings) == ["pixel-flipping-probability", "pixel-flipping-logit"]
    drawing = drawings["pixel-flipping-probability"]
    assert "noise: deletion goes through" in drawing.text
    assert "random order: insertion goes through" in drawing.text


def test_a_map_of_an_image_of_another_size_is_refused(bench):
    message = (
        r"the map of test/\d+ is of an image of 12×12 pixels, and the image has 16×16; explain"
    )
    with pytest.raises(MismatchError, match=message):
        rows_of(PROTOCOL, made_entry(Drawn(side=12)), bench)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": -1}, "images must be at least 0"),
        ({"block": 0}, "block and draws at least 1, not 6, 0 and 2"),
        ({"draws": 0}, "draws at least 1"),
        ({"steps": 1}, "steps is 1; from 2 to 1000 are possible"),
        ({"steps": 1001}, "steps is 1001"),
        ({"blur": 0.0}, "blur must be above 0"),
        ({"noise": -0.1}, "noise at least 0"),
    ],
)
def test_impossible_numbers_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PROTOCOL, **wrong)
