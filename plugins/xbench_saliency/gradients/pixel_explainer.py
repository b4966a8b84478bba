"""Explainers that give every value of an image a number."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, Network
from xbench_saliency.maps.of_batch import saliency_maps
from xbench_saliency.maps.passes import check_per_pass
from xbench_saliency.maps.reduction import Channels, Sign, reduced, with_sign
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained


@dataclass(frozen=True)
class PixelExplainer(Explainer):
    """Gives every channel of every pixel a number, and reduces these to a map."""

    makes: ClassVar[type[SaliencyMap]] = SaliencyMap

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """The class that it is contrasted with: none, the runner-up, or that of a number."""
    channels: Channels = "sum"
    """How the values of a pixel's channels become one."""
    sign: Sign = "signed"
    """What of the map is kept."""
    per_pass: int = 0
    """Images in one pass; 0 for as many as fit a fixed number of pixels, whatever the batch."""

    def __post_init__(self) -> None:
        """Refuse passes of fewer images than none."""
        check_per_pass(self.per_pass)

    @abstractmethod
    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """How much each channel of each pixel speaks for what is explained."""

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
        what = explained(self.target, self.against, logits, batch)
        maps = reduced(self.values(network, batch, what, generator), self.channels)
        return saliency_maps(with_sign(maps, self.sign), what, batch)
