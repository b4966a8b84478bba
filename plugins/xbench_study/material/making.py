"""Making a study's folder from drafts: keys that tell nothing, pictures without metadata."""

import hashlib
import hmac
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from xbench import UsageError
from xbench_study.designs.description import Condition, Description, described, parsed_text
from xbench_study.designs.drafts import Draft, DraftOption, Picture
from xbench_study.material.item import Item, Option, Secret, Stimulus
from xbench_study.material.study import ASSETS, DESCRIPTION, ITEMS, NOTES, SECRETS

DIGITS = 16
"""Of a key."""


@dataclass(frozen=True)
class Head:
    """What the benchmark adds to a design's text."""

    text: str
    """The design's TOML."""
    seed: int
    conditions: Sequence[Condition]
    captions: Mapping[str, str]
    """By the name of the stimulus."""
    parameters: Mapping[str, str]
    """What it is made of: the benchmark's name, and the design's parameters as JSON."""

    def toml(self) -> str:
        """The whole description; strings of JSON are strings of TOML as well."""
        parts = [f"seed = {self.seed}\n{self.text.rstrip()}\n"]
        for condition in self.conditions:
            lines = (f"{name} = {_quoted(value)}" for name, value in condition)
            parts.append("\n".join(("[[conditions]]", *lines, "")))
        captions = (f"{_quoted(name)} = {_quoted(text)}" for name, text in self.captions.items())
        parts.append("\n".join(("[captions]", *captions, "")))
        made_of = (f"{name} = {_quoted(text)}" for name, text in self.parameters.items())
        parts.append("\n".join(("[parameters]", *made_of, "")))
        return "\n".join(parts)

    def description(self) -> Description:
        """The description, or `ParameterError`: a plugin's text may be wrong."""
        what = "the description of this design"
        return described(parsed_text(self.toml(), what), what)


@dataclass
class Press:
    """Turns drafts into items, and their pictures into files of a folder."""

    folder: Path
    secret: str
    drawn: set[str] = field(default_factory=set)

    def item(self, place: int, draft: Draft) -> tuple[Item, Secret]:
        """An item, and what only the researcher knows of it."""
        key = self._key("item", place)
        stimuli = [
            Stimulus(name=name, asset=self._asset(picture, key, name))
            for name, picture in draft.pictures.items()
        ]
        pairs = [(self._option(key, k, option), option) for k, option in enumerate(draft.options)]
        pairs.sort(key=lambda pair: pair[0].key)  # the order of making may be telling
        item = Item(
            key=key,
            kind=draft.kind,
            label=draft.label,
            conditions=list(draft.conditions),
            stimuli=stimuli,
            options=[option for option, _ in pairs],
        )
        secret = Secret(
            item=key,
            image=draft.image,
            right=[option.key for option, made in pairs if made.right],
            classes={option.key: made.label for option, made in pairs},
            facts=dict(draft.facts),
            simulated=_keys(draft.simulated, pairs),
        )
        return item, secret

    def _option(self, item: str, place: int, option: DraftOption) -> Option:
        key = self._key("option", item, place)
        assets = [self._asset(picture, key, str(k)) for k, picture in enumerate(option.pictures)]
        return Option(key=key, text=option.text, assets=assets)

    def _asset(self, picture: Picture, *of: str) -> str:
        """The key of a picture, which is written if this is the first that is shown so."""
        content = hashlib.sha256(picture.numpy().tobytes()).hexdigest()
        key = self._key("asset", *of, content)
        if key not in self.drawn:
            self.drawn.add(key)
            path = self.folder / ASSETS / f"{key}.png"
            Image.fromarray(picture.numpy()).save(path, optimize=False)
        return key

    def _key(self, *of: str | int) -> str:
        message = "/".join(map(str, of)).encode()
        return hmac.new(bytes.fromhex(self.secret), message, hashlib.sha256).hexdigest()[:DIGITS]


def _keys(
    simulated: Mapping[str, int], pairs: Sequence[tuple[Option, DraftOption]]
) -> dict[str, str]:
    """The options that simulated observers choose; that of a class is its own."""
    keys = {made.label: option.key for option, made in pairs}
    return {observer: keys[label] for observer, label in simulated.items()}


def write_study(folder: Path, head: Head, drafts: Iterable[Draft], notes: str = "") -> None:
    """Write a study's folder, whole or not at all; `UsageError` where there is one already.

    `notes` are for the researcher.
    """
    refuse_existing(folder)
    head.description()
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(scratch, head, drafts)
        (scratch / NOTES).write_text(notes, encoding="utf-8")
        scratch.chmod(0o700)  # answers and the key lie here: they are the researcher's alone
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def refuse_existing(folder: Path) -> None:
    """`UsageError` where something lies at the place of a new study."""
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another folder with --out")


def _write(folder: Path, head: Head, drafts: Iterable[Draft]) -> None:
    (folder / ASSETS).mkdir()
    press = Press(folder, secrets.token_hex(32))
    pairs = [press.item(place, draft) for place, draft in enumerate(drafts)]
    pairs.sort(key=lambda pair: pair[0].key)
    items = [item.model_dump(exclude_defaults=True) for item, _ in pairs]
    known = {"secret": press.secret, "items": [secret.model_dump() for _, secret in pairs]}
    (folder / DESCRIPTION).write_text(head.toml(), encoding="utf-8")
    (folder / ITEMS).write_text(json.dumps(items, indent=1), encoding="utf-8")
    (folder / SECRETS).write_text(json.dumps(known, indent=1), encoding="utf-8")


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
