"""What two classifiers take the same images for, and which of these are shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from xbench import Case, Entry, Rows, UnknownNameError
from xbench_explicable.pictures.caption import decimals

COLUMNS = ("case", "set", "image", "label", "predicted", "similarity")
DIGITS = 9
"""Of similarities after the point: sums in another order are equal, and are told as equal."""


class PairedAnswer(NamedTuple):
    """One image as two classifiers, a and b, see it."""

    case: Case
    set: str
    image: int
    label: int
    predicted: tuple[int, int]
    """By a and by b, as labels of the classes that both are trained for."""
    similarity: tuple[float, float]
    """Of the true class to the predicted ones."""

    @property
    def right(self) -> tuple[bool, bool]:
        """Whether a and b are right."""
        a, b = self.predicted
        return a == self.label, b == self.label

    @property
    def gain(self) -> float:
        """By how much the answer of b is nearer to the truth than that of a."""
        a, b = self.similarity
        return round(b - a, DIGITS) + 0.0


class Group(NamedTuple):
    """Answers of one sort, and how many there are."""

    title: str
    total: int
    answers: tuple[PairedAnswer, ...]
    """Those that are shown."""


def paired_answers(rows: Mapping[str, Rows], a: str, b: str) -> list[PairedAnswer]:
    """The answers of the entries labelled `a` and `b` to the cases that both have, in order."""
    tables = [_entry_rows(rows, label).select(list(COLUMNS)) for label in (a, b)]
    first, second = ({row["case"]: row for row in table.to_pylist()} for table in tables)
    return [
        PairedAnswer(
            Case.parse(name),
            str(first[name]["set"]),
            first[name]["image"],
            first[name]["label"],
            (first[name]["predicted"], second[name]["predicted"]),
            (round(first[name]["similarity"], DIGITS), round(second[name]["similarity"], DIGITS)),
        )
        for name in first
        if name in second
    ]


def grouped(title: str, answers: Iterable[PairedAnswer], count: int) -> Group:
    """The `count` answers whose similarities differ most, ties in their order.

    No true class is shown again before every other one that there is.
    """
    order = sorted(answers, key=lambda answer: -abs(answer.gain))
    before: Counter[int] = Counter()
    ranks: dict[Case, int] = {}
    for answer in order:
        ranks[answer.case] = before[answer.label]
        before[answer.label] += 1
    varied = sorted(order, key=lambda answer: ranks[answer.case])
    return Group(title, len(order), tuple(varied[:count]))


def class_names(entries: Mapping[str, Entry], label: str) -> tuple[str, ...]:
    """Names of the classes that labels and predictions of the rows speak of."""
    if label not in entries:
        raise UnknownNameError("entry", label, entries)
    return entries[label].datasets["train"].dataset.class_names()


def similarity_digits(groups: Sequence[Group]) -> int:
    """With how many decimals the similarities of a picture of the groups are written."""
    return decimals(
        value for group in groups for answer in group.answers for value in answer.similarity
    )


def answer_words(answer: PairedAnswer, names: Sequence[str], a: str, b: str, digits: int) -> str:
    """The answers in words."""
    predictions = (
        f"{label} says {names[place]} ({value:.{digits}f})"
        for label, place, value in zip((a, b), answer.predicted, answer.similarity, strict=True)
    )
    return f"image {answer.image} of {answer.set} ({names[answer.label]}): {', '.join(predictions)}"


def group_words(groups: Sequence[Group], names: Sequence[str], a: str, b: str) -> str:
    """What a picture of the groups shows, for readers who cannot see it."""
    digits = similarity_digits(groups)
    parts = [
        f"{group.title}, {group.total} in all"
        + "".join(f"; {answer_words(answer, names, a, b, digits)}" for answer in group.answers)
        for group in groups
    ]
    return ". ".join(parts) + "."


def _entry_rows(rows: Mapping[str, Rows], label: str) -> Rows:
    if label not in rows:
        raise UnknownNameError("entry", label, rows)
    return rows[label]
