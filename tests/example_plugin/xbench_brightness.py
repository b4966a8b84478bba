from dataclasses import dataclass, replace
from typing import Any

from torch import Generator

from xbench import Artefacts, Batch, Explainer, Given, Network, hookimpl
from xbench_deliberative.explanations.insecurities import Insecurities


@dataclass(frozen=True)
class Brightness(Explainer):
    """The pairs of another explainer, each with the bright pixels of the image."""

    name, makes = "brightness", Insecurities
    of: Explainer

    def explain(
        self, network: Network, batch: Batch, artefacts: Artefacts, source: Generator, given: Given
    ) -> list[Insecurities]:
        found: Any = given["of"]
        maps = batch.images.cpu().mean(dim=1, keepdim=True)
        return [replace(f, ambiguity_maps=m.expand(len(f), -1, -1)) for f, m in zip(found, maps)]


@hookimpl
def register_explainers() -> list[type[Explainer]]:
    return [Brightness]
