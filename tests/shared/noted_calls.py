"""A benchmark of made-up components that note, in files, what they are asked to do.

In files, because processes share nothing else. Explanations are numbers.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from small_datasets import Stripes
from small_networks import Tiny
from xbench import (
    Batch,
    Bench,
    Benchmark,
    Case,
    CaseScores,
    Derivation,
    Entry,
    Explainer,
    Explanation,
    ImageSet,
    Line,
    Protocol,
    Request,
    Training,
    case_column,
    case_places,
    location,
    per_image,
    subject_of,
    weights_recipe,
)
from xbench_zoo.losses import CrossEntropy


def note(place: str, line: str) -> None:
    """Leave a file with a line in it."""
    if place:
        (Path(place) / uuid.uuid4().hex).write_text(line)


def noted(place: Path) -> list[str]:
    """The lines that were left, in no order."""
    return sorted(path.read_text() for path in Path(place).iterdir())


@dataclass(frozen=True, eq=False)
class Number(Explanation):
    """A number."""

    name: ClassVar[str] = "number"

    value: Tensor

    def tensors(self) -> Mapping[str, Tensor]:
        return {"value": self.value}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        return cls(tensors["value"])

    def draw(self, batch: Batch, examples: Any, class_names: tuple[str, ...]) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Brightest(Explainer):
    """The largest activation, and some noise of the image's own."""

    name: ClassVar[str] = "brightest"
    makes: ClassVar[type[Number]] = Number
    needs_cut: ClassVar[bool] = True

    place: str = location("")
    noise: float = 0.1

    def explain(self, network, batch, artefacts, generator, given):
        note(self.place, f"{self.name} {' '.join(map(str, batch.ids))}")
        values = network.activations(batch.images).flatten(1).max(1).values
        draws = [torch.rand((), generator=per_image(generator, image)) for image in batch.ids]
        return [Number(v + self.noise * d) for v, d in zip(values, draws, strict=True)]


@dataclass(frozen=True)
class Times(Explainer):
    """What another explainer makes, times a number."""

    name: ClassVar[str] = "times"
    makes: ClassVar[type[Number]] = Number

    of: Explainer
    place: str = location("")
    factor: float = 2.0

    def explain(self, network, batch, artefacts, generator, given):
        note(self.place, f"{self.name} {' '.join(map(str, batch.ids))}")
        return [Number(self.factor * number.value) for number in given["of"]]


@dataclass(frozen=True)
class Harmful(Explainer):
    """Leaves something changed."""

    name: ClassVar[str] = "harmful"
    makes: ClassVar[type[Number]] = Number

    harm: str = "weights"

    def explain(self, network, batch, artefacts, generator, given):
        values = [Number(torch.rand(())) for _ in batch.ids]
        getattr(self, self.harm)(network)
        return values

    def weights(self, network) -> None:
        next(network.top.parameters()).data.mul_(1.5)

    def mode(self, network) -> None:
        network.top.train()

    def dtype(self, network) -> None:
        torch.set_default_dtype(torch.float64)

    def reseeding(self, network) -> None:
        torch.manual_seed(7)
        random.seed(7)

    def nothing(self, network) -> None:
        pass


@dataclass(frozen=True)
class Halves(Protocol):
    """Scores numbers, of images as they are and half as bright, beside what the network says."""

    name: ClassVar[str] = "halves"
    scores: ClassVar[type[Number]] = Number
    shard_size: ClassVar[int] = 7

    place: str = location("")
    ask_before: bool = True

    def needs(self) -> tuple[()]:
        return ()

    def artefacts(self, entry: Entry):
        weights = weights_recipe(entry)
        return {"weights": weights, **entry.required_explainer.artefacts(weights, entry.datasets)}

    def cases(self, entry: Entry, artefacts) -> Sequence[Case]:
        return [Case("test", image) for image in reversed(entry.datasets["test"].ids())]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterable[Request]:
        if self.ask_before:
            asked = subject_of(entry), entry.datasets["test"], tuple(case.id for case in cases)
            yield Request(None, *asked)
            yield Request(entry.required_explainer, *asked)
            yield Request(entry.required_explainer, *asked, HALVED)

    def evaluate(self, entry: Entry, cases: Sequence[Case], artefacts, bench: Bench):
        note(self.place, f"evaluate {' '.join(str(case.id) for case in cases)}")
        asked = subject_of(entry), entry.datasets["test"], [case.id for case in cases]
        whole = bench.explanations(entry.required_explainer, *asked)
        half = bench.explanations(entry.required_explainer, *asked, HALVED)
        logits = bench.predictions(*asked)
        return pa.table(
            {
                "case": case_column(cases),
                "whole": [float(number.value) for number in whole],
                "half": [float(number.value) for number in half],
                "logit": logits.max(1).values.tolist(),
            }
        )

    def summarise(self, rows) -> Mapping[str, Sequence[CaseScores]]:
        return {label: list(self._scores(table)) for label, table in rows.items()}

    def _scores(self, table) -> Iterable[CaseScores]:
        names = case_places(table).rows
        for name in ("whole", "half", "logit"):
            values = np.array(table.column(name).to_pylist())
            yield CaseScores(name, "higher", names, values, name == "whole", "number")


def half(images: Tensor) -> Tensor:
    return images / 2


HALVED = Derivation("half", 1, {"brightness": 0.5}, half)


def made_up(
    explainers: Mapping[str, Explainer],
    *,
    place: Path | str = "",
    repeats: int = 1,
    epochs: int = 1,
    test: int = 30,
    ask_before: bool = True,
) -> Benchmark:
    """A benchmark of these explainers, the first of which is the entry, the others floors."""
    classifier, loss = Tiny(), CrossEntropy()
    training = Training(epochs=epochs, batch_size=8)
    lines = tuple(
        Line(label, "floor" if place_ else "entry", explainer, classifier, loss, training)
        for place_, (label, explainer) in enumerate(explainers.items())
    )
    return Benchmark(
        name="made-up",
        version="1",
        title="",
        protocol=Halves(str(place), ask_before),
        datasets={split: ImageSet(Stripes(), split) for split in ("train", "test")},
        classifier=classifier,
        loss=loss,
        training=training,
        lines=lines,
        contrasts=(),
        seed=0,
        repeats=repeats,
    )
