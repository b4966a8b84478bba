"""Attacks: against loops in double precision, exactly in the ball, and what makes them stronger."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from captum.robust import FGSM, PGD
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from xbench import ImageSet, generator, load_benchmark
from xbench.networks import load_state, read_state
from xbench_softlabels.kernels.attacks import Ascent, climbed, sign_attacked, slope, standing
from xbench_softlabels.kernels.balls import ball, below
from xbench_softlabels.kernels.margins import hard_cross_entropies, other_margins
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.small import SmallCnn

CLASSES, SIDE = 4, 6
RADIUS = 4 / 255


def small_answers(scale=1.0):
    """A small network in double precision."""
    source = generator("small answers")
    layers = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(5 * (SIDE - 2) ** 2, CLASSES)
    ).double()
    with torch.no_grad():
        for weights in layers.parameters():
            weights.copy_(0.5 * torch.randn(weights.shape, generator=source, dtype=torch.float64))
    return lambda images: scale * layers(images.double())


def drawn(count, seed=0):
    """Images with pixels at both ends of the range, and labels."""
    source = generator("drawn", seed)
    images = (1.2 * torch.rand((count, 3, SIDE, SIDE), generator=source) - 0.1).clamp(0, 1)
    return images, torch.randint(0, CLASSES, (count,), generator=source)


def slow_gradient(answers, image, label):
    pixels = image[None].clone().requires_grad_()
    loss = functional.cross_entropy(answers(pixels), label[None])
    (slopes,) = torch.autograd.grad(loss, pixels)
    return float(loss.detach()), slopes[0]


def slow_step(point, centre, slopes, length, radius):
    """One step of every pixel, then back into the ball and into [0, 1], one pixel at a time."""
    moved = point.clone().flatten()
    starts, slopes = centre.flatten().tolist(), slopes.flatten().tolist()
    for place, slope_here in enumerate(slopes):
        sign = (slope_here > 0) - (slope_here < 0)
        value = float(moved[place]) + length * sign
        value = min(max(value, starts[place] - radius), starts[place] + radius)
        moved[place] = min(max(value, 0.0), 1.0)
    return moved.view(point.shape)


def slow_climb(answers, image, label, ascent, noise):
    """PGD in double precision, image by image and pixel by pixel."""
    centre = image.double()
    point = centre + ascent.radius * (2 * noise.double() - 1)
    point = slow_step(point, centre, torch.zeros_like(point), 0.0, ascent.radius)
    losses, best, right = [], None, True
    for _ in range(ascent.steps + 1):
        loss, slopes = slow_gradient(answers, point, label)
        right = right and int(answers(point[None]).argmax()) == int(label)
        if not losses or loss > max(losses):
            best = point
        losses.append(loss)
        point = slow_step(point, centre, slopes, ascent.length, ascent.radius)
    return best, losses, right


def test_fgsm_is_that_of_a_loop_in_double_precision():
    answers, (images, labels) = small_answers(), drawn(3)
    attacked = sign_attacked(images, slope(answers, images, labels).gradients, RADIUS)
    for image, label, attack in zip(images, labels, attacked, strict=True):
        _, slopes = slow_gradient(answers, image.double(), label)
        expected = slow_step(image.double(), image.double(), slopes, RADIUS, RADIUS)
        torch.testing.assert_close(attack.double(), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("steps", [1, 4])
def test_pgd_is_that_of_a_loop_in_double_precision(steps):
    answers, (images, labels) = small_answers(), drawn(3)
    noise = torch.rand(images.shape, generator=generator("noise"))
    ascent = Ascent(8 / 255, steps)
    found = climbed(answers, images, labels, ascent, noise)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        best, losses, right = slow_climb(answers, image, label, ascent, noise[place])
        np.testing.assert_allclose(found.losses[place], losses, rtol=1e-5)
        torch.testing.assert_close(found.images[place].double(), best, rtol=0, atol=1e-6)
        assert bool(found.right[place]) is right


def test_the_iterate_that_is_kept_has_the_highest_loss_and_one_that_errs_counts():
    answers, (images, labels) = small_answers(), drawn(20)
    # long steps overshoot, so that the last iterate is often not the best
    found = climbed(answers, images, labels, Ascent(0.2, 6, 20.0), torch.full(images.shape, 0.5))
    assert (found.losses.argmax(1) < 6).any()
    at_best = standing(answers, found.images, labels)
    torch.testing.assert_close(at_best.losses, found.losses.amax(1))
    clean = standing(answers, images, labels)
    torch.testing.assert_close(found.losses[:, 0], clean.losses)
    assert (found.right <= clean.right).all()
    assert (found.right <= at_best.right).all()


def inside_exactly(attacked, images, radius):
    """Whether every pixel is in the ball and in [0, 1], in exact arithmetic."""
    pairs = zip(attacked.flatten().tolist(), images.flatten().tolist(), strict=True)
    return all(
        0 <= new <= 1 and abs(Fraction(new) - Fraction(old)) <= Fraction(radius)
        for new, old in pairs
    )


@given(
    st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12),
    st.floats(1e-4, 0.5) | st.sampled_from([r / 255 for r in (0.5, 1, 2, 4, 8, 16)]),
    st.integers(0, 999),
)
def test_attacked_images_lie_in_the_ball_and_in_the_range_exactly(pixels, radius, seed):
    source = generator("exactly", seed)
    images = torch.tensor(pixels).view(1, 3, 2, 2)
    directions = torch.randn(images.shape, generator=source)
    space = ball(images, radius)
    assert inside_exactly(sign_attacked(images, directions, radius), images, radius)
    assert inside_exactly(space.nearest(images + 3 * directions), images, radius)
    reach = torch.full_like(images, radius)
    torch.testing.assert_close(space.high, (images + reach).clamp(max=1), rtol=0, atol=1.2e-7)
    torch.testing.assert_close(space.low, (images - reach).clamp(min=0), rtol=0, atol=1.2e-7)


@pytest.mark.parametrize("radius", [0.5 / 255, 4 / 255, 0.1])
def test_pgd_stays_in_the_ball_and_in_the_range_exactly(radius):
    answers, (images, labels) = small_answers(), drawn(4)
    images[0].round_()
    noise = torch.rand(images.shape, generator=generator("noise"))
    found = climbed(answers, images, labels, Ascent(radius, 5), noise)
    assert inside_exactly(found.images, images, radius)
    rounded = torch.where(images + radius > 1, 1.0, images + radius)
    assert not inside_exactly(rounded, images, radius)  # what a sum in single precision gives


@given(st.floats(-1e6, 1e6))
def test_rounding_downwards_gives_the_next_number_below(value):
    exact = torch.tensor([value], dtype=torch.float64)
    rounded = below(exact)
    assert float(rounded) <= value
    assert float(torch.nextafter(rounded, torch.tensor([torch.inf]))) > value


def test_losses_are_cross_entropies_however_sure_a_network_is():
    logits = 300 * torch.randn((40, 5), generator=generator("logits"))
    labels = torch.arange(40) % 5
    found = hard_cross_entropies(other_margins(logits, labels))
    expected = functional.cross_entropy(logits.double(), labels, reduction="none")
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    sure = torch.tensor([[200.0, 0.0, 0.0]])
    loss = hard_cross_entropies(other_margins(sure, torch.tensor([0])))
    assert float(loss) == pytest.approx(2 * math.exp(-200), rel=1e-12)


def test_a_network_that_is_very_sure_does_not_hide_from_its_attacker():
    answers, (images, labels) = small_answers(scale=1e4), drawn(30)
    labels = answers(images).argmax(1)
    expected = slope(small_answers(), images, labels)
    single = lambda pixels: answers(pixels).float()  # noqa: E731
    found = slope(single, images, labels)
    assert found.saturated.all()
    assert not expected.saturated.any()
    assert not found.flat.any()
    pixels = images.clone().requires_grad_()
    loss = functional.cross_entropy(single(pixels), labels, reduction="sum")
    (plain,) = torch.autograd.grad(loss, pixels)
    assert (plain == 0).all()  # nothing is left of the gradient of single precision
    attacked = sign_attacked(images, found.gradients, 16 / 255)
    assert (standing(answers, attacked, labels).losses > 0).any()


def test_where_no_pixel_matters_the_gradient_is_flat_and_the_image_stays():
    images, labels = drawn(2)
    found = slope(lambda pixels: 0 * pixels.mean((2, 3)), images, labels % 3)
    assert found.flat.all()
    assert torch.equal(sign_attacked(images, found.gradients, RADIUS), images)


def test_an_image_is_attacked_alike_alone_and_among_a_hundred():
    answers, (images, labels) = small_answers(), drawn(100)
    noise = torch.rand(images.shape, generator=generator("noise"))
    together = climbed(answers, images, labels, Ascent(RADIUS, 3), noise)
    signs = sign_attacked(images, slope(answers, images, labels).gradients, RADIUS)
    for place in range(0, 100, 7):
        own = slice(place, place + 1)
        alone = climbed(answers, images[own], labels[own], Ascent(RADIUS, 3), noise[own])
        assert torch.equal(alone.images, together.images[own])
        torch.testing.assert_close(alone.losses, together.losses[own], rtol=1e-12, atol=0)
        gradients = slope(answers, images[own], labels[own]).gradients
        assert torch.equal(sign_attacked(images[own], gradients, RADIUS), signs[own])


def test_fgsm_is_captums_without_its_threshold():
    answers, (images, labels) = small_answers(), drawn(50)
    captum = FGSM(answers, nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0)
    captum.zero_thresh = 0
    expected = captum.perturb(images.clone().requires_grad_(), RADIUS, target=labels)
    found = sign_attacked(images, slope(answers, images, labels).gradients, RADIUS)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)


def test_pgd_from_the_image_is_captums_without_its_threshold():
    answers, (images, labels) = small_answers(), drawn(50)
    captum = PGD(answers, nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0)
    captum.fgsm.zero_thresh = 0
    ascent = Ascent(RADIUS, 4)
    with pytest.warns(UserWarning, match="did not already require gradients"):
        expected = captum.perturb(images, RADIUS, ascent.length, ascent.steps, target=labels)
    found = climbed(answers, images, labels, ascent, torch.full(images.shape, 0.5))
    torch.testing.assert_close(found.losses[:, -1], standing(answers, expected, labels).losses)


class Reference:
    """Two reference networks, and birds to attack them on."""

    def __init__(self):
        dataset = Toybirds()
        batch = ImageSet(dataset, "test").batch(dataset.ids("test")[:12])
        self.images, self.labels = batch.images, batch.known_labels()
        self.answers = [self._answers(place, len(dataset.class_names())) for place in (0, 1)]
        noise = generator("reference")
        self.noise = [torch.rand(self.images.shape, generator=noise) for _ in range(3)]

    def _answers(self, place, classes):
        classifier = SmallCnn()
        module = classifier.module(classes).eval().requires_grad_(requires_grad=False)
        path = load_benchmark("default").weights[place].path
        load_state(module, read_state(path), str(path))
        mean, std = (torch.tensor(part).view(3, 1, 1) for part in classifier.normalisation())
        return lambda images: module((images - mean) / std)

    def climb(self, radius, steps, restarts=1):
        """The worst loss of each image, and how many the network stays right about."""
        ascent, own = Ascent(radius / 255, steps), self.answers[0]
        given = self.images, self.labels, ascent
        runs = [climbed(own, *given, noise) for noise in self.noise[:restarts]]
        losses = torch.stack([run.losses.amax(1) for run in runs]).amax(0)
        return float(losses.mean()), int(torch.stack([run.right for run in runs]).all(0).sum())


@pytest.fixture(scope="module")
def reference():
    """Trained networks."""
    return Reference()


def test_larger_radii_more_steps_and_more_restarts_hurt_a_trained_network_more(reference):
    middle = reference.climb(2.0, 2)
    courses = [
        [reference.climb(0.5, 2), middle, reference.climb(8.0, 2)],
        [reference.climb(2.0, 1), middle, reference.climb(2.0, 4)],
        [middle, reference.climb(2.0, 2, restarts=3)],
    ]
    for course in courses:
        losses, right = zip(*course, strict=True)
        assert losses == tuple(sorted(set(losses)))
        assert right == tuple(sorted(right, reverse=True))
    assert courses[0][0][1] > courses[0][2][1]


def test_an_attack_made_on_another_network_is_never_stronger_than_one_on_the_network_itself(
    reference,
):
    own, other = reference.answers
    given = reference.images, reference.labels
    gradients = [slope(answers, *given).gradients for answers in (own, other)]
    for radius in (1, 4, 8):
        attacks = [sign_attacked(reference.images, of, radius / 255) for of in gradients]
        white, transferred = (standing(own, attack, reference.labels) for attack in attacks)
        assert white.losses.mean() > transferred.losses.mean()
        assert white.right.sum() <= transferred.right.sum()
    climb = Ascent(4 / 255, 2), reference.noise[0]
    climbs = [climbed(answers, *given, *climb).images for answers in (own, other)]
    white, transferred = (standing(own, images, reference.labels) for images in climbs)
    assert (white.losses >= transferred.losses).all()


def test_temperature_alone_lowers_the_loss_under_fgsm_and_leaves_accuracy(reference):
    reached = []
    for temperature in (0.5, 1.0, 2.0):
        answers = lambda images, t=temperature: reference.answers[0](images) / t  # noqa: E731
        gradients = slope(answers, reference.images, reference.labels).gradients
        attacked = sign_attacked(reference.images, gradients, 8 / 255)
        reached.append(standing(answers, attacked, reference.labels))
    sharp, plain, soft = (float(of.losses.mean()) for of in reached)
    assert sharp > 1.5 * plain
    assert plain > 1.2 * soft
    assert len({int(of.right.sum()) for of in reached}) == 1
