"""Simulated participants, who take part through an answer book, without pages."""

from collections.abc import Callable
from dataclasses import dataclass

from xbench_study.answers.book import AnswerBook
from xbench_study.answers.steps import Choice, Outcome, Platform, Ratings, Reply, Step

CONSENT = "c0" * 32
"""The hash of what was consented to."""
Answering = Callable[[Step], Reply]


def first_option(step: Step) -> Reply:
    """The first option that is shown."""
    return Choice(step.options[:1])


def rate_all(step: Step) -> Reply:
    """The lowest degree for each option."""
    return Ratings(dict.fromkeys(step.options, 0))


@dataclass
class Person:
    """A participant, whose watch goes on by `pace` seconds a step."""

    book: AnswerBook
    token: str
    now: float
    pace: float = 3.0
    answering: Answering = first_option

    @property
    def step(self) -> Step:
        """What is seen now."""
        step = self.book.step(self.token, self.now)
        assert step is not None
        return step

    def answer(self, reply: Reply | None = None, step: Step | None = None) -> Outcome:
        """Answer the trial that is shown, after a while."""
        step = step or self.step
        self.now += self.pace
        reply = reply or self.answering(step)
        return self.book.answer(self.token, step.position, step.nonce, reply, self.now)

    def go_on(self) -> None:
        """Leave instructions or feedback behind."""
        self.book.go_on(self.token, self.step.nonce, self.now)

    def begin(self) -> "Person":
        """Get past the instructions and the comprehension questions."""
        self.go_on()
        if (step := self.step).stage == "comprehension":
            asked = self.book.study.description.checks.comprehension
            right = tuple(question.right for question in asked)
            assert self.book.comprehend(self.token, step.nonce, right, self.now)
        return self

    def take(self, most: int = 10_000) -> "Person":
        """Take part to the end, or answer as many trials as this."""
        while most and (step := self.step).stage not in ("debriefing", "failed", "left", "expired"):
            if step.stage == "trial":
                assert self.answer(step=step).kind == "stored"
                most -= 1
            elif step.stage == "feedback":
                self.go_on()
            else:
                self.begin()
        return self


def enrol(
    book: AnswerBook,
    now: float = 0.0,
    *,
    name: str = "",
    invitation: str = "",
    pilot: bool = False,
    answering: Answering = first_option,
) -> Person:
    """A new participant; `name` is what a platform calls them."""
    platform = Platform(name, "the study", "a session") if name else None
    origin = {"platform": platform, "invitation": invitation, "pilot": pilot}
    token = book.enrol(CONSENT, now, **origin)
    assert token, "the study is full"
    return Person(book, token, now, answering=answering)


def everybody(book: AnswerBook, now: float = 0.0, *, answering: Answering = first_option) -> int:
    """Have people take part, one after the other, until the study is full; how many."""
    count = 0
    while token := book.enrol(CONSENT, now):
        Person(book, token, now, answering=answering).take()
        count += 1
    return count
