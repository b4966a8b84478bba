"""The picture of an explanation: regions, the classes they could belong to, what is shared."""

from dataclasses import dataclass
from textwrap import fill, shorten
from typing import Any

import torch
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from torch import Tensor
from torch.nn import functional

from xbench import Batch, ImageSet
from xbench.figures import (
    FAINT,
    GREEN,
    HEADING,
    INK,
    MIST,
    RED,
    SMALL,
    TITLE,
    WORDS,
    blank_figure,
    share_text,
    show_pixels,
    write,
)
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.explanations.shared_parts import (
    SharedPart,
    SharedParts,
    example_of,
    visible_points,
)

MOST_INSECURITIES = 4
"""How many insecurities a picture holds at most."""
COVERAGE = 0.15
"""The share of the image that a drawn region covers."""
MOST_PARTS = 8
"""How many shared parts are named at most."""

REGION, SHARED = RED, GREEN
WIDTHS = (1.0, 0.1, 1.0, 1.0, 1.3)
WIDTH, ROW, HEAD, FOOT = 10.0, 2.45, 0.95, 0.4
PHOTO_WIDTH, PHOTO_ROW, PHOTO_HEAD = 6.4, 3.5, 1.1
"""Inches."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What every row of a picture draws from."""

    image: Float[Tensor, "h w 3"]
    id: int
    source: ImageSet | None
    examples: ImageSet | None
    shared: SharedParts | None
    names: tuple[str, ...]


def insecurities_figure(
    insecurities: Insecurities, batch: Batch, examples: ImageSet | None, names: tuple[str, ...]
) -> Figure:
    """One row for each of the strongest insecurities; `batch` holds the image alone."""
    strongest = insecurities.strongest(MOST_INSECURITIES)
    if examples is None and batch.source is None and len(strongest):
        return _regions_figure(strongest, _setting(batch, None, names), batch)
    rows = max(1, len(strongest))
    height = rows * ROW + HEAD + FOOT
    figure = blank_figure(WIDTH, height)
    frame = {"left": 0.02, "right": 0.98, "top": 1 - HEAD / height, "bottom": FOOT / height}
    grid = figure.add_gridspec(
        rows, len(WIDTHS), width_ratios=WIDTHS, hspace=0.16, wspace=0.05, **frame
    )
    setting = _setting(batch, examples, names)
    _title(figure, setting, batch)
    for row, mask in enumerate(strongest.masks(COVERAGE)):
        axes = [figure.add_subplot(grid[row, column]) for column in (0, 2, 3, 4)]
        a, b = strongest.pairs[row].tolist()
        _row(axes, setting, mask, (a, b), row)
    if len(strongest):
        _legend(figure, setting)
    else:
        show_pixels(figure.add_subplot(grid[0, 0]), setting.image)
        write(figure, (0.3, 0.5), "The network has no insecurity about this image.")
    return figure


def _regions_figure(strongest: Insecurities, setting: Setting, batch: Batch) -> Figure:
    """The regions with the names of their classes, of which no image is known; two in a row."""
    columns, rows = min(2, len(strongest)), -(-len(strongest) // 2)
    height = PHOTO_HEAD + rows * PHOTO_ROW + FOOT
    figure = blank_figure(PHOTO_WIDTH, height)
    frame = {"left": 0.02, "right": 0.98, "top": 1 - PHOTO_HEAD / height, "bottom": FOOT / height}
    grid = figure.add_gridspec(rows, columns, hspace=0.28, wspace=0.05, **frame)
    _title(figure, setting, batch)
    for place, mask in enumerate(strongest.masks(COVERAGE)):
        axes = figure.add_subplot(grid[place // 2, place % 2])
        show_pixels(axes, highlighted(setting.image, mask))
        _outline(axes, mask)
        axes.set_anchor("SW")
        first, second = (shorten(setting.names[label], 24) for label in strongest.pairs[place])
        style: dict[str, Any] = {"fontsize": HEADING, "loc": "left", "pad": 5}
        axes.set_title(f"{first}\nor {second}?", color=REGION, parse_math=False, **style)
    _legend(figure, setting)
    return figure


def _setting(batch: Batch, examples: ImageSet | None, names: tuple[str, ...]) -> Setting:
    annotated = examples or batch.source
    shared = SharedParts.of(annotated.dataset) if annotated else None
    image = batch.images[0].detach().cpu().permute(1, 2, 0)
    return Setting(image, batch.ids[0], batch.source, examples, shared, names)


def _title(figure: Figure, setting: Setting, batch: Batch) -> None:
    label = [] if batch.labels is None else [setting.names[int(batch.labels[0])]]
    place = [] if setting.source is None else [f"image {setting.id}"]
    top = 1 - 0.34 / figure.get_figheight()
    text = "  ·  ".join(label + place) or "Insecurities"
    write(figure, (0.02, top), text, fontsize=TITLE, fontweight="bold", va="center")


def _row(
    axes: list[Axes], setting: Setting, mask: Bool[Tensor, "h w"], pair: tuple[int, int], row: int
) -> None:
    parts = setting.shared.between(*pair) if setting.shared else []
    points = visible_points(setting.source, setting.id, parts)
    show_pixels(axes[0], highlighted(setting.image, mask))
    _outline(axes[0], mask)
    _dots(axes[0], points, mask)
    heading = "Region" if row else "Most ambiguous region"
    axes[0].set_title(heading, fontsize=HEADING, color=REGION, loc="left", pad=5)
    for ax, label in zip(axes[1:3], pair, strict=True):
        _example(ax, setting, label, parts)
    if setting.shared is not None:
        _words(axes[3], parts, {part for part, (x, y) in points.items() if mask[int(y), int(x)]})
    axes[3].axis("off")


def highlighted(image: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"]) -> Float[Tensor, "h w 3"]:
    """The image as it is inside the mask, pale and grey outside."""
    grey = image.mean(2, keepdim=True).expand_as(image)
    pale = 0.36 + 0.64 * (0.35 * image + 0.65 * grey)
    return torch.where(mask[:, :, None], image, pale)


def _outline(ax: Axes, mask: Bool[Tensor, "h w"]) -> None:
    """The region's border, drawn on a finer grid so that corners are round."""
    height, width = mask.shape
    padded = functional.pad(mask.float()[None, None], (1, 1, 1, 1))
    fine = functional.interpolate(padded, scale_factor=4, mode="bicubic", align_corners=False)[0, 0]
    x = (torch.arange(fine.shape[1]) + 0.5) / 4 - 1
    y = (torch.arange(fine.shape[0]) + 0.5) / 4 - 1
    lines = ax.contour(x.numpy(), y.numpy(), fine.numpy(), [0.5], colors=REGION, linewidths=1.8)
    lines.set_path_effects([Stroke(linewidth=3.4, foreground="white"), Normal()])
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)


def _dots(ax: Axes, points: dict[int, tuple[float, float]], mask: Tensor | None = None) -> None:
    """Filled where the point lies in the mask, or where there is no mask; else hollow."""
    for x, y in points.values():
        inside = mask is None or bool(mask[int(y), int(x)])
        face, edge = (SHARED, "white") if inside else ("white", SHARED)
        ax.plot(x, y, "o", ms=6.5, mfc=face, mec=edge, mew=1.4, zorder=3)


def _example(ax: Axes, setting: Setting, label: int, parts: list[SharedPart]) -> None:
    style: dict[str, Any] = {"fontsize": HEADING, "color": INK, "loc": "left", "pad": 5}
    ax.set_title(fill(setting.names[label], 24), parse_math=False, **style)
    besides = None if setting.source is None else setting.id
    image = example_of(setting.examples, label, besides) if setting.examples else None
    if setting.examples is None or image is None:
        show_pixels(ax, torch.tensor(to_rgb(MIST)).expand_as(setting.image))
        middle: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "color": FAINT}
        write(ax, (0.5, 0.5), "no example", **middle)
        return
    show_pixels(ax, setting.examples.batch([image]).images[0].permute(1, 2, 0))
    _dots(ax, visible_points(setting.examples, image, parts))


def _words(ax: Axes, parts: list[SharedPart], inside: set[int]) -> None:
    """The shared parts, those in the region first, with the values that both classes have."""
    heading = "Shared parts" if parts else "No shared parts"
    ax.set_title(heading, fontsize=HEADING, color=SHARED, loc="left", pad=5, x=0.1)
    ordered = sorted(parts, key=lambda part: part.place not in inside)
    lines = [(part.place in inside, part.name, part.values) for part in ordered[:MOST_PARTS]]
    for line, (within, name, values) in enumerate(lines):
        y = 0.95 - line * 0.115
        face, edge = (SHARED, SHARED) if within else ("white", SHARED)
        ax.plot(0.12, y, "o", ms=5.5, mfc=face, mec=edge, mew=1.2, transform=ax.transAxes)
        weight = "bold" if within else "normal"
        text = shorten(f"{name}: {', '.join(map(_worded, values))}", 36, placeholder=" …")
        write(ax, (0.17, y), text, fontsize=WORDS, va="center", fontweight=weight)
    if len(parts) > MOST_PARTS:
        rest = f"and {len(parts) - MOST_PARTS} more"
        at = 0.17, 0.95 - MOST_PARTS * 0.115
        write(ax, at, rest, fontsize=WORDS, color=FAINT, va="center")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)


def _worded(value: str) -> str:
    return value.replace("_", " ")


def _legend(figure: Figure, setting: Setting) -> None:
    share = share_text(COVERAGE, 0)
    words = f"Outlined: the {share} of the image that is most ambiguous between two classes."
    if setting.shared is not None:
        words += "  Dots: parts that both classes share, filled where they lie in the region."
    y = 0.14 / figure.get_figheight()
    write(figure, (0.02, y), words, fontsize=SMALL, color=FAINT)
