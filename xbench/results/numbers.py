"""Numbers as text: shares in per cent, differences with a sign, intervals in brackets."""

from xbench.interfaces.protocol import Unit
from xbench.results.record import ScoreRecord

NONE = "–"
"""What stands where there is no number."""
HUGE = 1e12
"""Larger numbers have an exponent instead of all of their digits."""


def value_text(value: float | None, unit: Unit) -> str:
    """The number as tables show it."""
    if value is None:
        return NONE
    return _fixed(100 * value, ".1f") if unit != "number" else _fixed(value, ".2f")


def _fixed(value: float, form: str) -> str:
    return format(value, form if abs(value) < HUGE else form.replace("f", "e"))


def signed_text(value: float | None, unit: Unit) -> str:
    """A difference as tables show it."""
    if value is None:
        return NONE
    return _fixed(100 * value, "+.1f") if unit != "number" else _fixed(value, "+.2f")


def spoken(value: float | None, unit: Unit) -> str:
    """The number as sentences have it: with its unit."""
    behind = {"share": " %", "points": " points", "number": ""}[unit]
    return f"{value_text(value, unit)}{'' if value is None else behind}"


def points(text: str, unit: Unit) -> str:
    """A difference as sentences have it: of shares in percentage points."""
    return f"{text} points" if unit != "number" else text


def interval_text(low: float | None, high: float | None, unit: Unit) -> str:
    """The ends of a value's interval."""
    return f"[{value_text(low, unit)}, {value_text(high, unit)}]"


def score_text(score: ScoreRecord | None) -> str:
    """The value with its interval, on one line."""
    if score is None or score.value is None:
        return NONE
    unit = score.unit
    return f"{value_text(score.value, unit)} {interval_text(score.low, score.high, unit)}"


def unit_text(unit: Unit) -> str:
    """The unit behind the name of a score; nothing for plain numbers."""
    return {"share": " (%)", "points": " (points)", "number": ""}[unit]


def difference_unit(unit: Unit) -> str:
    """The unit behind the name of a score whose differences are shown."""
    return "" if unit == "number" else " (points)"


def signed_interval(low: float | None, high: float | None, unit: Unit) -> str:
    """The ends of a difference's interval."""
    return f"[{signed_text(low, unit)}, {signed_text(high, unit)}]"


def level_text(level: float) -> str:
    """How sure intervals are: 95 %."""
    return share_text(level, 0)


def share_text(share: float, digits: int = 1) -> str:
    """A share in per cent with its unit: 78.4 %, and 100 % without places."""
    text = f"{100 * share:.{digits}f}"
    return "100 %" if float(text) == 100 else f"{text} %"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, noun: str) -> str:
    """The count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
