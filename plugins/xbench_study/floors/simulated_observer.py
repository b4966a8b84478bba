"""The floor: another network in the place of people, which sees only what maps mark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import (
    Artefacts,
    Batch,
    Classifier,
    ClassifierWeights,
    Explainer,
    Explanation,
    Given,
    ImageSet,
    Network,
    Recipe,
    Role,
    derived_seed,
    planned_weights,
)
from xbench.networks import load_network
from xbench_study.designs.drafts import pixels
from xbench_study.floors.hiding import Hidden, marked, with_hidden
from xbench_study.floors.observation import Observation
from xbench_study.shown.shown_maps import ShownMaps

OBSERVER = "observer"
"""What the artefact of the observer's weights is called."""


@dataclass(frozen=True)
class SimulatedObserver(Explainer):
    """Another network answers in the place of people: a floor, and no result about people.

    Of an image it sees what the condition's maps mark, each map its strongest pixels, and nothing
    else; where a condition shows no map, the whole image. It answers by its most probable class
    among the options.
    """

    name: ClassVar[str] = "simulated-observer"
    makes: ClassVar[type[Observation]] = Observation
    role: ClassVar[Role] = "floor"
    example = MappingProxyType({"of": "shown-maps", "observer": "small-cnn"})

    of: Explainer
    """What the condition shows."""
    observer: Classifier
    """The network that looks; without weights of its own it is trained like the explained one, from
    another start."""
    share: float = 0.2
    """Of the pixels of each map, the strongest, which are seen."""
    hidden: Hidden = "mean"
    """What stands in the place of the others: the image's mean colour, or the image blurred."""

    def __post_init__(self) -> None:
        """Refuse what is no condition, and a share that is none."""
        if not self.condition:
            raise ValueError(f"of is {self.of.name!r}; it is what a condition shows: shown-maps")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}; it lies between 0 and 1")

    @property
    def condition(self) -> str:
        """The condition that is seen."""
        return self.of.condition if isinstance(self.of, ShownMaps) else ""

    def builds_on(self) -> Mapping[str, Explainer]:
        """The maps that the condition shows."""
        return self.of.inner()

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """The observer's weights, and what the maps need."""
        return {**self.of.artefacts(weights, datasets), OBSERVER: self._weights(weights)}

    def _weights(self, weights: ClassifierWeights) -> ClassifierWeights:
        plan = weights.required_plan
        trained = replace(
            plan,
            classifier=self.observer,
            validation=None,
            seed=derived_seed("simulated observer", plan.seed),
        )
        if self.observer.weights:
            as_it_is = replace(plan.training, epochs=0, new_head=False)
            trained = replace(trained, training=as_it_is, seed=0)
        return planned_weights(trained)

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> Sequence[Observation]:
        """What the observer sees of each image, and its logits."""
        maps = [given[field] for field in self.builds_on()]
        images = batch.images.detach()
        seen = torch.stack(
            [self._seen(image, [of[place] for of in maps]) for place, image in enumerate(images)]
        )
        observer = load_network(self.observer, artefacts[OBSERVER], images.device)
        with torch.no_grad():
            logits = observer.logits(seen, batch.ids).cpu().float()
        shown = (pixels(one).permute(2, 0, 1).contiguous() for one in seen)
        return [Observation(one, of) for one, of in zip(shown, logits, strict=True)]

    def _seen(
        self, image: Float[Tensor, "3 h w"], maps: Sequence[Explanation]
    ) -> Float[Tensor, "3 h w"]:
        if not maps:
            return image
        kept = marked([_strengths(one, image) for one in maps], self.share)
        return with_hidden(image, kept, self.hidden)


def _strengths(explanation: Explanation, image: Float[Tensor, "3 h w"]) -> Float[Tensor, "h w"]:
    """How strongly each pixel is marked: what a mask leaves of a white image."""
    white = torch.ones_like(image)
    left = explanation.wordless(white.cpu(), "mask").to(image).mean(0)
    height, width = image.shape[-2:]
    return torch.nn.functional.adaptive_avg_pool2d(left[None], (height, width))[0]
