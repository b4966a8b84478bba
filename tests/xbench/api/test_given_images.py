"""Images as people give them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from xbench.api.photos.given_images import GivenImage, given_images, pixels_of
from xbench.api.photos.transforms import unfitted, usual_transform
from xbench.errors import DatasetError, UsageError, XbenchError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(PIXELS).permute(2, 0, 1) / 255


def images(given):
    return [pixels_of(one, unfitted, 0).image for one in given_images(given)]


def encoded():
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, "png")
    return content.getvalue()


@pytest.mark.parametrize(
    "given",
    [
        Image.fromarray(PIXELS),
        PIXELS,
        PIXELS.transpose(2, 0, 1),
        torch.from_numpy(PIXELS.transpose(2, 0, 1).copy()),
        (PIXELS / 255).astype(np.float32),
        (PIXELS / 255).transpose(2, 0, 1),
        FLOATS,
        FLOATS[None],
        np.concatenate([PIXELS, PIXELS[:, :, :1]], axis=2),
        encoded(),
        [FLOATS],
        iter([PIXELS]),
        (FLOATS[None], torch.tensor([1])),
        GivenImage("x", FLOATS),
    ],
)
def test_one_image_is_one_image_however_it_is_given(given):
    (image,) = images(given)
    torch.testing.assert_close(image, FLOATS)


def test_several_keep_their_order_and_get_numbers():
    every = list(given_images([PIXELS, FLOATS[None].repeat(2, 1, 1, 1), Image.fromarray(PIXELS)]))
    assert [one.name for one in every] == ["image 1", "image 2", "image 3", "image 4"]


def test_grey_ones_get_three_channels():
    for given in (PIXELS[:, :, 0], PIXELS[:, :, :1], FLOATS[:1], Image.fromarray(PIXELS[:, :, 0])):
        (image,) = images(given)
        assert image.shape == (3, 6, 8)
        assert torch.equal(image[0], image[2])


def test_a_folder_is_its_images_in_order(tmp_path):
    for name in ("b.png", "a.jpg", "c.PNG"):
        Image.fromarray(PIXELS).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    assert [one.name for one in given_images(tmp_path)] == ["a.jpg", "b.png", "c.PNG"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="has no images"):
        list(given_images(tmp_path / "none"))


def test_a_photo_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    (turned,) = images(tmp_path / "a.png")
    assert torch.equal(turned, torch.rot90(FLOATS, -1, (1, 2)))
    (of_pillow,) = images(Image.open(tmp_path / "a.png"))
    assert torch.equal(of_pillow, turned)


def test_values_outside_0_and_1_count_as_normalised_for_all_that_came_with_them():
    pair = torch.stack([FLOATS, 3 * FLOATS - 1])
    assert [one.normalised for one in given_images(pair)] == [True, True]
    assert [one.normalised for one in given_images([FLOATS, 3 * FLOATS])] == [False, True]
    assert not next(given_images(FLOATS * (1 + 1e-7))).normalised


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("missing.jpg", "there is no photo 'missing.jpg'"),
        (3, "int is no image; give the path of a photo"),
        ({"image": 3}, "dict is no image"),
        (torch.rand(5), "tensor of shape 5 is no image"),
        (torch.rand(2, 5, 6), "is no image; give h×w×3 or 3×h×w"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), "images of torch.int64 are no images"),
        (torch.full((3, 4, 4), torch.nan), "image 1 has values that are NaN"),
        (b"no photo", "image 1 does not decode as an image"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line(given, message):
    with pytest.raises(XbenchError) as refused:
        images(given)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_batch_with_too_few_labels_is_refused():
    with pytest.raises(UsageError, match="a batch has 2 images and 1 labels"):
        list(given_images((torch.rand(2, 3, 4, 4), torch.tensor([1]))))


def test_the_usual_transform_is_that_of_most_weights():
    photo = Image.effect_noise((300, 200), 90).convert("RGB")
    from torchvision.models import ResNet18_Weights

    own = ResNet18_Weights.IMAGENET1K_V1.transforms(mean=(0.0,) * 3, std=(1.0,) * 3)
    assert torch.equal(usual_transform(224)(photo), own(photo))
