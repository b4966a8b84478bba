"""The human-fit protocol: how near a classifier's probabilities are to the labels of people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
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
    Explanation,
    HumanLabels,
    ImageSet,
    MismatchError,
    ParameterError,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    SplitPredictions,
    Tree,
)
from xbench.kernels import pooled_logits
from xbench_softlabels.fit.notes import notes_by_label
from xbench_softlabels.fit.people import check_classes, check_order, check_people, people
from xbench_softlabels.fit.rows import Answers, answer_rows, fit_columns
from xbench_softlabels.fit.search import check_search, search_entry
from xbench_softlabels.fit.summary import TERMS, case_scores
from xbench_softlabels.folds.fold_networks import (
    FoldNetworks,
    cases_by_fold,
    check_folds,
    fold_networks,
)


@dataclass(frozen=True)
class HumanFit(Protocol):
    """How near what a classifier says of an image is to what people say of it.

    "Human uncertainty makes classification more robust" (Peterson, Battleday, Griffiths and
    Russakovsky, ICCV 2019): cross-entropy to the distribution of people's labels and to the hard
    label, accuracy, second-best accuracy, and confidence when right and when wrong (Figure 3A). A
    case is an image of the role `test`, whose dataset has labels of several annotators. With
    `folds`, networks are trained on the images of the other folds, with their labels.
    """

    name: ClassVar[str] = "human-fit"
    scores: ClassVar[type[Explanation] | None] = None
    trains: ClassVar[bool] = True
    shard_size: ClassVar[int] = 1000

    folds: int = 0
    """In how many folds test images are parted; 0: networks are trained on the role `train`."""
    fold_seed: int = 0
    """Decides which image lies in which fold."""
    first_folds: int = 0
    """How many of the folds are trained and scored; 0 for all."""
    search_folds: int = 0
    """To choose by these scores: the first fold is left out, and the images of the others are
    parted in so many folds in the place of `folds`; 0: no search."""

    def __post_init__(self) -> None:
        """Refuse numbers of folds that cannot be."""
        try:
            check_search(self.folds, self.search_folds)
            check_folds(self.search_folds or self.folds, self.first_folds)
        except ParameterError as error:
            raise ValueError(f"{error}") from error

    def terms(self) -> Mapping[str, str]:
        """What is measured, and from whose labels."""
        return TERMS

    def needs(self) -> tuple[type[Annotation], ...]:
        """Labels of several annotators."""
        return (HumanLabels,)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The trained weights of each fold, of all members of an ensemble."""
        check_people(entry.datasets["test"])
        check_classes(entry.datasets["test"], entry.datasets["train"])
        networks = [network for fold in self._folds(entry) for network in fold.networks]
        return {network.artefact: network.subject.weights for network in networks}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The test images, fold by fold."""
        return [Case("test", image) for fold in self._folds(entry) for image in fold.images.ids()]

    def limited(self, entry: Entry, cases: Sequence[Case], limit: int) -> Sequence[Case]:
        """The first test images, of each fold as many where there are folds."""
        folds = [[case.id for case in own] for _, own in self._by_fold(entry, cases)]
        turns = {id_: place for own in folds for place, id_ in enumerate(own)}
        chosen = {case.id for case in sorted(cases, key=lambda case: turns[case.id])[:limit]}
        return [case for case in cases if case.id in chosen]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterator[Request]:
        """What each fold's networks say of its cases."""
        for fold, own in self._by_fold(entry, cases):
            ids = tuple(case.id for case in own)
            for network in fold.networks:
                yield Request(None, network.subject, fold.images, ids)

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image; an ensemble answers with the mean of its members' probabilities."""
        import pyarrow as pa

        tables = []
        for fold, own in self._by_fold(entry, cases):
            said = people(fold.images, [case.id for case in own])
            answers = Answers(own, entry.repeat, fold.fold, said, _answers(fold, own, bench))
            tables.append(answer_rows(answers))
        return pa.concat_tables(tables).unify_dictionaries()

    @property
    def _parts(self) -> int:
        """In how many folds the images are parted that are scored or trained on."""
        return self.search_folds or self.folds

    def _folds(self, entry: Entry) -> tuple[FoldNetworks, ...]:
        searched = search_entry(entry, self.folds, self.fold_seed) if self.search_folds else entry
        return fold_networks(searched, self._parts, self.fold_seed, self.first_folds)

    def _by_fold(
        self, entry: Entry, cases: Sequence[Case]
    ) -> Iterator[tuple[FoldNetworks, list[Case]]]:
        """The folds that have some of the cases, with these."""
        return cases_by_fold(self._folds(entry), cases)

    def for_predictions(self) -> "HumanFit":
        """Without folds: nothing is trained."""
        return HumanFit()

    def predicted_rows(self, images: ImageSet, predictions: SplitPredictions) -> Rows:
        """One row per image; `MismatchError` where there are no probabilities."""
        check_people(images)
        said, logarithms = people(images, images.ids()), predictions.log_probabilities
        if logarithms is None:
            raise MismatchError(
                "the fit to people is that of probabilities, and the file has predicted classes "
                "alone; give an array probabilities or logits (images × classes)"
            )
        if predictions.matching == "assumed":
            check_order(said.labels, predictions.predicted, logarithms.shape[1])
        cases = [Case("test", image) for image in images.ids()]
        return answer_rows(Answers(cases, 0, 0, said, logarithms))

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Distances from people and from labels, choices, and confidence."""
        return {label: case_scores(table) for label, table in rows.items()}

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """Bounds, floors and ceilings of these images, calibration, and how folds differ."""
        return notes_by_label(rows, self._parts)

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Fit by people's entropy, confidence (Figure 3A), reliability, folds, and ceilings."""
        from xbench_softlabels.fit.figures import figures

        return figures(rows, roles, resampling, self._parts)

    def pictures(
        self,
        entries: Mapping[str, Entry],
        rows: Mapping[str, Rows],
        artefacts: Mapping[str, Artefacts],
        bench: Bench,
    ) -> Mapping[str, Drawing]:
        """Single images beside what people and networks say of them (Figures 1 and 3B)."""
        from xbench_softlabels.fit.chosen_images import Line
        from xbench_softlabels.fit.image_bars import image_drawings

        def answers(
            entry: Entry, cases: Sequence[Case]
        ) -> dict[Case, Float64[np.ndarray, " classes"]]:
            folds = [(own, _answers(fold, own, bench)) for fold, own in self._by_fold(entry, cases)]
            return {case: row for own, of in folds for case, row in zip(own, of, strict=True)}

        lines = [Line(label, entry, fit_columns(rows[label])) for label, entry in entries.items()]
        return image_drawings(lines, answers)


def _answers(
    fold: FoldNetworks, cases: Sequence[Case], bench: Bench
) -> Float64[np.ndarray, "n classes"]:
    """The logarithms of what the fold's networks say of its cases."""
    ids = [case.id for case in cases]
    return _log_probabilities(
        [bench.predictions(of.subject, fold.images, ids) for of in fold.networks]
    )


def _log_probabilities(
    logits: Sequence[Float32[Tensor, "n classes"]],
) -> Float64[np.ndarray, "n classes"]:
    """Of the logits themselves: a probability that is 0 in single precision has a logarithm."""
    return pooled_logits(torch.stack(list(logits))).double().log_softmax(1).numpy()
