"""Saliency maps: kept, loaded, enlarged and drawn."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from xbench import Batch, ImageSet, MismatchError, generator, load_explanations, save_explanations
from xbench_saliency.kernels.maps import GREY, repeated, scaled, tinted
from xbench_saliency.maps.map_figure import FINE, overlaid
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_toybirds.dataset import Toybirds

RED_AND_BLUE = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def random(*shape, seed=0):
    return torch.rand(*shape, generator=generator("saliency", seed), dtype=torch.float64)


def made(values=None, label=2):
    return SaliencyMap(random(3, 4).float() if values is None else values, label, 0.25, (12, 16))


@given(st.integers(0, 99), st.floats(1e-6, 1e3) | st.floats(-1e3, -1e-6) | st.just(0.0))
def test_scaled_maps_have_a_largest_value_of_one_whatever_their_unit(seed, unit):
    maps = random(2, 3, 4, seed=seed) - 0.5
    found = scaled(maps * unit)
    if unit == 0:
        assert torch.equal(found, torch.zeros_like(found))
        return
    assert torch.allclose(found.abs().amax(dim=(1, 2)), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(found, scaled(maps) * math.copysign(1, unit))


def test_pixels_are_repeated_as_squares():
    image = random(3, 2, 3)
    found = repeated(image, 4)
    assert found.shape == (3, 8, 12)
    for row in range(8):
        for column in range(12):
            assert torch.equal(found[:, row, column], image[:, row // 4, column // 4])


@given(st.integers(0, 99), st.floats(0, 1))
def test_tinting_covers_a_pale_image_with_the_colour_of_the_sign(seed, strength):
    image, saliency = random(3, 2, 3, seed=seed), 2 * random(2, 3, seed=seed + 1) - 1
    found = tinted(image, saliency, RED_AND_BLUE.double(), strength)
    for row in range(2):
        for column in range(3):
            value = float(saliency[row, column])
            grey = sum(w * float(image[c, row, column]) for c, w in enumerate(GREY))
            for channel in range(3):
                colour = float(RED_AND_BLUE[int(value >= 0), channel])
                cover = strength * abs(value)
                expected = (0.3 + 0.7 * grey) * (1 - cover) + cover * colour
                assert float(found[channel, row, column]) == pytest.approx(expected)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-9


def test_small_images_show_their_pixels_and_the_map_stays_smooth():
    image = random(3, 32, 32).float()
    found = overlaid(made(torch.tensor([[0.0, 4.0], [0.0, 0.0]])), image)
    assert found.shape == (3, FINE, FINE)
    corner = found[:, 0, -1]
    torch.testing.assert_close(corner[0] - corner[1], torch.tensor(0.85 * (0xD7 - 0x30) / 255))
    flat = overlaid(made(torch.zeros(2, 2)), image)
    assert torch.equal(flat[0], flat[2])  # grey: nothing speaks for the class
    pixels = flat.view(3, 32, 6, 32, 6)
    assert torch.equal(pixels, pixels[:, :, :1, :, :1].expand_as(pixels))


def test_large_images_keep_their_size():
    assert overlaid(made(), random(3, 200, 300).float()).shape == (3, 200, 300)


def test_maps_are_saved_and_loaded(tmp_path):
    saved = [made(), made(random(5, 2).float() - 0.5, label=0)]
    save_explanations(tmp_path / "maps.safetensors", saved)
    loaded = load_explanations(tmp_path / "maps.safetensors", SaliencyMap)
    for one, other in zip(saved, loaded, strict=True):
        assert torch.equal(one.values, other.values)
        assert (one.label, one.probability, one.size) == (
            other.label,
            other.probability,
            other.size,
        )


def test_a_file_of_maps_is_nothing_else(tmp_path):
    class Words(SaliencyMap):
        name = "words"

    save_explanations(tmp_path / "maps.safetensors", [made()])
    with pytest.raises(MismatchError, match="holds saliency-map, not explanations of kind 'words'"):
        load_explanations(tmp_path / "maps.safetensors", Words)


def words(figure):
    texts = [text.get_text() for text in figure.texts]
    return texts + [tick.get_text() for ax in figure.axes for tick in ax.get_xticklabels()]


def test_a_picture_names_the_class_and_the_largest_value():
    images = ImageSet(Toybirds(train=2, test=2), "test")
    batch, names = images.batch(images.ids()[:1]), images.dataset.class_names()
    values = torch.tensor([[0.0, 2.5], [1.0, 0.5]])
    figure = SaliencyMap(values, 3, 0.125, (96, 96)).draw(batch, None, names)
    assert isinstance(figure, Figure)
    told = words(figure)
    assert f"what speaks for {names[3]}  ·  P = 12.5 %" in told
    assert any(names[int(batch.labels[0])] in text and "image" in text for text in told)
    assert told[-2:] == ["0", "2.5"]
    figure.canvas.draw()


def test_a_picture_of_a_signed_map_has_both_ends():
    batch = Batch(random(1, 3, 16, 16).float(), (0,))
    figure = made(torch.tensor([[-2.0, 1.0]]), label=0).draw(batch, None, ("$cat$", "dog", "cow"))
    told = words(figure)
    assert told[0] == "Saliency"
    assert told[-3:] == ["-2", "0", "2"]
    figure.canvas.draw()  # a name is no formula


def test_a_picture_of_a_contrast_names_both_classes():
    batch = Batch(random(1, 3, 16, 16).float(), (0,))
    contrast = SaliencyMap(torch.tensor([[2.0, 1.0]]), 0, 0.25, (16, 16), against=2)
    told = words(contrast.draw(batch, None, ("cat", "dog", "cow")))
    assert "what speaks for cat against cow  ·  P = 25.0 %" in told
