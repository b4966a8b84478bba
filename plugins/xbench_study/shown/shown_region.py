"""An explainer that says that people see one region of an image, or another piece of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Explanation, Given, Network, PairRegion, per_image
from xbench_study.shown.crops import Box, box_of, largest_part, shared_pixels, within
from xbench_study.shown.display import Display
from xbench_study.shown.pictures import ShownPictures

Place = Literal["explained", "random"]
NEUTRAL = 0.5
"""The grey in the box around a region, where the region is not."""
SHORTEST = 192
"""Pixels of a piece's longer side at least: small ones are enlarged, their pixels as squares."""


@dataclass(frozen=True)
class ShownRegion(Display):
    """The region of the two classes between which an explainer finds most doubt, alone.

    Or, as the control, a piece of the same image, form and size at a random place. The region is
    the largest connected part of what `of` says, cut out of the image; the rest of its box is
    grey. Images without such a region, and those where there is no other place, have no picture.
    """

    name: ClassVar[str] = "shown-region"

    of: Explainer
    """Its explanations have regions of two classes, as insecurities do; the strongest is shown."""
    condition: str = "region"
    """The condition's name in the study."""
    place: Place = "explained"
    """Where the piece lies: at the region, or at random."""
    coverage: float = 0.1
    """The share of the image that all parts of a region have together."""
    smallest: int = 200
    """The pixels that a region has at least."""
    overlap: float = 0.5
    """The share of the region that the piece at random may have at most."""

    def __post_init__(self) -> None:
        """Refuse shares that are none, and a condition without name."""
        if not self.condition.strip():
            raise ValueError("condition is empty; give it a name, such as 'region'")
        if not 0 < self.coverage < 1 or not 0 <= self.overlap < 1 or self.smallest < 1:
            raise ValueError(
                "coverage must lie between 0 and 1, overlap be at least 0 and below 1, and "
                f"smallest at least 1, not {self.coverage}, {self.overlap} and {self.smallest}"
            )

    def sentences(self) -> Sequence[str]:
        """One picture, and nothing below it."""
        return ("",)

    def strongest(self, explanation: Explanation) -> PairRegion | None:
        """The first region's largest part, with its classes; None where there is no region."""
        regions = explanation.pair_regions(self.coverage)
        return regions[0]._replace(region=largest_part(regions[0].region)) if regions else None

    def fault(self, strongest: PairRegion | None) -> str:
        """Why there is no picture of it; "" where there is one."""
        if strongest is None:
            return "no region of two classes"
        if int(strongest.region.sum()) < self.smallest:
            return f"a region of fewer than {self.smallest} pixels"
        return "" if self._places(strongest.region).numel() else "no other place for their region"

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> Sequence[ShownPictures]:
        """The piece of each image, or no picture."""
        return [
            self._picture(image.detach().cpu().float(), of, per_image(generator, number))
            for image, of, number in zip(batch.images, given["of"], batch.ids, strict=True)
        ]

    def _picture(
        self, image: Float[Tensor, "3 h w"], explanation: Explanation, source: Generator
    ) -> ShownPictures:
        strongest = self.strongest(explanation)
        if strongest is None or self.fault(strongest):
            return ShownPictures(image.new_zeros(0, *image.shape))
        box = box_of(strongest.region)
        form = within(strongest.region, box)
        if self.place == "random":
            box = _moved(box, self._places(strongest.region), source)
        return ShownPictures(_piece(image, box, form)[None])

    def _places(self, region: Bool[Tensor, "h w"]) -> Tensor:
        """First row and column of the places where the region's form shares little with it."""
        shared = shared_pixels(region, within(region, box_of(region)))
        return (shared <= self.overlap * int(region.sum())).nonzero()


def _moved(box: Box, places: Tensor, source: Generator) -> Box:
    """The box at one of the places."""
    drawn = int(torch.randint(len(places), (), generator=source))
    top, left = places[drawn].tolist()
    return Box(top, top + box.bottom - box.top, left, left + box.right - box.left)


def _piece(
    image: Float[Tensor, "3 h w"], box: Box, form: Bool[Tensor, "a b"]
) -> Float[Tensor, "3 c d"]:
    """What is in the box, grey where the form is not; enlarged if it is small."""
    piece = image[:, box.top : box.bottom, box.left : box.right]
    piece = piece.where(form[None], torch.full_like(piece, NEUTRAL))
    times = -(-SHORTEST // max(form.shape))
    return piece.repeat_interleave(times, dim=1).repeat_interleave(times, dim=2)
