"""Forms as they come: untrusted, and at most so large."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from xbench_study.answers.steps import Choice, Platform, Ratings, Reply, Skipped
from xbench_study.designs.description import Question

MOST_FIELDS = 500
UNSURE = "unsure"
PLATFORMS = (
    ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    ("workerId", "hitId", "assignmentId"),
)
"""What Prolific, and Mechanical Turk and CloudResearch, call a person, a study, a session."""
NAMES = tuple(name for names in PLATFORMS for name in names)
MOST_CHARACTERS = 100
"""Of a platform's name of somebody or something."""
_PLATFORM_NAME = re.compile(r"[\w.:@-]+", re.ASCII)


@dataclass(frozen=True)
class Form:
    """The fields of a form: text alone, each name perhaps several times."""

    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a name, in their order."""
        return tuple(value for of, value in self.fields if of == name)

    def get(self, name: str) -> str:
        """The one value of a name, "" without any; 400 where there are several."""
        values = self.all(name)
        if len(values) > 1:
            raise HTTPException(400)
        return values[0] if values else ""

    def number(self, name: str) -> int | None:
        """The value of a name as a whole number from 0 up, None where it is none."""
        return whole(self.get(name))


def whole(text: str) -> int | None:
    """A text of at most six digits as a number."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


async def read_form(request: Request) -> Form:
    """The form of a request; 400 where it is none, has files, or too many fields."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(400)
    try:
        async with request.form(max_fields=MOST_FIELDS) as form:
            return Form(_fields(form))
    except (ValueError, ClientDisconnect) as error:
        raise HTTPException(400) from error


def _fields(form: FormData) -> tuple[tuple[str, str], ...]:
    if len(form.multi_items()) > MOST_FIELDS:
        raise HTTPException(400)
    return tuple((name, str(value)) for name, value in form.multi_items())


def platform_fields(values: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a platform says of a person, of an address or a form; 400 for what cannot be it."""
    said = {name: value for name, value in values if name in NAMES and value}
    for value in said.values():
        if len(value) > MOST_CHARACTERS or not _PLATFORM_NAME.fullmatch(value):
            raise HTTPException(400)
    return said


def platform(fields: dict[str, str]) -> Platform | None:
    """Whom a platform means, if one does."""
    for person, study, session in PLATFORMS:
        if person in fields:
            return Platform(fields[person], fields.get(study, ""), fields.get(session, ""))
    return None


def reply(form: Form, question: Question) -> Reply:
    """What a form answers; whether the question has such an answer is not asked here."""
    if form.get("skip"):
        return Skipped()
    if question.kind == "rate":
        return Ratings(dict(_degrees(form)))
    chosen = form.all("choice")
    options = tuple(value for value in chosen if value != UNSURE)
    return Choice(options, unsure=UNSURE in chosen)


def _degrees(form: Form) -> Iterable[tuple[str, int | None]]:
    for name, value in form.fields:
        prefix, _, key = name.partition("degree-")
        if not prefix and key:
            degree = whole(value)
            if degree is None and value != UNSURE:
                raise HTTPException(400)
            yield key, degree


def fault(answer: Reply, question: Question, options: Iterable[str]) -> str:
    """Which text says why a reply is none: `choose`, `rate`, or "" where it is one."""
    match answer:
        case Choice(chosen, unsure=True):
            return "choose" if chosen else ""
        case Choice(chosen):
            return "" if len(set(chosen)) == question.pick else "choose"
        case Ratings(degrees):
            return "rate" if set(options) - degrees.keys() else ""
        case _:
            return ""
