"""Answers as plain rows for analysis, and the files that they are written into."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import select

from xbench_study.answers.codebook import codebook
from xbench_study.answers.judging import Answered, Judged, judged, seconds_of
from xbench_study.answers.steps import Choice, Ratings, Skipped
from xbench_study.answers.storage.keyed import keyed
from xbench_study.answers.storage.tables import platforms
from xbench_study.categories.annotating import categories_of
from xbench_study.material.study import Study

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

Cell: TypeAlias = str | int | float | bool | None
FACT = "fact_"
"""Begins the columns of what else is known of an item."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run begins so."""


@dataclass(frozen=True)
class AnswerRow:
    """One answer, or of a rating, the degree of one option; the codebook has each column."""

    participant: str
    condition: str
    item: str
    image: int
    category: str
    kind: str
    position: int
    order: str
    order_classes: str
    reply: str
    option: str
    option_class: str
    degree: int | None
    right: bool | None
    seconds: float | None
    state: str
    excluded: str


@dataclass(frozen=True)
class ParticipantRow:
    """One participant; the codebook has each column."""

    participant: str
    condition: str
    state: str
    trials: int
    answered: int
    skipped: int
    checks: int
    checks_right: int
    comprehension_attempts: int
    median_seconds: float | None
    minutes: float | None
    excluded: str
    platform_hash: str | None = None


class Exported(NamedTuple):
    """What was answered and by whom; pilot participants are not in it."""

    answers: list[AnswerRow]
    participants: list[ParticipantRow]


def exported(book: "AnswerBook", *, platform_hashes: bool = False) -> Exported:
    """All answers but those of the pilot, with who is left out by rule, and why.

    `platform_hashes` adds keyed hashes of what platforms call participants, until these expire.
    """
    people, categories = judged(book), categories_of(book)
    names = _platform_hashes(book) if platform_hashes else {}
    return Exported(
        [row for person in people for row in _answer_rows(book.study, person, categories)],
        [_participant_row(person, names) for person in people],
    )


def write_export(book: "AnswerBook", folder: Path, *, platform_hashes: bool = False) -> list[Path]:
    """Write answers and participants as CSV and Parquet, and what their columns mean.

    The files replace older ones together, when all are written.
    """
    rows = exported(book, platform_hashes=platform_hashes)
    tables = {
        "answers": (AnswerRow, [_with_facts(book.study, row) for row in rows.answers]),
        "participants": (ParticipantRow, [asdict(row) for row in rows.participants]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, (kind, cells) in tables.items():
        columns = _columns(book.study, kind)
        paths += [folder / f"{name}.csv", folder / f"{name}.parquet"]
        _write_csv(_part(paths[-2]), list(columns), cells)
        _write_parquet(_part(paths[-1]), columns, cells)
    paths.append(folder / "codebook.md")
    _part(paths[-1]).write_text(codebook(book.study, len(rows.participants)), encoding="utf-8")
    for path in paths:
        _part(path).replace(path)
    return paths


def _platform_hashes(book: "AnswerBook") -> dict[int, str]:
    with book.database.reading() as connection:
        rows = connection.execute(select(platforms.c.participant, platforms.c.name)).all()
    return {number: keyed(book.study.secret, "platform", name)[:16] for number, name in rows}


def _answer_rows(
    study: Study, person: Judged, categories: Mapping[str, str]
) -> Iterator[AnswerRow]:
    for answered in person.answers:
        secret = study.secrets[answered.item]
        for word, options, degree in _said(answered):
            yield AnswerRow(
                participant=person.key,
                condition=answered.condition,
                item=answered.item,
                image=secret.image,
                category=categories.get(answered.item, ""),
                kind=answered.kind,
                position=answered.position,
                order=" ".join(answered.options),
                order_classes=_classes(secret.classes, answered.options),
                reply=word,
                option=" ".join(options),
                option_class=_classes(secret.classes, options),
                degree=degree,
                right=answered.right,
                seconds=answered.seconds,
                state=person.person.state,
                excluded=person.excluded,
            )


def _said(answered: Answered) -> Iterator[tuple[str, tuple[str, ...], int | None]]:
    """What kind of reply it is, to which options, and the degree; a row each."""
    reply = answered.reply
    if isinstance(reply, Ratings):
        for option in answered.options:
            degree = reply.degrees[option]
            yield "cannot-tell" if degree is None else "rated", (option,), degree
    elif isinstance(reply, Choice):
        yield "unsure" if reply.unsure else "chosen", reply.options, None
    else:
        yield "skipped", (), None


def _classes(classes: Mapping[str, int], options: Sequence[str]) -> str:
    """The classes that options stand for, "" where the study knows none."""
    return " ".join(str(classes[option]) for option in options if option in classes)


def _participant_row(person: Judged, names: Mapping[int, str]) -> ParticipantRow:
    row, asked = person.person, person.of_kind("trial")
    checks, seconds = person.of_kind("check"), seconds_of(person.answers)
    ended = row.state == "finished" and row.ended_at is not None
    return ParticipantRow(
        participant=person.key,
        condition=row.condition,
        state=row.state,
        trials=row.trials,
        answered=len(asked),
        skipped=sum(isinstance(answered.reply, Skipped) for answered in asked),
        checks=len(checks),
        checks_right=sum(bool(answered.right) for answered in checks),
        comprehension_attempts=row.attempts,
        median_seconds=median(seconds) if seconds else None,
        minutes=((row.ended_at or 0.0) - row.started_at) / 60 if ended else None,
        excluded=person.excluded,
        platform_hash=names.get(row.number),
    )


def _with_facts(study: Study, row: AnswerRow) -> dict[str, Cell]:
    facts = study.secrets[row.item].facts
    return {**asdict(row), **{FACT + name: value for name, value in facts.items()}}


_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("image", "position", "degree", "trials", "answered", "skipped"), int),
    **dict.fromkeys(("checks", "checks_right", "comprehension_attempts"), int),
    **dict.fromkeys(("seconds", "median_seconds", "minutes"), float),
    "right": bool,
}
"""Columns that are no text."""


def _columns(study: Study, kind: type[AnswerRow | ParticipantRow]) -> dict[str, type]:
    """The type of each column."""
    columns = {field.name: _TYPES.get(field.name, str) for field in fields(kind)}
    return {**columns, **fact_columns(study)} if kind is AnswerRow else columns


def fact_columns(study: Study) -> dict[str, type]:
    """The columns of what else is known of items: numbers only where all are."""
    kinds: dict[str, set[type]] = {}
    for secret in study.secrets.values():
        for name, value in secret.facts.items():
            kinds.setdefault(FACT + name, set()).add(type(value))
    return {name: _widest(of) for name, of in sorted(kinds.items())}


def _widest(kinds: set[type]) -> type:
    return next((kind for kind in (str, float, int) if kind in kinds), str)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Cell]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_shown(row.get(name)) for name in columns] for row in rows)


def _shown(cell: Cell) -> Any:
    """The cell as CSV has it; no text that a spreadsheet would run."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _write_parquet(
    path: Path, columns: Mapping[str, type], rows: Sequence[Mapping[str, Cell]]
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    arrays = {
        name: pa.array([_cell(row.get(name), kind) for row in rows], types[kind])
        for name, kind in columns.items()
    }
    parquet.write_table(pa.table(arrays), path)


def _cell(cell: Cell, kind: type) -> Cell:
    value: Cell = None if cell is None else kind(cell)
    return value
