"""Terms: what the words mean that stand beside numbers, for readers who do not know them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.results.comparison import headlines
from xbench.results.numbers import level_text
from xbench.results.record import Record

FLOOR = "a stand-in that knows nothing of the question, such as a random answer; a method that is "
FLOOR += "worth its work is better."
CEILING = "a stand-in that is given the right answer: the best there can be."
VERDICTS = (
    "whether the interval of a difference on the same {case}s lies on the good side of 0, on "
)
VERDICTS += "the bad side, or holds 0."


class Term(NamedTuple):
    """A word, and what it means in a sentence."""

    name: str
    meaning: str


def terms(benchmark: Benchmark, records: Sequence[Record]) -> Iterator[Term]:
    """Those of the protocol, and those of the core that the numbers of a run need."""
    roles = {record.role for record in records}
    yield from (Term(*of) for of in benchmark.protocol.terms().items())
    if "floor" in roles:
        yield Term("floor", FLOOR)
    if "ceiling" in roles:
        yield Term("ceiling", CEILING)
    if any(score.chance is not None for record in records for score in record.scores):
        yield Term("chance", "what guessing is expected to score.")
    yield Term("interval", _interval(benchmark, records[0]))
    if any(score.deviation is not None for record in records for score in record.scores):
        yield Term("±", f"how far the {benchmark.repeats} networks lie apart (standard deviation).")
    if len(records) > 1 and headlines(records):
        yield Term("better, worse, tie", VERDICTS.format(case=benchmark.protocol.case))


def _interval(benchmark: Benchmark, record: Record) -> str:
    case, level = benchmark.protocol.case, level_text(record.intervals.level)
    return (
        f"low–high or [low, high]: where the number would lie with other {case}s ({level} of the "
        f"resamples of a bootstrap over {case}s)."
    )
