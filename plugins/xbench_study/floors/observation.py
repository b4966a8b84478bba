"""What a simulated observer sees of an image, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from jaxtyping import Float, UInt8
from torch import Tensor

from xbench import Batch, ImageSet
from xbench_study.shown.pictures import SIDE, Shown


@dataclass(frozen=True, eq=False)
class Observation(Shown):
    """What another network sees in the place of people, and the logits that it answers by."""

    name: ClassVar[str] = "simulated-observation"

    seen: UInt8[Tensor, "3 h w"]
    """The image, with what is hidden from it."""
    logits: Float[Tensor, " classes"]

    def tensors(self) -> Mapping[str, Tensor]:
        """`seen` and `logits`."""
        return {"seen": self.seen, "logits": self.logits}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The observation whose `tensors` these are."""
        return cls(tensors["seen"], tensors["logits"])

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """The image, and what a simulated observer sees of it, named so."""
        from xbench.figures import blank_figure, show_pixels

        figure = blank_figure(2 * SIDE, SIDE + 0.3)
        shown = {"the image": batch.images[0].cpu(), SEEN: self.seen.cpu() / 255}
        for place, (title, picture) in enumerate(shown.items()):
            axes = figure.add_axes((place / 2 + 0.01, 0.02, 0.48, 0.84))
            show_pixels(axes, picture.permute(1, 2, 0), smooth=False)
            axes.set_title(title, fontsize=8)
        return figure


SEEN = "what a simulated observer sees"
