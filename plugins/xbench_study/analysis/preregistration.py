"""What is decided before anybody answers, as a text to be registered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xbench import Resampling
from xbench.commands import counted, listed
from xbench_study.analysis.accuracies import Test

if TYPE_CHECKING:
    from xbench_study.designs.description import Description

PLAN = Resampling()


def preregistration(description: "Description", items: int, test: Test, annotated: str = "") -> str:
    """A Markdown text: what is asked, of how many, who is left out, and what decides.

    `annotated` says how errors got their categories, as far as that was done.
    """
    parts = {
        "What is asked": _question(description),
        "Conditions": _conditions(description),
        "Sample size": _sample(description, items),
        "Who is left out": _exclusions(description),
        "Error categories": _categories(description, annotated),
        "Analysis": _analysis(description, test),
    }
    head = f"# Preregistration: {description.title}\n\nDesign {description.design}, version "
    head += f"{description.version}. Nothing below changes after the first answer."
    said = {title: list(lines) for title, lines in parts.items()}
    sections = (f"## {title}\n\n" + "\n\n".join(of) for title, of in said.items() if of)
    return "\n\n".join([head, *sections]) + "\n"


def _question(description: "Description") -> Iterator[str]:
    question = description.question
    yield f"“{question.text}”"
    if question.kind == "rate":
        degrees = listed([f"{place} “{words}”" for place, words in enumerate(question.scale)])
        yield f"Each option is rated: {degrees}."
    else:
        options = "option is" if question.pick == 1 else "options are"
        yield f"{question.pick} {options} chosen of each item's."
    if question.unsure:
        yield f"“{question.unsure}” is an answer of its own, and is not right."
    if question.minimum_seconds:
        yield f"An answer counts after {question.minimum_seconds:g} seconds."


def _conditions(description: "Description") -> Iterator[str]:
    for condition in description.conditions:
        shown = f": {listed(condition.shows)}" if condition.shows else ""
        yield f"- {condition.title}{shown}"
    between = description.assignment.conditions == "between"
    yield (
        "Each participant is in one condition alone (between subjects)."
        if between
        else "Each participant meets all conditions, each item in one of them (within subjects)."
    )


def _sample(description: "Description", items: int) -> Iterator[str]:
    assignment = description.assignment
    conditions = len(description.conditions)
    answers = items * assignment.answers * conditions
    people = -(-answers // min(assignment.trials, items))
    yield (
        f"{counted(items, 'item')}, {counted(assignment.answers, 'answer')} to each in each of "
        f"{counted(conditions, 'condition')}: {counted(answers, 'answer')} in all. A participant "
        f"answers up to {assignment.trials}, so {counted(people, 'participant')} are needed at "
        "least. Collection ends when all answers are there."
    )


def _exclusions(description: "Description") -> Iterator[str]:
    checks = description.checks
    if checks.every:
        yield (
            f"- Who answers less than {100 * checks.right:.0f} % of the checks rightly; one comes "
            f"after every {counted(checks.every, 'trial')}."
        )
    if checks.fastest_seconds:
        yield f"- Who takes less than {checks.fastest_seconds:g} seconds in the median."
    if checks.comprehension:
        yield (
            f"- Who fails the {counted(len(checks.comprehension), 'question')} about the "
            f"instructions {counted(checks.attempts, 'time')}: the study ends there."
        )
    rules = checks.every or checks.fastest_seconds or checks.comprehension
    yield f"Nobody{' else' if rules else ''} is left out."
    if rules:
        yield "All results are given with and without those who are left out."


def _categories(description: "Description", annotated: str) -> Iterator[str]:
    if not description.categories:
        return
    yield "\n".join(f"- {of.name}, {of.title}: {of.text}" for of in description.categories)
    yield (
        "Two people annotate each item by its image, the correct and the predicted label alone, "
        "before there are answers; disagreements are settled afterwards, and Cohen's kappa is that "
        "of what was said before."
    )
    if annotated:
        yield annotated


def _analysis(description: "Description", test: Test) -> Iterator[str]:
    if description.question.kind == "rate":
        yield (
            "Mean degrees; “cannot tell” is in no mean. Differences are paired over images; "
            "agreement is Krippendorff's alpha with the ordinal metric."
        )
    elif description.question.pick == 2:
        yield (
            "By condition, and the difference of conditions: the share of pairs of participants "
            "asked about one item who name the same two options, in either order, and the share "
            "of answers that name the algorithm's two. Beside them the share of items of which "
            "more than half of the answers name one pair. “Don't know” counts as disagreement; a "
            "second table leaves it out."
        )
    else:
        yield (
            f"The primary test is the two-sided {test} t-test over images of the accuracy in each "
            "condition, at α = .05. By category the same test, with Holm's correction."
        )
    yield (
        f"Intervals come first: {100 * PLAN.level:.0f} %, percentiles of {PLAN.resamples} "
        f"resamples of images and participants at once (pigeonhole bootstrap, Owen 2007), seed "
        f"{PLAN.seed}. A difference is said to be shown if its interval leaves zero out."
    )
