"""Concept scores: how much each concept would change the probability of the correct class."""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from xbench import Batch, Concept, Explanation, ImageSet, MismatchError
from xbench_ces.kernels.scores import descending_ranks, scaled_to_one

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ScoredConcept(NamedTuple):
    """A concept with its scores."""

    concept: Concept
    raw: float
    normalised: float
    place: int
    """Where it stands among the concepts."""


@dataclass(frozen=True, eq=False)
class ConceptScores(Explanation):
    """Conceptual explanation scores of one image, or of several together.

    Positive: adding the concept makes the class more probable.
    """

    name: ClassVar[str] = "concept scores"

    concepts: tuple[Concept, ...]
    raw: Float64[Tensor, " concepts"]
    """P(y | b + step) − P(y | b), summed over the images."""
    logarithmic: Float64[Tensor, " concepts"]
    """log P(y | b + step) − log P(y | b), summed over the images."""
    probability: float
    """P(y | b), the mean over the images."""
    label: int
    """y: the correct class, or the predicted one where the correct one is not known."""
    predicted: int
    """The most probable class; of several images the one that is so most often."""
    known: bool = True
    """Whether the correct class is known."""
    verified: bool = True
    """Whether the bank is known to belong to the network's weights."""
    images: int = 1
    examples: UInt8[Tensor, "concepts 3 s s"] | None = None
    saturated: float = math.nan
    """The share of the concepts whose P(y | b + step) lies below 1e-6 or above 1 − 1e-6, the
    mean over the images; NaN where no step was taken."""

    @property
    def normalised(self) -> Float64[Tensor, " concepts"]:
        """`raw` divided by its largest absolute value; 0 where all are 0."""
        return scaled_to_one(self.raw)

    def ranks(self) -> Float64[Tensor, " concepts"]:
        """The rank of each concept by `raw`, 1 for the largest; equals share their mean rank."""
        return descending_ranks(self.raw)

    def strongest(self, count: int) -> tuple[ScoredConcept, ...]:
        """The `count` concepts with the largest scores, the largest first."""
        return self._scored_concepts(self.raw.argsort(descending=True, stable=True)[:count])

    def opposing(self, count: int) -> tuple[ScoredConcept, ...]:
        """The `count` concepts with the smallest scores, the smallest first."""
        return self._scored_concepts(self.raw.argsort(stable=True)[:count])

    def _scored_concepts(self, places: Tensor) -> tuple[ScoredConcept, ...]:
        raw, normalised = self.raw.tolist(), self.normalised.tolist()
        return tuple(
            ScoredConcept(self.concepts[i], raw[i], normalised[i], i) for i in places.tolist()
        )

    def tensors(self) -> Mapping[str, Tensor]:
        """Everything by name; strings as their UTF-8 bytes."""
        names = json.dumps(self.concepts, ensure_ascii=False).encode()
        pictures = {} if self.examples is None else {"examples": self.examples}
        return {
            "concepts": torch.tensor(list(names), dtype=torch.uint8),
            "raw": self.raw,
            "logarithmic": self.logarithmic,
            "shares": torch.tensor([self.probability, self.saturated], dtype=torch.float64),
            "counts": torch.tensor([self.label, self.predicted, self.images]),
            "flags": torch.tensor([self.known, self.verified]),
            **pictures,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The scores whose `tensors` these are."""
        probability, saturated = tensors["shares"].tolist()
        label, predicted, images = tensors["counts"].tolist()
        known, verified = tensors["flags"].tolist()
        names = json.loads(bytes(tensors["concepts"].tolist()))
        return cls(
            concepts=tuple(Concept(*pair) for pair in names),
            raw=tensors["raw"],
            logarithmic=tensors["logarithmic"],
            probability=probability,
            label=label,
            predicted=predicted,
            known=known,
            verified=verified,
            images=images,
            examples=tensors.get("examples"),
            saturated=saturated,
        )

    def draw(
        self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]
    ) -> "Figure":
        """The images beside a signed bar chart of the strongest concepts, with their pictures.

        Of several images, which `batch` holds, the sum is drawn.
        """
        from xbench_ces.scores.chart import scores_figure

        return scores_figure(self, batch, examples, class_names)

    def _repr_html_(self) -> str:
        """A table for notebooks that needs nothing from elsewhere."""
        from xbench_ces.scores.notebook_table import scores_table

        return scores_table(self)


def together(scores: Sequence[ConceptScores]) -> ConceptScores:
    """The scores of several images of one class as one: the paper's sum over a batch.

    `MismatchError` for images of different classes or scores of different concepts.
    """
    if not scores:
        raise MismatchError("there are no concept scores to put together; give at least one")
    first = scores[0]
    _check_same(scores)
    counts = [explanation.images for explanation in scores]
    predicted = Counter(
        label for explanation in scores for label in [explanation.predicted] * explanation.images
    )
    return dataclasses.replace(
        first,
        raw=torch.stack([explanation.raw for explanation in scores]).sum(0),
        logarithmic=torch.stack([explanation.logarithmic for explanation in scores]).sum(0),
        probability=_mean([explanation.probability for explanation in scores], counts),
        predicted=min(predicted, key=lambda label: (-predicted[label], label)),
        known=all(explanation.known for explanation in scores),
        verified=all(explanation.verified for explanation in scores),
        images=sum(counts),
        saturated=_mean([explanation.saturated for explanation in scores], counts),
    )


def _mean(values: Sequence[float], counts: Sequence[int]) -> float:
    """The mean over images, each value being that of so many."""
    return sum(v * count for v, count in zip(values, counts, strict=True)) / sum(counts)


def _check_same(scores: Sequence[ConceptScores]) -> None:
    labels = sorted({explanation.label for explanation in scores})
    if len(labels) > 1:
        message = "concept scores can be put together for images of one class, not of classes "
        raise MismatchError(f"{message}{', '.join(map(str, labels))}; group them by `label` first")
    if any(explanation.concepts != scores[0].concepts for explanation in scores):
        message = "concept scores can be put together if they are of the same concepts in the "
        raise MismatchError(f"{message}same order; explain all images with one bank and threshold")
