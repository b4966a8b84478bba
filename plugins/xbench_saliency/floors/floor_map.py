"""Floors: maps that know the image at most, and of the network only which class it predicts."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, final

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, Network
from xbench_saliency.maps.of_batch import saliency_maps
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Target, explained


@dataclass(frozen=True)
class FloorMap(Explainer):
    """The same map whatever the class; the network is asked which one the map is to speak for."""

    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    role: ClassVar[Literal["entry", "floor", "ceiling"]] = "floor"

    target: Target = "predicted"
    """Which class it is said to speak for: the most probable one, the image's label, or that of a
    number."""

    @abstractmethod
    def maps(self, batch: Batch, generator: Generator) -> Float[Tensor, "n h w"]:
        """Values from 0 on."""

    @final
    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image; what is random is drawn for each image from its own seed."""
        if not batch.ids:
            return []
        logits = network.logits(batch.images, batch.ids)
        what = explained(self.target, "", logits, batch)
        return saliency_maps(self.maps(batch, generator), what, batch)
