"""The floor of guessing: whoever chooses one of the options without having looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from xbench import Artefacts, Batch, Explainer, Given, Network, Role
from xbench_study.shown.pictures import ShownPictures


@dataclass(frozen=True)
class SimulatedGuessing(Explainer):
    """Guessing in the place of people, who are shown nothing: each option is taken alike often."""

    name: ClassVar[str] = "simulated-guessing"
    makes: ClassVar[type[ShownPictures]] = ShownPictures
    role: ClassVar[Role] = "floor"
    kept: ClassVar[bool] = False

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> Sequence[ShownPictures]:
        """No picture of any image."""
        return [ShownPictures(image.new_zeros(0, *image.shape)) for image in batch.images.detach()]
