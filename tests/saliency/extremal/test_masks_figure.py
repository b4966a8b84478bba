"""The picture of masks: regions in their colours, one for each area."""

import pytest
import torch
from matplotlib.figure import Figure

from xbench import Batch, ParameterError, generator
from xbench_saliency.extremal.figure import masks_figure, region
from xbench_saliency.maps.saliency_map import SaliencyMap

NAMES = ("one", "two", "three")


def example(side=200, labels=None):
    raw = torch.rand(2, 8, 8, generator=generator("masks"))
    images = torch.rand(1, 3, side, side, generator=generator("image"))
    made = SaliencyMap(raw.sum(0), 1, 0.75, (side, side), raw, against=2)
    return made, Batch(images, (0,), labels)


def test_a_region_keeps_its_colours_and_the_rest_is_grey_but_for_the_outline():
    made, batch = example()
    picture = region(made.raw[0], batch.images[0], 0.25)
    kept = (picture == batch.images[0]).all(0)
    assert kept.sum() == 10_000
    grey = (picture[0] == picture[1]) & (picture[1] == picture[2])
    assert (kept | grey).float().mean() > 0.9
    assert not (kept | grey).all()


def test_small_images_are_enlarged():
    made, batch = example(side=32)
    assert region(made.raw[0], batch.images[0], 0.25).shape == (3, 192, 192)


@pytest.mark.parametrize("labels", [None, torch.tensor([0])])
def test_all_masks_stand_beside_the_image(labels):
    made, batch = example(labels=labels)
    figure = masks_figure(made, (0.2, 0.405), batch, NAMES)
    assert isinstance(figure, Figure)
    texts = [text.get_text() for text in figure.texts]
    assert len(figure.axes) == 3
    assert texts[0] == ("Extremal perturbation" if labels is None else "one")
    assert "what speaks for two and not three" in texts[1]
    assert texts[2:] == ["image", "20 % of the image", "40.5 % of the image"]


def test_areas_of_another_map_are_refused():
    made, batch = example()
    with pytest.raises(ParameterError, match="areas: 3 for a map of 2 masks; give those of the"):
        masks_figure(made, (0.1, 0.2, 0.3), batch, NAMES)
