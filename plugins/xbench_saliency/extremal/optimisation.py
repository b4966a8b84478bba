"""The optimisation of masks: what is perturbed, what is gained, and how steps are taken."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import MismatchError, Network
from xbench.kernels import resized_maps
from xbench_saliency.kernels.areas import area_loss, strongest, with_areas
from xbench_saliency.kernels.blur import at_levels, blur_pyramid
from xbench_saliency.kernels.smooth_masks import neighbourhood, smooth_masks
from xbench_saliency.maps.targets import Explained

Variant = Literal["preserve", "delete", "dual"]
"""The mask's region alone keeps the class, its removal takes the class away, or both at once."""
Precision = Literal["fp32", "bf16"]
"""Of the network's passes; masks and losses are always in single precision."""
USUAL_SIDE = 224
"""Pixels of the short side that lengths are said for; on other images they are in proportion."""


class Grid(NamedTuple):
    """Where masks are optimised: cells over an image."""

    rows: int
    columns: int
    sigma: float
    """How far a cell reaches undiminished, in cells."""
    blur: float
    """In pixels of the image."""


class Schedule(NamedTuple):
    """How steps are taken."""

    steps: int
    learning_rate: float
    betas: tuple[float, float]
    start: float
    noise: float
    penalty: tuple[float, float]

    def penalties(self) -> list[float]:
        """The weight of the area at each step, from the first to the last geometrically."""
        first, last = self.penalty
        if self.steps == 1:
            return [last]
        return [first * (last / first) ** (t / (self.steps - 1)) for t in range(self.steps)]


class Passes(NamedTuple):
    """How the network is called."""

    variant: Variant
    precision: Precision
    channels_last: bool


class Settings(NamedTuple):
    """Everything that an optimisation is told besides what is explained."""

    grid: Grid
    schedule: Schedule
    passes: Passes
    levels: int
    """Of blur."""
    starts: int
    """From how many noises masks are optimised."""

    def sigmas(self) -> list[float]:
        """Of each level, from the strongest blur to none."""
        return [self.grid.blur * (1 - level / (self.levels - 1)) for level in range(self.levels)]


def grid_over(size: tuple[int, int], step: float, sigma: float, blur: float) -> Grid:
    """Cells `step` apart, or pixels where these are larger; lengths are of `USUAL_SIDE`."""
    scale = min(size) / USUAL_SIDE
    cell = max(1.0, step * scale)
    rows, columns = (max(1, round(side / cell)) for side in size)
    return Grid(rows, columns, sigma * scale / cell, blur * scale)


def best_masks(
    network: Network,
    images: Float[Tensor, "n 3 h w"],
    subject: Explained,
    areas: Sequence[float],
    generators: Sequence[Generator],
    settings: Settings,
) -> Float[Tensor, "n m rows columns"]:
    """The masks of each image at each area: of several starts those whose regions are worth most.

    One generator for each image: its noises. A region has exactly its area.
    """
    pyramid = blur_pyramid(images.float(), settings.sigmas())
    starts = [_start(settings, len(areas), generators) for _ in range(settings.starts)]
    made = torch.stack(
        [optimised_masks(network, pyramid, subject, areas, one, settings) for one in starts]
    )
    if len(made) == 1:
        return made[0]
    with torch.no_grad():
        worth = [
            gain(network, pyramid, _regions(masks, areas, pyramid), subject, settings.passes)
            for masks in made
        ]
    places = torch.stack(worth).argmax(0)[None, :, :, None, None]
    return made.gather(0, places.expand(1, *made.shape[1:]))[0]


def _regions(
    masks: Float[Tensor, "n m rows columns"],
    areas: Sequence[float],
    pyramid: Float[Tensor, "n levels h w c"],
) -> Float[Tensor, "n m h w"]:
    """1 in the region of exactly its area that each mask marks, else 0."""
    full = _at_image_size(masks, pyramid)
    inside = [strongest(full[:, place], area) for place, area in enumerate(areas)]
    return torch.stack(inside, 1).to(full)


def _at_image_size(
    masks: Float[Tensor, "n m rows columns"], pyramid: Float[Tensor, "n levels h w c"]
) -> Float[Tensor, "n m h w"]:
    size = (pyramid.shape[2], pyramid.shape[3])
    return resized_maps(masks.flatten(0, 1), size).view(*masks.shape[:2], *size)


def optimised_masks(
    network: Network,
    pyramid: Float[Tensor, "n levels h w c"],
    subject: Explained,
    areas: Sequence[float],
    start: Float[Tensor, "n m rows columns"],
    settings: Settings,
) -> Float[Tensor, "n m rows columns"]:
    """The masks of each image at each area, all optimised at once; none depends on another."""
    cells = start.to(pyramid.device).requires_grad_()
    weights = neighbourhood(settings.grid.sigma).to(pyramid.device)
    wanted = torch.tensor(areas, device=pyramid.device).repeat(len(pyramid))
    schedule = settings.schedule
    optimiser = torch.optim.Adam([cells], lr=schedule.learning_rate, betas=schedule.betas)
    for penalty in schedule.penalties():
        with torch.enable_grad():
            masks = smooth_masks(cells.flatten(0, 1), weights)
            full = _at_image_size(masks.view_as(cells), pyramid)
            gains = gain(network, pyramid, full, subject, settings.passes)
            loss = (penalty * area_loss(masks, wanted)).sum() - gains.sum()
        (cells.grad,) = torch.autograd.grad(loss, cells)  # of the masks alone: weights have none
        optimiser.step()
        cells.detach().clamp_(0, 1)
    masks = smooth_masks(cells.detach().flatten(0, 1), weights)
    return with_areas(masks, wanted).view_as(cells)


def gain(
    network: Network,
    pyramid: Float[Tensor, "n levels h w c"],
    full: Float[Tensor, "n m h w"],
    subject: Explained,
    passes: Passes,
) -> Float[Tensor, "n m"]:
    """What each mask is good for, area aside."""
    both = {"preserve": (full,), "delete": (1 - full,), "dual": (full, 1 - full)}[passes.variant]
    heights = torch.cat(both, 1)
    images = at_levels(pyramid, heights).flatten(0, 1)
    values = values_of(network, images, repeated(subject, heights.shape[1]), passes)
    values = values.view(heights.shape[:2])
    if passes.variant == "dual":
        kept, left = values.chunk(2, 1)
        return kept - left
    return values if passes.variant == "preserve" else -values


def values_of(
    network: Network, images: Float[Tensor, "n 3 h w"], subject: Explained, passes: Passes
) -> Float[Tensor, " n"]:
    """What is explained, of each image, with a gradient where these are enabled."""
    form = torch.channels_last if passes.channels_last else torch.contiguous_format
    with _cast(images, passes.precision):
        logits = network.module(images.contiguous(memory_format=form))
    if torch.is_grad_enabled() and not logits.requires_grad:
        raise MismatchError(
            f"{network.name} gives logits without gradients, which extremal perturbation climbs; "
            "explain it by occlusion, which needs none"
        )
    return subject.values(network.checked(logits.float()))


def repeated(subject: Explained, times: int) -> Explained:
    """The same, with each image so many times in a row."""
    against = None if subject.against is None else subject.against.repeat_interleave(times)
    classes = subject.classes.repeat_interleave(times)
    return Explained(classes, against, subject.probabilities.repeat_interleave(times))


def _cast(images: Tensor, precision: Precision) -> AbstractContextManager[object]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(images.device.type, torch.bfloat16)


def _start(
    settings: Settings, areas: int, generators: Sequence[Generator]
) -> Float[Tensor, "n m rows columns"]:
    """Equal cells but for a little noise of each image's own: among equals a sort would choose."""
    grid, schedule = settings.grid, settings.schedule
    shape = (areas, grid.rows, grid.columns)
    noise = torch.stack([torch.randn(shape, generator=one) for one in generators])
    return (schedule.start + schedule.noise * noise).clamp(0, 1)
