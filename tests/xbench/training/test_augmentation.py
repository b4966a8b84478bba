"""Augmented images depend on (seed, epoch, image id) alone."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from small_datasets import Made
from xbench.errors import MismatchError
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.training.augmentation import Batched, Frames, PerImage

IDS = tuple(range(12))


@dataclass(frozen=True)
class Noise(Made):
    """Noise of one size."""

    name = "noise"
    classes = ("one",)
    starts: ClassVar = {"train": 0}

    height: int = 10
    width: int = 10

    def image(self, image):
        shape, draws = (3, self.height, self.width), torch.Generator().manual_seed(image)
        return torch.randint(0, 256, shape, generator=draws).to(torch.uint8)


def batched(**changes):
    frames = Frames(ImageSet(Noise(), "train"), IDS)
    given = {"flip": 0.5, "shift": 2, "scale": (0.4, 1.0), "ratio": (0.75, 1.25)}
    return Batched(frames, **{**given, **changes})


def per_image(data=None, **changes):
    given = {"flip": 0.5, "scale": (0.4, 1.0), "ratio": (0.75, 1.25), "colour_jitter": 0.3}
    images = ImageSet(data or Noise(), "train", Transform(0, changes.pop("crop", 8)))
    return PerImage(images, **{**given, "auto_augment": "", "erasing": 0.3, **changes})


@pytest.mark.parametrize("make", [batched, per_image])
def test_images_do_not_depend_on_their_batch(make):
    augmentation = make()
    whole = augmentation.images(IDS, seed=1, epoch=2)
    backwards = augmentation.images(IDS[::-1], seed=1, epoch=2)
    alone = augmentation.images(IDS[3:4], seed=1, epoch=2)[0]
    # the places that crops are read from come from a matrix product over the batch
    torch.testing.assert_close(backwards.flip(0), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(alone, whole[3], atol=1e-5, rtol=0)


@pytest.mark.parametrize("make", [batched, per_image])
def test_images_depend_on_seed_and_epoch(make):
    augmentation = make()
    made = [augmentation.images(IDS, seed=s, epoch=e) for s, e in ((0, 0), (0, 1), (1, 0))]
    assert not torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize("make", [batched, per_image])
def test_images_are_between_0_and_1(make):
    images = make().images(IDS, seed=0, epoch=0)
    assert images.dtype == torch.float32
    assert float(images.min()) >= 0
    assert float(images.max()) <= 1


def test_without_augmentation_images_are_what_a_network_sees_at_test_time():
    augmentation = batched(flip=0.0, shift=0, scale=(1.0, 1.0))
    seen = ImageSet(Noise(), "train").batch(IDS).images
    assert torch.equal(augmentation.images(IDS, seed=0, epoch=0), seen)


def test_images_are_mirrored_as_often_as_asked():
    augmentation = batched(flip=0.25, shift=0, scale=(1.0, 1.0))
    seen = ImageSet(Noise(), "train").batch(IDS).images
    made = [augmentation.images(IDS, seed=0, epoch=epoch) for epoch in range(60)]
    same = torch.stack([(images == seen).flatten(1).all(dim=1) for images in made])
    mirrored = torch.stack([(images == seen.flip(3)).flatten(1).all(dim=1) for images in made])
    assert bool((same ^ mirrored).all())
    assert 0.2 < float(mirrored.double().mean()) < 0.3


def test_frames_that_do_not_fit_into_memory_are_read_when_needed():
    images = ImageSet(Noise(), "train")
    kept, read = Frames(images, IDS), Frames(images, IDS, bound=10)
    assert torch.equal(kept.bytes(IDS[2:7]), read.bytes(IDS[2:7]))


def test_per_image_augmentation_makes_the_size_of_test_images():
    assert per_image().images(IDS[:2], seed=0, epoch=0).shape == (2, 3, 8, 8)


def test_per_image_augmentation_needs_squares():
    text = r"images are 10×14 at test time; the augmentation 'timm' makes squares: set `crop`"
    with pytest.raises(MismatchError, match=text):
        per_image(Noise(width=14), crop=0).images(IDS, seed=0, epoch=0)
