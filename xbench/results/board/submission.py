"""Submissions: an entry as it travels from one machine to a board."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import pyarrow as pa
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from xbench.results.record import Record, Strict

FORMAT = 1
MANIFEST, RECORD, SCORES = "submission.json", "record.json", "scores.parquet"
ROWS = re.compile(r"rows-(0|[1-9][0-9]{0,2})\.parquet")
"""Files of the rows of a repeat, where the scores depend on what else was compared."""
LONGEST = 400
"""Characters that a string of `submission.json` may have."""
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#!$&()*+,;=%@]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")


def rows_name(repeat: int) -> str:
    """The file of a repeat's rows."""
    return f"rows-{repeat}.parquet"


def _link(text: str) -> str:
    """A link that leads where it says: http or https, a host, no name and no password."""
    if not _URL.fullmatch(text):
        raise ValueError("is no link that begins with http:// or https:// and has a host")
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise ValueError("holds a user name or a password; leave them out")
    if not _HOST.fullmatch(parts.hostname or "") or parts.port == 0:
        raise ValueError("has no host")
    return text


def _plugin(text: str) -> str:
    return text if _DISTRIBUTION.fullmatch(text) else _link(text)


def _file(name: str) -> str:
    if name not in (RECORD, SCORES) and not ROWS.fullmatch(name):
        raise ValueError("is no file of a submission")
    return name


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("is no date such as 2026-05-01")
    return text


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
"""A name that is a part of addresses and paths."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Licence = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+() -]{0,99}$")]
Link = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_link)]
Plugin = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_plugin)]
Day = Annotated[str, AfterValidator(_day)]
FileName = Annotated[str, AfterValidator(_file)]


class FileRecord(Strict):
    """What a file of a submission must be."""

    sha256: Digest
    size: int = Field(ge=0)


class Links(Strict):
    """Where more is said of an entry."""

    paper: Link | None = None
    code: Link | None = None
    plugin: Plugin | None = None
    """A link, or the name of the distribution that provides the entry's components."""


class Declarations(Strict):
    """What nobody can see in the numbers, and the submitter answers for."""

    uses_annotations: bool
    uses_labels: bool
    tuned_on: list[Literal["train", "validation", "test", "none"]] = Field(min_length=1)
    """Splits on which anything was chosen."""
    configurations_tried: int = Field(ge=1)
    extra_training_data: str = Field("", max_length=LONGEST)
    """Which, if there is any."""

    @property
    def ceiling(self) -> bool:
        """Whether the entry knows what explainers do not: then it is ranked apart."""
        return self.uses_annotations or self.uses_labels

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.tuned_on)) < len(self.tuned_on):
            raise ValueError("tuned_on names a split twice")
        if "none" in self.tuned_on and len(self.tuned_on) > 1:
            raise ValueError("tuned_on says 'none' beside a split")
        return self


class Manifest(Strict):
    """The file `submission.json`."""

    format: Literal[1] = 1
    name: Slug
    """Of the entry on the board."""
    benchmark: Slug
    benchmark_version: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    record_key: Key
    files: dict[FileName, FileRecord]
    licence: Licence
    """Of the submission, as an SPDX expression."""
    contact: Line
    links: Links = Links()
    declarations: Declarations
    supersedes: Key | None = None
    """The key of the entry of the same name whose place it takes."""
    made: Day

    @model_validator(mode="after")
    def _not_itself(self) -> Self:
        if self.supersedes == self.record_key:
            raise ValueError("supersedes names the submission itself")
        return self


@dataclass(frozen=True, eq=False)
class Submission:
    """A submission that was read: each of its files is what it must be by itself.

    Whether they belong together, `xbench.results.board.checks` says.
    """

    manifest: Manifest
    record: Record
    scores: pa.Table
    """Case by case."""
    rows: tuple[pa.Table, ...]
    """Of each repeat, where scores depend on what else was compared; else none."""
    files: Mapping[str, bytes]
    """All files as they were read: what was checked is what a board keeps."""
