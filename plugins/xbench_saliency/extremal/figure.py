"""The picture of an image's masks: for each area the region, in its colours on a pale image."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor, nn

from xbench import Batch, ParameterError
from xbench.figures import (
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
from xbench_saliency.kernels.areas import strongest
from xbench_saliency.kernels.maps import GREY
from xbench_saliency.maps.map_figure import enlarged_pixels
from xbench_saliency.maps.saliency_map import SaliencyMap

SIDE, GAP, HEAD, FOOT = 2.0, 0.08, 0.8, 0.34
"""Inches."""
LINE = 3
"""Pixels across the outline of a region, of pictures that are about 200 pixels wide."""


def region(
    mask: Float[Tensor, "rows columns"], image: Float[Tensor, "3 h w"], area: float
) -> Float[Tensor, "3 h2 w2"]:
    """The image in its colours where the mask is strongest, in exactly this area, with an outline.

    The rest is pale grey. Small images are enlarged.
    """
    photo = enlarged_pixels(image.detach().cpu().float().clamp(0, 1))
    size = (photo.shape[-2], photo.shape[-1])
    inside = strongest(resized_maps(mask.detach().cpu().float(), size), area)
    grey = (photo * photo.new_tensor(GREY).view(3, 1, 1)).sum(0, keepdim=True)
    picture = torch.where(inside, photo, 0.65 + 0.35 * grey)
    colour = photo.new_tensor(to_rgb(RED)).view(3, 1, 1)
    return torch.where(_outline(inside, max(1, LINE * min(size) // 200)), colour, picture)


def masks_figure(
    saliency_map: SaliencyMap, areas: Sequence[float], batch: Batch, names: tuple[str, ...]
) -> Figure:
    """The image, and beside it the region of each area; `batch` holds the image alone."""
    if saliency_map.raw is None or len(saliency_map.raw) != len(areas):
        count = 0 if saliency_map.raw is None else len(saliency_map.raw)
        raise ParameterError(
            f"areas: {len(areas)} for a map of {count} masks; give those of the "
            "extremal-perturbation that made it, in its order"
        )
    image = batch.images[0].detach().cpu()
    regions = [region(mask, image, a) for mask, a in zip(saliency_map.raw, areas, strict=True)]
    pictures = [enlarged_pixels(image.clamp(0, 1)), *regions]
    height = HEAD + SIDE + FOOT
    figure = blank_figure(len(pictures) * (SIDE + GAP) + GAP, height)
    _head(figure, saliency_map, batch, names)
    width = figure.get_figwidth()
    captions = ["image", *(f"{100 * area:.3g} % of the image" for area in areas)]
    for place, (picture, words) in enumerate(zip(pictures, captions, strict=True)):
        left = (GAP + place * (SIDE + GAP)) / width
        axes = figure.add_axes((left, FOOT / height, SIDE / width, SIDE / height))
        show_pixels(axes, picture.permute(1, 2, 0), smooth=False)
        write(figure, (left, 0.16 / height), words, fontsize=SMALL, va="center")
    return figure


def _head(figure: Figure, saliency_map: SaliencyMap, batch: Batch, names: tuple[str, ...]) -> None:
    height, left = figure.get_figheight(), GAP / figure.get_figwidth()
    title = "Extremal perturbation"
    if batch.labels is not None:
        title = names[int(batch.labels[0])]
    write(figure, (left, 1 - 0.27 / height), title, fontsize=TITLE, fontweight="bold", va="center")
    versus = "" if saliency_map.against is None else f" and not {names[saliency_map.against]}"
    share = share_text(saliency_map.probability)
    caption = f"what speaks for {names[saliency_map.label]}{versus}  ·  P = {share}"
    write(figure, (left, 1 - 0.56 / height), caption, fontsize=HEADING, va="center")


def _outline(inside: Bool[Tensor, "h w"], width: int) -> Bool[Tensor, "h w"]:
    """Pixels just outside of the region."""
    reach = 2 * width + 1
    wide = nn.functional.max_pool2d(inside[None].float(), reach, stride=1, padding=width)[0] > 0
    return wide & ~inside
