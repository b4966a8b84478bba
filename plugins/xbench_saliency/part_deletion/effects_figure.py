"""The picture of part effects: the image, and a bar for each part."""

from matplotlib.figure import Figure

from xbench import Batch, PartMasks
from xbench.figures import (
    BLUE,
    HEADING,
    RED,
    WORDS,
    blank_figure,
    show_pixels,
    style_axes,
    write,
)
from xbench_saliency.maps.map_figure import enlarged_pixels
from xbench_saliency.part_deletion.effects import PartEffects

WIDTH, SIDE, HEAD, ROW = 7.4, 2.9, 0.7, 0.24
"""Inches."""


def effects_figure(effects: PartEffects, batch: Batch, names: tuple[str, ...]) -> Figure:
    """The image, and the drop of its most probable class with each part; `batch` holds it alone."""
    label = int(effects.logits.argmax())
    drops = effects.drops(label).tolist()
    height = HEAD + max(SIDE, ROW * len(drops)) + 0.6
    figure = blank_figure(WIDTH, height)
    title = f"What {names[label]} loses without each part"
    write(figure, (0.02, 1 - 0.35 / height), title, fontsize=HEADING, fontweight="bold")
    picture = enlarged_pixels(batch.images[0].detach().cpu().float().clamp(0, 1))
    frame = figure.add_axes((0.02, 0.6 / height, SIDE / WIDTH, SIDE / height))
    show_pixels(frame, picture.permute(1, 2, 0), smooth=False)
    axes = figure.add_axes((0.55, 0.6 / height, 0.42, (height - HEAD - 0.6) / height))
    axes.barh(range(len(drops)), drops, color=[RED if drop > 0 else BLUE for drop in drops])
    axes.set_yticks(range(len(drops)), _part_names(effects, batch), fontsize=WORDS)
    axes.invert_yaxis()
    style_axes(axes, "drop of the logit", grid="x")
    return figure


def _part_names(effects: PartEffects, batch: Batch) -> list[str]:
    dataset = batch.source and batch.source.dataset
    if isinstance(dataset, PartMasks):
        return [dataset.mask_names()[part] for part in effects.parts.tolist()]
    return [f"part {part}" for part in effects.parts.tolist()]
