"""Linear support vector machines of few examples with many features, by their Gram matrix.

With n examples of m ≫ n features the dual problem only needs the n×n matrix of scalar products:
m is met twice, in two matrix products, where a solver that works on the features meets it at
every step.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Generator, Tensor

CHUNK = 4096
"""Features that are handled at a time: what a processor's cache holds."""


class LinearSvm(NamedTuple):
    """A hyperplane w·x + b = 0; the positive examples have w·x + b > 0."""

    normal: Float[Tensor, " m"]
    """w, not of unit length."""
    intercept: float
    distances: Float64[Tensor, " n"]
    """(w·x + b) / ‖w‖ of each example that it was fitted to."""

    @property
    def margin(self) -> float:
        """The largest signed distance of an example that it was fitted to."""
        return float(self.distances.max())


class Split(NamedTuple):
    """Places of the examples to fit to, and of those held out."""

    fitted: Int64[Tensor, " n"]
    held_out: Int64[Tensor, " k"]


def stratified_split(labels: Bool[Tensor, " n"], held_out: float, generator: Generator) -> Split:
    """A random split that holds out the same share of both kinds, and at least one of each."""
    fitted_places, held_out_places = [], []
    for kind in (True, False):
        places = (labels == kind).nonzero()[:, 0]
        shuffled = places[torch.randperm(len(places), generator=generator)]
        count = min(max(round(held_out * len(places)), 1), len(places) - 1)
        held_out_places.append(shuffled[:count])
        fitted_places.append(shuffled[count:])
    return Split(torch.cat(fitted_places), torch.cat(held_out_places))


def gram(features: Float[Tensor, "n m"], mean: Float[Tensor, " m"]) -> Float64[Tensor, "n n"]:
    """Scalar products of the examples, `mean` subtracted.

    Their mean changes neither the normal nor the distances, and without it the products are so
    small that single precision within a chunk is enough; chunks are added in double precision.
    The lower triangle is mirrored: a matrix product may round i·j otherwise than j·i.
    """
    total = torch.zeros(len(features), len(features), dtype=torch.float64)
    pairs = zip(torch.split(features, CHUNK, dim=1), torch.split(mean, CHUNK), strict=True)
    for chunk, chunk_mean in pairs:
        centred = chunk - chunk_mean
        total += centred @ centred.T
    return total.tril() + total.tril(-1).T


def linear_svm(
    features: Float[Tensor, "n m"], labels: Bool[Tensor, " n"], regularisation: float
) -> LinearSvm:
    """The w and b that minimise ½‖w‖² + C Σ max(0, 1 − y (w·x + b)), C being `regularisation`.

    w = Σ α y x, α from the dual problem on the Gram matrix. Where all examples are equal,
    there is no direction: w is 0 and the distances are NaN.
    """
    from sklearn.svm import SVC

    mean = features.mean(dim=0)
    products = gram(features, mean)
    solver = SVC(C=regularisation, kernel="precomputed").fit(products.numpy(), labels.numpy())
    weights = torch.zeros(len(features), dtype=torch.float64)
    weights[torch.tensor(solver.support_)] = torch.tensor(solver.dual_coef_[0])
    offset = float(solver.intercept_[0])
    length = (weights @ products @ weights).clamp(min=0).sqrt()
    distances = (products @ weights + offset) / length
    coefficients = weights.to(features.dtype)
    # the weights sum to 0 only before rounding
    normal = coefficients @ features - coefficients.sum() * mean
    return LinearSvm(normal, offset - float(mean.double() @ normal.double()), distances)


def accuracy(svm: LinearSvm, features: Float[Tensor, "k m"], labels: Bool[Tensor, " k"]) -> float:
    """The share of examples on the side of the hyperplane where they belong."""
    values = torch.full((len(features),), svm.intercept, dtype=torch.float64)
    for chunk, normal in zip(
        torch.split(features, CHUNK, dim=1), torch.split(svm.normal, CHUNK), strict=True
    ):
        values += chunk @ normal
    return float(((values > 0) == labels).double().mean())
