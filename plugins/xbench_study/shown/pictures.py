"""Explanations as people in a study see them: pictures without a word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from jaxtyping import Float
from torch import Tensor

from xbench import Batch, Explanation, ImageSet


class Shown(Explanation):
    """What is shown in a condition of a study: pictures to people, or to who stands in for them."""

    name: ClassVar[str] = "shown"


@dataclass(frozen=True, eq=False)
class ShownPictures(Shown):
    """The pictures that stand beside one image; none where the image stands alone."""

    name: ClassVar[str] = "shown-pictures"

    pictures: Float[Tensor, "k 3 h w"]
    """RGB in [0, 1], in the order of the maps that they are of."""

    def tensors(self) -> Mapping[str, Tensor]:
        """`pictures`."""
        return {"pictures": self.pictures}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The pictures whose `tensors` these are."""
        return cls(tensors["pictures"])

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """The image and the pictures in one row, as participants see them."""
        from xbench.figures import blank_figure, show_pixels

        shown = [batch.images[0].cpu(), *self.pictures.cpu()]
        figure = blank_figure(SIDE * len(shown), SIDE)
        for place, picture in enumerate(shown):
            axes = figure.add_axes((place / len(shown) + 0.01, 0.02, 1 / len(shown) - 0.02, 0.96))
            show_pixels(axes, picture.permute(1, 2, 0), smooth=False)
        return figure


SIDE = 2.2
"""Inches of a picture's side."""
