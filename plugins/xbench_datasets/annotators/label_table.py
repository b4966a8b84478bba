"""A dataset with the answers of annotators from a table."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from xbench import (
    AnnotatorLabels,
    DatasetError,
    DerivedDataset,
    HumanLabels,
    UnknownNameError,
    fingerprint,
    line_error,
    location,
)
from xbench_datasets.annotators.table import Answer, Columns, answered_class, read_answers
from xbench_datasets.way_out import option

WHAT = "dataset 'label-table'"
LEAST = 0.5
"""Share of images whose label must be what most annotators say: in another order it is chance."""


@dataclass(frozen=True)
class LabelTable(DerivedDataset, HumanLabels):
    """A split of any dataset, and what annotators said of its images: one line an answer.

    Its one split is `split`. Images that nobody answered about are left out.
    """

    name: ClassVar[str] = "label-table"

    table: str = location("")
    """The table, with a first line that names its columns; comma, semicolon or tab part them."""
    split: str = "test"
    """The split of `of` that the answers are about."""
    image: str = "image"
    """The column that says which image it was."""
    images_are: Literal["ids", "places"] = "ids"
    """What stands there: ids of the dataset `of`, or places in its split, counted from 0."""
    annotator: str = "annotator"
    """The column that says who answered; "" for a table without one."""
    label: str = "label"
    """The column of the answer: the name of a class, or its number, counted from 0."""
    where: tuple[str, ...] = ()
    """Only lines with these values count, such as "is_attn_check=0"."""
    agreement: float = LEAST
    """The least share of images of which the label has to be the most frequent answer."""

    def __post_init__(self) -> None:
        """Refuse conditions that are none, and a share that is none."""
        for text in self.where:
            if not text.partition("=")[0] or "=" not in text:
                raise ValueError(f"where: {text!r} is no condition; write COLUMN=VALUE")
        if not 0 <= self.agreement <= 1:
            raise ValueError(f"agreement is {self.agreement}; it is a share, from 0 to 1")

    def check(self) -> None:
        """Raise `DatasetError` where the table is missing or wrong, or is about other images."""
        self.of.check()
        self._answered()

    def fingerprint(self) -> str:
        """A hash of the images' dataset, its split and the counts."""
        digest = self._answered().digest
        return fingerprint({"of": self.of.fingerprint(), "split": self.split, "answers": digest})

    def splits(self) -> tuple[str, ...]:
        """The one that was asked about."""
        return (self.split,)

    def ids(self, split: str) -> Sequence[int]:
        """Those of the images in `of` that somebody answered about."""
        if split != self.split:
            raise UnknownNameError(f"split of {self.name}", split, self.splits())
        return tuple(self._answered().counts)

    def label_counts(self, ids: Sequence[int]) -> Int64[Tensor, "n classes"]:
        """How many annotators gave each class as their answer."""
        return torch.tensor([self._counts(image) for image in ids], dtype=torch.int64)

    def annotator_labels(self, ids: Sequence[int]) -> AnnotatorLabels | None:
        """Each answer, with the annotator's number in `annotators`; None where the table is silent.

        It is where no column says who answered.
        """
        if not self.annotator:
            return None
        numbers = {name: number for number, name in enumerate(self.annotators())}
        places = {image: place for place, image in enumerate(ids)}
        answers = torch.tensor(
            [
                (places[image], numbers[annotator], label)
                for image, annotator, label in self._answered().answers
                if image in places
            ],
            dtype=torch.int64,
        )
        return AnnotatorLabels(*answers.reshape(-1, 3).unbind(1))

    def label_counts_of(
        self, ids: Sequence[int], annotators: frozenset[str]
    ) -> Int64[Tensor, "n classes"]:
        """The counts of some annotators alone; an image of which none of them spoke has zeros."""
        counts = torch.zeros(len(ids), len(self.of.class_names()), dtype=torch.int64)
        places = {image: place for place, image in enumerate(ids)}
        for image, annotator, label in self._answered().answers:
            if annotator in annotators and image in places:
                counts[places[image], label] += 1
        return counts

    def annotators(self) -> tuple[str, ...]:
        """Who answered, in the order of the table; one nameless where it does not say."""
        return tuple(dict.fromkeys(who for _, who, _ in self._answered().answers))

    def _counts(self, image: int) -> list[int]:
        counts = self._answered().counts
        if image not in counts:
            raise DatasetError(f"{WHAT}: nobody answered about image {image}; ask for its ids")
        return counts[image]

    def _answered(self) -> "Answered":
        place = Path(self.table).expanduser().absolute()
        if not self.table or not place.is_file():
            shown = place if self.table else "the table"
            way_out = option("label-table", "table", "FILE")
            raise DatasetError(f"{WHAT}: {shown} is not there; {way_out} says where it is")
        return _agreeing(self, place, place.stat().st_mtime_ns)


class Answered(NamedTuple):
    """What annotators said."""

    answers: tuple[tuple[int, str, int], ...]
    """Image, annotator and class of each answer."""
    counts: Mapping[int, list[int]]
    """By image, in the order of the split."""
    digest: str
    """A hash of the answers."""


@functools.lru_cache(maxsize=4)
def _agreeing(dataset: LabelTable, file: Path, changed: int) -> Answered:
    """The answers, if they are about the dataset's images."""
    what = f"{WHAT}: {file}"
    columns = Columns(dataset.image, dataset.annotator, dataset.label)
    kept = {name: value for name, _, value in (text.partition("=") for text in dataset.where)}
    answers = _placed(dataset, read_answers(str(file), columns, kept, what), what)
    counts = _counted(dataset, answers)
    _check_agreement(dataset, counts, what)
    digest = hashlib.sha256(repr(answers).encode()).hexdigest()
    return Answered(answers, MappingProxyType(counts), digest)


def _placed(
    dataset: LabelTable, answers: Sequence[Answer], what: str
) -> tuple[tuple[int, str, int], ...]:
    """Answers with the ids of images and the numbers of classes."""
    ids = dataset.of.ids(dataset.split)
    by_place = dataset.images_are == "places"
    known = {str(place if by_place else image): image for place, image in enumerate(ids)}
    classes = {name: place for place, name in enumerate(dataset.of.class_names())}
    return tuple(
        (
            _image(answer, known, dataset, what),
            answer.annotator,
            answered_class(answer, classes, what),
        )
        for answer in answers
    )


def _image(answer: Answer, known: Mapping[str, int], dataset: LabelTable, what: str) -> int:
    if answer.image in known:
        return known[answer.image]
    first, *_, last = [*known, *known] or ["none", "none"]
    raise line_error(
        what,
        answer.line,
        f"{answer.image[:40]!r} is no image of split {dataset.split!r} of {dataset.of.name!r}, "
        f"whose {dataset.images_are} go from {first} to {last}; images_are says what they are",
    )


def _counted(dataset: LabelTable, answers: Sequence[tuple[int, str, int]]) -> dict[int, list[int]]:
    counts: dict[int, list[int]] = {}
    for image, _, label in answers:
        counts.setdefault(image, [0] * len(dataset.of.class_names()))[label] += 1
    return {image: counts[image] for image in dataset.of.ids(dataset.split) if image in counts}


def _check_agreement(dataset: LabelTable, counts: Mapping[int, list[int]], what: str) -> None:
    labels = dataset.of.labels(list(counts)).tolist()
    chosen = [own.index(max(own)) for own in counts.values()]
    share = sum(a == b for a, b in zip(labels, chosen, strict=True)) / len(labels)
    if share < dataset.agreement:
        raise DatasetError(
            f"{what}: the label is the most frequent answer for only {share:.1%} of the images, so "
            "images or classes seem to be in another order than the table's (TensorFlow and "
            "PyTorch have the images of CIFAR in different orders); -p dataset.agreement=0 takes "
            "them as they are"
        )
