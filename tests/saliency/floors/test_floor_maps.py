"""Floors: maps that know nothing of the network but the class."""

import pytest
import torch

from xbench import Batch, ParameterError, generator
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.floors.centre_map import CentreMap
from xbench_saliency.floors.edge_map import EdgeMap
from xbench_saliency.floors.intensity_map import IntensityMap
from xbench_saliency.floors.random_map import RandomMap
from xbench_saliency.kernels.maps import GREY

FLOORS = [CentreMap(), EdgeMap(), IntensityMap(), RandomMap(), RandomMap(noise="pixels")]


def explained(explainer, batch=None, seed=0):
    batch = tiny_batch() if batch is None else batch
    return explainer.explain(tiny_network(), batch, {}, generator(seed), {})


@pytest.mark.parametrize("floor", [*FLOORS, CentreMap("label"), RandomMap(2, cells=3)], ids=str)
def test_floors_keep_the_contract_of_explainers(floor):
    check_component(floor)
    assert floor.role == "floor"


@pytest.mark.parametrize("floor", FLOORS, ids=str)
def test_a_floor_is_the_same_whatever_the_class_and_negative_nowhere(floor):
    one, other = explained(floor), explained(type(floor)(target=1, **_beside(floor)))
    for first, second in zip(one, other, strict=True):
        assert torch.equal(first.values, second.values)
        assert second.label == 1
        assert (first.values >= 0).all()
        assert first.against is None


def _beside(floor):
    return {"noise": floor.noise} if isinstance(floor, RandomMap) else {}


def test_noise_hangs_on_the_seed_and_the_image_and_is_as_fine_as_asked_for():
    first, second = explained(RandomMap())[:2]
    assert first.values.shape == (8, 8)
    assert not torch.equal(first.values, second.values)
    assert not torch.equal(first.values, explained(RandomMap(), seed=1)[0].values)
    assert explained(RandomMap(cells=3))[0].values.shape == (3, 3)
    assert explained(RandomMap(noise="pixels"))[0].values.shape == (16, 16)
    with pytest.raises(ValueError, match="cells must be at least 1, not 0"):
        RandomMap(cells=0)


def test_the_centre_is_highest_and_the_corners_are_nought():
    values = explained(CentreMap())[0].values
    corners = values[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 0).all()
    assert float(values[7, 7]) == float(values.max())


def test_brightness_is_that_of_each_pixel():
    batch = tiny_batch(1)
    values = explained(IntensityMap(), batch)[0].values
    pixel = sum(weight * float(batch.images[0, c, 3, 5]) for c, weight in enumerate(GREY))
    assert float(values[3, 5]) == pytest.approx(pixel)


def test_an_image_of_one_colour_has_no_edges():
    flat = Batch(torch.full((1, 3, 16, 16), 0.3), (0,))
    assert (explained(EdgeMap(), flat)[0].values == 0).all()
    for floor in FLOORS:
        assert torch.isfinite(explained(floor, flat)[0].values).all()


@pytest.mark.parametrize("floor", [CentreMap, EdgeMap, IntensityMap, RandomMap])
def test_a_class_out_of_range_is_refused_and_no_images_have_no_maps(floor):
    with pytest.raises(ParameterError, match="target is 9"):
        explained(floor(target=9))
    assert explained(floor(), Batch(torch.zeros(0, 3, 16, 16), ())) == []
