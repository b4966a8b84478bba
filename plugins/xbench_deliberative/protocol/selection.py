"""The list of the hardest images, by a difficulty score of the trained classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import (
    Artefact,
    Artefacts,
    Classifier,
    ClassifierWeights,
    Difficulty,
    Entry,
    Explainer,
    ImageSet,
    MismatchError,
    Recipe,
    Workplace,
)


@dataclass(frozen=True)
class HardestImages(Recipe):
    """The `count` images of largest difficulty; equals are taken in the order of their ids."""

    kind: ClassVar[str] = "hardest-images"
    not_in_key: ClassVar[tuple[str, ...]] = ("weights",)

    images: ImageSet
    classifier: Classifier
    weights: ClassifierWeights
    difficulty: Difficulty
    count: int

    def needs(self) -> Mapping[str, Recipe]:
        """The trained weights, and what the difficulty score needs."""
        return {**self.difficulty.artefacts(self.weights), "weights": self.weights}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """`ids`, the hardest first, and their `difficulties`."""
        ids = torch.tensor(self.images.ids())
        scores = self._difficulties(needs, workplace)
        order = hardest_first(scores, ids)[: self.count]
        facts = {"easiest_chosen": float(scores[order[-1]]), "mean": float(scores.mean())}
        return Artefact(self.key, {"ids": ids[order], "difficulties": scores[order]}, facts)

    def _difficulties(self, needs: Artefacts, workplace: Workplace) -> Float64[Tensor, " n"]:
        network = workplace.network(self.classifier, needs["weights"])
        readout = self.difficulty.readout(network, needs)
        ids, scores = self.images.ids(), []
        for start in range(0, len(ids), workplace.batch_size):
            chunk = ids[start : start + workplace.batch_size]
            images = self.images.batch(chunk).images.to(workplace.device)
            predictions = network.checked(readout.predictions(images), chunk)
            scores.append(predictions[:, 0].double().cpu())
            workplace.progress.update("selecting the hardest images", start + len(chunk), len(ids))
        return torch.cat(scores)


def hardest_first(scores: Float64[Tensor, " n"], ids: Tensor) -> Tensor:
    """Positions in the order of falling score, then rising id."""
    by_id = ids.argsort(stable=True)
    return by_id[scores[by_id].argsort(descending=True, stable=True)]


def own_difficulty(entry: Entry) -> Difficulty | None:
    """The difficulty score that an entry's explainer, or the one it builds on, uses.

    None for a floor or ceiling that uses none; an entry must have one.
    """
    explainer = entry.required_explainer
    difficulty = _difficulty(explainer)
    if difficulty is None and entry.role == "entry":
        raise MismatchError(
            f"explainer {explainer.name!r} has no difficulty score of its own to select "
            'images by; use selection = "reference" or "all"'
        )
    return difficulty


def _difficulty(explainer: Explainer) -> Difficulty | None:
    difficulty = getattr(explainer, "difficulty", None)
    if isinstance(difficulty, Difficulty):
        return difficulty
    of = getattr(explainer, "of", None)
    return _difficulty(of) if isinstance(of, Explainer) else None
