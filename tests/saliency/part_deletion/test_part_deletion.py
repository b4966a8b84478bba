"""Part deletion on rectangles: rows against slow loops, floors, the ceiling, and bad input."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from removable_parts import PARTS, Rectangles, painted
from shards import plain, rows_of
from small_datasets import Stripes
from xbench import (
    Batch,
    Case,
    Explainer,
    ImageSet,
    MismatchError,
    ParameterError,
    generator,
    scores_by_name,
)
from xbench.testing import check_component, tiny_batch, tiny_bench, tiny_network
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.part_deletion.effects import PartEffects
from xbench_saliency.part_deletion.floors import PartArea, PartDrops, PartMeansFloor
from xbench_saliency.part_deletion.interventions import PartInterventions
from xbench_saliency.part_deletion.protocol import PartDeletion
from xbench_saliency.part_deletion.rows import image_rows
from xbench_saliency.part_deletion.seen import map_of
from xbench_saliency.part_deletion.sensitivity import best_pair, sensitivity, shared_parts

PROTOCOL = PartDeletion(images=0)
BATCH = 5


@dataclasses.dataclass(frozen=True)
class Constant(Explainer):
    """The same everywhere."""

    name = "constant"
    makes = SaliencyMap

    value: float = 0.3

    def explain(self, network, batch, artefacts, generator, given):
        values = torch.full(batch.images.shape[-2:], self.value)
        return [SaliencyMap(values, 1, 0.2, tuple(values.shape)) for _ in batch.ids]


def rows(protocol, entry, folder, size=12):
    return rows_of(protocol, entry, tiny_bench(folder, BATCH), size, 12)


def scores(protocol, entry, folder):
    return scores_by_name(protocol.summarise({"x": rows(protocol, entry, folder)})["x"])


def of(entry, explainer):
    return dataclasses.replace(entry, explainer=explainer)


def network_of(entry, folder):
    bench = tiny_bench(folder, BATCH)
    weights = bench.provider.all(PROTOCOL.artefacts(entry))["weights"]
    return bench.network(entry.classifier, weights)


def logits(network, pixels):
    return network.logits(pixels[None].float() / 255)[0].double()


@pytest.mark.parametrize(
    "protocol",
    [PROTOCOL, PartDeletion(intervention="redraw"), PartDeletion(target_sensitivity=True)],
)
def test_it_keeps_the_contract_of_components(protocol):
    check_component(protocol)


def test_rows_are_those_of_a_slow_loop(entry, tmp_path):
    """One image, one part, one pixel at a time."""
    network = network_of(entry, tmp_path)
    found = image_rows(rows(PROTOCOL, entry, tmp_path))
    assert [Case.parse(str(row.case)).id for row in found] == list(entry.datasets["test"].ids())
    for row in found:
        image = Case.parse(str(row.case)).id
        whole = painted(image, torch.zeros(6, dtype=torch.bool))
        before, label = logits(network, whole), row.label
        assert label == int(before.argmax())
        batch = entry.datasets["test"].batch([image])
        made = entry.explainer.explain(network, batch, {}, generator(0), {})[0]
        mask = Rectangles().part_masks([image])[0]
        for place, name in enumerate(row.parts):
            gone = torch.zeros(6, dtype=torch.bool)
            gone[PARTS.index(name)] = True
            after = logits(network, painted(image, gone))
            assert row.drops[place] == pytest.approx(float(before[label] - after[label]), abs=1e-5)
            log_drop = float(before.log_softmax(0)[label] - after.log_softmax(0)[label])
            assert row.log_drops[place] == pytest.approx(log_drop, abs=1e-5)
            inside = [
                float(made.values[i, j])
                for i in range(16)
                for j in range(16)
                if int(mask[i, j]) == PARTS.index(name)
            ]
            assert row.pixels[place] == len(inside)
            assert row.sums[place] == pytest.approx(sum(inside), abs=1e-6)


def test_scores_are_scipys_and_images_with_few_parts_are_counted(entry, tmp_path):
    table = rows(PROTOCOL, entry, tmp_path)
    values = scores_by_name(PROTOCOL.summarise({"x": table})["x"])["rank correlation"].values
    few = 0
    for row, value in zip(image_rows(table), values, strict=True):
        assert row.too_small == (len(row.parts) > 2), "the eye"
        if len(row.parts) < 3:
            assert math.isnan(value)
            few += 1
            continue
        means = np.array(row.sums) / np.array(row.pixels)
        assert value == pytest.approx(spearmanr(means, row.drops).statistic)
    notes = PROTOCOL.notes({"x": table})["x"]
    assert few == notes["not_scored_too_few_parts"] > 0
    assert notes["parts_too_small"] == 12 - few


@pytest.mark.parametrize("against", ["", "runner-up", 0])
@pytest.mark.parametrize("protocol", [PROTOCOL, PartDeletion(0, "redraw", draws=2)])
def test_the_ceiling_scores_exactly_one(entry, tmp_path, protocol, against):
    target = "predicted" if against != 0 else 3
    drops = PartDrops(target, against, protocol.intervention, protocol.draws)
    for name, score in scores(protocol, of(entry, drops), tmp_path).items():
        if name == "rank correlation":
            scored = score.values[~np.isnan(score.values)]
            assert len(scored)
            assert set(scored) == {1.0}


def test_a_constant_map_scores_nothing_and_not_nan(entry, tmp_path):
    found = scores(PROTOCOL, of(entry, Constant()), tmp_path)
    for name in ("rank correlation", "rank correlation@sum, area partialled"):
        values = found[name].values
        assert set(values[~np.isnan(values)]) == {0.0}
    assert found["rank correlation@sum"].values[1] != 0
    table = rows(PROTOCOL, of(entry, Constant()), tmp_path)
    assert PROTOCOL.notes({"x": table})["x"]["constant_maps"] == 9


def test_a_map_of_nan_is_not_scored(entry, tmp_path):
    found = scores(PROTOCOL, of(entry, Constant(math.nan)), tmp_path)
    assert np.isnan(found["rank correlation"].values).all()
    assert np.isnan(found["background share"].values).all()


def test_the_area_floor_scores_what_areas_do(entry, tmp_path):
    table = rows(PROTOCOL, of(entry, PartArea()), tmp_path)
    values = scores_by_name(PROTOCOL.summarise({"x": table})["x"])["rank correlation"].values
    for row, value in zip(image_rows(table), values, strict=True):
        if len(row.parts) > 2:
            assert value == pytest.approx(spearmanr(row.pixels, row.drops).statistic)
        assert row.background_share == 0


@pytest.mark.parametrize("of_class", [False, True])
def test_the_floor_of_means_has_those_of_other_images(entry, tmp_path, of_class):
    floor = PartMeansFloor(of_class=of_class, count=7)
    found = image_rows(rows(PROTOCOL, of(entry, floor), tmp_path))
    train = entry.datasets["train"]
    others = dataclasses.replace(entry, datasets={"train": train, "test": train})
    drops = image_rows(rows(PROTOCOL, others, tmp_path))[:7]
    known = {other.label for other in drops} if of_class else set()
    for row in found:
        for place, name in enumerate(row.parts):
            own = [
                other.drops[other.parts.index(name)]
                for other in drops
                if name in other.parts and (other.label == row.label or row.label not in known)
            ]
            mean = row.sums[place] / row.pixels[place]
            assert mean == pytest.approx(np.mean(own) if own else 0, abs=1e-5)


def test_shards_do_not_change_rows(entry, tmp_path):
    whole = rows(PROTOCOL, entry, tmp_path)
    assert plain(rows(PROTOCOL, entry, tmp_path, size=5)) == plain(whole)


def test_what_is_asked_for_is_named_beforehand(entry):
    protocol = dataclasses.replace(PROTOCOL, target_sensitivity=True)
    cases = protocol.cases(entry, {})
    asked = protocol.requests(entry, cases)
    assert [request.explainer for request in asked[:2]] == [entry.explainer, PartInterventions()]
    labels = {request.explainer.target for request in asked[2:]}
    shared = shared_parts(Rectangles())
    of_images = [shared[int(label)] for label in Rectangles().labels(range(1000, 1012))]
    assert labels == {label for one in of_images if one for label in one.classes}


def test_checks_are_those_of_a_slow_loop(entry, tmp_path):
    network = network_of(entry, tmp_path)
    found = image_rows(rows(PROTOCOL, entry, tmp_path))
    for row in found:
        image = Case.parse(str(row.case)).id
        batch = entry.datasets["test"].batch([image])
        values = entry.explainer.explain(network, batch, {}, generator(0), {})[0].values
        mask = Rectangles().part_masks([image])[0]
        sums = []
        for part in range(6):
            near = [
                float(values[i, j])
                for i in range(16)
                for j in range(16)
                if (mask[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3] == part).any()
            ]
            sums.append(sum(near))
        for place, threshold in enumerate(PROTOCOL.thresholds):
            needed = torch.tensor([one > threshold * float(values.sum()) for one in sums])
            kept = logits(network, painted(image, ~needed)).argmax()
            gone = logits(network, painted(image, needed)).argmax()
            assert row.preserved[place] == float(kept == row.label)
            assert row.deleted[place] == float(gone != row.label)


def test_without_thresholds_nothing_is_checked(entry, tmp_path):
    plain = dataclasses.replace(PROTOCOL, thresholds=())
    found = scores(plain, entry, tmp_path)
    assert "preservation check" not in found
    assert "target sensitivity" not in found


def test_target_sensitivity_asks_for_two_other_classes(entry, tmp_path):
    asked = dataclasses.replace(PROTOCOL, target_sensitivity=True)
    values = np.array([row.sensitivity for row in image_rows(rows(asked, entry, tmp_path))])
    assert set(values[~np.isnan(values)]) <= {0.0, 0.5, 1.0}
    unknowing = rows(asked, of(entry, Constant()), tmp_path)
    assert np.isnan([row.sensitivity for row in image_rows(unknowing)]).all()


def test_the_pair_shares_most_parts_with_a_class_and_others_each():
    rows_of_parts = [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]]
    pair = best_pair(torch.tensor(rows_of_parts).bool(), 0)
    assert pair.classes == (1, 3)
    assert pair.parts.int().tolist() == [[1, 1, 0, 0, 0], [0, 0, 0, 1, 1]]
    alone = torch.tensor([[1, 1], [1, 0], [1, 0]]).bool()
    assert best_pair(alone, 0) is None


def test_sensitivity_is_half_for_each_map_that_speaks_of_its_own_parts():
    parts = torch.tensor([[True, False, False], [False, True, True]])
    shared = shared_parts(Rectangles())[0]._replace(classes=(1, 2), parts=parts)
    without = torch.tensor([[0.0, 1.0, 5.0], [0.0, 4.0, 2.0]])
    right = torch.tensor([[3.0, 0.0, 1.0], [1.0, 2.0, 1.0]]).double()
    assert sensitivity(shared, without, right) == 1
    assert sensitivity(shared, without, right.flip(0)) == 0
    assert sensitivity(shared, without, right.new_tensor([[3, 1, 1], [1, 1, 1]])) == 0.5
    assert math.isnan(sensitivity(shared, without.flip(0), right)), "the premise does not hold"


@pytest.mark.parametrize("intervention", ["removal", "redraw"])
def test_effects_can_be_kept_and_drawn(intervention, rectangles):
    explainer = PartInterventions(intervention, draws=2)
    batch = rectangles.batch([1001, 1000])
    made = explainer.explain(tiny_network(), batch, {}, generator(0), {})
    assert [one.changed.shape for one in made] == [
        (explainer.draws_made, 5, 5),
        (explainer.draws_made, 2, 5),
    ]
    again = PartEffects.from_tensors(made[0].tensors())
    assert torch.equal(again.drops(1, 2), made[0].drops(1, 2))
    alone = rectangles.batch([1001])
    assert made[0].draw(alone, None, Rectangles.classes) is not None
    elsewhere = Batch(alone.images, alone.ids)
    assert made[0].draw(elsewhere, None, Rectangles.classes) is not None


def test_a_contrast_drops_by_the_difference_of_both(rectangles):
    batch = rectangles.batch([1001])
    (made,) = PartInterventions().explain(tiny_network(), batch, {}, generator(0), {})
    difference = made.drops(1).double() - made.drops(3).double()
    torch.testing.assert_close(made.drops(1, 3).double(), difference, atol=1e-6, rtol=0)


@pytest.mark.parametrize("explainer", [PartArea(), PartInterventions()])
def test_images_without_parts_are_refused(explainer):
    with pytest.raises(MismatchError, match=r"images from elsewhere have none"):
        explainer.explain(tiny_network(), tiny_batch(), {}, generator(0), {})
    stripes = ImageSet(Stripes(), "test")
    batch = stripes.batch(stripes.ids()[:1])
    with pytest.raises(MismatchError, match=r"dataset 'stripes' has none; --dataset toybirds does"):
        explainer.explain(tiny_network(), batch, {}, generator(0), {})


def test_masks_of_another_size_are_refused():
    saliency = SaliencyMap(torch.zeros(2, 2), 0, 0.5, (8, 8))
    with pytest.raises(MismatchError, match=r"image of 8x8 pixels, and the part mask .* has 16x16"):
        map_of(saliency, torch.zeros(16, 16))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": -1}, "images is -1; it must be at least 0"),
        ({"minimum_pixels": 0}, "minimum_pixels is 0; it must be at least 1"),
        ({"draws": 0}, "draws is 0; it must be at least 1"),
        ({"thresholds": (0.5, 1.0)}, "thresholds must lie between 0 and 1"),
    ],
)
def test_impossible_numbers_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        PartDeletion(**given)


def test_pictures_say_which_parts_matter(entry, tmp_path):
    tables = {"map": [rows(PROTOCOL, entry, tmp_path)]}
    drops = of(entry, PartDrops())
    tables["drops"] = [rows(PROTOCOL, drops, tmp_path)]
    drawing = PROTOCOL.figures(tables, {"map": "entry", "drops": "ceiling"}, None)["part_ranks"]
    lines = drawing.text.removesuffix(".").split("; ")
    ranks = [line.split(": ")[1] for line in lines]
    assert ranks[0] == ranks[2] != ranks[1], "the ceiling ranks as the network"
    assert PROTOCOL.figures({"map": []}, {"map": "entry"}, None) == {}
