"""Extremal perturbation: of all regions of a given size the one that a class needs most."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, Network, ParameterError, per_image
from xbench_saliency.extremal.optimisation import (
    Passes,
    Precision,
    Schedule,
    Settings,
    Variant,
    best_masks,
    grid_over,
)
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained

PIXELS = 32 * 224 * 224
"""Of perturbed images that are in the network at once: eight photographs at four areas."""


@dataclass(frozen=True)
class ExtremalPerturbation(Explainer):
    """Masks of given areas, each the one that speaks most for a class, and their sum as a map.

    "Understanding deep networks via extremal perturbations and smooth masks" (Fong, Patrick and
    Vedaldi, ICCV 2019): smooth masks, blur instead of what a mask leaves out, an area constraint
    by sorting. `raw` has the masks, one for each area, with values in [0, 1] on a grid of cells.
    """

    name: ClassVar[str] = "extremal-perturbation"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap

    areas: tuple[float, ...] = (0.2, 0.4, 0.5)
    """Shares of the image, each with a mask of its own."""
    variant: Variant = "preserve"
    """Whether a mask keeps what the class needs, is what to delete against it, or both (dual)."""
    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """Which class it is contrasted with: none, the next most probable, or that of a number."""
    steps: int = 50
    """Of gradient ascent by Adam, from each start."""
    learning_rate: float = 0.1
    """Of Adam; a mask's values lie in [0, 1]."""
    betas: tuple[float, float] = (0.8, 0.95)
    """Of Adam: how much of its running means is kept in a step. Few steps need a short memory."""
    penalty: tuple[float, float] = (3.0, 20000.0)
    """The weight of the area, in logits, at the first and the last step; geometric between."""
    start: float = 0.8
    """What masks are at first, but for the noise."""
    noise: float = 0.1
    """Standard deviation of what is added to this: it decides among equals, and starts differ."""
    starts: int = 4
    """From how many noises masks are optimised, at so many times the cost; of each area the mask is
    kept whose region, of exactly the area, is worth most."""
    step: float = 7.0
    """Pixels from one cell of the masks to the next, where images have a short side of 224."""
    sigma: float = 6.5
    """Pixels, likewise, that a cell reaches undiminished: how smooth masks are."""
    blur: float = 20.0
    """Pixels, likewise: standard deviation of the blur where a mask is 0."""
    levels: int = 8
    """Of blur, from the strongest to none; between two of them pixels are blended."""
    precision: Precision = "fp32"
    """Of the network's passes; `bf16` is faster where a processor has it, and masks differ."""
    channels_last: bool = False
    """Whether images lie in memory with their channels last: faster with many networks."""

    def __post_init__(self) -> None:
        """Refuse what no mask can be."""
        object.__setattr__(self, "areas", tuple(map(float, self.areas)))
        for name in ("penalty", "betas"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        outside = [area for area in self.areas if not 0 < area < 1]
        if outside or not self.areas:
            what = f"has {outside[0]:g}" if outside else "is empty"
            raise ParameterError(
                f"extremal-perturbation: areas {what}; give shares of the image between 0 and 1, "
                "such as areas = [0.2, 0.4, 0.5]"
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        for name in ("learning_rate", "step", "sigma", "blur"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ParameterError(f"extremal-perturbation: {name} must be above 0")
        for name, least in (("steps", 1), ("starts", 1), ("levels", 2), ("noise", 0)):
            if getattr(self, name) < least:
                raise ParameterError(f"extremal-perturbation: {name} must be at least {least}")
        if len(self.penalty) != 2 or min(self.penalty) <= 0:
            raise ParameterError(
                "extremal-perturbation: penalty is two numbers above 0, the weight of the area at "
                "the first and at the last step"
            )
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ParameterError("extremal-perturbation: betas is two numbers from 0 to below 1")
        if not 0 <= self.start <= 1:
            raise ParameterError("extremal-perturbation: start must lie between 0 and 1")

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image; the noise of its first masks is drawn from its own seed."""
        if not batch.ids:
            return []
        logits = network.logits(batch.images, batch.ids)
        subject = explained(self.target, self.against, logits, batch)
        size = (batch.images.shape[-2], batch.images.shape[-1])
        some = max(1, PIXELS // (len(self.areas) * size[0] * size[1]))
        made = [
            self._masks(network, batch, slice(first, first + some), subject, generator)
            for first in range(0, len(batch.ids), some)
        ]
        return _maps(torch.cat(made).cpu(), subject, size)

    def _masks(
        self,
        network: Network,
        batch: Batch,
        some: slice,
        subject: Explained,
        generator: Generator,
    ) -> Float[Tensor, "n m rows columns"]:
        """The masks of some of the batch's images."""
        images = batch.images[some].detach()
        settings = Settings(
            grid_over((images.shape[-2], images.shape[-1]), self.step, self.sigma, self.blur),
            Schedule(
                self.steps, self.learning_rate, self.betas, self.start, self.noise, self.penalty
            ),
            Passes(self.variant, self.precision, self.channels_last),
            self.levels,
            self.starts,
        )
        generators = [per_image(generator, image) for image in batch.ids[some]]
        part = Explained(
            subject.classes[some],
            None if subject.against is None else subject.against[some],
            subject.probabilities[some],
        )
        return best_masks(network, images, part, self.areas, generators, settings)


def _maps(
    masks: Float[Tensor, "n m rows columns"], subject: Explained, size: tuple[int, int]
) -> list[SaliencyMap]:
    others = [None] * len(masks) if subject.against is None else subject.against.tolist()
    parts = zip(
        masks, subject.classes.tolist(), subject.probabilities.tolist(), others, strict=True
    )
    return [
        SaliencyMap(raw.sum(0), label, probability, size, raw, against)
        for raw, label, probability, against in parts
    ]
