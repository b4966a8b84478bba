"""Annotations as they lie in a study's database, and who may still add to them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select

from xbench_study.answers.storage.tables import (
    annotations,
    answers,
    participants,
    settlements,
    trials,
)
from xbench_study.categories.annotations import PEOPLE, AnnotationCounts, Annotations
from xbench_study.designs.drafts import IMAGE
from xbench_study.material.study import Study

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

CLOSED = "there are answers already: categories are annotated before anybody answers"
STANDS = "two people have annotated everything: what they said stands, and is settled now"
OTHERS = "two people annotate already; whoever comes then settles what they disagree about"
NOT_YET = "there is nothing to settle: two people have not annotated everything"
UNKNOWN = "that is no category or no item of this study"


@dataclass(frozen=True)
class Annotating:
    """What is said of categories in the database of a study."""

    book: "AnswerBook"

    @property
    def items(self) -> list[str]:
        """The trials of which an image, and a right option, can be shown."""
        study = self.book.study
        return [item.key for item in study.of_kind("trial") if is_shown(study, item.key)]

    def read(self) -> Annotations:
        """What was said so far."""
        with self.book.database.reading() as connection:
            return self._read(connection)

    def closed(self) -> bool:
        """Whether somebody answered, pilots aside."""
        with self.book.database.reading() as connection:
            return _answered(connection)

    def _read(self, connection: Connection) -> Annotations:
        by_person: dict[str, dict[str, str]] = {}
        rows = connection.execute(select(annotations).order_by(annotations.c.number))
        for row in rows:
            by_person.setdefault(row.annotator, {})[row.item] = row.category
        decided = connection.execute(select(settlements.c.item, settlements.c.category)).all()
        names = [of.name for of in self.book.study.description.categories]
        return Annotations(self.items, names, by_person, dict(map(tuple, decided)))

    def annotate(self, person: str, item: str, category: str, now: float) -> str:
        """Store what a person says of an item; why that is refused, "" where it is stored.

        What they said of it before is replaced, until two people are through.
        """
        with self.book.database.writing(alone=True, shut=answers) as connection:
            known = self._read(connection)
            reason = self._reason(connection, known, item, category)
            reason = reason or (STANDS if known.complete else "")
            full = len(known.given) >= PEOPLE and person not in known.given
            if reason or full:
                return reason or OTHERS
            mine = (annotations.c.annotator == person) & (annotations.c.item == item)
            connection.execute(delete(annotations).where(mine))
            row = {"annotator": person, "item": item, "category": category, "stored_at": now}
            connection.execute(insert(annotations).values(**row))
        return ""

    def settle(self, person: str, item: str, category: str, now: float) -> str:
        """Store what is decided about a disagreement; why that is refused, "" where it is not."""
        with self.book.database.writing(alone=True, shut=answers) as connection:
            known = self._read(connection)
            reason = self._reason(connection, known, item, category)
            if reason or not known.complete or item not in dict(known.disagreements):
                return reason or NOT_YET
            connection.execute(delete(settlements).where(settlements.c.item == item))
            row = {"annotator": person, "item": item, "category": category, "stored_at": now}
            connection.execute(insert(settlements).values(**row))
        return ""

    def _reason(self, connection: Connection, known: Annotations, item: str, category: str) -> str:
        if _answered(connection):
            return CLOSED
        return "" if item in known.items and category in known.names else UNKNOWN


def is_shown(study: Study, key: str) -> bool:
    """Whether the item has its image, one right option, and words for it."""
    item, right = study.items[key], study.secrets[key].right
    named = [option for option in item.options if option.key in right and option.text]
    return len(named) == 1 and any(of.name == IMAGE for of in item.stimuli)


def _answered(connection: Connection) -> bool:
    joined = answers.join(trials).join(participants, trials.c.participant == participants.c.number)
    count = select(func.count()).select_from(joined).where(participants.c.pilot.is_(False))
    return bool(connection.execute(count).scalar_one())


def categories_of(book: "AnswerBook") -> dict[str, str]:
    """The category of each item: what two people said, or where nobody did, what key.json has."""
    known = Annotating(book).read()
    if known.given:
        return known.categories()
    return {key: of.category for key, of in book.study.secrets.items() if of.category}


def counts_of(book: "AnswerBook") -> AnnotationCounts | None:
    """How far the annotating is; None where nobody began."""
    known = Annotating(book).read()
    return known.counts() if known.given else None
