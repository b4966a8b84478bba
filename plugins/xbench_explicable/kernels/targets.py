"""Target distributions from class similarities."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def softmax_rows(
    matrix: Float64[Tensor, "classes classes"], scale: float
) -> Float64[Tensor, "classes classes"]:
    """softmax(scale · row) of each row, as the authors' code makes targets."""
    return torch.softmax(scale * matrix, dim=1)


def soft_labels(
    distances: Float64[Tensor, "classes classes"], beta: float
) -> Float64[Tensor, "classes classes"]:
    """Rows p_β(A | C) ∝ exp(−β d(A, C)) of true classes C (Bertinetto et al. 2020, section 3)."""
    return torch.softmax(-beta * distances, dim=1)


def entropies(
    distributions: Float[Tensor, "n classes"],
) -> Float[Tensor, " n"]:
    """The entropy of each row in nats; 0 · log 0 is 0."""
    return torch.special.entr(distributions).sum(dim=1)
