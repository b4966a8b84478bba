"""The folder that a study lies in: its description, items, pictures, and what stays secret.

STUDY/
    study.toml      the description; the researcher edits it
    items.json      what is shown, by opaque keys
    key.json        what each key stands for; never served, never exported to workers
    notes.md        for the researcher: what was left out, which classes may disturb
    assets/         pictures, by key, without metadata
    answers.sqlite  answers, unless they lie in another database
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from xbench import ParameterError, content_key
from xbench_study.designs.description import Description, read_description
from xbench_study.material.item import Item, Secret

DESCRIPTION, ITEMS, SECRETS, ASSETS = "study.toml", "items.json", "key.json", "assets"
NOTES, ANSWERS = "notes.md", "answers.sqlite"
Content = TypeVar("Content")


class _Key(BaseModel):
    """What `key.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: str = Field(pattern=r"^[0-9a-f]{64}$")
    items: list[Secret]


@dataclass(frozen=True)
class Study:
    """A study as it lies in its folder."""

    folder: Path
    description: Description
    items: Mapping[str, Item]
    """By key, in the order in which they were made."""
    secrets: Mapping[str, Secret]
    """By the item's key."""
    secret: str
    """64 hexadecimal digits: what keys, nonces and hashes of platform ids are made with."""

    @property
    def identity(self) -> str:
        """Which study it is, whatever its texts: the hash of its items and of its secret."""
        return content_key({"items": sorted(self.items), "secret": self.secret})

    def of_kind(self, *kinds: str) -> list[Item]:
        """Its items of these kinds, in their order."""
        return [item for item in self.items.values() if item.kind in kinds]

    def asset(self, key: str) -> Path:
        """The file of a picture; nothing says that it is there."""
        return self.folder / ASSETS / f"{key}.png"


def read_study(folder: Path) -> Study:
    """The study that lies in a folder; `ParameterError` for what is missing or contradicts."""
    description = read_description(folder / DESCRIPTION)
    items = TypeAdapter(list[Item])
    listed = _read(folder / ITEMS, items)
    key = _read(folder / SECRETS, TypeAdapter(_Key))
    secrets = {secret.item: secret for secret in key.items}
    by_key = {item.key: item for item in listed}
    study = Study(folder, description, by_key, secrets, key.secret)
    _check(study, listed)
    return study


def _read(path: Path, content: TypeAdapter[Content]) -> Content:
    try:
        return content.validate_json(path.read_bytes())
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ParameterError(f"{path}: {place}: {first['msg']}") from error


def _check(study: Study, listed: Sequence[Item]) -> None:
    where = study.folder
    if len(study.items) < len(listed) or set(study.items) != set(study.secrets):
        raise ParameterError(f"{where / ITEMS} and {where / SECRETS} are not of the same items")
    used = {key for item in listed for key in assets_of(item)}
    missing = sorted(key for key in used if not study.asset(key).is_file())
    if missing:
        raise ParameterError(
            f"{where / ASSETS} lacks {len(missing)} of {len(used)} pictures, such as "
            f"{missing[0]}.png; make the study again with `xbench study new`"
        )


def assets_of(item: Item) -> list[str]:
    """Keys of all pictures that an item shows."""
    shown = [stimulus.asset for stimulus in item.stimuli]
    return shown + [key for option in item.options for key in option.assets]
