"""What a design makes of images before keys are drawn: items with everything known about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from xbench import Bench, Entry, ImageSet, subject_of
from xbench_study.material.item import Kind
from xbench_study.shown.display import Display
from xbench_study.shown.pictures import ShownPictures

Picture = UInt8[Tensor, "h w 3"]
IMAGE = "image"
"""The stimulus that every item has: its image alone."""


@dataclass(frozen=True, eq=False)
class DraftOption:
    """What can be chosen, or is rated."""

    label: int
    """The class that it stands for; -1 for none."""
    text: str = ""
    pictures: tuple[Picture, ...] = ()
    right: bool = False


@dataclass(frozen=True, eq=False)
class Draft:
    """One item, with what only the researcher knows."""

    image: int
    pictures: Mapping[str, Picture]
    """By the name of the stimulus."""
    options: Sequence[DraftOption]
    kind: Kind = "trial"
    label: str = ""
    conditions: tuple[str, ...] = ()
    """Names of those in which it is shown; () for all."""
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    simulated: Mapping[str, int] = field(default_factory=dict)
    """The class that each simulated observer chooses, by the label of its entry."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a design chooses from: images, networks, and what each condition shows."""

    entries: Mapping[str, Entry]
    """By condition, in the order of the benchmark."""
    bench: Bench
    images: ImageSet
    seed: int
    remarks: list[str] = field(default_factory=list)
    """What the researcher has to know of the choice; designs add to it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The class names."""
        return self.images.dataset.class_names()

    @cached_property
    def labels(self) -> Mapping[int, int]:
        """The class of each image."""
        ids = self.images.ids()
        return dict(zip(ids, self.images.dataset.labels(ids).tolist(), strict=True))

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """Those of which there are images."""
        return tuple(sorted(set(self.labels.values())))

    def logits(self, entry: Entry) -> Float32[Tensor, "n classes"]:
        """Of all images, by the entry's network."""
        return self.bench.predictions(subject_of(entry), self.images, self.images.ids())

    def shown(self, condition: str, ids: Sequence[int]) -> list[dict[str, Picture]]:
        """The pictures that a condition shows beside each image, by name."""
        entry = self.entries[condition]
        explainer = entry.required_explainer
        if not isinstance(explainer, Display) or not explainer.sentences():
            return [{} for _ in ids]
        made = self.bench.explanations(explainer, subject_of(entry), self.images, ids)
        return [
            {
                stimulus_name(condition, place): pixels(picture)
                for place, picture in enumerate(one.pictures)
            }
            for one in made
            if isinstance(one, ShownPictures)
        ]

    def photos(self, ids: Sequence[int]) -> list[Picture]:
        """The images themselves, as the network sees them."""
        return [pixels(self.images.batch([image]).images[0]) for image in ids]


def stimulus_name(condition: str, place: int) -> str:
    """What the picture at a place of a condition is called."""
    return f"{condition}-{place + 1}"


def pixels(image: Float[Tensor, "3 h w"]) -> Picture:
    """An image in [0, 1] as bytes."""
    levels = (image.detach().cpu().float().clamp(0, 1) * 255).round()
    return levels.to(torch.uint8).permute(1, 2, 0).contiguous()
