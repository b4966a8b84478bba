"""Part effects: what becomes of an image's logits without each of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from xbench import Batch, Explanation, ImageSet


@dataclass(frozen=True, eq=False)
class PartEffects(Explanation):
    """The logits of one image as it is, and with one part after the other taken away or redrawn."""

    name: ClassVar[str] = "part-effects"

    logits: Float32[Tensor, " classes"]
    changed: Float32[Tensor, "draws parts classes"]
    """Without a part, or with other values of it."""
    parts: Int64[Tensor, " parts"]
    """Which parts were changed, by their place among all."""
    pixels: Int64[Tensor, " parts"]
    """How many pixels of them show."""

    def drops(self, label: int, against: int | None = None) -> Float32[Tensor, " parts"]:
        """By how much the logit of a class, less that of another, falls with each part.

        The mean over draws; in single precision, as maps have it.
        """
        before, after = self.logits.double(), self.changed.double().mean(0)
        drops = before[label] - after[:, label]
        if against is not None:
            drops = drops - (before[against] - after[:, against])
        return drops.float()

    def log_drops(self, label: int) -> Float64[Tensor, " parts"]:
        """By how much the log-probability of a class falls with each part; the mean over draws."""
        before = self.logits.double().log_softmax(0)[label]
        return before - self.changed.double().log_softmax(2)[:, :, label].mean(0)

    def tensors(self) -> Mapping[str, Tensor]:
        """The fields."""
        return {
            "logits": self.logits,
            "changed": self.changed,
            "parts": self.parts,
            "pixels": self.pixels,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The effects whose `tensors` these are."""
        return cls(**{name: tensors[name] for name in ("logits", "changed", "parts", "pixels")})

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """The image, and by how much each part's absence lowers the logit of its class."""
        from xbench_saliency.part_deletion.effects_figure import effects_figure

        return effects_figure(self, batch, class_names)


def stacked_logits(effects: "list[PartEffects]") -> Float32[Tensor, "n classes"]:
    """The logits of the images as they are."""
    return torch.stack([of_image.logits for of_image in effects])
