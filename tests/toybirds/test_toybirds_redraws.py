"""Redraws of parts: values come from the mixture of all classes, all else stays."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from xbench import ParameterError
from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.world import ATTRIBUTES, PARTS

SOURCES = {
    "test": (Toybirds(), "test"),
    "shifted": (Toybirds(), "shifted"),
    "fresh": (Toybirds().fresh(3), "test"),
}
COLUMNS = [attribute.part for attribute in ATTRIBUTES]


@pytest.fixture(params=SOURCES)
def asked(request):
    """A dataset, and ids of some of its images, each once for every part."""
    birds, split = SOURCES[request.param]
    return birds, np.repeat(birds.ids(split)[:20], len(PARTS)).tolist()


def marked(ids, share=0.4):
    """Any parts of each image."""
    return torch.from_numpy(np.random.default_rng(1).random((len(ids), len(PARTS))) < share)


def shows(masks, marks):
    """Where an image shows one of the marked parts."""
    padded = torch.cat([marks, torch.zeros(len(marks), 1, dtype=torch.bool)], dim=1)
    return padded[torch.arange(len(masks))[:, None, None], masks.long()]


def masks_redrawn(birds, ids, redrawn, draw):
    """Masks of the images that are drawn."""
    from xbench_toybirds.drawing import parts
    from xbench_toybirds.drawing.render import render_regions

    values = birds.attribute_values_redrawn(ids, redrawn, draw).numpy()
    return torch.from_numpy(parts.masks(render_regions(birds._scenes(ids)._replace(values=values))))


def test_nothing_redrawn_changes_nothing(asked):
    birds, ids = asked
    nothing = torch.zeros(len(ids), len(PARTS), dtype=torch.bool)
    assert torch.equal(birds.images_redrawn(ids, nothing, 0), birds.images(ids))
    assert torch.equal(birds.attribute_values_redrawn(ids, nothing, 0), birds.attribute_values(ids))
    assert torch.equal(birds.class_posterior_redrawn(ids, nothing, 0), birds.class_posterior(ids))


def test_only_the_masks_of_redrawn_parts_change_before_and_after(asked):
    birds, ids = asked
    redrawn = marked(ids)
    differs = (birds.images_redrawn(ids, redrawn, 4) != birds.images(ids)).any(dim=1)
    before = shows(birds.part_masks(ids), redrawn)
    after = shows(masks_redrawn(birds, ids, redrawn, 4), redrawn)
    assert not (differs & ~(before | after)).any()
    assert differs[before].double().mean() > 0.5


def test_a_picture_is_that_of_its_values_however_often_it_is_asked_for(asked):
    from xbench_toybirds.drawing.render import render

    birds, ids = asked
    redrawn = marked(ids)
    images = birds.images_redrawn(ids, redrawn, 1)
    values = birds.attribute_values_redrawn(ids, redrawn, 1).numpy()
    slow = render(birds._scenes(ids)._replace(values=values)).pixels
    assert torch.equal(images, torch.from_numpy(slow).permute(0, 3, 1, 2))
    alone = [birds.images_redrawn([i], m[None], 1)[0] for i, m in zip(ids, redrawn, strict=True)]
    assert torch.equal(torch.stack(alone), images)
    assert birds.images_redrawn([], redrawn[:0], 1).shape == (0, 3, 96, 96)


def test_values_of_other_parts_stay_and_those_of_a_part_do_not_depend_on_other_marks(birds):
    ids = birds.ids("test")[:300]
    redrawn = marked(ids)
    values = birds.attribute_values_redrawn(ids, redrawn, 2)
    every = birds.attribute_values_redrawn(ids, torch.ones_like(redrawn), 2)
    expected = torch.where(redrawn[:, COLUMNS], every, birds.attribute_values(ids))
    assert torch.equal(values, expected)


def test_draws_are_repeatable_and_independent(birds):
    ids = birds.ids("test")
    every = torch.ones(len(ids), len(PARTS), dtype=torch.bool)
    first, again, other = (birds.attribute_values_redrawn(ids, every, d) for d in (0, 0, 1))
    assert torch.equal(first, again)
    for column in range(len(ATTRIBUTES)):
        # As often alike as two draws from one mixture are.
        mixture = birds.class_attributes()[column].frequencies.mean(dim=0) / 100
        alike = (first[:, column] == other[:, column]).double().mean().item()
        assert alike == pytest.approx((mixture**2).sum().item(), abs=0.06)


def test_redrawn_values_follow_the_mixture_of_all_classes_jointly():
    birds = Toybirds(test=20_000)
    ids = birds.ids("test")
    every = torch.ones(len(ids), len(PARTS), dtype=torch.bool)
    values = birds.attribute_values_redrawn(ids, every, 0).numpy()
    table = birds.world().distributions()
    least = []
    for part in range(len(PARTS)):
        columns = [c for c, attribute in enumerate(ATTRIBUTES) if attribute.part == part]
        joint, code = np.ones((20, 1)), np.zeros(len(ids), dtype=int)
        for column in columns:
            width = len(ATTRIBUTES[column].values)
            joint = (joint[:, :, None] * table[:, column, None, :width]).reshape(20, -1)
            code = code * width + values[:, column]
        counts = np.bincount(code, minlength=joint.shape[1])
        least.append(chisquare(counts, joint.mean(axis=0) * len(ids)).pvalue)
    assert min(least) > 0.001


def test_redrawn_values_say_nothing_of_the_class(birds):
    ids = birds.ids("test")
    every = torch.ones(len(ids), len(PARTS), dtype=torch.bool)
    guessed = birds.class_posterior_redrawn(ids, every, 0).argmax(dim=1)
    assert (guessed == birds.labels(ids)).double().mean() < 0.1


def test_the_posterior_of_redrawn_parts_equals_a_loop_of_its_formula(asked):
    birds, ids = asked
    redrawn = marked(ids)
    values = birds.attribute_values_redrawn(ids, redrawn, 5)
    visible, table = birds.visible_parts(ids), birds.class_attributes()
    joint = np.ones((len(ids), 20))
    for image, label in np.ndindex(joint.shape):
        for column, attribute in enumerate(ATTRIBUTES):
            if visible[image, attribute.part]:
                value = int(values[image, column])
                joint[image, label] *= table[column].frequencies[label, value].item() / 100
    expected = torch.from_numpy(joint / joint.sum(axis=1, keepdims=True))
    assert torch.allclose(birds.class_posterior_redrawn(ids, redrawn, 5), expected, atol=1e-12)


def test_draws_below_0_and_marks_that_do_not_fit_are_refused(birds):
    with pytest.raises(ParameterError, match="draw is -1, but must be at least 0"):
        birds.images_redrawn([0], torch.zeros(1, 12, dtype=torch.bool), -1)
    with pytest.raises(
        ParameterError, match=r"redrawn is bool of shape \(1, 3\), but must be bool"
    ):
        birds.images_redrawn([0], torch.zeros(1, 3, dtype=torch.bool), 0)
