"""A protocol that says how sure networks are, whatever weights they have."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from xbench import (
    Case,
    CaseScores,
    Protocol,
    case_column,
    case_places,
    subject_of,
    weights_recipe,
)


@dataclass(frozen=True)
class Sure(Protocol):
    """How sure networks are of the first class."""

    name: ClassVar[str] = "sure"
    scores: ClassVar[None] = None

    def needs(self):
        return ()

    def artefacts(self, entry):
        return {"weights": weights_recipe(entry)}

    def cases(self, entry, artefacts):
        return [Case("test", image) for image in entry.datasets["test"].ids()]

    def evaluate(self, entry, cases, artefacts, bench):
        ids = [case.id for case in cases]
        logits = bench.predictions(subject_of(entry), entry.datasets["test"], ids)
        return pa.table({"case": case_column(cases), "sure": logits.softmax(1)[:, 0].tolist()})

    def summarise(self, rows):
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table):
        sure = table.column("sure").to_numpy()
        return CaseScores("sure", "higher", case_places(table).rows, sure)
