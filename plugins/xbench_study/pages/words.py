"""What participants read before they consent, and how words are put into texts."""

import re
from collections.abc import Iterator

from xbench import content_key
from xbench_study.designs.description import Checks, Description, Texts

SHEET = (
    *("purpose", "duration", "payment", "risks", "storage", "rights"),
    *("controller", "contact", "ethics"),
)
"""Fields of the information sheet, in the order in which they are read."""


def filled(text: str, **values: object) -> str:
    """A text with its `{name}`s filled in; what else stands in braces stays as it is."""
    return re.sub(r"\{(\w+)\}", lambda of: str(values.get(of[1], of[0])), text)


def paragraphs(text: str) -> list[str]:
    """The parts of a text between empty lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def sheet(description: Description) -> list[tuple[str, str]]:
    """Headings and texts of the information sheet."""
    texts = description.texts
    said = [(getattr(texts, f"sheet_{name}"), getattr(description.sheet, name)) for name in SHEET]
    rules = " ".join(announced(description.checks, texts))
    return [*said, (texts.sheet_checks, rules)] if rules else said


def announced(checks: Checks, texts: Texts) -> Iterator[str]:
    """What is checked, and what follows from it."""
    if checks.every:
        yield texts.checks
        yield filled(texts.checks_share, share=f"{100 * checks.right:g}")
    if checks.fastest_seconds:
        yield filled(texts.checks_speed, seconds=f"{checks.fastest_seconds:g}")
    if checks.comprehension:
        yield filled(texts.checks_attempts, attempts=checks.attempts)


def age_box(description: Description) -> str:
    """The words of the box that confirms the minimum age."""
    return filled(description.texts.age_box, minimum_age=description.sheet.minimum_age)


def consent_hash(description: Description) -> str:
    """The hash of everything that is read before consent: 32 hexadecimal digits."""
    texts = description.texts
    boxes = [texts.consent_box, age_box(description), texts.sight]
    return content_key({"title": description.title, "sheet": sheet(description), "boxes": boxes})
