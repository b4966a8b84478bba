"""Mixup composes over any loss."""

import pytest
import torch

from small_datasets import Stripes
from xbench import ImageSet, MismatchError, ParameterError, generator
from xbench.testing import check_component, tiny_images
from xbench_explicable.losses.hierarchical import HierarchicalCrossEntropy
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.mixup import Mixup
from xbench_softlabels.targets.sampled_labels import SampledLabels
from xbench_zoo.losses import CrossEntropy

IDS = (3, 0, 6, 5)


@pytest.fixture(params=[CrossEntropy(), ImageHumanLabels(), SampledLabels()], ids=lambda x: x.name)
def of(request):
    """Losses whose targets are mixed."""
    return request.param


def test_images_and_targets_are_mixed_alike_pair_by_pair(of, people, batch_of, targets_of):
    pure, both = (targets_of(loss, people, IDS) for loss in (of, Mixup(of)))
    pixels = batch_of(people, IDS).images
    shares = set()
    for place in range(len(IDS)):
        share, partner = next(
            (share, partner)
            for partner in range(len(IDS))
            for share in [mixed_share(pixels[place], pixels[partner], both.images[place])]
            if share is not None
        )
        shares.add(round(share, 9))
        expected = share * pure.distribution[place] + (1 - share) * pure.distribution[partner]
        assert torch.allclose(both.distribution[place], expected, atol=1e-9)
    assert len(shares - {1.0}) == 1


def mixed_share(own, partner, between):
    """λ, where the image is λ · own + (1 − λ) · partner; None where it is no such mixture."""
    if torch.equal(own, partner):
        return 1.0 if torch.allclose(own, between, atol=1e-12) else None
    share = float(((between - partner) / (own - partner)).flatten()[0])
    fits = torch.allclose(share * own + (1 - share) * partner, between, atol=1e-12)
    return share if fits and 0 <= share <= 1 else None


def test_no_alpha_is_the_other_loss_exactly(of, people, targets_of):
    pure, both = (targets_of(loss, people, IDS) for loss in (of, Mixup(of, alpha=0.0)))
    assert torch.equal(pure.images, both.images)
    assert torch.equal(pure.distribution, both.distribution)


def test_a_small_alpha_shows_each_image_whole_with_its_own_label(people, batch_of, targets_of):
    labels = targets_of(CrossEntropy(), people, IDS).distribution
    pixels = batch_of(people, IDS).images
    for seed in range(20):
        both = targets_of(Mixup(CrossEntropy(), alpha=1e-6), people, IDS, seed)
        distances = (both.images.flatten(1)[:, None] - pixels.flatten(1)).abs().amax(dim=2)
        sources = distances.argmin(dim=1)
        assert distances.amin(dim=1).max() < 1e-9
        assert torch.allclose(both.distribution, labels[sources], atol=1e-9)


def test_partners_and_share_do_not_depend_on_the_order_of_the_batch(of, people, targets_of):
    order = [2, 0, 3, 1]
    some = targets_of(Mixup(of), people, IDS)
    turned = targets_of(Mixup(of), people, [IDS[place] for place in order])
    assert torch.equal(turned.distribution, some.distribution[order])


def test_another_epoch_and_another_batch_mix_otherwise(people, targets_of):
    loss = Mixup(CrossEntropy())
    some, fewer = (
        {str(targets_of(loss, people, ids, seed).images[0].tolist()) for seed in range(20)}
        for ids in (people.ids(), people.ids()[:7])
    )
    assert min(len(some), len(fewer)) > 12
    assert len(some & fewer) <= 1  # where the image is its own partner


def test_the_score_is_the_mixture_of_both_scores(of, people, targets_of):
    loss = Mixup(of)
    logits = torch.randn(4, 3, generator=generator("logits"), dtype=torch.float64)
    both, rows = targets_of(loss, people, IDS), logits.log_softmax(1)
    expected = -(both.distribution * rows).sum(1).mean()
    assert float(loss.score(logits, both)) == pytest.approx(float(expected), 1e-12)


def test_losses_that_ask_the_dataset_for_a_tree_can_be_mixed(batch_of):
    images, tree = tiny_images(), HierarchicalCrossEntropy(alpha=0.5)
    loss = Mixup(tree)
    loss.check(images)
    batch = batch_of(images, IDS)
    options = {"classes": 5, "epoch": 0, "generator": generator("loss")}
    pure, both = tree.targets(batch, **options), loss.targets(batch, **options)
    logits = torch.randn(4, 5, generator=generator("logits"), dtype=torch.float64)
    scores = torch.tensor(
        [
            [
                float(tree.score(row[None], pure._replace(distribution=of[None])))
                for of in torch.eye(5, dtype=torch.float64)
            ]
            for row in logits
        ],
        dtype=torch.float64,
    )
    expected = (scores * both.distribution).sum(1).mean()
    assert float(loss.score(logits, both)) == pytest.approx(float(expected), 1e-9)
    assert both.source == images


def test_what_the_other_loss_refuses_is_refused(people):
    with pytest.raises(MismatchError, match="loss 'human-labels' needs human labels"):
        Mixup(ImageHumanLabels()).check(ImageSet(Stripes(), "train"))


@pytest.mark.parametrize("alpha", [-0.1, float("nan"), float("inf")])
def test_impossible_values_are_refused(alpha):
    with pytest.raises(ValueError, match="it needs a finite number of at least 0"):
        Mixup(CrossEntropy(), alpha)


def test_mixup_of_mixup_is_refused():
    with pytest.raises(ParameterError, match="would mix the same pairs twice"):
        Mixup(Mixup(CrossEntropy()))


def test_mixup_of_any_loss_keeps_the_contract_of_its_kind(of):
    check_component(Mixup(of, alpha=0.4))
