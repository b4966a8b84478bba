"""Rating how reasonable it is to take one class for each other, in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from xbench import derived_seed
from xbench_study.designs.design import Collected, Design, enough, own_text
from xbench_study.designs.drafts import IMAGE, Draft, DraftOption, Picture, Scene

SIDE = 6
"""Samples of a class stand in a square of so many rows."""


@dataclass(frozen=True)
class ClassConfusion(Design):
    """How reasonable is it to take the one class for the other? Directed, all pairs of classes.

    "Not All Failure Modes are Created Equal" (Olmo, Sengupta and Kambhampati 2020), class-level
    human labels: one page for each true class, with 6 × 6 of its images, on which all other
    classes are rated from 0 to 4. The table of means is what `similarity.chl` reads.
    """

    name: ClassVar[str] = "class-confusion"
    measures: ClassVar[str] = "degree"
    collects: ClassVar[Collected] = "ratings"

    samples: int = SIDE * SIDE
    """Images that show a class."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, not {self.samples}")

    def text(self) -> str:
        """As the paper has it: five degrees, from highly unreasonable to highly reasonable."""
        return own_text(self.name)

    def drafts(self, scene: Scene) -> Sequence[Draft]:
        """One item for each class."""
        names = scene.names
        return [
            Draft(
                image=label,
                pictures={IMAGE: self._sheet(scene, label)},
                options=[DraftOption(k, names[k]) for k in scene.classes if k != label],
                label=names[label],
                facts={"true": label},
            )
            for label in scene.classes
        ]

    def _sheet(self, scene: Scene, label: int) -> Picture:
        """Images of a class, side by side."""
        ids = [image for image, of in scene.labels.items() if of == label]
        source = torch.Generator().manual_seed(derived_seed("samples", scene.seed, label))
        mixed = [ids[place] for place in torch.randperm(len(ids), generator=source).tolist()]
        chosen = enough(mixed, self.samples, f"images of class {scene.names[label]!r}")
        return tiled(scene.photos(chosen))


def tiled(pictures: Sequence[Picture], columns: int = SIDE) -> Picture:
    """Pictures of one size in rows, on white, with a gap between them."""
    height, width, gap = pictures[0].shape[0], pictures[0].shape[1], 4
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = torch.full(shape, 255, dtype=torch.uint8)
    for place, picture in enumerate(pictures):
        top, left = (place // columns) * (height + gap), (place % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
