"""The pointing game: masks, rows, scores with chance, and bad input."""

import dataclasses
import re
from typing import ClassVar

import numpy as np
import pytest
import torch

from shards import check_shards
from small_datasets import Greys
from small_entries import entry_of
from xbench import (
    Explainer,
    ImageSet,
    MismatchError,
    ObjectBoxes,
    PartMasks,
    UnknownNameError,
    scores_by_name,
)
from xbench.testing import TinyClassifier, check_component, tiny_images
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.localisation.protocol import PointingGame
from xbench_saliency.maps.saliency_map import SaliencyMap

GAME = PointingGame(images=5)


@dataclasses.dataclass(frozen=True)
class Spot(Explainer):
    """A map that points to one pixel of the 16 × 16."""

    name: ClassVar[str] = "spot"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap

    row: int
    column: int
    height: float = 1.0

    def explain(self, network, batch, artefacts, generator, given):
        values = torch.zeros(16, 16)
        values[self.row, self.column] = self.height
        return [SaliencyMap(values, 0, 0.5, (16, 16)) for _ in batch.ids]


def entry(explainer, images=tiny_images):
    datasets = {split: images(split) for split in ("train", "test")}
    return entry_of(TinyClassifier(), datasets, explainer=explainer)


@dataclasses.dataclass(frozen=True)
class BoxedGreys(Greys, ObjectBoxes):
    """16×16 pixels with a box low on the left, of all images but the last."""

    name: ClassVar[str] = "boxed-greys"

    def image(self, image):
        return torch.full((3, 16, 16), 10 * image).byte()

    def object_boxes(self, ids):
        boxes = torch.tensor([[1.0, 8.0, 4.0, 8.0]]).repeat(len(ids), 1)
        boxes[torch.tensor(list(ids)) == max(self.ids("test"))] = torch.nan
        return boxes


def boxed_greys(split):
    return ImageSet(BoxedGreys(), split)


def rows(explainer, bench, game=GAME, images=tiny_images):
    of = entry(explainer, images)
    artefacts = bench.provider.all(game.artefacts(of))
    return game.evaluate(of, game.cases(of, artefacts), artefacts, bench)


def means(table):
    scores = scores_by_name(GAME.summarise({"x": table})["x"])
    return {name: (score.values.mean(), score.chance) for name, score in scores.items()}


@pytest.mark.parametrize("game", [GAME, PointingGame(parts=("front",), tolerance=2)])
def test_it_keeps_the_contract_of_protocols(game):
    check_component(game, beside=[GradCam()])


# The tiny dataset shows its parts in the lower half: the front on the left, the back on the right.
@pytest.mark.parametrize(
    ("row", "column", "game", "inside"),
    [
        (12, 3, GAME, 1.0),
        (3, 3, GAME, 0.0),
        (12, 3, PointingGame(images=5, parts=("front",)), 1.0),
        (12, 12, PointingGame(images=5, parts=("front",)), 0.0),
        (12, 12, PointingGame(images=5, parts=("front", "back")), 1.0),
    ],
)
def test_a_spot_is_inside_or_outside(bench, row, column, game, inside):
    found = means(rows(Spot(row, column), bench, game))
    area = 0.25 if game.parts == ("front",) else 0.5
    assert found == {"energy inside": (inside, area), "hit": (inside, area)}


def test_a_tolerance_is_for_hits_alone_and_their_chance_has_it(bench):
    game = PointingGame(images=5, tolerance=2)
    assert means(rows(Spot(6, 3), bench, game)) == {
        "energy inside": (0, 0.5),
        "hit": (1, 10 / 16),
    }
    assert means(rows(Spot(5, 3), bench, game))["hit"] == (0, 10 / 16)


def test_empty_maps_are_misses_and_counted(bench):
    table = rows(Spot(0, 0, height=0.0), bench)
    assert means(table) == {"energy inside": (0, 0.5), "hit": (0, 0.5)}
    assert GAME.notes({"x": table})["x"] == {"images": 5, "without_mask": 0, "empty_maps": 5}


def test_maps_that_are_no_numbers_are_not_scored(bench):
    found = scores_by_name(GAME.summarise({"x": rows(Spot(0, 0, float("nan")), bench)})["x"])
    for score in found.values():
        assert np.isnan(score.values).all()
        assert score.chance is None


def test_energy_ranks_and_hits_stand_beside_it(bench):
    energy, hit = GAME.summarise({"x": rows(Spot(12, 3), bench)})["x"]
    assert (energy.name, energy.headline, energy.direction) == ("energy inside", True, "higher")
    assert (hit.name, hit.headline, hit.direction) == ("hit", True, "higher")
    assert {energy.ranking, hit.ranking} == {None}


def test_terms_speak_of_the_parts_and_of_the_tolerance():
    terms = PointingGame(parts=("front", "back"), tolerance=3).terms()
    assert "the mask of front, back" in terms["energy inside"]
    assert "at most 3 pixels beside it" in terms["hit"]
    assert "the object's mask" in GAME.terms()["hit"]


def test_shards_and_batches_change_nothing(tmp_path):
    check_shards(GAME, entry(GradCam()), 2, 5, tmp_path)


def test_a_part_that_the_dataset_does_not_have_is_refused_before_anything_is_made():
    with pytest.raises(UnknownNameError, match=re.escape("part in protocol.parts 'beak'")):
        PointingGame(parts=("beak",)).artefacts(entry(GradCam()))


def test_where_there_are_boxes_alone_they_are_the_masks(bench):
    table = rows(Spot(12, 3), bench, images=boxed_greys)
    assert means(table) == {"energy inside": (1, 8 * 4 / 256), "hit": (1, 8 * 4 / 256)}
    assert means(rows(Spot(3, 3), bench, images=boxed_greys))["hit"] == (0, 8 * 4 / 256)


def test_images_without_a_box_are_counted_and_not_scored(bench):
    game = PointingGame()
    table = rows(Spot(12, 3), bench, game, boxed_greys)
    unboxed = game.notes({"x": table})["x"]["without_mask"]
    (hit,) = [s for s in game.summarise({"x": table})["x"] if s.name == "hit"]
    assert unboxed == np.isnan(hit.values).sum() == 1


def test_boxes_have_no_parts():
    with pytest.raises(MismatchError, match="'boxed-greys' has no masks of parts"):
        PointingGame(parts=("front",)).artefacts(entry(GradCam(), boxed_greys))


def test_a_dataset_without_masks_and_boxes_does_not_fit():
    (need,) = GAME.needs()
    assert need == PartMasks | ObjectBoxes
    assert not isinstance(Greys(), need)


@pytest.mark.parametrize("fields", [{"images": -1}, {"tolerance": -1}])
def test_impossible_counts_are_refused(fields):
    with pytest.raises(ValueError, match="images and tolerance must be at least 0"):
        PointingGame(**fields)
