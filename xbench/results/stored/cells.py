"""Numbers of results as text: shares in per cent with one digit, others with two."""

from datetime import datetime

from xbench.interfaces.protocol import Unit
from xbench.results.record import DifferenceRecord, Number, ScoreRecord

NONE = "–"
"""What stands for a number that cannot be computed."""


def value_text(value: Number, unit: Unit, *, signed: bool = False) -> str:
    """The value, with its sign where it is a difference."""
    if value is None:
        return NONE
    scaled, digits = (100 * value, 1) if unit == "share" else (value, 2)
    text = f"{scaled:+.{digits}f}" if signed else f"{scaled:.{digits}f}"
    return text.replace("-", "−")


def score_text(score: ScoreRecord | None) -> str:
    """The value with its interval."""
    if score is None or score.value is None:
        return NONE
    low, high = (value_text(value, score.unit) for value in (score.low, score.high))
    return f"{value_text(score.value, score.unit)} [{low}, {high}]"


def difference_text(difference: DifferenceRecord) -> tuple[str, str]:
    """The difference, and its interval."""
    value, low, high = (
        value_text(value, difference.unit, signed=True)
        for value in (difference.value, difference.low, difference.high)
    )
    return value, f"[{low}, {high}]"


def unit_text(unit: Unit) -> str:
    """The unit behind the name of a score; nothing for plain numbers."""
    return " (%)" if unit == "share" else ""


def time_text(text: str) -> str:
    """An ISO time to the minute, in the zone of this machine."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
