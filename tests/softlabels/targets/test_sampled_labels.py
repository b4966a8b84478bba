"""Labels drawn anew for each image and epoch."""

import pytest
import torch
from scipy import stats

from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.sampled_labels import SampledLabels

LOSS, DRAWS = SampledLabels(), 1500


def test_labels_have_the_frequencies_of_peoples_judgements(people, targets_of):
    ids = people.ids()
    drawn = sum(targets_of(LOSS, people, ids, seed).distribution for seed in range(DRAWS))
    expected = DRAWS * ImageHumanLabels().distributions(people)
    assert torch.equal(drawn == 0, expected == 0)
    for image, (frequencies, wanted) in enumerate(zip(drawn, expected, strict=True)):
        possible = wanted > 0
        if possible.sum() > 1:
            test = stats.chisquare(frequencies[possible], wanted[possible])
            assert test.pvalue > 0.005, image


def test_images_are_drawn_for_independently(people, targets_of):
    first, second = torch.stack(
        [targets_of(LOSS, people, (1, 2), s).distribution[:, 0] for s in range(DRAWS)]
    ).T.numpy()
    pairs = [[((first == a) & (second == b)).sum() for b in (0, 1)] for a in (0, 1)]
    assert stats.chi2_contingency(pairs).pvalue > 0.01


def test_one_class_is_certain_in_each_draw(people, targets_of):
    rows = targets_of(LOSS, people, people.ids()).distribution
    assert rows.sum(dim=1).tolist() == [1.0] * len(rows)
    assert set(rows.flatten().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("seed", range(3))
def test_the_draw_of_an_image_is_the_same_in_whatever_batch(people, targets_of, seed):
    whole = targets_of(LOSS, people, people.ids(), seed).distribution
    for ids in ((0,), (4, 1), (7, 2, 0, 6)):
        assert torch.equal(targets_of(LOSS, people, ids, seed).distribution, whole[list(ids)])


def test_another_epoch_has_other_draws(people, targets_of):
    draws = {str(targets_of(LOSS, people, people.ids(), seed).distribution) for seed in range(9)}
    assert len(draws) > 4
