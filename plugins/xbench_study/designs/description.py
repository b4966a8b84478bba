"""What a study shows, asks, promises and decides beforehand, as its TOML file says it."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xbench import ParameterError

Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Ranked = Literal["choose", "rate"]
TODO = "TODO"
"""What stands where a researcher has to write something before anybody may be recruited."""


class _Part(BaseModel):
    """A table of the file: nothing unknown is in it, and nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Condition(_Part):
    """What is shown; participants see one condition, or all."""

    name: Text
    title: Text
    """What tables and pictures call it."""
    shows: list[str] = []
    """Names of the stimuli, of those that items have, in this order."""


class Question(_Part):
    """What is asked of each item."""

    text: Text
    """May have `{label}`, the item's correct class."""
    kind: Ranked = "choose"
    """One of several options (or `pick` of them), or a degree of a scale for each option."""
    pick: Annotated[int, Field(ge=1, le=20)] = 1
    layout: Literal["", "around", "beside"] = ""
    """Where options stand of a single picture: on both sides of it, on one, or "" for below."""
    shuffled: bool = True
    """Whether options stand in an order of each participant's own; kept with the answer."""
    unsure: str = ""
    """The words of "don't know", which is an answer of its own; "" for none."""
    scale: list[str] = []
    """The degrees of a scale from the lowest, 0, up."""
    may_skip: bool = False
    minimum_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    """How long an item has to be looked at before an answer counts; the server measures it."""


class Assignment(_Part):
    """Who sees what."""

    conditions: Literal["between", "within"] = "between"
    """Whether a participant is in one condition, or meets items of all (each item in one)."""
    trials: Annotated[int, Field(ge=1, le=10_000)]
    """Items that one participant is asked about."""
    answers: Annotated[int, Field(ge=1, le=100_000)]
    """How many answers each item is to have in each condition."""
    resume_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 48.0
    """How long a personal link leads back into the study."""


class Checks(_Part):
    """Trials whose right answer is known, and who is left out for wrong ones.

    They are fixed before any answer, and announced to participants.
    """

    every: Count = 0
    """After how many trials comes a check; 0 for none."""
    right: Share = 0.75
    """Who answers a smaller share of the checks rightly is left out of the analysis."""
    fastest_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Who takes less than this in the median is left out of the analysis."""
    comprehension: list["Comprehension"] = []
    """Questions about the instructions, before the first trial."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """How often they may be answered; who fails is thanked and not asked further."""


class Comprehension(_Part):
    """One question about the instructions."""

    text: Text
    options: Annotated[list[Text], Field(min_length=2)]
    right: Annotated[int, Field(ge=0)]
    """Which option, from 0."""

    @model_validator(mode="after")
    def _check(self) -> "Comprehension":
        if self.right >= len(self.options):
            raise ValueError(f"right is {self.right}, and options are 0 to {len(self.options) - 1}")
        return self


class Category(_Part):
    """A category of errors, as two researchers annotate them before anybody answers."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
    title: Text
    text: Text
    """When an error is of it, in a sentence."""


class Sheet(_Part):
    """The information sheet; nobody is recruited before all of it is said."""

    controller: Text = TODO
    """Who is responsible for the data, with address."""
    contact: Text = TODO
    purpose: Text = TODO
    duration: Text = TODO
    payment: Text = TODO
    risks: Text = TODO
    ethics: Text = TODO
    """The reference of the ethics committee, or why none is needed."""
    storage: Text = TODO
    """What is stored, where, and until when."""
    rights: Text = TODO
    """How to withdraw, to see and to erase one's answers, and whom to complain to."""
    minimum_age: Annotated[int, Field(ge=0, le=99)] = 18

    def missing(self) -> list[str]:
        """Names of what the researcher has not said yet."""
        said = {name: value for name, value in self if isinstance(value, str)}
        return [name for name, value in said.items() if TODO in value or not value.strip()]


class Payment(_Part):
    """What participants get, and what they must get at least, by the hour."""

    amount: Annotated[float, Field(ge=0)] = 0.0
    currency: Text = "USD"
    minimum_hourly: Annotated[float, Field(ge=0)] = 0.0


class Completion(_Part):
    """What a platform is told at the end: a code to type, or an address to go back to."""

    code: str = ""
    redirect: str = ""
    """An https address; may have `{code}`."""
    failed_code: str = ""
    """The code of those who fail the comprehension questions."""

    @model_validator(mode="after")
    def _check(self) -> "Completion":
        if self.redirect and not self.redirect.startswith("https://"):
            raise ValueError(f"redirect is {self.redirect!r}; it begins with https://")
        return self


class Texts(_Part):
    """Every word that participants read and that is no part of an item, buttons included."""

    consent_heading: Text = "Before you begin"
    consent_box: Text = "I have read this and take part of my own will."
    age_box: Text = "I am {minimum_age} years old or older."
    consent_button: Text = "Begin"
    sight: Text = "This study shows pictures: sight is needed to answer."
    instructions_heading: Text = "What to do"
    instructions: Text
    """Paragraphs are separated by empty lines."""
    instructions_button: Text = "Go on"
    comprehension_heading: Text = "Two questions on what to do"
    comprehension_again: Text = "Not all answers were right. Please read once more what to do."
    comprehension_failed: Text = "Thank you. The answers were not right, so the study ends here."
    training_heading: Text = "Training"
    practice_heading: Text = "Practice"
    practice_right: Text = "That is right."
    practice_wrong: Text = "That is not right. The right answer is: {answer}."
    checks: Text = "Some questions are easy ones, to see that they are read."
    progress: Text = "Question {number} of {of}"
    answer_button: Text = "Send the answer"
    skip_button: Text = "Skip this question"
    go_on_button: Text = "Go on"
    too_soon: Text = "Please look at the picture a little longer: {seconds} seconds are needed."
    choose: Text = "Please choose {pick}."
    rate: Text = "Please choose a degree in every row."
    picture: Text = "Picture {number}"
    """The alternative text of pictures: a description would be the answer."""
    leave_heading: Text = "Leave the study"
    leave: Text = "You can stop at any time. What shall become of your answers?"
    leave_keep: Text = "Stop and keep my answers"
    leave_erase: Text = "Stop and erase my answers"
    leave_back: Text = "Go back to the study"
    left_kept: Text = "You have left the study. Your answers are kept."
    left_erased: Text = "You have left the study. Your answers are erased."
    personal_link: Text = (
        "This address is yours alone. It leads back into the study for {hours} hours; with it you "
        "can also withdraw your answers later:"
    )
    withdraw_heading: Text = "Withdraw"
    withdraw: Text = "Erase all my answers"
    expired: Text = "This link has expired. Your answers are kept as you gave them."
    full: Text = "Thank you for your interest. Enough people have taken part."
    debriefing_heading: Text = "Thank you"
    debriefing: Text
    code: Text = "Your completion code is {code}."
    redirect_button: Text = "Finish"
    pilot: Text = "This is a trial run: nothing that is answered here counts."
    sheet_controller: Text = "Responsible"
    sheet_contact: Text = "Contact"
    sheet_purpose: Text = "Purpose"
    sheet_duration: Text = "Duration"
    sheet_payment: Text = "Payment"
    sheet_risks: Text = "Risks"
    sheet_ethics: Text = "Ethics"
    sheet_storage: Text = "Storage"
    sheet_rights: Text = "Your rights"
    sheet_checks: Text = "Checks"
    checks_share: Text = "Who answers fewer than {share}% of them rightly is not counted."
    checks_speed: Text = "Who takes less than {seconds} seconds in the median is not counted."
    checks_attempts: Text = (
        "Questions on what to do can be answered {attempts} times before the study begins; "
        "for those who do not answer them rightly it ends there."
    )
    box_missing: Text = "Please tick this box to take part."
    comprehension_button: Text = "Send the answers"
    comprehension_missing: Text = "Please choose an answer to every question."
    training_right: Text = "The right answer is: {answer}."
    withdraw_more: Text = "This cannot be undone."
    refused: Text = "This form cannot be used here. What you have answered before is kept."
    not_found: Text = "There is nothing at this address. Please check the link that you were given."
    too_large: Text = "That was more than this study can take at once."
    too_many: Text = "Too much at once. Please wait a minute, and try again."
    broken: Text = "Something went wrong here. What you have answered before is kept; try again."


class Description(_Part):
    """A whole study."""

    design: Text
    """The design's name: what makes the items, and what the answers mean."""
    version: Text = "1"
    title: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    seed: int = 0
    parameters: dict[str, Any] = {}
    """The design's own, as they were when the items were made."""
    conditions: Annotated[list[Condition], Field(min_length=1)]
    question: Question
    assignment: Assignment
    checks: Checks = Checks()
    sheet: Sheet = Sheet()
    payment: Payment = Payment()
    completion: Completion = Completion()
    texts: Texts
    categories: list[Category] = []
    captions: dict[str, str] = {}
    """A sentence for each stimulus, shown below it: what a map is, in plain words."""
    recruitment: dict[str, str] = {}
    """Where, when and whom: facts that stand in the record."""

    @model_validator(mode="after")
    def _check(self) -> "Description":
        for reason in self._contradictions():
            raise ValueError(reason)
        return self

    def _contradictions(self) -> Iterator[str]:
        names = [condition.name for condition in self.conditions]
        if len(set(names)) < len(names):
            yield f"conditions: two have one name among {', '.join(names)}"
        errors = [category.name for category in self.categories]
        if len(set(errors)) < len(errors):
            yield f"categories: two have one name among {', '.join(errors)}"
        if self.question.kind == "rate" and len(self.question.scale) < 2:
            yield "question.scale: a rating needs at least two degrees"
        if self.question.kind == "choose" and self.question.scale:
            yield 'question.scale: there is one, and question.kind is "choose"'

    def condition(self, name: str) -> Condition:
        """The condition of this name, or `ParameterError`."""
        for condition in self.conditions:
            if condition.name == name:
                return condition
        names = ", ".join(condition.name for condition in self.conditions)
        raise ParameterError(f"study {self.title!r} has no condition {name!r}; it has {names}")


def read_description(path: Path) -> Description:
    """A study's file, or `ParameterError` that names the file and the place in it."""
    what = f"study file {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{what} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"{what} is no text in UTF-8") from error
    return described(parsed_text(text, what), what)


def parsed_text(text: str, what: str) -> dict[str, Any]:
    """Text as TOML, or `ParameterError` that names `what` and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{what}: {error}") from error


def described(tree: Mapping[str, Any], what: str) -> Description:
    """A tree as a description, or `ParameterError` that names `what` and the place."""
    try:
        return Description.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise ParameterError(f"{what}: {place + ': ' if place else ''}{words}") from error
