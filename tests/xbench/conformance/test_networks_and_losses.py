"""Mistakes of classifiers, losses and similarities are found, and named by rule."""

import numpy as np
import pytest
import torch
from torch import nn

from xbench.interfaces.data.similarity import Similarity
from xbench.interfaces.loss import Targets
from xbench.testing.tiny import CLASSES, TinyClassifier, TinyLoss


class Odd(nn.Module):
    """A small network whose logits are changed."""

    def __init__(self, classes, change, module=None):
        super().__init__()
        self.small = module or TinyClassifier().module(classes)
        self.change = change

    def forward(self, images):
        return self.change(self.small(images))


class Statistics(nn.Module):
    """Counts what it sees, in evaluation mode as well."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, images):
        self.seen += images.mean()
        return images


def logits(change):
    return {"module": lambda self, classes: Odd(classes, change)}


def seeding(self, classes):
    np.random.seed(0)  # noqa: NPY002
    return TinyClassifier().module(classes)


class Drawn(nn.Module):
    """Weights from a source of its own."""

    source = torch.Generator().manual_seed(0)

    def __init__(self, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(3, classes, generator=self.source))

    def forward(self, images):
        return images.mean(dim=(2, 3)) @ self.weight


CLASSIFIERS = {
    "logits of one place": (logits(lambda z: z[:, :, None, None]), "logits", "(2, 5, 1, 1)"),
    "logits of other classes": (logits(lambda z: z[:, 1:]), "logits", "shape (2, 4)"),
    "logits that are NaN": (logits(lambda z: z / 0), "logits", "NaN or infinite"),
    "a tuple of logits": (logits(lambda z: (z, z)), "logits", "a tuple"),
    "batches that couple": (logits(lambda z: z - z.mean(0)), "batches", "alone in its batch"),
    "weights from elsewhere": (
        {"module": lambda self, classes: Drawn(classes)},
        "weights",
        "from elsewhere than torch's current generator",
    ),
    "a seed": ({"module": seeding}, "seeds", "calls numpy.random.seed"),
    "statistics that go on": (
        {"module": lambda s, n: nn.Sequential(Statistics(), TinyClassifier().module(n))},
        "unchanged",
        "changed the values of parameters or buffers ('0.seen')",
    ),
    "an input of no size": ({"input_size": lambda self: 0}, "input", "an input of size 0"),
    "no module": ({"module": lambda self, classes: None}, "logits", "raises AttributeError"),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_mistake_of_a_classifier_is_named(planted, told, name):
    methods, rule, text = CLASSIFIERS[name]
    assert told(planted(TinyClassifier, methods), "classifier", rule, text)


def targets(change):
    def of(self, batch, *, classes, epoch, generator):
        return change(TinyLoss().targets(batch, classes=classes, epoch=epoch, generator=generator))

    return {"targets": of}


def distribution(change):
    return targets(lambda t: Targets(t.images, change(t.distribution)))


def score(change):
    return {"score": lambda self, logits, targets: change(logits, targets)}


def drawing(self, batch, *, classes, epoch, generator):
    plain = TinyLoss().targets(batch, classes=classes, epoch=epoch, generator=generator)
    drawn = torch.rand(plain.distribution.shape, generator=generator)
    return plain._replace(distribution=drawn.softmax(1))


def doubled(logits, target):
    value = nn.functional.cross_entropy(logits.clone(), target.distribution)
    logits.data.mul_(2)
    return value


LOSSES = {
    "negative targets": (distribution(lambda t: 2 * t - 0.2), "targets", "negative somewhere"),
    "targets of no distribution": (distribution(lambda t: t + 1), "targets", "do not sum to 1"),
    "targets of labels": (distribution(lambda t: t.argmax(1)), "targets", "shape (4,)"),
    "images of another size": (
        targets(lambda t: t._replace(images=t.images[..., :8])),
        "targets",
        "gives as images a tensor of shape (4, 3, 16, 8)",
    ),
    "targets from elsewhere": (
        distribution(lambda t: torch.rand_like(t).softmax(1)),
        "repeatable",
        "from elsewhere than its generator",
    ),
    "the same draws for all batches": (
        {"targets": drawing},
        "draws",
        "draws the same for every batch: seed what is drawn with the ids of images",
    ),
    "logits that are written into": (score(doubled), "unchanged", "wrote into the logits"),
    "images that are written into": (
        targets(lambda t: t._replace(images=t.images.mul_(0.5))),
        "unchanged",
        "wrote into the images",
    ),
    "a score of each image": (score(lambda z, t: z.logsumexp(1)), "score", "shape (4,)"),
    "a score that is NaN": (score(lambda z, t: z.sum() / 0 * 0), "score", "finite"),
    "a score without a gradient": (
        score(lambda z, t: z.detach().sum() + 0 * z.detach().requires_grad_().sum()),
        "gradient",
        "is not differentiable in the logits",
    ),
    "a gradient that is NaN": (score(lambda z, t: z.norm(dim=1).sum().sqrt()), "gradient", "not"),
    "an error": (score(lambda z, t: t.nothing), "score", "raises AttributeError"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_mistake_of_a_loss_is_named(planted, told, name):
    methods, rule, text = LOSSES[name]
    assert told(planted(TinyLoss, methods), "loss", rule, text)


class Same(Similarity):
    """Every class is like itself alone."""

    def matrix(self, dataset):
        return torch.eye(CLASSES, dtype=torch.float64)


def matrix(change):
    return {"matrix": lambda self, dataset: change(Same.matrix(self, dataset))}


SIMILARITIES = {
    "negative": (matrix(torch.neg), "matrix", "'cat' (predicted) is negative: -1"),
    "NaN": (matrix(lambda m: m / 0), "matrix", "is no number"),
    "single precision": (matrix(torch.Tensor.float), "matrix", "not of double precision"),
    "another size": (matrix(lambda m: m[1:, 1:]), "matrix", "is 4 × 4, but there are 5 classes"),
    "a row of zeros": (matrix(lambda m: m.tril(-1)), "matrix", "is all zeros"),
    "a list": (matrix(torch.Tensor.tolist), "matrix", "a list, not a matrix"),
    "drawn anew": (matrix(lambda m: m + torch.rand(())), "repeatable", "another matrix"),
    "negative judgements": (
        {"labels_needed": lambda self, dataset: -1},
        "labels needed",
        "-1 human judgements",
    ),
}


@pytest.mark.parametrize("name", SIMILARITIES)
def test_a_mistake_of_a_similarity_is_named(planted, told, name):
    methods, rule, text = SIMILARITIES[name]
    assert told(planted(Same, methods), "similarity", rule, text)


@pytest.mark.parametrize("good", [TinyClassifier, TinyLoss, Same])
def test_what_is_right_has_no_faults(planted, good):
    assert planted(good, {}) == []
