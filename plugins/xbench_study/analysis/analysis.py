"""The analysis of a study: what came out, with all tables and pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from xbench import Drawing, Draws, ParameterError, Resampling
from xbench.commands import Table, rendered
from xbench_study.analysis.accuracies import Accuracies, Test
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.conclusion import conclusion, remarks
from xbench_study.analysis.figures import accuracy_figure
from xbench_study.analysis.floors import SimulatedAnswers, floor_table, floors
from xbench_study.analysis.published import published_table
from xbench_study.analysis.tables.accuracy_tables import (
    category_table,
    comparison_table,
    condition_table,
)
from xbench_study.analysis.tables.agreement_tables import agreement_table, time_table
from xbench_study.analysis.tables.pair_tables import pair_conclusion, pair_table
from xbench_study.analysis.tables.rating_tables import (
    mistakes,
    paired_rating_table,
    rank_table,
    rating_table,
)
from xbench_study.material.item import Secret

if TYPE_CHECKING:
    from xbench_study.designs.description import Description

PLAN = Resampling()


@dataclass(frozen=True)
class Analysis:
    """What answers say; the conclusion first, then remarks, tables and pictures."""

    title: str
    conclusion: str
    remarks: tuple[str, ...]
    tables: tuple[Table, ...]
    drawings: tuple[Drawing, ...] = field(repr=False)

    def markdown(self) -> str:
        """All of it but the pictures, whose words stand there."""
        tables = [rendered(table, "md") for table in self.tables]
        words = [f"*{of.title}.* {of.caption} {of.text}" for of in self.drawings]
        parts = [f"# {self.title}", self.conclusion, *self.remarks, *tables, *words]
        return "\n\n".join(parts) + "\n"

    def latex(self) -> str:
        """The tables, for a paper."""
        return "\n\n".join(rendered(table, "latex") for table in self.tables) + "\n"


@dataclass(frozen=True, eq=False)
class Question:
    """What is analysed, and how."""

    answers: Answers
    """Of trials alone."""
    description: "Description"
    secrets: Mapping[str, Secret]
    draws: Draws
    simulated: bool

    @property
    def conditions(self) -> dict[str, str]:
        """Titles by name, of the conditions that were answered in."""
        present = set(self.answers.conditions.tolist())
        listed = {of.name: of.title for of in self.description.conditions}
        return {name: title for name, title in listed.items() if name in present}

    @property
    def who(self) -> str:
        """Who answered: stand-ins are named so everywhere."""
        return "Simulated participants" if self.simulated else "Participants"

    def samples(self) -> Iterator[tuple[str, Answers]]:
        """All answers, and those that nothing excludes, where anything does."""
        who = "simulated " if self.simulated else ""
        yield f"all {who}participants", self.answers
        if (self.answers.excluded != "").any():
            yield f"{who}participants without exclusions", self.answers.counted()


def analysed(
    answers: Answers,
    description: "Description",
    secrets: Mapping[str, Secret],
    *,
    simulated: bool = False,
    annotated: str = "",
    resampling: Resampling = PLAN,
) -> Analysis:
    """What the answers to a study's trials say; `ParameterError` where there are none.

    The conclusion is of the answers that nothing excludes. `simulated` answers are named so in
    every sentence, table and picture; `annotated` says how errors got their categories.
    """
    trials = answers.trials()
    if not len(trials.counted()):
        raise ParameterError(
            f"study {description.title!r} has no answers to analyse: {len(answers)} in all, "
            f"{len(trials)} to trials, and none that counts"
        )
    unknown = sorted(set(trials.items.tolist()) - set(secrets))
    if unknown:
        raise ParameterError(
            f"{len(unknown)} items of the answers, such as {unknown[0]}, are none of study "
            f"{description.title!r}; analyse an export of the same study"
        )
    question = Question(trials, description, secrets, Draws(resampling), simulated)
    kind = "of simulated participants: no result about people" if simulated else "of people"
    return Analysis(
        f"{description.title}: answers {kind}",
        _conclusion(question),
        (*remarks(trials, description.assignment.conditions), *([annotated] if annotated else [])),
        tuple(_tables(question)),
        tuple(_drawings(question)),
    )


def primary_test(description: "Description", answers: Answers) -> Test:
    """The parameter `test` of the description; else paired if conditions share images."""
    stated = description.parameters.get("test")
    if stated in ("paired", "unpaired"):
        return "paired" if stated == "paired" else "unpaired"
    names = sorted(set(answers.conditions.tolist()))
    images = [set(answers.in_condition(name).images.tolist()) for name in names]
    return "paired" if len(images) > 1 and set.intersection(*images) else "unpaired"


def _is_scored(question: Question) -> bool:
    """Whether an answer is right or wrong, and one option is chosen."""
    asked = question.description.question
    right = question.answers.right
    return asked.kind == "choose" and asked.pick == 1 and not np.isnan(right).all()


def _is_of_pairs(question: Question) -> bool:
    """Whether two options are chosen."""
    return question.description.question.pick == 2


def _pairs(conditions: Mapping[str, str]) -> list[tuple[int, int]]:
    """Each condition but the last, which is the one that others are compared with, and the last."""
    last = len(conditions) - 1
    return [(place, last) for place in range(last)]


def _accuracies(question: Question, answers: Answers) -> Accuracies:
    return Accuracies(answers, list(question.conditions), question.draws)


def _conclusion(question: Question) -> str:
    conditions, counted = question.conditions, question.answers.counted()
    pairs = _pairs(conditions)
    if _is_of_pairs(question) and pairs:
        return pair_conclusion(counted, conditions, question.draws, question.who)
    if not _is_scored(question) or not pairs:
        people = len(set(counted.participants.tolist()))
        return f"{question.who}: {people}, who gave {len(counted)} answers that count."
    of, titles = _accuracies(question, counted), list(conditions.values())
    test = primary_test(question.description, counted)
    return " ".join(conclusion(of, titles, pair, test, question.who) for pair in pairs)


def _tables(question: Question) -> Iterator[Table]:
    for sample, answers in question.samples():
        if _is_scored(question):
            yield from _accuracy_tables(question, sample, answers)
    counted, conditions = question.answers.counted(), question.conditions
    if _is_scored(question) and len(conditions) == 2:
        made_of = question.description.parameters.get("benchmark", question.description.design)
        published = published_table(made_of, _accuracies(question, counted), (0, 1))
        yield from [] if published is None else [published]
    if simulated := _floors(question):
        yield floor_table(simulated)
    yield from _rating_tables(question, counted)
    yield _named(question, agreement_table(counted, conditions, question.secrets))
    if _is_of_pairs(question):
        options = max(len(of.classes) for of in question.secrets.values())
        for unsure in (True, False):
            table = pair_table(counted, conditions, options, question.draws, unsure=unsure)
            yield _named(question, table)
    yield _named(question, time_table(counted, conditions, question.draws))


def _floors(question: Question) -> list[SimulatedAnswers]:
    """Stand-ins for people, where an answer is right or wrong."""
    if not _is_scored(question):
        return []
    return floors(question.answers.counted(), question.secrets, question.draws)


def _accuracy_tables(question: Question, sample: str, answers: Answers) -> Iterator[Table]:
    of, titles = _accuracies(question, answers), list(question.conditions.values())
    test = primary_test(question.description, answers)
    level = f"{100 * question.draws.resampling.level:.0f} %"
    yield condition_table(of, titles, level, sample)
    for pair in _pairs(question.conditions):
        yield comparison_table(of, titles, pair, test, sample)
        if len(of.categories) > 1:
            yield category_table(of, titles, pair, test, sample)


def _rating_tables(question: Question, answers: Answers) -> Iterator[Table]:
    """Of a design that rates mistakes; a directed one has no classifiers."""
    if question.description.question.kind != "rate":
        return
    of = mistakes(answers, question.secrets)
    if of.classifiers:
        yield _named(question, rating_table(of, question.draws))
        yield _named(question, paired_rating_table(of, question.draws))
        yield _named(question, rank_table(of, question.secrets))


def _named(question: Question, table: Table) -> Table:
    """The table, whose title says where its answers are of no people."""
    who = " (simulated participants)" if question.simulated else ""
    return table._replace(title=table.title + who)


def _drawings(question: Question) -> Iterator[Drawing]:
    if _is_scored(question):
        of = _accuracies(question, question.answers.counted())
        titles = list(question.conditions.values())
        yield accuracy_figure(of, titles, _floors(question), question.who.lower())
