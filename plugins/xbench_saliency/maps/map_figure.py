"""The picture of a saliency map: the image, and the map laid on it."""

import math
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from xbench import Batch
from xbench.figures import (
    BLUE,
    FAINT,
    HEADING,
    RED,
    SMALL,
    TITLE,
    blank_figure,
    share_text,
    show_pixels,
    write,
)
from xbench.kernels import resized_maps
from xbench_saliency.kernels.maps import repeated, scaled, tinted
from xbench_saliency.maps.saliency_map import SaliencyMap

STRENGTH = 0.85
"""How much of the image the strongest saliency covers."""
FINE = 192
"""Pixels that a picture has along its short side at least: small images show their pixels."""

WIDTH, SIDE, HEAD, FOOT = 6.4, 2.9, 0.85, 0.75
"""Inches."""


def overlaid(saliency_map: SaliencyMap, image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
    """The image in pale grey with the map on it: red speaks for the class, blue against it.

    The strongest value of the map has the full colour. Small images are enlarged.
    """
    photo = enlarged_pixels(image.detach().cpu().float().clamp(0, 1))
    size = (photo.shape[-2], photo.shape[-1])
    saliency = resized_maps(scaled(saliency_map.values.detach().cpu().float()), size)
    return tinted(photo, saliency, torch.tensor([to_rgb(BLUE), to_rgb(RED)]), STRENGTH)


def clipped(saliency: SaliencyMap, quantile: float) -> SaliencyMap:
    """The map with no value beyond the quantile of its sizes, unless most of them are 0."""
    most = float(np.quantile(saliency.values.abs().numpy(), quantile))
    return replace(saliency, values=saliency.values.clamp(-most, most)) if most else saliency


def enlarged_pixels(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
    """A small image with its pixels as squares; others as they are."""
    return repeated(image, math.ceil(FINE / min(image.shape[-2:])))


def map_figure(saliency_map: SaliencyMap, batch: Batch, names: tuple[str, ...]) -> Figure:
    """The image and the map; `batch` holds the image alone."""
    height = HEAD + SIDE + FOOT
    figure = blank_figure(WIDTH, height)
    _title(figure, saliency_map, batch, names)
    image = batch.images[0].detach().cpu()
    for column, picture in enumerate((enlarged_pixels(image), overlaid(saliency_map, image))):
        frame = (0.02 + 0.485 * column, FOOT / height, 0.475, SIDE / height)
        show(figure.add_axes(frame), picture)
    _key(figure, saliency_map)
    return figure


def show(axes: Axes, picture: Float[Tensor, "3 h w"]) -> None:
    """A picture as it is, without ticks."""
    show_pixels(axes, picture.permute(1, 2, 0), smooth=False)


def _title(figure: Figure, saliency_map: SaliencyMap, batch: Batch, names: tuple[str, ...]) -> None:
    height = figure.get_figheight()
    label = [] if batch.labels is None else [names[int(batch.labels[0])]]
    place = [] if batch.source is None else [f"image {batch.ids[0]}"]
    text = "  ·  ".join(label + place) or "Saliency"
    at = 0.02, 1 - 0.3 / height
    write(figure, at, text, fontsize=TITLE, fontweight="bold", va="center")
    share = share_text(saliency_map.probability)
    against = "" if saliency_map.against is None else f" against {names[saliency_map.against]}"
    caption = f"what speaks for {names[saliency_map.label]}{against}  ·  P = {share}"
    write(figure, (0.02, 1 - 0.62 / height), caption, fontsize=HEADING, va="center")


def _key(figure: Figure, saliency_map: SaliencyMap) -> None:
    """The colours of the largest value, of 0 and, where there are any, of negative values."""
    signed = bool((saliency_map.values < 0).any())
    largest = float(saliency_map.values.abs().max())
    ends = ([BLUE] if signed else []) + ["white", RED]
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
    ticks = [-1, 0, 1] if signed else [0, 1]
    axes.set_xticks(ticks, [f"{largest * tick:.2g}" for tick in ticks])
    axes.tick_params(labelsize=SMALL, length=2, colors=FAINT)
    axes.spines[:].set_visible(False)
