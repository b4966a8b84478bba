"""The loss-simulation protocol: what losses say of predictions that are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import torch

from xbench import (
    Annotation,
    Artefacts,
    Batch,
    Bench,
    Case,
    CaseScores,
    Drawing,
    Entry,
    Protocol,
    Recipe,
    Resampling,
    Role,
    Rows,
    Tree,
    annotated,
    case_column,
)
from xbench_explicable.simulation.plane import Predictions
from xbench_explicable.simulation.summary import FALLS, RISES, entry_notes, entry_scores


@dataclass(frozen=True)
class LossSimulation(Protocol):
    """Whether a loss punishes confidence in a far class more than in a close one.

    The numerical simulations of the paper's appendix. A case is a prediction of three
    classes; nothing is trained. What is asked of a loss is that it rises with every step
    that moves probability from the close to the far class, and falls as the correct class
    grows more probable.
    """

    name: ClassVar[str] = "loss-simulation"
    scores: ClassVar[None] = None
    case: ClassVar[str] = "prediction"

    def needs(self) -> tuple[type[Annotation], ...]:
        """Predictions to score."""
        return (Predictions,)

    def terms(self) -> Mapping[str, str]:
        """What is asked of a loss."""
        return {
            "prediction": "made-up probabilities of three classes: the correct one, a close and a "
            "far one.",
            RISES: "how often the loss grows when probability moves from the close to the far "
            "class, as it should.",
            FALLS: "how often the loss shrinks when the correct class grows more probable, as it "
            "should.",
        }

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Nothing."""
        return {}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """All predictions."""
        return [Case("test", number) for number in entry.datasets["test"].ids()]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """The loss of each prediction, as if it were alone in its batch, in double precision."""
        source, ids = entry.datasets["test"], [case.id for case in cases]
        predictions = annotated(source.dataset, Predictions).predictions(ids)
        stored = source.batch(ids)
        batch = Batch(stored.images.double(), stored.ids, stored.labels, source)
        targets = entry.loss.targets(batch, classes=3, epoch=0, generator=entry.source())
        pairs = zip(predictions.log()[:, None], targets.distribution[:, None], strict=True)
        losses = [entry.loss.score(p, targets._replace(distribution=target)) for p, target in pairs]
        columns = dict(zip(("p_correct", "p_close", "p_far"), predictions.T.numpy(), strict=True))
        columns["loss"] = torch.stack(losses).numpy()
        return pa.table({"case": case_column(cases), **columns})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """How often the loss rises towards the far class, and falls towards the correct one."""
        return {label: entry_scores(table) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Figure 1 of the paper's appendix."""
        from xbench_explicable.simulation.figure import figures

        return figures({label: tables[0] for label, tables in rows.items()}, roles)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """Where the loss is smallest, for each probability of the correct class."""
        return {label: entry_notes(table) for label, table in rows.items()}
