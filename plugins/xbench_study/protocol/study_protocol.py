"""The protocol: answers of people, and what they say of the conditions that they were given in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xbench import (
    AnnotationKind,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Direction,
    Drawing,
    Entry,
    MismatchError,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    Unit,
    content_hash,
    location,
    weights_recipe,
)
from xbench_study.designs.design import Design
from xbench_study.floors.guessing import SimulatedGuessing
from xbench_study.floors.simulated_answers import (
    asked_for,
    is_of_nobody,
    is_simulated,
    simulated_rows,
)
from xbench_study.floors.simulated_observer import SimulatedObserver
from xbench_study.protocol.answers_file import ANSWERS, CountedAnswers, read_answers
from xbench_study.shown.display import Display
from xbench_study.shown.pictures import Shown

ROLE = "test"


@dataclass(frozen=True)
class StudyProtocol(Protocol):
    """Answers of people in a study: how many are right in each condition.

    An entry is a condition; a row is an answer. Intervals resample images and participants, for
    both are samples. As long as answers are missing, records are `awaiting-answers`. Floors are
    stand-ins for people, named simulated: rows of theirs are of the images that people answered
    about, and enter no number of people's.
    """

    name: ClassVar[str] = "study"
    scores: ClassVar[type[Shown]] = Shown  # type: ignore[type-abstract]
    example = MappingProxyType({"design": "wrong-label"})

    design: Design
    """What people are asked."""
    answers: str = location("")
    """The folder that `xbench study export` wrote; "" while the study is being made."""

    def parameters(self) -> Tree:
        """The design, and the answers themselves: new answers make new rows."""
        answers = content_hash(f"{self.answers}/{ANSWERS}") if self.answers else ""
        return {"design": self.design.tree(), "answers": answers}

    def terms(self) -> Mapping[str, str]:
        """What is counted."""
        if self.design.measures == "degree":
            return {
                "degree": "the mean degree that people give, from 0; who cannot tell is left out."
            }
        chance = self.design.chance
        guessing = "" if chance is None else f"; guessing gives {100 * chance:.0f} %"
        return {
            "right answers": "the share of people's answers that name what is asked for"
            f"{guessing}.",
            "simulated": "a floor: a network, or guessing, in the place of people; no result about "
            "people.",
        }

    def needs(self) -> tuple[AnnotationKind, ...]:
        """Nothing: answers come from elsewhere."""
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The weights of the network that people were asked about."""
        self._answers(entry)
        return {"weights": weights_recipe(entry)}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The images that people answered about in the entry's condition."""
        images = self._of(entry)["image"].to_pylist()
        return [Case(ROLE, image) for image in sorted(set(images))]

    def awaited(self, entry: Entry) -> int:
        """How many answers the condition still wants; all conditions, where somebody guesses."""
        answers = self._answers(entry)
        return sum(map(answers.awaited, _conditions(entry, answers)))

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterable[Request]:
        """What a simulated observer says."""
        return asked_for(entry, entry.datasets[ROLE], [case.id for case in cases])

    def _of(self, entry: Entry) -> pa.Table:
        """Answers in the entry's condition."""
        answers = self._answers(entry)
        return pa.concat_tables([answers.of(name) for name in _conditions(entry, answers)])

    def _answers(self, entry: Entry) -> CountedAnswers:
        if not self.answers:
            raise MismatchError(
                "this benchmark scores answers of people: make a study with `xbench study new`, "
                "and give what `xbench study export` wrote with -p protocol.answers=FOLDER"
            )
        answers = read_answers(self.answers)
        if answers.facts.design != self.design.name:
            raise MismatchError(
                f"answers {self.answers} are of the design {answers.facts.design!r}, and the "
                f"benchmark's is {self.design.name!r}"
            )
        for condition in _conditions(entry, answers):
            answers.check_condition(condition, f"the study of {self.answers}")
        return answers

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """The answers about these images, one row each, by image and participant."""
        answers = self._of(entry)
        if is_simulated(entry):
            return simulated_rows(entry, answers, ROLE, [case.id for case in cases], bench)
        chosen = pa.array([case.id for case in cases], answers["image"].type)
        answers = answers.filter(pc.is_in(answers["image"], chosen))
        answers = answers.sort_by([("image", "ascending"), ("participant", "ascending")])
        names = [str(Case(ROLE, image)) for image in answers["image"].to_pylist()]
        kept = ("participant", "right", "degree", "seconds", "category")
        return pa.table({"case": names, **{name: answers[name] for name in kept}})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Right answers, how long they took, and right answers by category of error."""
        categories = sorted({one for table in rows.values() for one in _categories(table)} - {""})
        return {label: self._scores(table, categories) for label, table in rows.items()}

    def _scores(self, table: Rows, categories: Sequence[str]) -> list[CaseScores]:
        whole = self._measured(table)
        of = np.array(_categories(table), dtype=object)
        by_category = [
            replace(
                whole,
                name=f"{whole.name}, {name}",
                values=np.where(of == name, whole.values, np.nan),
                headline=False,
            )
            for name in categories
        ]
        if is_of_nobody(table):
            return [whole, *by_category]
        seconds = _score("seconds", table, _numbers(table, "seconds"), "none", "number")
        return [whole, *by_category, seconds]

    def _measured(self, table: Rows) -> CaseScores:
        """What people are asked for, answer by answer."""
        if self.design.measures == "degree":
            degrees = _score("degree", table, _numbers(table, "degree"), "higher", "number")
            return replace(degrees, headline=True)
        right = _score("right answers", table, _numbers(table, "right"), "higher", "share")
        return replace(right, headline=True, chance=self.design.chance)

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Right answers of each condition and stand-in, where answers are right or wrong."""
        if self.design.measures == "degree":
            return {}
        from xbench_study.protocol.figures import answer_figure

        drawn = answer_figure(rows, roles, resampling)
        return {} if drawn is None else {"right-answers": drawn}

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many people and images, and what the study says of its recruitment."""
        facts = read_answers(self.answers).facts if self.answers else None
        recruitment = dict(facts.recruitment) if facts else {}
        left_out = dict(facts.exclusions) if facts else {}
        annotated = {ANNOTATED: dict(facts.categories)} if facts and facts.categories else {}
        return {
            label: dict(NOBODY)
            if is_of_nobody(table)
            else {
                "participants": len(set(table["participant"].to_pylist())),
                "answers": table.num_rows,
                "participants left out": left_out,
                "recruitment": recruitment,
                **annotated,
            }
            for label, table in rows.items()
        }


ANNOTATED = "annotated error categories"
"""What a record calls how errors were annotated, with kappa."""
NOBODY: Tree = {"simulated": "answered in the place of people: a floor, no result about people"}
"""What a record says of a floor."""


def _conditions(entry: Entry, answers: CountedAnswers) -> list[str]:
    """The entry's condition; all of them where somebody guesses."""
    if isinstance(entry.explainer, SimulatedGuessing):
        return list(answers.facts.wanted)
    return [condition_of(entry)]


def condition_of(entry: Entry) -> str:
    """The condition that an entry is; `MismatchError` for an explainer that says none."""
    explainer = entry.required_explainer
    if not isinstance(explainer, Display | SimulatedObserver):
        raise MismatchError(
            f"entry {entry.label!r}: people see what shown-maps says, not {explainer.name!r}; "
            'write explainer = { name = "shown-maps", condition = "…", maps = [ … ] }'
        )
    return explainer.condition


def _score(
    name: str, table: Rows, values: np.ndarray, direction: Direction, unit: Unit
) -> CaseScores:
    columns = (table["case"].to_pylist(), table["participant"].to_pylist())
    cases, people = (np.array(column, dtype=object) for column in columns)
    return CaseScores(name, direction, cases, values, unit=unit, clusters=(cases, people))


def _numbers(table: Rows, column: str) -> np.ndarray:
    """A column as numbers, NaN where nothing stands; right is 1 and wrong 0."""
    values = [np.nan if cell is None else float(cell) for cell in table[column].to_pylist()]
    return np.array(values, dtype=np.float64)


def _categories(table: Rows) -> list[str]:
    categories: list[str] = table["category"].to_pylist()
    return categories
