"""The book of answers: the one place that reads and writes the study's database."""

import weakref
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select

from xbench_study.answers import answering
from xbench_study.answers.enrolment import Newcomer, enrolled, invited, is_full, new_token
from xbench_study.answers.progress import participant_of, place, step_of, where_is
from xbench_study.answers.steps import Outcome, Platform, Reply, Step
from xbench_study.answers.storage.database import Database, open_database, sqlite_url
from xbench_study.answers.storage.tables import trials
from xbench_study.material.study import ANSWERS, Study


@dataclass(frozen=True)
class AnswerBook:
    """The answers of a study in a database. Times are seconds since 1970, given by the caller.

    Threads and processes may use a database at once. It is opened, and made where there is none,
    when it is first asked for; `ParameterError` for one of another study or schema.
    """

    study: Study
    url: str = ""
    """`sqlite:///FILE` or `postgresql://…`; "" for the file `answers.sqlite` of the study."""

    @cached_property
    def database(self) -> Database:
        """The open database."""
        url = self.url or sqlite_url(self.study.folder / ANSWERS)
        database = open_database(url, self.study.identity)
        weakref.finalize(self, database.close)
        self._check_conditions(database)
        return database

    def _check_conditions(self, database: Database) -> None:
        """`ParameterError` where people are in conditions that the study has no more."""
        with database.reading() as connection:
            used = connection.execute(select(trials.c.condition).distinct()).scalars().all()
        for condition in sorted(used):
            self.study.description.condition(condition)

    def close(self) -> None:
        """Close all connections, if there are any; another call opens new ones."""
        if "database" in vars(self):
            self.database.close()

    def invite(self, count: int) -> list[str]:
        """New one-time invitations, which are not kept: they are told this once."""
        with self.database.writing() as connection:
            return invited(connection, self.study, count)

    def enrol(
        self,
        consent: str,
        now: float,
        *,
        platform: Platform | None = None,
        invitation: str = "",
        pilot: bool = False,
        ticket: str = "",
    ) -> str | None:
        """The token of a new participant, or None where the study is full.

        `consent` is the hash of the text that was consented to. Whom the platform calls the same
        as one before gets a new token of the same participant; a used invitation does likewise,
        and so does a form of consent with the same ticket that is sent twice.
        `ParameterError` for an invitation that was never made, or whose participant was erased.
        """
        who = Newcomer(consent, platform, invitation, pilot, ticket)
        with self.database.writing(alone=True) as connection:
            number = enrolled(connection, self.study, who, now)
            return None if number is None else new_token(connection, self.study, number)

    def full(self, now: float, *, platform: Platform | None = None, invitation: str = "") -> bool:
        """Whether nobody is sought any more; not for a participant of this name or invitation.

        `ParameterError` for an invitation that was never made, or whose participant was erased.
        """
        who = Newcomer("", platform, invitation)
        with self.database.reading() as connection:
            return is_full(connection, self.study, who, now)

    def step(self, token: str, now: float) -> Step | None:
        """What the participant sees next, None for a token of nobody.

        Showing a trial for the first time starts its clock.
        """
        with self.database.reading() as connection:
            at = where_is(connection, self.study, token, now)
        if at is None:
            return None
        if at.stage == "trial" and at.trial and at.trial.shown_at is None:
            with self.database.writing(lasting=False) as connection:  # an answer lasts by itself
                answering.show(connection, at.trial, now)
        return step_of(self.study, at)

    def go_on(self, token: str, nonce: str, now: float) -> None:
        """Leave the instructions, feedback or a training trial behind; else nothing."""
        with self.database.writing() as connection:
            person = participant_of(connection, self.study, token, lock=True)
            at = place(connection, self.study, person, now) if person else None
            if at and answering.is_of(self.study, at, nonce):
                answering.go_on(connection, self.study, at, now)

    def comprehend(self, token: str, nonce: str, options: tuple[int, ...], now: float) -> bool:
        """Whether the comprehension questions are answered rightly.

        The attempt is stored, unless a question has no answer or the form is of another step.
        """
        with self.database.writing() as connection:
            person = participant_of(connection, self.study, token, lock=True)
            at = place(connection, self.study, person, now) if person else None
            if at is None or at.stage != "comprehension":
                return person is not None and person.understood_at is not None
            if not answering.is_of(self.study, at, nonce):
                return False
            return answering.comprehend(connection, self.study, at, options, now)

    def answer(self, token: str, position: int, nonce: str, reply: Reply, now: float) -> Outcome:
        """Store an answer, exactly once, in one transaction that ends on the disk."""
        with self.database.writing() as connection:
            sent = (token, position, nonce, reply)
            return answering.answer(connection, self.study, sent, now)

    def leave(self, token: str, now: float, *, erase: bool) -> bool:
        """Stop; erased or kept. Whether there was such a participant. Also withdrawal later.

        Who is erased leaves no byte in the database, its log and the study's backups.
        """
        if erase:
            from xbench_study.answers.erasing import erase_token

            return erase_token(self, token)
        with self.database.writing() as connection:
            person = participant_of(connection, self.study, token, lock=True)
            if person:
                answering.leave(connection, person, now)
            return person is not None
