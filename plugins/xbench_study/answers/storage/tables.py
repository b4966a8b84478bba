"""The tables of a study's database: what is kept of participants, and nothing else.

book            the schema's number, and which study's answers these are
participants    one row a person: condition, state, consent, seed, times
tokens          hashes of the personal links, one or more a person
platforms       what a recruitment platform calls a person; apart, and deleted by `expire`
invitations     hashes of one-time links
trials          what a person is asked, and when it was first shown
answers         at most one a trial
comprehension   attempts at the questions about the instructions
erasures        how many persons were erased, and nothing of them
annotations     what researchers say of which category an error is, before answers exist
settlements     what was decided where two of them disagree

No address of a computer, no name of a browser, no text of a person's own.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

SCHEMA = 1
"""Changes when tables do; a database of another one is refused."""
metadata = MetaData()


def _person() -> Column[int]:
    """Whose row it is: it goes when the person goes."""
    return Column("participant", ForeignKey("participants.number", ondelete="CASCADE"), index=True)


book = Table(
    "book",
    metadata,
    Column("schema", Integer, nullable=False),
    Column("study", String, nullable=False),
)
participants = Table(
    "participants",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("condition", String, nullable=False),  # "" where conditions vary within a person
    Column("state", String, nullable=False),
    Column("pilot", Boolean, nullable=False),
    Column("consent", String, nullable=False),  # the hash of the text
    Column("seed", Integer, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("started_at", Float, nullable=False),  # when they consented
    Column("instructed_at", Float),
    Column("understood_at", Float),
    Column("ended_at", Float),
    Column("attempts", Integer, nullable=False, default=0),
    sqlite_autoincrement=True,  # a number is never given twice, erased or not
)
tokens = Table("tokens", metadata, Column("digest", String, primary_key=True), _person())
platforms = Table(
    "platforms",
    metadata,
    Column("name", String, primary_key=True),
    Column("study", String, nullable=False),
    Column("session", String, nullable=False),
    _person(),
)
invitations = Table("invitations", metadata, Column("digest", String, primary_key=True), _person())
trials = Table(
    "trials",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("participant", ForeignKey("participants.number", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("item", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("condition", String, nullable=False),
    Column("options", String, nullable=False),  # keys in the order of this person
    Column("shown_at", Float),
    Column("passed_at", Float),  # when feedback was left behind
    UniqueConstraint("participant", "position"),
    Index("trials_by_item", "kind", "condition", "item", "participant"),
)
answers = Table(
    "answers",
    metadata,
    Column("trial", ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    Column("reply", JSON, nullable=False),
    Column("stored_at", Float, nullable=False),
    Column("seconds", Float),  # none where nobody measured them
)
comprehension = Table(
    "comprehension",
    metadata,
    Column("id", Integer, primary_key=True),
    _person(),
    Column("attempt", Integer, nullable=False),
    Column("options", JSON, nullable=False),
    Column("right", Boolean, nullable=False),
    Column("stored_at", Float, nullable=False),
)


def _said() -> list[Column[object]]:
    """What is said of an item, and by whom of the researchers."""
    return [
        Column("annotator", String, nullable=False),
        Column("category", String, nullable=False),
        Column("stored_at", Float, nullable=False),
    ]


annotations = Table(
    "annotations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("item", String, nullable=False),
    *_said(),
    UniqueConstraint("annotator", "item"),
)
settlements = Table("settlements", metadata, Column("item", String, primary_key=True), *_said())
erasures = Table(
    "erasures",
    metadata,
    Column("persons", Integer, nullable=False),
    Column("deletions", Integer, nullable=False),  # of rows of whatever kind, and how many of them
    Column("swept", Integer, nullable=False),  # were followed by cleaning the files
)
