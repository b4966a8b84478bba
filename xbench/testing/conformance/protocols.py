"""What protocols must do."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import pyarrow as pa

from xbench.errors import DatasetError, MismatchError, ParameterError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.bench import Request
from xbench.interfaces.data.annotation import Annotation, kinds_of
from xbench.interfaces.data.case import Case
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.training import Training
from xbench.running.bench import LocalBench
from xbench.testing.conformance.rules import Beside, Rule
from xbench.testing.tiny import TinyClassifier, TinyDataset, TinyLoss, tiny_images
from xbench.testing.workplace import tiny_bench

_TRIED = 4
"""Cases that are evaluated."""
_LABELS = ("one", "other")


def rules(protocol: Protocol, beside: Beside) -> Iterator[Rule]:
    """Beyond its declaration none where it cannot score the tiny dataset or what is beside it."""
    yield Rule("declared", partial(_declared, protocol))
    yield Rule("terms", partial(_terms_faults, protocol))
    explainer = _fitting(protocol, beside)
    needs = [kinds_of(need) for need in protocol.needs()]
    if not all(issubclass(TinyDataset, kinds) for kinds in needs if _are_kinds(kinds)):
        return
    if explainer is None and getattr(protocol, "scores", None) is not None:
        return
    trial = Trial(protocol, explainer)
    if not trial.possible():
        return
    yield Rule("artefacts", trial.artefacts_faults)
    yield Rule("evaluated", trial.evaluated_faults)
    yield Rule("cases", trial.cases_faults)
    yield Rule("requests", trial.requests_faults)
    yield Rule("rows", trial.rows_faults)
    yield Rule("repeatable", trial.repeatable_faults)
    yield Rule("summary", trial.summary_faults)
    yield Rule("notes", trial.notes_faults)


def _fitting(protocol: Protocol, beside: Beside) -> Explainer | None:
    """An explainer of the kind that the protocol scores."""
    scored = getattr(protocol, "scores", None)
    if scored is None:
        return None
    explainers = (one for one in beside if isinstance(one, Explainer))
    return next((one for one in explainers if issubclass(one.makes, scored)), None)


def _declared(protocol: Protocol) -> Iterator[str]:
    scored, needs = getattr(type(protocol), "scores", ""), protocol.needs()
    if scored is not None and not _is(scored, Explanation):
        yield "does not say which kind of explanation it `scores`, or None for classifiers"
    for need in needs:
        if not _are_kinds(kinds_of(need)):
            yield f"needs {need!r}, which is no kind of annotation"
    if not isinstance(protocol.case, str) or not protocol.case:
        yield "has no word for a `case`"
    size = protocol.shard_size
    if size is not None and (not isinstance(size, int) or size < 1):
        yield f"has shards of {size!r} cases"


def _terms_faults(protocol: Protocol) -> Iterator[str]:
    terms = protocol.terms()
    if not isinstance(terms, Mapping):
        yield f"gives terms as a {type(terms).__name__}, not as sentences by term"
        return
    for term, sentence in terms.items():
        if not isinstance(term, str) or not term.strip():
            yield f"explains {term!r}, which is no term"
        if not isinstance(sentence, str) or "\n" in sentence or not sentence.endswith("."):
            yield f"explains {term!r} by {sentence!r}, which is no sentence on one line"


def _are_kinds(kinds: tuple[object, ...]) -> TypeGuard[tuple[type[Annotation], ...]]:
    return all(_is(kind, Annotation) for kind in kinds)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, type) and issubclass(value, kind)


class Evaluated(NamedTuple):
    """What a protocol makes of some cases of an entry."""

    cases: Sequence[Case]
    again: Sequence[Case]
    """The same, asked for a second time."""
    tried: Sequence[Case]
    requests: Sequence[Request]
    rows: Rows
    rows_again: Rows


@dataclass(frozen=True)
class Trial:
    """A protocol, with an entry of tiny things."""

    protocol: Protocol
    explainer: Explainer | None

    @cached_property
    def entry(self) -> Entry:
        """A classifier with random weights, or what explains it."""
        return Entry(
            label=_LABELS[0],
            role="entry",
            explainer=self.explainer,
            classifier=TinyClassifier(),
            loss=TinyLoss(),
            training=Training(epochs=0),
            datasets={split: tiny_images(split) for split in TinyDataset().splits()},
            repeat=0,
            seed=0,
            companion=self.protocol.companion(),
        )

    @cached_property
    def recipes(self) -> Mapping[str, Recipe]:
        """What it declares."""
        return self.protocol.artefacts(self.entry)

    @cached_property
    def evaluated(self) -> Evaluated:
        """The trial itself, in a store that is thrown away."""
        with tempfile.TemporaryDirectory() as folder:
            bench = tiny_bench(Path(folder))
            return self._evaluated(bench, bench.provider.all(self.recipes))

    def _evaluated(self, bench: LocalBench, artefacts: Artefacts) -> Evaluated:
        protocol, entry = self.protocol, self.entry
        cases, again = (list(protocol.cases(entry, artefacts)) for _ in range(2))
        tried = list(protocol.limited(entry, cases, _TRIED))
        requests = list(protocol.requests(entry, tried))
        rows, others = (protocol.evaluate(entry, tried, artefacts, bench) for _ in range(2))
        return Evaluated(cases, again, tried, requests, rows, others)

    @cached_property
    def rows(self) -> dict[str, Rows]:
        """The rows of two entries that are equal."""
        return dict.fromkeys(_LABELS, self.evaluated.rows)

    def possible(self) -> bool:
        """Whether it takes the tiny things; where it fails otherwise, its rules say so."""
        try:
            self.evaluated  # noqa: B018 - for its errors
        except (DatasetError, MismatchError, ParameterError):
            return False
        except Exception:  # noqa: BLE001 - whatever a component raises
            return True
        return True

    def artefacts_faults(self) -> Iterator[str]:
        """It declares recipes, by name."""
        for name, recipe in self.recipes.items():
            if not isinstance(recipe, Recipe):
                yield f"declares as artefact {name!r} a {type(recipe).__name__}, not a Recipe"

    def evaluated_faults(self) -> Iterator[str]:
        """It evaluates what it asks to evaluate."""
        self.evaluated  # noqa: B018 - for its errors
        yield from ()

    def cases_faults(self) -> Iterator[str]:
        """The same cases each time, each once; of them as many as asked for a quick run."""
        cases, again, tried = self.evaluated[:3]
        if not cases or not all(isinstance(case, Case) for case in cases):
            yield "has no cases, or cases that are no Case"
        if cases != again:
            yield "has other cases when it is asked again"
        if len(set(cases)) != len(cases):
            yield "has a case twice"
        if not set(tried) <= set(cases) or not tried:
            yield "gives for a quick run what are none of its cases"

    def requests_faults(self) -> Iterator[str]:
        """It asks for images that there are."""
        for request in self.evaluated.requests:
            if not isinstance(request, Request):
                yield f"asks for a {type(request).__name__}, not by a Request"
            elif not set(request.ids) <= set(request.images.ids()):
                yield "asks for images that their set does not have"

    def rows_faults(self) -> Iterator[str]:
        """Rows of the cases that are asked for, and of no others."""
        rows, asked = self.evaluated.rows, {str(case) for case in self.evaluated.tried}
        if not isinstance(rows, pa.Table) or "case" not in rows.column_names:
            yield "makes rows that are no table with a column `case`"
            return
        found = set(rows.column("case").to_pylist())
        if asked - found:
            yield f"makes no rows of case {min(asked - found)!r}, for which it was asked"
        if found - asked:
            yield f"makes rows of {min(map(str, found - asked))!r}, for which it was not asked"

    def repeatable_faults(self) -> Iterator[str]:
        """The same cases have the same rows."""
        one, other = self.evaluated.rows, self.evaluated.rows_again
        if repr(one.to_pydict()) != repr(other.to_pydict()):  # in which NaN is NaN
            yield "makes other rows of the same cases"

    def summary_faults(self) -> Iterator[str]:
        """Scores of every entry."""
        scores = self.protocol.summarise(self.rows)
        if scores.keys() != self.rows.keys():
            yield f"summarises entries {sorted(scores)} where there are {sorted(self.rows)}"
        for of_label in scores.values():
            yield from self._scores_faults(of_label)

    def _scores_faults(self, scores: Sequence[Any]) -> Iterator[str]:
        if not scores or not all(isinstance(one, CaseScores) for one in scores):
            yield "summarises an entry by nothing, or by what are no CaseScores"
            return
        names = [one.name for one in scores]
        if len(set(names)) != len(names):
            yield "has two scores of one name"
        if sum(bool(one.ranking) for one in scores) > 1:
            yield "has two scores that rank"

    def notes_faults(self) -> Iterator[str]:
        """Notes of every entry."""
        notes = self.protocol.notes(self.rows)
        if notes.keys() != self.rows.keys():
            yield f"notes something of entries {sorted(notes)} where there are {sorted(self.rows)}"
