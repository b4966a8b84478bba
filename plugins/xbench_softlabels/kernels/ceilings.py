"""What people themselves reach: some of them predict the others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

from xbench_softlabels.kernels.choices import NONE, unique_second_classes
from xbench_softlabels.kernels.distances import (
    brier_scores,
    cross_entropies,
    entropies,
    human_distributions,
)
from xbench_softlabels.kernels.ranks import rank_correlation


class Labels(NamedTuple):
    """Labels one by one, and who gave them."""

    shape: tuple[int, int]
    """Images and classes."""
    images: Int64[np.ndarray, " labels"]
    annotators: Int64[np.ndarray, " labels"]
    classes: Int64[np.ndarray, " labels"]


class Votes(NamedTuple):
    """The labels of all annotators, one by one, in an order of these that was drawn."""

    shape: tuple[int, int]
    """Images and classes."""
    images: Int64[np.ndarray, " votes"]
    classes: Int64[np.ndarray, " votes"]
    places: Int64[np.ndarray, " votes"]
    """Where its annotator stands in its image's order, from 0 on."""
    halved: Bool[np.ndarray, " votes"]
    """Which belong to the first half of the annotators."""

    def first(self, sizes: Int[np.ndarray, " n"]) -> Int64[np.ndarray, "n classes"]:
        """How many of the first `sizes` annotators of each image chose each class."""
        return self._counted(self.places < sizes[self.images])

    def halves(self) -> tuple[Int64[np.ndarray, "n classes"], Int64[np.ndarray, "n classes"]]:
        """How many of the first half of the annotators chose each class, and of the others."""
        return self._counted(self.halved), self._counted(~self.halved)

    def counts(self) -> Int64[np.ndarray, "n classes"]:
        """How many annotators chose each class."""
        return self._counted(np.ones(len(self.images), np.bool_))

    def annotators(self) -> Int64[np.ndarray, " n"]:
        """How many annotators each image has."""
        numbers = np.zeros(self.shape[0], np.int64)
        np.maximum.at(numbers, self.images, self.places + 1)
        return numbers

    def _counted(self, counted: Bool[np.ndarray, " votes"]) -> Int64[np.ndarray, "n classes"]:
        images, classes = self.shape
        flat = self.images[counted] * classes + self.classes[counted]
        return np.bincount(flat, minlength=images * classes).reshape(images, classes)


class Ceiling(NamedTuple):
    """How well some annotators of each image predict its others, on average."""

    annotators: int
    images: int
    """Those that more people than these have labelled."""
    cross_entropy: float
    brier: float


class Halves(NamedTuple):
    """What one half of the annotators of each image says of the other half."""

    entropy_correlation: float
    """Of the two halves' entropies, over images."""
    corrected: float
    """The same of all annotators with as many others, by Spearman–Brown: their reliability."""
    highest: float
    """What a perfect predictor's entropies can correlate with those of all annotators."""
    second_agreement: float
    """How often both halves have the same second class, where both have one."""
    second_share: float
    """The share of images where both have one."""


def drawn_votes(counts: Int[np.ndarray, "n classes"], source: np.random.Generator) -> Votes:
    """Each image's labels in an order of its own, drawn at random, as if all were of others.

    The smaller half of an odd number is the first.
    """
    images, classes = counts.shape
    owners = np.repeat(np.arange(images), counts.sum(1))
    chosen = np.repeat(np.tile(np.arange(classes), images), counts.ravel())
    order = np.lexsort((source.random(len(owners)), owners))
    places = np.arange(len(owners)) - _starts(owners)
    halved = places < (counts.sum(1) // 2)[owners]
    return Votes((images, classes), owners, chosen[order], places, halved)


def drawn_annotators(labels: Labels, source: np.random.Generator) -> Votes:
    """Labels in an order of whole annotators, drawn at random, which is the same for all images.

    An annotator is in one half with all of their labels; the smaller half of an odd number is the
    first. Several labels of an annotator for an image have one place.
    """
    people, numbers = np.unique(labels.annotators, return_inverse=True)
    ranks = source.permutation(len(people))[numbers]
    order = np.lexsort((ranks, labels.images))
    images, ranks = labels.images[order], ranks[order]
    new = np.diff(images, prepend=-1).astype(np.bool_) | np.diff(ranks, prepend=-1).astype(np.bool_)
    places = np.cumsum(new) - 1
    places -= places[_starts(images)]
    return Votes(labels.shape, images, labels.classes[order], places, ranks < len(people) // 2)


def _starts(images: Int64[np.ndarray, " votes"]) -> Int64[np.ndarray, " votes"]:
    """For each of the votes, which are in the order of their images, its image's first."""
    return np.searchsorted(images, images)


def smoothed_shares(
    counts: Int[np.ndarray, "n classes"], smoothing: float
) -> Float64[np.ndarray, "n classes"]:
    """Shares after `smoothing` annotators more, who spread themselves evenly over the classes."""
    values = counts + smoothing / counts.shape[1]
    return values / values.sum(1, keepdims=True)


def people_predict_people(
    drawn: Sequence[Votes], annotators: Sequence[int], smoothing: float
) -> tuple[Ceiling, ...]:
    """How well the first so many annotators of each image predict its others, over draws.

    They predict with the shares of their labels: those of `smoothed_shares` for the
    cross-entropy, which is infinite without smoothing, and plain ones for the Brier score. Images
    with no others are left out. The others' own scatter is in both, and all of it in the second.
    """
    counts, numbers = drawn[0].counts(), drawn[0].annotators()
    return tuple(_ceiling(counts, numbers > m, m, smoothing, drawn) for m in annotators)


def _ceiling(
    counts: Int[np.ndarray, "n classes"],
    enough: Bool[np.ndarray, " n"],
    annotators: int,
    smoothing: float,
    drawn: Sequence[Votes],
) -> Ceiling:
    sizes, values = np.full(len(counts), annotators), []
    for votes in drawn if enough.any() else ():
        predicting = votes.first(sizes)
        others = human_distributions(counts - predicting)[enough]
        with np.errstate(divide="ignore"):
            logarithms = np.log(smoothed_shares(predicting[enough], smoothing))
        shares = human_distributions(predicting[enough])
        pair = cross_entropies(others, logarithms).mean(), brier_scores(others, shares).mean()
        values.append(pair)
    means = np.mean(values, axis=0) if values else (np.nan, np.nan)
    return Ceiling(annotators, int(enough.sum()), float(means[0]), float(means[1]))


def half_against_half(drawn: Sequence[Votes]) -> Halves:
    """Half of the annotators against the rest of them, over random halves.

    The correlation of the entropies of two halves is the reliability of half of the people;
    2ρ / (1 + ρ) that of all (Spearman 1910, Brown 1910), and its root the highest correlation
    that entropies without any scatter can have with theirs. Images without labels in a half
    are left out.
    """
    pairs = [_labelled(*votes.halves()) for votes in drawn]
    correlation = _mean([rank_correlation(*map(_entropies, pair)) for pair in pairs])
    corrected = 2 * correlation / (1 + correlation) if correlation > -1 else float("nan")
    agreements, shares = zip(*(_second_agreement(*pair) for pair in pairs), strict=True)
    highest = float(np.sqrt(np.maximum(corrected, 0)))  # a negative reliability is none
    return Halves(correlation, corrected, highest, _mean(agreements), _mean(shares))


def _labelled(
    first: Int64[np.ndarray, "n classes"], other: Int64[np.ndarray, "n classes"]
) -> tuple[Int64[np.ndarray, "labelled classes"], Int64[np.ndarray, "labelled classes"]]:
    """Both halves of the images that have labels in both."""
    both = first.any(1) & other.any(1)
    return first[both], other[both]


def _entropies(counts: Int[np.ndarray, "n classes"]) -> Float64[np.ndarray, " n"]:
    return entropies(human_distributions(counts))


def _second_agreement(
    first: Int[np.ndarray, "n classes"], other: Int[np.ndarray, "n classes"]
) -> tuple[float, float]:
    """How often the second classes are the same where both halves have one, and how often so."""
    seconds, others = unique_second_classes(first), unique_second_classes(other)
    both = (seconds != NONE) & (others != NONE)
    agreement = float((seconds == others)[both].mean()) if both.any() else float("nan")
    return agreement, float(both.mean()) if len(both) else float("nan")


def _mean(values: Sequence[float]) -> float:
    """Of those that are defined."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
