"""A protocol whose entries have ten networks, each trained on all folds but one."""

import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from noted_calls import note
from xbench import (
    Bench,
    Case,
    CaseScores,
    Entry,
    Folds,
    Protocol,
    Request,
    Subject,
    TrainedWeights,
    TrainingPlan,
    case_column,
    case_places,
    location,
)

COUNT = 10


@dataclass(frozen=True)
class TenFolds(Protocol):
    """The share of right answers, each image asked of the network that did not see it."""

    name: ClassVar[str] = "ten-folds"
    scores: ClassVar[None] = None
    shard_size: ClassVar[int] = 20

    place: str = location("")

    def needs(self) -> tuple[()]:
        return ()

    def folds(self, entry: Entry) -> Folds:
        return Folds(entry.datasets["train"], COUNT, entry.seed)

    def subjects(self, entry: Entry) -> list[Subject]:
        """The network of each fold."""
        classes = len(entry.datasets["train"].dataset.class_names())
        own = entry.classifier, entry.loss, entry.training
        images = [self.folds(entry).training(fold) for fold in range(COUNT)]
        plans = [TrainingPlan(*own, one, None, entry.seed, classes) for one in images]
        sets = entry.datasets
        return [Subject(entry.classifier, TrainedWeights(p), sets, entry.seed) for p in plans]

    def artefacts(self, entry: Entry):
        subjects = self.subjects(entry)
        return {f"weights/{fold}": subject.weights for fold, subject in enumerate(subjects)}

    def cases(self, entry: Entry, artefacts) -> Sequence[Case]:
        return [Case("train", image) for image in entry.datasets["train"].ids()]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterable[Request]:
        held_out = self.folds(entry).assignment()
        for fold, subject in enumerate(self.subjects(entry)):
            ids = tuple(case.id for case in cases if held_out[case.id] == fold)
            if ids:
                yield Request(None, subject, self.folds(entry).held_out(fold), ids)

    def evaluate(self, entry: Entry, cases: Sequence[Case], artefacts, bench: Bench):
        right: dict[int, bool] = {}
        for _, subject, images, ids, _ in self.requests(entry, cases):
            predicted = bench.predictions(subject, images, ids).argmax(1)
            labels = images.dataset.labels(ids)
            right |= dict(zip(ids, (predicted == labels).tolist(), strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        note(self.place, f"peak {peak}")
        return pa.table({"case": case_column(cases), "right": [right[case.id] for case in cases]})

    def summarise(self, rows):
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table) -> CaseScores:
        values = np.array(table.column("right").to_pylist(), float)
        return CaseScores("accuracy", "higher", case_places(table).rows, values, headline=True)
