"""The picture of a saliency map: the image, and the map laid on it."""

import math
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from xbench import Batch
from xbench_saliency.kernels.maps import enlarged, repeated, scaled, tinted
from xbench_saliency.saliency_map import SaliencyMap

AGAINST, FOR, INK, FAINT = "#2b5fb3", "#d7301f", "#222222", "#777777"
STRENGTH = 0.85
"""How much of the image the strongest saliency covers."""
FINE = 192
"""Pixels that a picture has along its short side at least: small images show their pixels."""

WIDTH, SIDE, TITLE, FOOT = 6.4, 2.9, 0.85, 0.75
"""Inches."""


def overlaid(found: SaliencyMap, image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
    """The image in pale grey with the map on it: red speaks for the class, blue against it.

    The strongest value of the map has the full colour. Small images are enlarged.
    """
    photo = enlarged_pixels(image.detach().cpu().float().clamp(0, 1))
    size = (photo.shape[-2], photo.shape[-1])
    saliency = enlarged(scaled(found.values.detach().cpu().float())[None], size)[0]
    return tinted(photo, saliency, torch.tensor([to_rgb(AGAINST), to_rgb(FOR)]), STRENGTH)


def enlarged_pixels(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
    """A small image with its pixels as squares; others as they are."""
    return repeated(image, math.ceil(FINE / min(image.shape[-2:])))


def map_figure(found: SaliencyMap, batch: Batch, names: tuple[str, ...]) -> Figure:
    """The image and the map; `batch` holds the image alone."""
    height = TITLE + SIDE + FOOT
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    _title(figure, found, batch, names)
    image = batch.images[0].detach().cpu()
    for column, picture in enumerate((enlarged_pixels(image), overlaid(found, image))):
        frame = (0.02 + 0.485 * column, FOOT / height, 0.475, SIDE / height)
        show(figure.add_axes(frame), picture)
    _key(figure, found)
    return figure


def show(axes: Axes, picture: Float[Tensor, "3 h w"]) -> None:
    """A picture as it is, without ticks."""
    axes.imshow(picture.clamp(0, 1).permute(1, 2, 0).numpy(), interpolation="antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _title(figure: Figure, found: SaliencyMap, batch: Batch, names: tuple[str, ...]) -> None:
    height = figure.get_figheight()
    label = [] if batch.labels is None else [names[int(batch.labels[0])]]
    place = [] if batch.source is None else [f"image {batch.ids[0]}"]
    text = "  ·  ".join(label + place) or "Saliency"
    style: dict[str, Any] = {"color": INK, "va": "center", "parse_math": False}
    figure.text(0.02, 1 - 0.3 / height, text, fontsize=14, fontweight="bold", **style)
    told = f"what speaks for {names[found.label]}  ·  P = {found.probability:.1%}"
    figure.text(0.02, 1 - 0.62 / height, told, fontsize=10, **style)


def _key(figure: Figure, found: SaliencyMap) -> None:
    """The colours of the largest value, of 0 and, where there are any, of negative values."""
    signed = bool((found.values < 0).any())
    largest = float(found.values.abs().max())
    ends = ([AGAINST] if signed else []) + ["#ffffff", FOR]
    colours = LinearSegmentedColormap.from_list("saliency", ends)
    axes = figure.add_axes((0.505, 0.46 / figure.get_figheight(), 0.475, 0.035))
    axes.imshow(
        torch.linspace(-1 if signed else 0, 1, 256)[None].numpy(),
        aspect="auto",
        cmap=colours,
        norm=Normalize(-1 if signed else 0, 1),
        extent=(-1 if signed else 0, 1, 0, 1),
    )
    axes.set_yticks([])
    shown = [-1, 0, 1] if signed else [0, 1]
    axes.set_xticks(shown, [f"{largest * tick:.2g}" for tick in shown])
    axes.tick_params(labelsize=8, length=2, colors=FAINT)
    axes.spines[:].set_visible(False)
