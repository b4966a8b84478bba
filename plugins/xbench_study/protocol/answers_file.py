"""Exported answers, as the protocol reads them."""

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from xbench import ParameterError

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

ANSWERS, FACTS = "answers.parquet", "facts.json"
"""In the folder that `xbench study export` writes."""
COLUMNS = (
    *("participant", "condition", "item", "image", "kind", "right", "degree", "seconds"),
    *("excluded", "category"),
)
ADVICE = "write it with `xbench study export STUDY --out FOLDER`"


class Facts(BaseModel):
    """What an export says beside its answers."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    study: str
    """The identity of the study."""
    design: str
    wanted: dict[str, int]
    """How many answers are wanted in each condition."""
    recruitment: dict[str, str] = {}
    exclusions: dict[str, int] = {}
    """How many participants are left out, by reason."""
    categories: dict[str, int | float | None] = {}
    """How errors were annotated: items, people, kappa."""


class CountedAnswers(NamedTuple):
    """The answers of a study that count, and what is known of them."""

    table: pa.Table
    facts: Facts

    def of(self, condition: str) -> pa.Table:
        """The answers in one condition; none in one that the study has not."""
        import pyarrow.compute as pc

        return self.table.filter(pc.equal(self.table["condition"], condition))

    def awaited(self, condition: str) -> int:
        """How many answers are still to come; one may rate many options, a row each."""
        answers = self.of(condition).group_by(["participant", "item"]).aggregate([])
        return max(self.facts.wanted.get(condition, 0) - answers.num_rows, 0)

    def check_condition(self, condition: str, where: str) -> None:
        """`ParameterError` where the study has no such condition."""
        if condition not in self.facts.wanted:
            names = ", ".join(self.facts.wanted)
            raise ParameterError(f"{where} has no condition {condition!r}; it has {names}")


def read_answers(folder: str) -> CountedAnswers:
    """The trials of participants who are not left out; `ParameterError` for what cannot be read."""
    place = Path(folder).expanduser()
    states = tuple((place / name).stat().st_mtime_ns for name in _present(place))
    return _read(place, states)


def _present(place: Path) -> Mapping[str, None]:
    for name in (ANSWERS, FACTS):
        if not (place / name).is_file():
            raise ParameterError(f"answers: {place} has no {name}; {ADVICE}")
    return dict.fromkeys((ANSWERS, FACTS))


@functools.lru_cache(maxsize=8)
def _read(place: Path, states: tuple[int, ...]) -> CountedAnswers:
    import pyarrow.compute as pc

    try:
        facts = Facts.model_validate_json((place / FACTS).read_bytes())
        table = pq.read_table(place / ANSWERS)
    except (OSError, ValidationError, json.JSONDecodeError, pa.ArrowInvalid) as error:
        raise ParameterError(f"answers: {place} cannot be read: {error}; {ADVICE}") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise ParameterError(f"answers: {place / ANSWERS} lacks the column {missing[0]}; {ADVICE}")
    counts = pc.and_(pc.equal(table["kind"], "trial"), pc.equal(table["excluded"], ""))
    return CountedAnswers(table.filter(counts), facts)


def write_facts(book: "AnswerBook", folder: Path, now: float) -> Path:
    """Write what an export says beside its answers; the file."""
    from xbench_study.answers.status import status

    study, state = book.study, status(book, now)
    facts = Facts(
        study=study.identity,
        design=study.description.design,
        wanted={one.condition: one.needed for one in state.conditions},
        recruitment=study.description.recruitment,
        exclusions=dict(state.excluded),
        categories=asdict(state.categories) if state.categories else {},
    )
    path = folder / FACTS
    path.write_text(facts.model_dump_json(indent=1), encoding="utf-8")
    return path
