"""What is drawn of targets: single judgements, and images that are mixed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor


class Mixing(NamedTuple):
    """How the images of a batch are mixed."""

    partners: Int64[Tensor, " n"]
    """Whose place in the batch each image is mixed with; a permutation."""
    share: float
    """λ: how much of itself each image keeps."""


def drawn_classes(
    counts: Int64[Tensor, "n classes"], draws: Int64[Tensor, " n"]
) -> Int64[Tensor, " n"]:
    """The class of one judgement of each image: of number `draw` modulo how many there are."""
    cumulative = counts.cumsum(dim=1)
    number = draws % cumulative[:, -1]
    return (cumulative <= number.unsqueeze(1)).sum(dim=1)


def drawn_mixing(ids: Sequence[int], alpha: float, seed: int) -> Mixing:
    """Partners at random and λ ~ Beta(α, α), in whatever order the ids come; α = 0 mixes nothing.

    One λ for the whole batch (Zhang et al. 2018, as their code has it).
    """
    draws = np.random.default_rng(seed)
    share = float(draws.beta(alpha, alpha)) if alpha else 1.0
    order = np.argsort(np.asarray(ids, dtype=np.int64), kind="stable")
    partners = np.empty(len(ids), dtype=np.int64)
    partners[order] = order[draws.permutation(len(ids))]
    return Mixing(torch.from_numpy(partners), share)


def mixed(values: Float[Tensor, "n ..."], mixing: Mixing) -> Float[Tensor, "n ..."]:
    """λ · own + (1 − λ) · partner's; never outside of the range of both."""
    partners = values[mixing.partners.to(values.device)]
    return torch.lerp(partners, values, mixing.share)
