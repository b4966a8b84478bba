"""Image files as squares."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench.errors import DatasetError
from xbench.files import photos


def stripes(width: int, height: int) -> np.ndarray:
    """Left half dark, right half bright."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[:, width // 2 :] = 220
    return pixels


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40), (8, 8), (300, 200)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_square_is_the_middle_of_the_image(
    tmp_path: Path, width: int, height: int, suffix: str
) -> None:
    path = tmp_path / f"1.{suffix}"
    Image.fromarray(stripes(width, height)).save(path)
    square = photos.square_photo(path, "image 1", 16)
    assert square.shape == (3, 16, 16)
    assert square.dtype == torch.uint8
    assert (square[:, :, :6].float() - 40).abs().max() < 12
    assert (square[:, :, 10:].float() - 220).abs().max() < 12


def test_an_image_of_the_right_size_is_not_changed(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    assert torch.equal(
        photos.square_photo(tmp_path / "1.png", "image 1", 9),
        photos.decode_photo(tmp_path / "1.png", "image 1"),
    )


def test_a_square_is_upright_if_asked(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(stripes(16, 16)).save(tmp_path / "1.jpg", exif=exif)
    turned = photos.square_photo(tmp_path / "1.jpg", "image 1", 16, upright=True)
    assert turned[0, 0, 0] > turned[0, 0, -1]
    assert photos.square_photo(tmp_path / "1.jpg", "image 1", 16)[0, 0, 0] < turned[0, 0, 0]


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"image 1: .*1.png does not decode .* file is missing"):
        photos.square_photo(tmp_path / "1.png", "image 1", 16)


def test_a_photo_of_ordinary_size_is_read_as_it_is_and_a_huge_jpeg_at_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(stripes(400, 300)).save(tmp_path / "1.jpg")
    assert photos.upright_photo(tmp_path / "1.jpg", "photo", 30).size == (400, 300)
    monkeypatch.setattr(photos, "LARGE", 100)
    assert photos.upright_photo(tmp_path / "1.jpg", "photo", 30).size == (50, 38)
    assert photos.upright_photo(tmp_path / "1.jpg", "photo", 100).size == (200, 150)
    assert photos.upright_photo(tmp_path / "1.jpg", "photo").size == (400, 300)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1"])
def test_an_upright_photo_is_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(stripes(8, 6))
    if mode == "I;16":
        image = Image.fromarray(np.full((6, 8), 65535, np.uint16))
    else:
        image = image.convert(mode)
    image.save(tmp_path / "1.tif")
    assert photos.upright_photo(tmp_path / "1.tif", "photo").mode == "RGB"
