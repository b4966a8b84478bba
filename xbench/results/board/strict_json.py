"""JSON from strangers: parsed only as far as it is harmless."""

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from xbench.errors import SubmissionError
from xbench.results.board.plain_text import text_fault

DEPTH = 32
"""So deep may objects and lists lie in each other."""
DIGITS = 40
"""So many characters may a number have; no number of 64 bits has more."""
AGAIN = "make the submission again and leave its files as they are"
"""The way out of what no honest run writes."""


class Text(NamedTuple):
    """A string in a tree, or the name of a field."""

    place: str
    text: str


def strict_json(data: bytes, what: str, longest: int) -> Any:
    """What the bytes of the file `what` say; `SubmissionError` for anything out of the ordinary.

    That is another encoding than UTF-8, a field that is there twice, numbers that are not finite
    or too long, nesting deeper than `DEPTH`, and strings that are no plain text or longer than
    `longest`.
    """
    try:
        tree = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{what} is not in UTF-8 ({error.reason}); {AGAIN}") from error
    except RecursionError as error:
        raise SubmissionError(f"{what} is nested deeper than {DEPTH} levels; {AGAIN}") from error
    except ValueError as error:
        raise SubmissionError(f"{what} is no JSON as it must be: {error}; {AGAIN}") from error
    for place, text in texts(tree, what):
        fault = text_fault(text, longest)
        if fault:
            raise SubmissionError(f"{what}: {place} {fault}; use plain text")
    return tree


def texts(tree: Any, what: str, place: str = "", depth: int = 1) -> Iterator[Text]:
    """All strings in a tree and all names of fields, with their places."""
    if depth > DEPTH and isinstance(tree, dict | list):
        raise SubmissionError(f"{what} is nested deeper than {DEPTH} levels; {AGAIN}")
    if isinstance(tree, str):
        yield Text(place or "the text", tree)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            yield Text(f"the name of a field of {place or 'the object'}", name)
            yield from texts(value, what, _below(place, name[:80]), depth + 1)
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            if isinstance(value, str | dict | list):
                yield from texts(value, what, _below(place, number), depth + 1)


def _below(place: str, name: str | int) -> str:
    return f"{place}.{name}" if place else str(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in fields if names.count(name) > 1)
        raise ValueError(f"the field {twice[:80]!a} is there twice")
    return fields


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int:
    if len(text) > DIGITS or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"a number of {len(text)} digits is too large ({text[:12]}…)")
    return int(text)


def _float(text: str) -> float:
    if len(text) > DIGITS or not math.isfinite(float(text)):
        raise ValueError(f"the number {text[:12]}… is not finite, or has too many digits")
    return float(text)
