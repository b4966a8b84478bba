"""What a trial shows: pictures, options, and what was chosen before, as templates take it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from xbench_study.answers.steps import Step
from xbench_study.designs.description import Condition, Description
from xbench_study.material.item import Item, Option
from xbench_study.material.study import Study
from xbench_study.pages.forms import UNSURE
from xbench_study.pages.words import filled


@dataclass(frozen=True)
class Picture:
    """A picture under a number that says nothing of it."""

    address: str
    alternative: str
    caption: str = ""


@dataclass(frozen=True)
class Shown:
    """An option as it is offered."""

    key: str
    text: str
    pictures: list[Picture]
    right: bool = False
    """Of training alone: before an answer nothing says it."""


Layout = Literal["around", "beside", ""]


@dataclass(frozen=True)
class Trial:
    """An item as one participant sees it."""

    question: str
    pictures: list[Picture]
    options: list[Shown]
    layout: Layout
    """Where the options stand of one picture: on both sides, on one, or "" for below."""
    told: str = ""
    """The right answer in words, where it may be told."""


def assets(study: Study, step: Step) -> list[str]:
    """Keys of the pictures of a step, in the order of their numbers."""
    item = study.items[step.item]
    shown = _stimuli(item, study.description.condition(step.condition))
    return [key for _, key in shown] + [
        key for option in _options(item, step.options) for key in option.assets
    ]


def trial(study: Study, step: Step, prefix: str) -> Trial:
    """What a step shows; pictures lie under `prefix`, by their numbers from 1."""
    description, item = study.description, study.items[step.item]
    numbers = _pictures(description.texts.picture, prefix, len(assets(study, step)))
    stimuli = _stimuli(item, description.condition(step.condition))
    pictures = [_captioned(next(numbers), description.captions.get(name)) for name, _ in stimuli]
    right = study.secrets[item.key].right if _may_be_told(step, item) else []
    options = [
        Shown(option.key, option.text, [next(numbers) for _ in option.assets], option.key in right)
        for option in _options(item, step.options)
    ]
    asked = filled(description.question.text, label=item.label)
    layout = _layout(description, len(pictures))
    return Trial(asked, pictures, options, layout, ", ".join(_named(o) for o in options if o.right))


def _layout(description: Description, pictures: int) -> Layout:
    return description.question.layout if pictures == 1 else ""


def _may_be_told(step: Step, item: Item) -> bool:
    """Whether a page may tell the right answer: beside training, and after practice."""
    return (step.stage, item.kind) in {("trial", "training"), ("feedback", "practice")}


def _stimuli(item: Item, condition: Condition) -> list[tuple[str, str]]:
    """Names and pictures of what a condition shows of an item."""
    known = {stimulus.name: stimulus.asset for stimulus in item.stimuli}
    return [(name, known[name]) for name in condition.shows if name in known]


def _options(item: Item, order: Sequence[str]) -> list[Option]:
    by_key = {option.key: option for option in item.options}
    return [by_key[key] for key in order]


def _pictures(alternative: str, prefix: str, n: int) -> Iterator[Picture]:
    for number in range(1, n + 1):
        yield Picture(f"{prefix}{number}", filled(alternative, number=number))


def _captioned(picture: Picture, caption: str | None) -> Picture:
    return Picture(picture.address, picture.alternative, caption or "")


def _named(option: Shown) -> str:
    return option.text or ", ".join(picture.alternative for picture in option.pictures)


def degrees(study: Study) -> list[tuple[str, str]]:
    """What each option may be rated: values and words, "cannot tell" last."""
    question = study.description.question
    scale = [(str(degree), words) for degree, words in enumerate(question.scale)]
    return scale + ([(UNSURE, question.unsure)] if question.unsure else [])
