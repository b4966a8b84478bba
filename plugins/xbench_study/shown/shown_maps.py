"""An explainer that says what people in one condition of a study are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator

from xbench import (
    Artefacts,
    Batch,
    ClassifierWeights,
    Explainer,
    Explanation,
    Given,
    ImageSet,
    Look,
    Network,
    Recipe,
)
from xbench_study.shown.display import Display
from xbench_study.shown.pictures import ShownPictures


@dataclass(frozen=True)
class ShownMaps(Display):
    """What people in one condition see beside the image: pictures of explanations, or nothing.

    Entries of a study compare conditions: this is how a benchmark file says what each one shows.
    Pictures have neither words nor numbers, so that they name no class.
    """

    name: ClassVar[str] = "shown-maps"

    condition: str = "image"
    """The condition's name in the study."""
    maps: tuple[Explainer, ...] = ()
    """What is shown, in this order; nothing where the image stands alone."""
    looks: tuple[Look, ...] = ()
    """How each of them is shown; () for overlays."""
    captions: tuple[str, ...] = ()
    """The sentence below each of them, in plain words; () for none."""

    def __post_init__(self) -> None:
        """Refuse captions and looks that are not of these maps."""
        if not self.condition.strip():
            raise ValueError("condition is empty; give it a name, such as 'maps'")
        for name, values in (("looks", self.looks), ("captions", self.captions)):
            if values and len(values) != len(self.maps):
                raise ValueError(f"{len(values)} {name} for {len(self.maps)} maps; one for each")

    def sentences(self) -> Sequence[str]:
        """The captions; nothing below maps without any."""
        return self.captions or ("",) * len(self.maps)

    def inner(self) -> Mapping[str, Explainer]:
        """The maps by `maps.PLACE`."""
        return {f"maps.{place}": explainer for place, explainer in enumerate(self.maps)}

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """What the maps need, each under its place: two of one kind may need different ones."""
        return {
            f"{place}/{name}": recipe
            for place, explainer in self.inner().items()
            for name, recipe in explainer.artefacts(weights, datasets).items()
        }

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> Sequence[ShownPictures]:
        """The pictures of each image, made of what the maps' explainers were asked for."""
        overlays: list[Look] = ["overlay" for _ in self.maps]
        looks = list(self.looks) or overlays
        columns = [given[field] for field in self.inner()]
        return [
            _pictures(image, [column[place] for column in columns], looks)
            for place, image in enumerate(batch.images.detach().cpu().float())
        ]


def _pictures(
    image: torch.Tensor, explanations: Sequence[Explanation], looks: Sequence[Look]
) -> ShownPictures:
    pictures = [
        explanation.wordless(image, look)
        for explanation, look in zip(explanations, looks, strict=True)
    ]
    height = max((picture.shape[-2] for picture in pictures), default=0)
    fitted = [_enlarged(picture, height) for picture in pictures]
    return ShownPictures(torch.stack(fitted) if fitted else image.new_zeros(0, *image.shape))


def _enlarged(picture: torch.Tensor, height: int) -> torch.Tensor:
    """Pictures of small images may come enlarged, others not: all get the largest size."""
    times = height // picture.shape[-2]
    return picture.repeat_interleave(times, dim=1).repeat_interleave(times, dim=2)
