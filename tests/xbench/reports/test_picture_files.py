"""Files of pictures are light."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from xbench.reports.picture_files import MOST, css_size, light_copy, write_picture


def noise(side):
    """A figure full of an image that no format can pack well."""
    figure = Figure(figsize=(4, 3))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(np.random.default_rng(0).random((side, side, 3)))
    return figure


def lines(count):
    figure = Figure(figsize=(4, 3))
    ax = figure.add_subplot()
    for k in range(count):
        ax.plot(np.sin(np.arange(400) * (k + 1) / 7) + k, marker="o")
    return figure


def files(folder):
    return {path.name for path in folder.iterdir()}


def test_lines_are_shown_as_a_vector_and_lie_there_as_pixels_too(tmp_path):
    written = write_picture(lines(1), tmp_path / "a", title="A", dots=100)
    assert written.suffixes == ("svg", "png")
    assert files(tmp_path) == {"a.svg", "a.png"}


def test_a_vector_that_is_heavy_is_left_out(tmp_path):
    written = write_picture(lines(40), tmp_path / "a", title="A", dots=60)
    assert written.suffixes == ("png",)
    assert files(tmp_path) == {"a.png"}


def test_a_small_photograph_is_shown_as_pixels(tmp_path):
    written = write_picture(noise(8), tmp_path / "a", title="A", dots=40)
    assert written.suffixes == ("png", "svg")


@pytest.mark.parametrize("dots", [100, 300])
def test_a_heavy_picture_becomes_one_light_file_of_the_same_size(tmp_path, dots):
    written = write_picture(noise(400), tmp_path / "a", title="A", dots=dots)
    assert written.suffixes == ("webp",)
    assert files(tmp_path) == {"a.webp"}
    assert (tmp_path / "a.webp").stat().st_size <= MOST
    with Image.open(tmp_path / "a.webp") as image:
        assert written.size == pytest.approx([side * 96 / dots for side in image.size])


def test_a_heavy_png_gets_a_light_copy_and_stays_as_it_is(tmp_path):
    heavy, light = tmp_path / "a.png", tmp_path / "b.png"
    noise(400).savefig(heavy, dpi=200)
    noise(8).savefig(light, dpi=40)
    weight = heavy.stat().st_size
    copy = light_copy(heavy)
    assert light_copy(light) is None
    assert copy == tmp_path / "a.webp"
    assert copy.stat().st_size <= MOST < weight == heavy.stat().st_size


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_file_says_how_large_it_is_on_a_page(tmp_path, kind):
    noise(8).savefig(tmp_path / f"a.{kind}", dpi=150)
    assert css_size(tmp_path / f"a.{kind}") == pytest.approx((4 * 96, 3 * 96), rel=0.01)
