"""What there is to say of a similarity."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import Dataset, Similarity, checked_similarity, normalised_similarity
from xbench_explicable.kernels.targets import entropies, softmax_rows

FEW = 20
"""Up to how many classes the whole table is printed."""
NEAREST, FARTHEST = 15, 5
"""How many pairs are printed for many classes."""
SHOWN = 20
"""How many lines a list within the facts has at most."""

TextTable = tuple[str, list[str], list[list[str]]]


@runtime_checkable
class Factual(Protocol):
    """A similarity that has something to say of how it came about."""

    def facts(self, dataset: Dataset) -> Mapping[str, Any]:
        """Plain values by name."""


class Target(NamedTuple):
    """What a weighted loss would aim at."""

    diagonal: float
    """The mean probability of the true class."""
    entropy: float
    """The mean entropy, in nats."""


class Facts(NamedTuple):
    """A similarity of a dataset's classes, and what there is to say of it."""

    similarity: str
    dataset: str
    names: tuple[str, ...]
    matrix: Float64[Tensor, "classes classes"]
    labels_needed: int
    details: Mapping[str, Any]

    def targets(self) -> dict[str, Target]:
        """What the presets of a weighted loss make of it."""
        rows = normalised_similarity(self.matrix)
        return {
            "normalised": _target(rows),
            "softmax": _target(softmax_rows(self.matrix, 1.0)),
            "softmax of normalised rows": _target(softmax_rows(rows, 1.0)),
        }

    def summary(self) -> dict[str, Any]:
        """Everything but the matrix, as plain values."""
        return {
            "similarity": self.similarity,
            "dataset": self.dataset,
            "classes": list(self.names),
            "labels_needed": self.labels_needed,
            "symmetric": self.symmetric(),
            "nearer_than_itself": self.nearer_than_itself(),
            "targets": {name: target._asdict() for name, target in self.targets().items()},
            "facts": dict(self.details),
        }

    def symmetric(self) -> bool:
        """Whether rows and columns mean the same."""
        return torch.allclose(self.matrix, self.matrix.T, rtol=1e-9, atol=0)

    def nearer_than_itself(self) -> list[str]:
        """Classes to which another one is nearer than they are themselves."""
        nearer = self.matrix.amax(1) > self.matrix.diagonal()
        return [self.names[row] for row in nearer.nonzero()[:, 0].tolist()]

    def lines(self) -> list[str]:
        """The same for people."""
        kind = "symmetric" if self.symmetric() else "rows true, columns predicted classes"
        nearer = self.nearer_than_itself()
        return [
            f"similarity {self.similarity} of {self.dataset}: {len(self.names)} classes, {kind}",
            f"labels needed: {self.labels_needed}",
            *(
                f"target {name}: true class {target.diagonal:.3f}, "
                f"entropy {target.entropy:.3f} nats"
                for name, target in self.targets().items()
            ),
            *(
                [f"nearer to another class than to themselves: {', '.join(nearer)}"]
                if nearer
                else []
            ),
            *_fact_lines(self.details),
        ]

    def tables(self, class_name: str | None = None) -> Iterator[TextTable]:
        """The whole matrix, its nearest and farthest pairs, or one row in order."""
        if class_name is not None:
            yield self._row_table(class_name)
        elif len(self.names) <= FEW:
            yield self._matrix_table()
        else:
            pairs = self._pairs()
            columns = ["true", "predicted", "similarity"]
            yield f"Nearest of {len(pairs)} pairs", columns, self._cells(pairs[:NEAREST])
            yield "Farthest", columns, self._cells(pairs[-FARTHEST:])

    def _matrix_table(self) -> TextTable:
        rows = zip(self.names, self.matrix.tolist(), strict=True)
        cells = [[name, *(f"{value:.3f}" for value in row)] for name, row in rows]
        return f"Similarity {self.similarity} of {self.dataset}", ["true", *self.names], cells

    def _row_table(self, class_name: str) -> TextTable:
        row = self.matrix[self.names.index(class_name)]
        order = row.argsort(descending=True, stable=True).tolist()
        cells = [[self.names[place], f"{float(row[place]):.3f}"] for place in order]
        return f"Nearness to {class_name}", ["predicted", "similarity"], cells

    def _pairs(self) -> list[tuple[int, int]]:
        """Pairs of different classes, nearest first; each once where that says all."""
        rows, columns = (~torch.eye(len(self.names)).bool()).nonzero().T
        chosen = (rows < columns) | (not self.symmetric())
        rows, columns = rows[chosen], columns[chosen]
        order = self.matrix[rows, columns].argsort(descending=True, stable=True)
        return list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))

    def _cells(self, pairs: list[tuple[int, int]]) -> list[list[str]]:
        return [
            [self.names[row], self.names[column], f"{float(self.matrix[row, column]):.3f}"]
            for row, column in pairs
        ]


def similarity_facts(similarity: Similarity, dataset: Dataset) -> Facts:
    """The similarity of a dataset's classes, checked, with what there is to say of it."""
    names = dataset.class_names()
    what = f"similarity {similarity.name!r}"
    return Facts(
        similarity.name,
        dataset.name,
        names,
        checked_similarity(similarity.matrix(dataset), names, what),
        similarity.labels_needed(dataset),
        similarity.facts(dataset) if isinstance(similarity, Factual) else {},
    )


def _target(rows: Float64[Tensor, "classes classes"]) -> Target:
    return Target(float(rows.diagonal().mean()), float(entropies(rows).mean()))


def _fact_lines(details: Mapping[str, Any]) -> Iterator[str]:
    for name, value in details.items():
        if not isinstance(value, Mapping):
            yield f"{name}: {f'{value:.3f}' if isinstance(value, float) else value}"
            continue
        if not value:
            yield f"{name}: none"
            continue
        yield f"{name}:"
        yield from (f"  {key}: {item}" for key, item in list(value.items())[:SHOWN])
        if len(value) > SHOWN:
            yield f"  and {len(value) - SHOWN} more (--json shows all)"
