"""Requests are put together where images are of one set, and only there."""

from types import SimpleNamespace

import pytest

from small_datasets import Stripes
from small_entries import entry_of
from small_networks import Tiny
from xbench.interfaces.bench import Request, kept_key
from xbench.interfaces.data.dataset import ImageSet
from xbench.running.bench import LocalBench
from xbench.running.planning.requests import Requests
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.folds import Folds
from xbench.training.recipe import subject_of

TRAIN, TEST = (ImageSet(Stripes(), split) for split in ("train", "test"))
FOLDS = Folds(TRAIN, 5)


@pytest.fixture
def subject():
    return subject_of(entry_of(Tiny(), {"train": TRAIN, "test": TEST}))


@pytest.fixture
def requests(tmp_path):
    return Requests(LocalBench(tiny_workplace(tmp_path), Store(str(tmp_path / "store"))))


def asking(subject, *images):
    """A protocol that asks for predictions of all images of these sets."""
    return SimpleNamespace(
        requests=lambda *_: [Request(None, subject, one, one.ids()) for one in images]
    )


@pytest.mark.parametrize(
    "images",
    [(TRAIN, TEST), (FOLDS.training(0), FOLDS.held_out(0)), (TRAIN, FOLDS.held_out(1))],
    ids=["two splits", "two parts", "a split and its part"],
)
def test_images_of_several_sets_are_asked_for_in_the_blocks_of_each(subject, requests, images):
    protocol = asking(subject, *images)
    requests.add(protocol, None, ())
    tasks = list(requests.tasks())
    assert [task.ids for task in tasks] == [one.ids() for one in images]
    assert requests.needed(protocol, None, ()) == [task.key for task in tasks]


def test_what_is_asked_for_twice_of_one_set_is_one_task(subject, requests):
    again = Folds(ImageSet(Stripes(), "train"), 5).held_out(0)
    requests.add(asking(subject, FOLDS.held_out(0), again), None, ())
    assert len(list(requests.tasks())) == 1


def test_what_is_kept_of_an_image_is_kept_whatever_split_or_fold_it_is_in(subject):
    keys = {kept_key(None, subject, images) for images in (TRAIN, TEST, FOLDS.held_out(0))}
    assert len(keys) == 1
