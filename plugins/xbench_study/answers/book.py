"""The book of answers: the one place that reads and writes the study's database."""

from dataclasses import dataclass

from xbench_study.answers.steps import Outcome, Platform, Reply, Step
from xbench_study.material.study import Study


@dataclass(frozen=True)
class AnswerBook:
    """The answers of a study in a database. Times are seconds since 1970, given by the caller."""

    study: Study
    url: str

    def enrol(
        self,
        consent: str,
        now: float,
        *,
        platform: Platform | None = None,
        invitation: str = "",
        pilot: bool = False,
    ) -> str | None:
        """The token of a new participant, or None where the study is full.

        `consent` is the hash of the text that was consented to. Whom the platform calls the same
        as one before gets a new token of the same participant; a used invitation does likewise.
        """
        raise NotImplementedError

    def step(self, token: str, now: float) -> Step | None:
        """What the participant sees next, None for a token of nobody.

        Showing a trial for the first time starts its clock.
        """
        raise NotImplementedError

    def go_on(self, token: str, nonce: str, now: float) -> None:
        """Leave the instructions, or feedback, behind; nothing where the step is another one."""
        raise NotImplementedError

    def comprehend(self, token: str, nonce: str, options: tuple[int, ...], now: float) -> bool:
        """Whether the comprehension questions were answered rightly; stored either way."""
        raise NotImplementedError

    def answer(self, token: str, position: int, nonce: str, reply: Reply, now: float) -> Outcome:
        """Store an answer, exactly once, in one transaction that ends on the disk."""
        raise NotImplementedError

    def leave(self, token: str, now: float, *, erase: bool) -> bool:
        """Stop; erased or kept. Whether there was such a participant. Also withdrawal later."""
        raise NotImplementedError
