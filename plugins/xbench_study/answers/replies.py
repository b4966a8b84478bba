"""What participants reply: whether it answers the question, whether it is right, how it is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from xbench_study.answers.steps import Choice, Ratings, Reply, Skipped
from xbench_study.designs.description import Question


def fault(reply: Reply, question: Question, options: Sequence[str]) -> str:
    """Why this is no answer to the question about an item with these options; "" where it is."""
    if isinstance(reply, Skipped):
        return "" if question.may_skip else "the question cannot be skipped"
    if isinstance(reply, Choice):
        return _choice_fault(reply, question, options)
    return _ratings_fault(reply, question, options)


def _choice_fault(reply: Choice, question: Question, options: Sequence[str]) -> str:
    if question.kind != "choose":
        return "each option has to be rated"
    if reply.unsure:
        return "" if question.unsure and not reply.options else "one of the options is needed"
    if not set(reply.options) <= set(options):
        return "an option is none of the item's"
    if len(reply.options) != question.pick or len(set(reply.options)) < len(reply.options):
        return f"{question.pick} of the options have to be chosen, each once"
    return ""


def _ratings_fault(reply: Ratings, question: Question, options: Sequence[str]) -> str:
    if question.kind != "rate":
        return "one of the options has to be chosen"
    if set(reply.degrees) != set(options):
        return "each of the item's options needs a degree, and nothing else does"
    degrees = list(reply.degrees.values())
    if None in degrees and not question.unsure:
        return '"cannot tell" is no degree of the scale'
    if not all(degree is None or 0 <= degree < len(question.scale) for degree in degrees):
        return f"degrees are 0 to {len(question.scale) - 1}"
    return ""


def is_right(reply: Reply, right: Sequence[str]) -> bool | None:
    """Whether a reply is right; None where it is skipped, or where nothing is right or wrong.

    A choice is right if all that was chosen is, a rating if the right options are rated above all
    others; "don't know" is not.
    """
    if isinstance(reply, Skipped) or not right:
        return None
    if isinstance(reply, Choice):
        return bool(reply.options) and set(reply.options) <= set(right)
    degrees = {key: -1 if degree is None else degree for key, degree in reply.degrees.items()}
    low = [degree for key, degree in degrees.items() if key not in right]
    high = [degree for key, degree in degrees.items() if key in right]
    return min(high) > max(low) if high and low else None


def plain_reply(reply: Reply) -> dict[str, Any]:
    """The reply as JSON has it."""
    if isinstance(reply, Skipped):
        return {"skipped": True}
    if isinstance(reply, Ratings):
        return {"degrees": dict(reply.degrees)}
    return {"unsure": True} if reply.unsure else {"chosen": sorted(reply.options)}


def reply_from(plain: Mapping[str, Any]) -> Reply:
    """The reply that `plain_reply` made this of."""
    if "skipped" in plain:
        return Skipped()
    if "degrees" in plain:
        return Ratings(plain["degrees"])
    return Choice(tuple(plain.get("chosen", ())), unsure="unsure" in plain)
