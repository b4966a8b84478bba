"""Second-order attribution: both terms of eq. (2), with the Hessian of each location."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from xbench import Attribution, MismatchError, Readout
from xbench.networks import first_nonlinearity
from xbench_deliberative.attributions.differentiability import Evaluation, derivatives_of, evaluated
from xbench_deliberative.kernels import second_order
from xbench_deliberative.kernels.gradients import gradient_times_activation
from xbench_deliberative.kernels.smooth_operations import SmoothOperations
from xbench_deliberative.readouts import listed_classes, reads_probabilities

COLUMN_COST = 2
"""What a forward product with a column of the Jacobian costs, in products with a row: measured
with VGG16-BN, see `benchmarks/speed/test_second_order.py`."""


@dataclass(frozen=True)
class GradientHessian(Attribution):
    """Gradient × activation and a term for the curvature: both terms of eq. (2).

    Σ_d ∂g/∂a_dij a_dij + ½ a_ijᵀ H_(ij,ij) a_ij.

    Where the top is piecewise linear, logits move linearly along the activations a_ij of a
    location: z + t·u with u_k(i, j) gradient × activation of logit k. The second term is
    then ½ d²/dt² link(z + t·u), exactly. For a softmax class p with ū = Σ_k f_k u_k it is

        ½ f_p [(u_p − ū)² − Σ_k f_k (u_k − ū)²].

    Improbable classes, together of probability ε ≤ `left_out`, are taken to move by their
    mean ū_t = Σ_t f_k u_k / ε. The first term and ū stay exact. With R the range
    max_k u_k − min_k u_k at a location, W = Σ_t f_k (u_k − ū_t)² ≤ ε R²/4 is lost, so the
    map of a listed class is too large by ½ f_p W ≤ f_p ε R²/8, and that of hesitancy too
    small by no more than that of the most probable class. The map of the entropy H (nats,
    divided by log C) is off by at most ½ ε R² (1 + H + log(T/ε)) / log C, T of the C
    classes being left out. Nothing is left out for links that read more than probabilities.
    """

    name: ClassVar[str] = "gradient-hessian"

    gradients: Literal["all", "positive"] = "all"
    """Whether negative derivatives count in the first term, or are taken as zero."""
    curvature: Literal["auto", "closed-form", "general"] = "auto"
    """`closed-form` for piecewise-linear tops, `general` for any, `auto` what the top allows."""
    left_out: float = 1e-3
    """The probability of the classes that move by their mean; 0 for none."""

    def __post_init__(self) -> None:
        """Refuse a probability that is none."""
        if not 0 <= self.left_out < 1:
            raise ValueError(f"left_out must be a probability below 1, not {self.left_out}")

    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        """Signed maps; `MismatchError` if the top has no such derivatives."""
        closed = self._is_closed(readout.top)
        at = evaluated(readout, activations)
        with derivatives_of(readout.top):
            if not closed:
                first = gradient_times_activation(at.predictions, at.point, self.gradients)
                return first + general_curvature(readout, at.point) / 2
            maps = closed_form(readout, at, self.left_out)
            first = maps.first
            if self.gradients == "positive":
                first = gradient_times_activation(at.predictions, at.point, "positive")
        return first + maps.curvature / 2

    def with_positive_gradients(self) -> "GradientHessian":
        """The same attribution with negative derivatives taken as zero in the first term."""
        return dataclasses.replace(self, gradients="positive")

    def _is_closed(self, top: nn.Module) -> bool:
        if self.curvature == "general":
            return False
        operation = first_nonlinearity(top)
        if operation is not None and self.curvature == "closed-form":
            message = "curvature = 'closed-form' needs a piecewise-linear top, but the top has "
            raise MismatchError(message + f"{operation}; use 'auto' or 'general'")
        return operation is None


class Terms(NamedTuple):
    """The first term of eq. (2), and twice the second."""

    first: Float[Tensor, "n predictions h w"]
    curvature: Float[Tensor, "n predictions h w"]


def closed_form(readout: Readout, at: Evaluation, left_out: float) -> Terms:
    """Both terms for a piecewise-linear top, whose logits move linearly along activations."""
    logits = at.logits.detach().double()
    kept = _kept(readout, logits, left_out)
    slopes = second_order.link_slopes(readout.link, logits)
    moves = _moves(readout, at, kept, slopes)
    curvature = second_order.link_curvatures(readout.link, logits, moves.logits)
    return Terms(moves.first, curvature)


def general_curvature(
    readout: Readout, activations: Float[Tensor, "n d h w"]
) -> Float[Tensor, "n predictions h w"]:
    """a_ijᵀ H_(ij,ij) a_ij for any top that can be differentiated forward, twice."""
    # Attention has second derivatives only where it is computed by its definition, and some
    # activations only where gradients are enabled.
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), SmoothOperations():
        curvatures = second_order.directional_curvatures(
            lambda point: readout.link(readout.top(point)), activations.detach()
        )
    return curvatures.detach()


class _Moves(NamedTuple):
    """The first term of eq. (2), and how logits move along the activations of each location."""

    first: Float[Tensor, "n predictions h w"]
    logits: Float[Tensor, "n classes h w"]


def _kept(
    readout: Readout, logits: Float[Tensor, "n classes"], left_out: float
) -> Bool[Tensor, "n classes"]:
    """The classes whose movement is computed one by one."""
    if left_out == 0 or not reads_probabilities(readout.link):
        return torch.ones_like(logits, dtype=torch.bool)
    listed = listed_classes(readout.link, logits)
    return second_order.most_massive(logits.softmax(1), listed, left_out)


def _moves(
    readout: Readout,
    at: Evaluation,
    kept: Bool[Tensor, "n classes"],
    slopes: Float[Tensor, "predictions n classes"],
) -> _Moves:
    """By products with the Jacobian's rows (classes) or its columns (locations), the cheaper."""
    rows = int(kept.sum(1).max())
    partial = rows < kept.shape[1]
    if rows + partial * (1 + len(slopes)) <= COLUMN_COST * at.point.shape[-2:].numel():
        return _moves_by_rows(at, kept, slopes)
    with torch.no_grad():
        every = second_order.directional_derivatives(readout.top, at.point.detach()).double()
    first = torch.einsum("pnk,nkij->npij", slopes, every)
    rest = second_order.remaining_shares(at.logits.detach().double(), kept)
    mean = torch.einsum("nk,nkij->nij", rest, every)
    return _Moves(first, every.where(kept[:, :, None, None], mean[:, None]))


def _moves_by_rows(
    at: Evaluation,
    kept: Bool[Tensor, "n classes"],
    slopes: Float[Tensor, "predictions n classes"],
) -> _Moves:
    """The first term is had from the logits' maps where all are there, else by its own rows."""
    places = second_order.kept_indices(kept)
    chosen = second_order.unit_rows(places, kept.shape[1]).to(at.logits)
    if kept.all():
        maps = second_order.product_maps(at.logits, at.point, chosen).double().movedim(0, 1)
        every = second_order.filled(maps, places, kept, maps[:, 0])
        return _Moves(torch.einsum("pnk,nkij->npij", slopes, every), every)
    rest = second_order.remaining_shares(at.logits.detach().double(), kept)
    rows = torch.cat([chosen, rest[None].to(chosen), slopes.to(chosen)])
    maps = second_order.product_maps(at.logits, at.point, rows).double().movedim(0, 1)
    count = places.shape[1]
    every = second_order.filled(maps[:, :count], places, kept, maps[:, count])
    return _Moves(maps[:, count + 1 :], every)
