"""All maps of an image side by side: names and classes in words, one legend."""

import pytest
import torch
from matplotlib.figure import Figure

from xbench import generator
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.side_by_side import side_by_side

NAMES = ("ant", "$bee$", "a very long name of a class that takes more lines than there are, really")
IMAGE = torch.rand(3, 32, 48, generator=generator("side by side"))


def made(label=0, against=None, values=((0.0, 2.0), (-1.0, 0.5))):
    return SaliencyMap(torch.tensor(values), label, 0.5, (32, 48), against=against)


def words(figure):
    texts = [text.get_text() for text in figure.texts]
    return texts + [tick.get_text() for ax in figure.axes for tick in ax.get_xticklabels()]


def test_what_is_the_same_for_all_maps_stands_above_the_image_alone():
    figure = side_by_side(IMAGE, {"one": made(), "other": made()}, NAMES)
    assert isinstance(figure, Figure)
    told = words(figure)
    assert told.count("ant  ·  P = 50.0 %") == 1
    assert {"image", "one", "other"} <= set(told)
    assert "full colour: each map's own largest value" in told
    assert told[-3:] == ["against", "0", "for the class"]
    assert len(figure.axes) == 4  # three pictures, and one legend for all
    figure.canvas.draw()


def test_the_image_may_have_a_title_of_its_own():
    for maps in ({"one": made()}, {"one": made(), "other": made(1)}):
        told = words(side_by_side(IMAGE, maps, NAMES, title="wasp"))
        assert "wasp" in told
        assert "image" not in told


def pixels_of(figure, place):
    return figure.axes[place].images[0].get_array()


def test_with_a_quantile_a_few_large_values_do_not_hide_the_others():
    values = torch.full((10, 10), 0.1)
    values[0, 0] = 5.0
    maps = {"one": SaliencyMap(values, 0, 0.5, (32, 48)), "none": made(values=((0.0, 0.0),))}
    plain, fuller = (side_by_side(IMAGE, maps, NAMES, quantile=q) for q in (1.0, 0.9))
    green = [pixels_of(figure, 1)[-5:, -5:, 1].mean() for figure in (plain, fuller)]
    assert green[1] < 0.6 * green[0]  # red is what is left
    assert (pixels_of(plain, 2) == pixels_of(fuller, 2)).all()
    assert "full colour: each map's own largest 10 % of all values" in words(fuller)


def test_different_classes_stand_under_the_names_of_the_maps():
    maps = {"one": made(), "other": made(1, 0), "long": made(2)}
    told = words(side_by_side(IMAGE, maps, NAMES))
    assert "ant" in told
    assert "$bee$ against ant" in told
    assert any(text.endswith(" …") for text in told)


def test_maps_without_negative_values_need_no_colour_for_them():
    told = words(side_by_side(IMAGE, {"one": made(values=((0.0, 1.0),))}, NAMES))
    assert told[-2:] == ["0", "for the class"]


def test_the_image_stands_alone_where_there_are_no_maps():
    assert "image" in words(side_by_side(IMAGE, {}, NAMES))


@pytest.mark.parametrize("shape", [(3, 20, 60), (3, 60, 20)])
def test_pictures_of_any_shape_lie_inside_the_figure_and_apart(shape):
    figure = side_by_side(torch.rand(shape), {str(k): made() for k in range(7)}, NAMES, columns=3)
    boxes = [ax.get_position() for ax in figure.axes]
    for place, box in enumerate(boxes):
        assert min(box.x0, box.y0) >= 0
        assert max(box.x1, box.y1) <= 1
        assert not any(box.overlaps(other) for other in boxes[:place])
