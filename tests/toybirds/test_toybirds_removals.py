"""Removals of parts: exact, local, and known to the ideal observer."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from xbench import ParameterError
from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.drawing import render
from xbench_toybirds.drawing.scene import FRAME
from xbench_toybirds.world import ATTRIBUTES, PARTS

DATASETS = {
    "test": (Toybirds(), "test"),
    "shifted": (Toybirds(), "shifted"),
    "fresh": (Toybirds().fresh(3), "test"),
    "confounded": (
        Toybirds(confounded_class="verda-prima", confounded_context="snow", confound_strength=0.8),
        "train",
    ),
}


@pytest.fixture(params=DATASETS)
def asked(request):
    """A dataset, and ids of some of its images, each once for every part and once more."""
    birds, split = DATASETS[request.param]
    return birds, np.repeat(birds.ids(split)[:30], len(PARTS)).tolist()


def singles(ids):
    """Every part in turn."""
    return torch.eye(len(PARTS), dtype=torch.bool).repeat(len(ids) // len(PARTS), 1)


def several(ids, share=0.4):
    """Any parts of each image."""
    return torch.from_numpy(np.random.default_rng(0).random((len(ids), len(PARTS))) < share)


def covered(masks, removed):
    """Where an image shows one of its removed parts."""
    marked = torch.cat([removed, torch.zeros(len(removed), 1, dtype=torch.bool)], dim=1)
    return marked[torch.arange(len(masks))[:, None, None], masks.long()]


@contextmanager
def unpainted(monkeypatch, removed):
    """The slow way: a block in which strokes of these parts are left out, of every image."""
    left = tuple(s for s in render.STROKES if s.label < 0 or not removed[s.label])
    with monkeypatch.context() as patch:
        patch.setattr(render, "STROKES", left)
        yield


def test_nothing_removed_changes_no_pixel(asked):
    birds, ids = asked
    nothing = torch.zeros(len(ids), len(PARTS), dtype=torch.bool)
    assert torch.equal(birds.images_without(ids, nothing), birds.images(ids))
    assert torch.equal(birds.visible_without(ids, nothing), birds.visible_parts(ids))
    assert torch.equal(birds.class_posterior_without(ids, nothing), birds.class_posterior(ids))


@pytest.mark.parametrize("marks", [singles, several])
def test_removing_parts_changes_no_pixel_outside_their_masks(asked, marks):
    birds, ids = asked
    removed = marks(ids)
    differs = (birds.images_without(ids, removed) != birds.images(ids)).any(dim=1)
    inside = covered(birds.part_masks(ids), removed)
    assert not (differs & ~inside).any()
    # Colours beneath may be the same by chance, mostly where light clips.
    assert differs[inside].double().mean() > 0.95


@pytest.mark.parametrize("marks", [singles, several])
def test_what_shows_is_what_is_painted_when_the_strokes_are_left_out(asked, marks, monkeypatch):
    birds, ids = asked
    some = list(range(0, len(ids), 17))
    ids, removed = [ids[k] for k in some], marks(ids)[some]
    for image, marked, without in zip(
        ids, removed, birds.images_without(ids, removed), strict=True
    ):
        with unpainted(monkeypatch, marked):
            slow = render.render(birds._scenes([image])).pixels[0]
        assert torch.equal(without, torch.from_numpy(slow).permute(2, 0, 1))


@pytest.mark.parametrize("marks", [singles, several])
def test_visibility_is_that_of_the_picture_without_the_parts(asked, marks, monkeypatch):
    birds, ids = asked
    some = list(range(0, len(ids), 17))
    ids, removed = [ids[k] for k in some], marks(ids)[some]
    for image, marked, visible in zip(
        ids, removed, birds.visible_without(ids, removed), strict=True
    ):
        with unpainted(monkeypatch, marked):
            assert torch.equal(visible, birds.visible_parts([image])[0])


def test_a_removed_part_is_hidden_and_another_may_become_visible(birds):
    ids = np.repeat(birds.ids("test")[:200], len(PARTS)).tolist()
    removed = singles(ids)
    before, after = birds.visible_parts(ids), birds.visible_without(ids, removed)
    assert not after[removed].any()
    appears, disappears = (after > before), (after < before) & ~removed
    assert not disappears.any()
    assert 0 < appears.any(dim=1).double().mean() < 0.05


def test_the_posterior_without_parts_equals_a_loop_of_its_formula(asked):
    birds, ids = asked
    removed = several(ids)
    visible, values = birds.visible_without(ids, removed), birds.attribute_values(ids)
    posterior = birds.class_posterior_without(ids, removed)
    assert torch.allclose(posterior, looped(birds, values, visible), atol=1e-12)
    assert not torch.allclose(posterior, birds.class_posterior(ids), atol=0.01)


def looped(birds, values, visible):
    """P(class | values of visible parts), one image and class at a time."""
    table = birds.class_attributes()
    joint = np.ones((len(values), 20))
    for image, label in np.ndindex(joint.shape):
        for column, attribute in enumerate(ATTRIBUTES):
            if visible[image, attribute.part]:
                value = int(values[image, column])
                joint[image, label] *= table[column].frequencies[label, value].item() / 100
    return torch.from_numpy(joint / joint.sum(axis=1, keepdims=True))


def test_a_bird_without_all_parts_says_nothing_of_its_class(birds):
    ids = birds.ids("test")[:5]
    everything = torch.ones(5, len(PARTS), dtype=torch.bool)
    posterior = birds.class_posterior_without(ids, everything)
    assert torch.allclose(posterior, torch.full_like(posterior, 1 / 20))
    assert not birds.visible_without(ids, everything).any()


def test_removals_do_not_depend_on_what_else_is_asked_for(birds):
    ids = [2_000_003, 3_000_001, 2_000_003, 7, 2_000_002]
    removed = several(ids)
    together = birds.images_without(ids, removed)
    for k, image in enumerate(ids):
        assert torch.equal(together[k], birds.images_without([image], removed[k : k + 1])[0])
    assert birds.images_without([], removed[:0]).shape == (0, 3, FRAME, FRAME)
    assert birds.visible_without([], removed[:0]).shape == (0, len(PARTS))


@pytest.mark.parametrize(
    ("removed", "form"),
    [
        (torch.zeros(2, 11, dtype=torch.bool), "bool of shape (2, 11)"),
        (torch.zeros(1, 12, dtype=torch.bool), "bool of shape (1, 12)"),
        (torch.zeros(2, 12), "float32 of shape (2, 12)"),
    ],
)
def test_marks_that_do_not_fit_the_images_are_refused(birds, removed, form):
    with pytest.raises(ParameterError) as caught:
        birds.images_without([0, 1], removed)
    assert str(caught.value) == (
        f"dataset 'toybirds': removed is {form}, but must be bool of shape (2, 12): "
        "a row for each image, a column for each part."
    )
