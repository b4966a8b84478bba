"""Rankings: plain values of what the table of one group of entries shows."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from xbench.errors import MismatchError
from xbench.interfaces.protocol import Role, Unit
from xbench.results.board.plain_text import shown_text
from xbench.results.record import Number, ScoreRecord

Better = Literal["higher", "lower"]
"""Which values of the score that ranks are better."""


def better(score: ScoreRecord) -> Better:
    """Which of the score's values are better; `MismatchError` for one that ranks nothing."""
    if score.direction == "none":
        message = f"the score {score.name!r} has no direction, and ranks nothing"
        raise MismatchError(f"{message}; name another score")
    return score.direction


class Drop(NamedTuple):
    """How much worse an entry was on images that nobody had when it was submitted."""

    drop: float
    low: float
    high: float
    score: str


class Figure(NamedTuple):
    """A published figure, in the unit that its paper prints."""

    label: str
    value: float
    deviation: float | None


@dataclass(frozen=True)
class Line:
    """One entry, floor or ceiling of a board."""

    name: str
    """On the board."""
    key: str
    label: str
    """As it was submitted."""
    shown: str
    """The label as tables and sentences have it: short, and no two are alike."""
    role: Role
    value: Number
    low: Number
    high: Number
    left_out: int
    """How many cases it has no score of and others have; they count as the worst value."""
    passes: int
    """Images that went through networks, forward and backward, in all."""
    seconds: Number
    """In all, on the machine of who submitted it."""
    superseded: int
    """How many submissions of its name came before it."""
    tuned_on: tuple[str, ...]
    configurations_tried: int
    fresh: Drop | None = None
    """The last check on new images, of this score if there is one."""
    unchecked: tuple[str, ...] = ()
    """What of it the board could not check: it was not there."""
    rank: int | None = None
    """Like all that follows, of ranked entries alone."""
    rank_low: int | None = None
    rank_high: int | None = None
    letters: tuple[str, ...] = ()
    not_distinguished: tuple[str, ...] = ()
    """Names of the entries that it is not told apart from, the best first."""
    by_network: tuple[int | None, ...] = ()
    """Its rank on each network; None where a network has no cases."""
    beaten_by: tuple[str, ...] = ()
    """Names of the floors that are better, the best first."""


@dataclass(frozen=True)
class Ranking:
    """Entries that pair, ranked by one score."""

    apart: str
    """In what they differ from those of the board's first ranking; "" for these."""
    version: str
    """Of the benchmark."""
    score: str
    direction: Better
    """Of better values."""
    unit: Unit
    case: str
    """What a case is, in a word."""
    cases: int
    scored: int
    """How many cases each entry is scored on, counted on each network."""
    clusters: int
    networks: int
    """How many; ranks are conditional on them."""
    lines: tuple[Line, ...]
    """Ranked entries, floors and ceilings, of each the best first."""
    worst: float
    """What a case counts that is left out."""
    level: float
    """Of the intervals of values and ranks."""
    simultaneous: bool
    """Whether intervals hold all ranks at once, or each for itself (marginal)."""
    stepdown: bool
    resamples: int
    seed: int
    alpha: float
    """Level of all tests; letters are adjusted by Holm, floors are not."""
    detectable: Number
    """Median, over all pairs of ranked entries, of the difference that a test tells at level
    `alpha` with 80 % power."""
    chance: tuple[float, ...]
    """The least and the most that guessing is expected to score; () where that is unknown."""
    published: tuple[Figure, ...]
    source: str
    """Of the published figures."""
    crossed: bool
    """Whether cases are clustered by a second key, which is not resampled."""

    @property
    def what(self) -> str:
        """The score's name, as tables and sentences have it."""
        return shown_text(self.score, 60)

    @property
    def ranked(self) -> tuple[Line, ...]:
        """The lines that have a rank."""
        return tuple(line for line in self.lines if line.rank is not None)

    def of_role(self, role: str) -> tuple[Line, ...]:
        """The lines of a role."""
        return tuple(line for line in self.lines if line.role == role)

    def called(self, names: tuple[str, ...]) -> list[str]:
        """How lines of these names are called."""
        shown = {line.name: line.shown for line in self.lines}
        return [shown[name] for name in names]


@dataclass(frozen=True)
class Standing:
    """Where the entries of a benchmark stand."""

    benchmark: str
    title: str
    rankings: tuple[Ranking, ...]
    """The board's own first; then those of entries that do not pair with it."""

    @property
    def main(self) -> Ranking:
        """The ranking that the board is about."""
        return self.rankings[0]

    def tree(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        tree = asdict(self)
        for ranking in tree["rankings"]:
            for line in ranking["lines"]:
                line["fresh"] = line["fresh"] and line["fresh"]._asdict()
            ranking["published"] = [figure._asdict() for figure in ranking["published"]]
        return tree
