"""Second-order attribution: curvature along the activations of one location at a time."""

import warnings
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor
from torch.func import jvp, vmap

from xbench_deliberative.kernels.gradients import prediction_gradients

Function = Callable[[Tensor], Tensor]

NUMBERS_AT_ONCE = 2**24
"""How many activations, or logits, the directions that are handled as one batch may hold."""


def chunk_size(numbers: int) -> int:
    """How many directions of so many numbers each are handled as one batch."""
    return max(1, NUMBERS_AT_ONCE // max(1, numbers))


def product_maps(
    values: Float[Tensor, "n m"],
    activations: Float[Tensor, "n d h w"],
    cotangents: Float[Tensor, "rows n m"],
) -> Float[Tensor, "rows n h w"]:
    """Σ_d g_dij · a_dij, g the gradient of Σ_k c_k v_k, for every row c of cotangents.

    `values` must have been computed from `activations`. Vector-Jacobian products run in
    batches whose size is bounded, so memory does not grow with the number of rows.
    """
    point = activations.detach()
    maps = []
    for chunk in torch.split(cotangents, chunk_size(point.numel())):
        (gradients,) = torch.autograd.grad(
            values, activations, chunk, retain_graph=True, is_grads_batched=True
        )
        maps.append((gradients * point).sum(2))
    return torch.cat(maps)


def slope(function: Function, at: Float[Tensor, "..."], ray: Float[Tensor, "..."]) -> Tensor:
    """d/dt function(at + t·ray) at t = 0, by forward mode."""
    with warnings.catch_warnings():
        # On first use torch scripts some decompositions and warns that it should not.
        warnings.filterwarnings("ignore", message="`torch.jit.script`")
        derivative: Tensor = jvp(function, (at,), (ray,))[1]
    return derivative


def directional_derivatives(
    function: Function, activations: Float[Tensor, "n d h w"]
) -> Float[Tensor, "n m h w"]:
    """d/dt of each of m values of `function` at A + t·a_ij, t = 0, for every location (i, j).

    For values z_k this is u_k(i, j), gradient × activation of every value at once, by one
    Jacobian-vector product for each location.
    """
    return _by_location(lambda ray: slope(function, activations, ray), activations)


def directional_curvatures(
    function: Function, activations: Float[Tensor, "n d h w"]
) -> Float[Tensor, "n m h w"]:
    """d²/dt² of each of m values of `function` at A + t·a_ij, t = 0, for every location (i, j).

    This is a_ijᵀ H_(ij,ij) a_ij of eq. (2), by forward mode over forward mode: all values
    at once, no Hessian, and no graph that is kept.
    """

    def curvature(ray: Tensor) -> Tensor:
        return slope(lambda at: slope(function, at, ray), activations, ray)

    return _by_location(curvature, activations)


def _by_location(
    derivative: Function, activations: Float[Tensor, "n d h w"]
) -> Float[Tensor, "n m h w"]:
    """The derivative along a_ij, zero elsewhere, for every location in batches of bounded size."""
    h, w = activations.shape[-2:]
    masks = torch.eye(h * w, dtype=activations.dtype, device=activations.device).view(-1, h, w)
    along = vmap(
        lambda mask: derivative(activations * mask), chunk_size=chunk_size(activations.numel())
    )
    values = along(masks).movedim(0, 2)
    return values.reshape(*values.shape[:2], h, w)


def link_curvatures(
    link: Function, logits: Float[Tensor, "n classes"], directions: Float[Tensor, "n classes h w"]
) -> Float[Tensor, "n predictions h w"]:
    """d²/dt² link(z + t·u(i, j)) at t = 0 for every location, in double precision."""
    at = logits.detach().double()

    def curvature(ray: Tensor) -> Tensor:
        return slope(lambda z: slope(link, z, ray), at, ray)

    h, w = directions.shape[-2:]
    along = vmap(curvature, in_dims=2, out_dims=2, chunk_size=chunk_size(logits.numel()))
    values = along(directions.double().flatten(2))
    return values.reshape(*values.shape[:2], h, w)


def most_massive(
    probabilities: Float[Tensor, "n classes"], listed: Bool[Tensor, "n classes"], left_out: float
) -> Bool[Tensor, "n classes"]:
    """The listed classes, the most probable one, and the next ones until few are left.

    What remains is the longest tail, in order of probability, of `left_out` or less in sum.
    """
    first = listed | (probabilities == probabilities.amax(1, keepdim=True))
    order = (probabilities + 2 * first).argsort(dim=1, descending=True, stable=True)
    ranked = probabilities.gather(1, order)
    after = ranked.flip(1).cumsum(1).flip(1)
    kept = (after > left_out) | first.gather(1, order)
    return torch.zeros_like(listed).scatter_(1, order, kept)


def remaining_shares(
    logits: Float[Tensor, "n classes"], kept: Bool[Tensor, "n classes"]
) -> Float[Tensor, "n classes"]:
    """f_k / Σ f of the classes that are not kept, 0 for the kept ones and where all are kept."""
    return logits.masked_fill(kept, -torch.inf).softmax(1).nan_to_num(0.0)


def kept_indices(kept: Bool[Tensor, "n classes"]) -> Int64[Tensor, "n most"]:
    """The kept classes of each image first, as many as the image with the most has."""
    order = kept.int().argsort(dim=1, descending=True, stable=True)
    return order[:, : int(kept.sum(1).max())]


def unit_rows(places: Int64[Tensor, "n most"], classes: int) -> Float64[Tensor, "most n classes"]:
    """For each place a cotangent that picks the class there, of every image."""
    rows = torch.zeros(*places.T.shape, classes, dtype=torch.float64, device=places.device)
    return rows.scatter_(2, places.T[:, :, None], 1.0)


def filled(
    maps: Float[Tensor, "n most h w"],
    places: Int64[Tensor, "n most"],
    kept: Bool[Tensor, "n classes"],
    rest: Float[Tensor, "n h w"],
) -> Float[Tensor, "n classes h w"]:
    """The maps of the kept classes at their places, and `rest` for every other class."""
    where = places[:, :, None, None].expand_as(maps)
    everywhere = rest[:, None].repeat(1, kept.shape[1], 1, 1).scatter(1, where, maps)
    return everywhere.where(kept[:, :, None, None], rest[:, None])


def link_slopes(
    link: Function, logits: Float[Tensor, "n classes"]
) -> Float[Tensor, "predictions n classes"]:
    """∂p/∂z for every prediction p = link(z) of each image."""
    at = logits.detach().requires_grad_()
    with torch.enable_grad():
        predictions = link(at)
    return prediction_gradients(predictions, at)
