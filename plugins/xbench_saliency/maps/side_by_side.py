"""All maps of one image side by side, with one scale and one legend."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

import torch
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from xbench.figures import BLUE, FAINT, RED, SMALL, TINY, WORDS, blank_figure, share_text, write
from xbench_saliency.maps.map_figure import clipped, enlarged_pixels, overlaid, show
from xbench_saliency.maps.saliency_map import SaliencyMap

MOST_COLUMNS = 5
SIDE, GAP, FOOT = 1.8, 0.1, 0.72
"""Inches: of a picture along its longer side, between pictures, of the legend."""
LINE, LETTERS = 0.13, 32
"""Inches that a line of words takes below a picture's name, and letters in it."""
PALE = 0.6
"""How much of the white below a map hides the image, so that faint values are seen."""


class Caption(NamedTuple):
    """What stands above a picture."""

    title: str
    lines: list[str]


def side_by_side(
    image: Float[Tensor, "3 h w"],
    maps: Mapping[str, SaliencyMap],
    class_names: Sequence[str],
    *,
    columns: int = MOST_COLUMNS,
    title: str = "image",
    quantile: float = 1.0,
) -> Figure:
    """The image under its title, then each map on it under its name, and one legend for all.

    Each map has its full colour from this quantile of its sizes on: at its largest value, or with
    a lower one from where a few pixels would hide all others. Which class a map speaks for stands
    above the image where it is the same for all, and else under each map's name.
    """
    photo = image.detach().cpu().float().clamp(0, 1)
    faint = PALE + (1 - PALE) * photo
    pictures = [
        enlarged_pixels(photo),
        *(overlaid(clipped(one, quantile), faint) for one in maps.values()),
    ]
    captions = _captions(title, maps, class_names)
    columns = max(1, min(columns, len(pictures)))
    shape, lines = photo.shape[-2] / photo.shape[-1], max(len(one.lines) for one in captions)
    grid = _Grid(columns, -(-len(pictures) // columns), shape, lines)
    figure = blank_figure(grid.width, grid.height)
    for place, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        grid.draw(figure, place, picture, caption)
    _legend(figure, quantile, signed=any(bool((one.values < 0).any()) for one in maps.values()))
    return figure


def _captions(
    title: str, maps: Mapping[str, SaliencyMap], class_names: Sequence[str]
) -> list[Caption]:
    """Of the image and of each map; what is the same for all maps stands above the image."""
    classes = [_explained(one, class_names) for one in maps.values()]
    if len(set(classes)) == 1:
        share = share_text(next(iter(maps.values())).probability)
        return [_caption(title, f"{classes[0]}  ·  P = {share}"), *(Caption(m, []) for m in maps)]
    of_maps = (_caption(name, text) for name, text in zip(maps, classes, strict=True))
    return [Caption(title, []), *of_maps]


def _caption(title: str, text: str) -> Caption:
    lines = wrap(text, LETTERS, max_lines=2, placeholder=" …", break_on_hyphens=False)
    return Caption(title, lines)


def _explained(saliency: SaliencyMap, class_names: Sequence[str]) -> str:
    """The class, and the one that it is contrasted with, in words."""
    against = "" if saliency.against is None else f" against {class_names[saliency.against]}"
    return f"{class_names[saliency.label]}{against}"


class _Grid:
    """Where pictures of one shape stand on a figure, in inches."""

    def __init__(self, columns: int, rows: int, shape: float, lines: int) -> None:
        self.columns, self.words = columns, 0.05 + LINE * lines
        self.across, self.down = SIDE / max(1.0, shape), SIDE * min(1.0, shape)
        self.each = self.down + self.words + 0.25 + GAP
        self.width = max(3.6, columns * (self.across + GAP) + GAP)
        self.height = rows * self.each + FOOT

    def draw(
        self, figure: Figure, place: int, picture: Float[Tensor, "3 h w"], caption: Caption
    ) -> None:
        """One picture under its caption."""
        row, column = divmod(place, self.columns)
        x, y = GAP + column * (self.across + GAP), self.height - (row + 1) * self.each
        size = (self.across / self.width, self.down / self.height)
        show(figure.add_axes((x / self.width, y / self.height, *size)), picture)
        top = y + self.down + self.words
        write(figure, self._at(x, top), caption.title, fontsize=WORDS, weight="bold", va="bottom")
        for number, line in enumerate(caption.lines):
            at = self._at(x, top - 0.01 - LINE * number)
            write(figure, at, line, fontsize=TINY, color=FAINT, va="top")

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x / self.width, y / self.height


def _legend(figure: Figure, quantile: float, *, signed: bool) -> None:
    """What the colours say, once for all maps."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    colours = LinearSegmentedColormap.from_list(
        "", [BLUE, "white", RED] if signed else ["white", RED]
    )
    axes = figure.add_axes((GAP / width, 0.46 / height, SIDE / width, 0.12 / height))
    low = -1 if signed else 0
    values = torch.linspace(low, 1, 256)[None].numpy()
    axes.imshow(values, aspect="auto", cmap=colours, extent=(low, 1, 0, 1))
    axes.set_yticks([])
    words = {-1: "against", 0: "0", 1: "for the class"}
    ticks = [tick for tick in words if tick >= low]
    axes.set_xticks(ticks, [words[tick] for tick in ticks])
    for label, tick in zip(axes.get_xticklabels(), ticks, strict=True):
        ends = {low: "left", 1: "right"}
        label.set_horizontalalignment(ends.get(tick, "center"))  # type: ignore[arg-type]
    axes.tick_params(labelsize=SMALL, length=2, colors=FAINT)
    axes.spines[:].set_visible(False)
    text = "full colour: each map's own largest value"
    if quantile < 1:
        text = f"full colour: each map's own largest {share_text(1 - quantile, 0)} of all values"
    write(figure, (GAP / width, 0.06 / height), text, fontsize=SMALL, color=FAINT, va="bottom")
