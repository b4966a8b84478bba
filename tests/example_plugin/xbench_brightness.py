"""A plugin: regions from brightness, for the pairs of another explainer."""

from dataclasses import dataclass, replace

from xbench_deliberative.insecurities import Insecurities

from xbench.explanation import Explainer
from xbench.hookspecs import hookimpl


@dataclass(frozen=True)
class Brightness(Explainer):
    """Bright pixels are what makes the classifier insecure."""

    name, makes = "brightness", Insecurities
    of: Explainer

    def explain(self, network, batch, artefacts, generator):
        found = self.of.explain(network, batch, artefacts, generator)
        maps = [image.mean(0, keepdim=True).expand(len(f), -1, -1) for f, image in zip(found, batch.images, strict=True)]
        return [replace(f, ambiguity_maps=m) for f, m in zip(found, maps, strict=True)]


@hookimpl
def register_explainers():
    return [Brightness]
