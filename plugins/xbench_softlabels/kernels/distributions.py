"""Distributions over classes: of judgements, of whole classes, of sharper or flatter networks."""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

TIE = 1e-12
"""Nats: entropies that differ by less are equal; distributions that permute each other's are."""


def shares(counts: Int64[Tensor, "n classes"]) -> Float64[Tensor, "n classes"]:
    """What share of the judgements of each image each class has; NaN where there are none."""
    return counts.double() / counts.sum(dim=1, keepdim=True)


def class_means(
    distributions: Float64[Tensor, "n classes"], labels: Int64[Tensor, " n"]
) -> Float64[Tensor, "classes classes"]:
    """The mean distribution of each class's images; NaN for a class without images."""
    classes = distributions.shape[1]
    sums = distributions.new_zeros(classes, classes).index_add_(0, labels, distributions)
    return sums / torch.bincount(labels, minlength=classes).unsqueeze(1)


def tempered(
    probabilities: Float64[Tensor, "n classes"], temperature: float
) -> Float64[Tensor, "n classes"]:
    """∝ p^(1/T), the softmax of logits divided by T (Hinton et al. 2015, eq. 1); 0 stays 0."""
    return torch.softmax(probabilities.log() / temperature, dim=1)


def most_uncertain(
    distributions: Float64[Tensor, "n classes"], ids: Int64[Tensor, " n"], share: float
) -> Bool[Tensor, " n"]:
    """The share of images of the largest entropies: share · n of them, halves rounded up.

    Of equal entropies the smaller id comes first.
    """
    entropies = torch.special.entr(distributions).sum(dim=1)
    steps = (entropies / TIE).round()
    by_id = ids.argsort(stable=True)
    order = by_id[steps[by_id].argsort(descending=True, stable=True)]
    chosen = torch.zeros(len(ids), dtype=torch.bool)
    chosen[order[: int(share * len(ids) + 0.5)]] = True
    return chosen
