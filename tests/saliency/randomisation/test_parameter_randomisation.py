"""The randomisation protocol: rows, classes that stay, floors, scores, pictures and bad input."""

import dataclasses
import re
from typing import ClassVar

import numpy as np
import pytest
import torch

from shards import check_shards
from small_entries import entry_of
from xbench import Explainer, MismatchError, Resampling, per_image, scores_by_name, subject_of
from xbench.testing import TinyClassifier, check_component, tiny_images
from xbench_saliency.by_captum.explainer import CaptumExplainer
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Target
from xbench_saliency.randomisation.protocol import ParameterRandomisation
from xbench_saliency.randomisation.rows import MEASURES, curves
from xbench_saliency.randomisation.same_class import maps_of_same_classes

PROTOCOL = ParameterRandomisation(images=6)


@dataclasses.dataclass(frozen=True)
class Drawn(Explainer):
    """A map of noise: what a floor gives."""

    name: ClassVar[str] = "drawn"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap

    target: Target = "predicted"

    def explain(self, network, batch, artefacts, generator, given):
        labels = network.logits(batch.images, batch.ids).argmax(1).tolist()
        if isinstance(self.target, int):
            labels = [self.target] * len(labels)
        return [
            SaliencyMap(self.values(image, per_image(generator, name)), label, 0.5, (16, 16))
            for name, image, label in zip(batch.ids, batch.images, labels, strict=True)
        ]

    def values(self, image, source):
        return torch.rand(16, 16, generator=source)


@dataclasses.dataclass(frozen=True)
class OfPixels(Drawn):
    """A map that does not look at the network."""

    name: ClassVar[str] = "of-pixels"

    def values(self, image, source):
        return image.mean(0)


@dataclasses.dataclass(frozen=True)
class Flat(Drawn):
    """A map with one value everywhere."""

    name: ClassVar[str] = "flat"

    def values(self, image, source):
        return torch.zeros(16, 16)


@dataclasses.dataclass(frozen=True)
class Untold(OfPixels):
    """An explainer that cannot be told which class to explain."""

    name: ClassVar[str] = "untold"


del Untold.__dataclass_fields__["target"]


def entry(explainer):
    datasets = {split: tiny_images(split) for split in ("train", "test")}
    return entry_of(TinyClassifier(), datasets, explainer=explainer)


def rows(explainer, bench, protocol=PROTOCOL):
    of = entry(explainer)
    artefacts = bench.provider.all(protocol.artefacts(of))
    return protocol.evaluate(of, protocol.cases(of, artefacts), artefacts, bench)


def scores(table):
    return scores_by_name(PROTOCOL.summarise({"x": table})["x"])


@pytest.mark.parametrize("explainer", [GradCam(relu=False), CaptumExplainer("Saliency"), Drawn()])
def test_it_keeps_the_contract_of_protocols(explainer):
    check_component(PROTOCOL, beside=[explainer])


def test_each_image_has_a_row_for_each_step(bench):
    table = rows(GradCam(), bench)
    names = [str(case) for case in PROTOCOL.cases(entry(GradCam()), {})]
    assert len(names) == 6
    assert table.column("case").to_pylist() == [name for name in names for _ in range(7)]
    assert table.slice(0, 7).column("order").to_pylist() == [
        "none", "top", "top", "bottom", "bottom", "single", "single",
    ]  # fmt: skip
    assert curves(table).measures["similarity"].shape == (6, 7)


def test_steps_with_the_same_random_layers_have_the_same_rows(bench):
    of = curves(rows(GradCam(relu=False), bench))
    for measure in MEASURES:
        np.testing.assert_array_equal(of.of(measure, "top")[:, 0], of.of(measure, "single")[:, 1])
        np.testing.assert_array_equal(of.of(measure, "top")[:, 1], of.of(measure, "bottom")[:, 1])


def test_the_class_stays_that_of_the_trained_networks_map(bench):
    of, test = entry(GradCam(relu=False)), tiny_images("test")
    ids = list(test.ids())
    trained = bench.explanations(of.explainer, subject_of(of), test, ids)
    weights = list(PROTOCOL.artefacts(of).values())[2]
    subject = dataclasses.replace(subject_of(of), weights=weights)
    own = [one.label for one in bench.explanations(of.explainer, subject, test, ids)]
    maps = maps_of_same_classes(of.explainer, subject, test, ids, trained, bench)
    labels = [one.label for one in trained]
    assert [one.label for one in maps] == labels != own
    for image, one in zip(ids, maps, strict=True):
        fixed = dataclasses.replace(of.explainer, target=one.label)
        (alone,) = bench.explanations(fixed, subject, test, [image])
        torch.testing.assert_close(one.values, alone.values)


def test_a_map_drawn_at_random_has_no_similarity_at_any_step(bench):
    of = curves(rows(Drawn(), bench))
    for measure in MEASURES:
        assert np.abs(of.measures[measure].mean(0)).max() < 0.15


def test_a_map_that_does_not_look_at_the_network_stays_the_same(bench):
    for score in scores(rows(OfPixels(), bench)).values():
        assert score.values == pytest.approx(np.ones(6))


def test_a_method_without_randomness_is_like_itself_where_nothing_is_random(bench):
    found = scores(rows(GradCam(relu=False), bench))
    assert found["similarity@nothing random"].values == pytest.approx(np.ones(6))
    assert np.abs(found["similarity@all random"].values).max() < 1


def test_constant_maps_of_the_trained_network_are_not_scored_and_counted(bench):
    table = rows(Flat(), bench)
    assert all(np.isnan(score.values).all() for score in scores(table).values())
    notes = PROTOCOL.notes({"x": table})["x"]
    assert notes["images"] == 6
    assert notes["stages"] == ["0", "4"]
    assert notes["constant_maps"]["none 0"] == notes["constant_maps"]["single 2 4"] == 6


def test_means_along_curves_leave_out_where_nothing_is_random(bench):
    table = rows(GradCam(relu=False), bench)
    found, of = scores(table), curves(table)
    top = of.measures["similarity"][:, [1, 2]]
    np.testing.assert_allclose(found["similarity@from the top"].values, top.mean(1))
    np.testing.assert_array_equal(found["similarity@all random"].values, top[:, 1])


def test_no_score_decides(bench):
    for score in scores(rows(Drawn(), bench)).values():
        assert (score.direction, score.headline, score.ranking) == ("none", False, None)


def test_shards_and_batches_change_nothing(tmp_path):
    # maps of other batches differ in their last digits, which may exchange two ranks
    of = entry(OfPixels())
    check_shards(PROTOCOL, of, 2, 6, tmp_path, 1e-6)


def test_both_pictures_show_every_line_in_words(bench):
    tables = {"cam": [rows(GradCam(relu=False), bench)], "noise": [rows(Drawn(), bench)]}
    roles = {"cam": "entry", "noise": "floor"}
    drawings = PROTOCOL.figures(tables, roles, Resampling(resamples=20))
    assert list(drawings) == ["similarity", "absolute-similarity"]
    for drawing in drawings.values():
        assert "From the top (nothing random, 4, 0): cam: " in drawing.text
        assert "; noise: " in drawing.text
        assert len(drawing.figure.axes) == 3
    empty = {"x": [tables["cam"][0].slice(0, 0)]}
    assert PROTOCOL.figures(empty, {"x": "entry"}, Resampling()) == {}


def test_an_explainer_that_cannot_be_told_a_class_is_refused():
    said = "explainer 'untold' has no field `target`: a randomised network would be explained for"
    with pytest.raises(MismatchError, match=re.escape(said)):
        PROTOCOL.artefacts(entry(Untold()))


@pytest.mark.parametrize("fields", [{"images": -1}, {"stages": 0}])
def test_impossible_counts_are_refused(fields):
    with pytest.raises(ValueError, match="images must be at least 0 and stages at least 1"):
        ParameterRandomisation(**fields)
