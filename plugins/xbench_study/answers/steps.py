"""Where a participant is in a study, and what becomes of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

State = Literal["taking-part", "finished", "failed", "left"]
"""A participant's: still answering, done, ended by the comprehension questions, left and kept. Of
who left and was erased there is no row: their link is nobody's."""
Stage = Literal[
    "instructions", "comprehension", "trial", "feedback", "debriefing", "failed", "left", "expired"
]
"""What a participant sees next. A trial of an item of training is left behind by an answer, or by
going on without one."""


@dataclass(frozen=True)
class Step:
    """What a participant sees next."""

    stage: Stage
    condition: str = ""
    """The condition of a trial: what is shown of its item."""
    item: str = ""
    """The key of the item of a trial, or of the one that feedback is about."""
    position: int = 0
    """Which trial it is, from 0; training, practice, checks and trials count alike."""
    of: int = 0
    """How many trials there are in all."""
    options: tuple[str, ...] = ()
    """Keys of the item's options in the order of this participant."""
    nonce: str = ""
    """What the form of this step sends back; it is of this participant and step alone."""
    pilot: bool = False
    right: bool | None = None
    """Of feedback: whether the answer was right."""
    attempt: int = 0
    """Of comprehension: how often it was answered before."""


@dataclass(frozen=True)
class Choice:
    """Options that were chosen, in no order; none for "don't know"."""

    options: tuple[str, ...]
    unsure: bool = False


@dataclass(frozen=True)
class Ratings:
    """A degree for each option, from 0; None for "cannot tell"."""

    degrees: Mapping[str, int | None]


@dataclass(frozen=True)
class Skipped:
    """No answer, where the design allows it."""


Reply: TypeAlias = Choice | Ratings | Skipped


@dataclass(frozen=True)
class Outcome:
    """What became of an answer."""

    kind: Literal["stored", "already", "too-soon", "invalid"]
    """`already`: this position was answered before, and that answer stands; `invalid`: it is of
    another step, or no answer to the question."""
    seconds: float = 0.0
    """Of `too-soon`: how many more are needed."""
    reason: str = ""
    at: Step | None = None
    """Where the participant was when it came; None for a token of nobody."""


@dataclass(frozen=True)
class Platform:
    """What a recruitment platform calls a participant; lies in a table apart."""

    participant: str
    study: str = ""
    session: str = ""
