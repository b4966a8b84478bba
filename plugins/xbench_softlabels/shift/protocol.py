"""The shift protocol: classifiers on images that come from elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Drawing,
    Entry,
    EntryNetwork,
    EvaluatedSet,
    Explanation,
    IdealObserver,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    cases_by_role,
    evaluated_sets,
    shared_cases,
)
from xbench.kernels import pooled_logits
from xbench_softlabels.folds.fold_networks import (
    FoldNetworks,
    cases_by_fold,
    check_folds,
    fold_networks,
)
from xbench_softlabels.shift.rows import Answers, answers_of, averaged, shift_rows
from xbench_softlabels.shift.summary import AFAR, BASE, RISE, check_known, notes, scores

Networks = tuple[EntryNetwork, ...]
"""One, or those of an ensemble, which answer together."""


@dataclass(frozen=True)
class DistributionShift(Protocol):
    """How far classifiers fall where images come from elsewhere: sections 5 and 6 of the paper.

    "Human uncertainty makes classification more robust" (Peterson et al., ICCV 2019), Figure 2.
    The set `test` is the known one, and so is a further one that is named; all others shift. With
    `folds` images of `test` meet networks that were trained on the other folds; an image of
    another set meets the networks of all folds, and what they score is averaged, not what they
    say.
    """

    name: ClassVar[str] = "distribution-shift"
    scores: ClassVar[type[Explanation] | None] = None
    shard_size: ClassVar[int] = 500

    folds: int = 0
    """In how many folds of `test` networks are trained; 0 for the entries' own networks."""
    fold_seed: int = 0
    first_folds: int = 0
    """Of how many of the folds networks are trained; 0 for all."""
    known: str = BASE
    """The set from which rises count; it and `test` are no shift."""

    def __post_init__(self) -> None:
        """Check the numbers of folds."""
        check_folds(self.folds, self.first_folds)

    def needs(self) -> tuple[type[Annotation], ...]:
        """Nothing: labels are enough."""
        return ()

    def terms(self) -> Mapping[str, str]:
        """What decides, and what an interaction is."""
        return {
            "cross-entropy": "how far the probabilities of a network are from the labels, in "
            "nats; 0 is the best.",
            AFAR: "its mean over the sets of images that networks do not know the likes of, each "
            "set counting alike.",
            RISE: "how much larger it is on a set than on the known one; the difference of two "
            "entries is by how much more one of them gains where images shift.",
            "@": "what follows it is the set of test images.",
        }

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The weights of all networks; `MismatchError` where the known set is not there."""
        check_known(self.known, [of.name for of in evaluated_sets(entry)])
        folds = self._folds(entry)
        return {of.artefact: of.subject.weights for fold in folds for of in fold.networks}

    def _folds(self, entry: Entry) -> tuple[FoldNetworks, ...]:
        return fold_networks(entry, self.folds, self.fold_seed, self.first_folds)

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The images of `test` that are held out from networks, and those of all other sets."""
        known = [Case(BASE, image) for fold in self._folds(entry) for image in fold.images.ids()]
        others = [of for of in evaluated_sets(entry) if of.name != BASE]
        return [*known, *(Case(of.name, image) for of in others for image in of.ids)]

    def limited(self, entry: Entry, cases: Sequence[Case], limit: int) -> Sequence[Case]:
        """The first images of each set, of each as many where it has so many."""
        return shared_cases(cases, limit)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterator[Request]:
        """What each network says, set after set."""
        for of, groups in self._asked(entry, cases):
            for networks, own in groups:
                ids = tuple(case.id for case in own)
                for network in networks:
                    yield Request(None, network.subject, of.images, ids)

    def _asked(
        self, entry: Entry, cases: Sequence[Case]
    ) -> Iterator[tuple[EvaluatedSet, list[tuple[Networks, list[Case]]]]]:
        """Of each set, which networks are asked about which of its cases."""
        by_role, folds = cases_by_role(cases), self._folds(entry)
        for of in evaluated_sets(entry):
            own = by_role.get(of.name, [])
            if of.name == BASE:
                yield of, [(fold.networks, part) for fold, part in cases_by_fold(folds, own)]
            elif own:
                yield of, [(networks, own) for networks in _different(folds)]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image."""
        import pyarrow as pa

        tables = [
            table
            for of, groups in self._asked(entry, cases)
            for table in self._tables(entry, of, groups, bench)
        ]
        return pa.concat_tables(tables).unify_dictionaries()

    def _tables(
        self,
        entry: Entry,
        of: EvaluatedSet,
        groups: Sequence[tuple[Networks, list[Case]]],
        bench: Bench,
    ) -> Iterator[Rows]:
        """The rows of a set: of `test` group by group, of others what all networks say together."""
        answers = [_answers(networks, of, own, bench) for networks, own in groups]
        if of.name != BASE:
            groups, answers = groups[:1], [averaged(answers)]
        for (_, own), said in zip(groups, answers, strict=True):
            yield shift_rows(of.name, entry.repeat, own, said, _ideal(of, own))

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Accuracy and cross-entropy by set, their rise, and the mean of all that shift."""
        return {label: scores(table, self.known) for label, table in rows.items()}

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """Confidence by set, and how often the ideal observer is right."""
        return {label: {"sets": notes(table)} for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Accuracy and cross-entropy from set to set, as Figure 2 has them."""
        from xbench_softlabels.shift.figures import figures

        return figures(rows, roles, resampling, self.known)


def _different(folds: Sequence[FoldNetworks]) -> list[Networks]:
    """The networks of all folds, once each: those that are not trained are the same in all."""
    named = {tuple(of.artefact for of in fold.networks): fold.networks for fold in folds}
    return list(named.values())


def _answers(networks: Networks, of: EvaluatedSet, cases: Sequence[Case], bench: Bench) -> Answers:
    ids = [case.id for case in cases]
    logits: list[Float32[Tensor, "n classes"]] = [
        bench.predictions(network.subject, of.images, ids) for network in networks
    ]
    labels = of.labels[of.images.dataset.labels(ids)]
    return answers_of(pooled_logits(torch.stack(logits)), labels)


def _ideal(of: EvaluatedSet, cases: Sequence[Case]) -> Float64[Tensor, " n"]:
    """Whether the ideal observer is right about each image; NaN where there is none."""
    dataset, ids = of.images.dataset, [case.id for case in cases]
    if not isinstance(dataset, IdealObserver):
        return torch.full((len(ids),), float("nan"), dtype=torch.float64)
    return (dataset.class_posterior(ids).argmax(1) == dataset.labels(ids)).double()
