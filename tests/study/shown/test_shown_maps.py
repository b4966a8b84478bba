"""What people are shown beside an image: pictures without words."""

import pytest
import torch

from xbench import MismatchError, explained, generator
from xbench.testing import tiny_batch, tiny_network
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.floors.random_map import RandomMap
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_study.shown.pictures import ShownPictures
from xbench_study.shown.shown_maps import ShownMaps


def pictures(explainer, batch):
    return explained(explainer, tiny_network(), batch, {}, generator(0))


def test_each_map_becomes_a_picture_in_its_order_and_look():
    batch = tiny_batch()
    shown = ShownMaps("maps", maps=(GradCam(), RandomMap()), looks=("overlay", "mask"))
    own = pictures(RandomMap(), batch)
    for one, image, mask in zip(pictures(shown, batch), batch.images, own, strict=True):
        assert one.pictures.shape[:2] == (2, 3)
        times = one.pictures.shape[-1] // image.shape[-1]
        expected = mask.wordless(image, "mask").repeat_interleave(times, 1)
        torch.testing.assert_close(one.pictures[1], expected.repeat_interleave(times, 2))


def test_where_nothing_is_shown_there_is_no_picture():
    (one, *_) = pictures(ShownMaps("image"), tiny_batch())
    assert one.pictures.shape[0] == 0
    again = ShownPictures.from_tensors(one.tensors())
    assert again.pictures.shape == one.pictures.shape


def test_maps_of_one_kind_are_told_apart_by_their_place():
    shown = ShownMaps("maps", maps=(RandomMap(), RandomMap()))
    assert list(shown.inner()) == ["maps.0", "maps.1"]


def test_a_mask_leaves_the_most_relevant_pixel_as_it_is_and_turns_others_black():
    values = torch.tensor([[1.0, 0.5], [0.0, -2.0]])
    saliency = SaliencyMap(values, 0, 0.5, (2, 2))
    picture = saliency.wordless(torch.full((3, 2, 2), 0.8), "mask")
    torch.testing.assert_close(picture[0], torch.tensor([[0.8, 0.4], [0.0, 0.0]]))


def test_a_few_large_values_of_an_overlay_do_not_hide_the_others():
    values = torch.zeros(200, 200)
    values[:100] = 1.0
    even = SaliencyMap(values.clone(), 0, 0.5, (200, 200))
    values[0, :100] = 50.0  # 0.25 % of the image
    uneven = SaliencyMap(values, 0, 0.5, (200, 200))
    image = torch.full((3, 200, 200), 0.8)
    torch.testing.assert_close(uneven.wordless(image), even.wordless(image))
    assert not torch.equal(uneven.wordless(image)[:, 50, 50], uneven.wordless(image)[:, 150, 50])


def test_a_map_of_few_values_keeps_them():
    values = torch.zeros(200, 200)
    values[3, 3] = 2.0
    picture = SaliencyMap(values, 0, 0.5, (200, 200)).wordless(torch.full((3, 200, 200), 0.8))
    assert picture[0, 3, 3] > picture[1, 3, 3] + 0.4  # red
    assert picture[0, 9, 9] == picture[1, 9, 9]


def test_a_map_of_zeros_turns_everything_black_and_nothing_into_nan():
    saliency = SaliencyMap(torch.zeros(2, 2), 0, 0.5, (2, 2))
    assert saliency.wordless(torch.ones(3, 2, 2), "mask").eq(0).all()
    assert saliency.wordless(torch.ones(3, 2, 2)).isfinite().all()


def test_explanations_that_cannot_be_shown_without_words_say_so():
    with pytest.raises(MismatchError, match="of kind 'shown-pictures' cannot be shown without wo"):
        ShownPictures(torch.zeros(0, 3, 2, 2)).wordless(torch.zeros(3, 2, 2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"captions": ("one",)}, "1 captions for 0 maps; one for each"),
        ({"maps": (RandomMap(),), "looks": ("mask", "mask")}, "2 looks for 1 maps"),
        ({"condition": " "}, "condition is empty"),
    ],
)
def test_what_does_not_belong_together_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ShownMaps(**{"condition": "maps", **fields})
