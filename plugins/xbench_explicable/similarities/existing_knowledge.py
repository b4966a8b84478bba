"""EKL: similarities that a dictionary knows already."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float64
from torch import Tensor

from xbench import Dataset, Similarity, Tree, location
from xbench_explicable.wordnet import nouns as wordnet
from xbench_explicable.wordnet.senses import Senses, source_digests, synsets


@dataclass(frozen=True)
class ExistingKnowledge(Similarity):
    """WordNet's path similarity of the nouns that the classes are, in [0, 1]."""

    name: ClassVar[str] = "ekl"

    senses: Senses = "corrected"
    """"official" takes the first noun sense of every name, as the paper's code does."""
    synsets: str = location("")
    """A table of class,synset for classes whose names do not tell which noun is meant."""
    wordnet: str = location("")
    """The folder of a full WordNet 3.0 in place of the bundled nouns."""

    def parameters(self) -> Tree:
        """The fields, and what is in the files that nouns are found by."""
        return {**super().parameters(), **source_digests(self.synsets, self.wordnet)}

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """1 / (1 + steps by way of the nearest common hypernym)."""
        return _matrix(self, dataset, dataset.class_names(), str(self.parameters())).clone()

    def facts(self, dataset: Dataset) -> dict[str, Any]:
        """Which noun each class is taken for, and what WordNet says it means."""
        class_synsets = synsets(dataset, self.senses, self.synsets, self.wordnet)
        definitions = [f"{synset.name()}: {synset.definition()}" for synset in class_synsets]
        return {"nouns": dict(zip(dataset.class_names(), definitions, strict=True))}


@functools.lru_cache(maxsize=8)
def _matrix(
    similarity: ExistingKnowledge, dataset: Dataset, names: tuple[str, ...], state: str
) -> Float64[Tensor, "classes classes"]:
    """For classes of these names; `state` tells one content of the files from another."""
    class_synsets = synsets(dataset, similarity.senses, similarity.synsets, similarity.wordnet)
    return wordnet.path_similarities(class_synsets)
