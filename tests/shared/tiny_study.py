"""A small study in a folder, with pictures of a few pixels."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from xbench_study.designs.description import described
from xbench_study.material.study import DESCRIPTION, ITEMS, SECRETS, Study, read_study

SECRET = "5e" * 32
SAID = "controller contact purpose duration payment risks ethics storage rights"
SHEET = {name: f"What is said of {name}." for name in re.findall(r"\w+", SAID)}


def key(*words: object) -> str:
    """The key of an item, an option or a picture."""
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


def write_study(
    folder: Path,
    *,
    items: int = 6,
    training: int = 0,
    practice: int = 0,
    checks: int = 0,
    options: int = 5,
    conditions: Sequence[str] = ("with", "without"),
    secret: str = SECRET,
    checks_table: dict[str, Any] | None = None,
    categories: Sequence[dict[str, str]] = (),
    **tables: dict[str, Any],
) -> Study:
    """Write a study, and read it; `tables` are laid on those of its description.

    Its conditions show an image, those but the last a map as well. Of every item the first option
    is right; option i stands for class i.
    """
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    counts = {"training": training, "practice": practice, "check": checks, "trial": items}
    names = [(kind, number) for kind, count in counts.items() for number in range(count)]
    listed = [_item(folder, kind, number, options) for kind, number in names]
    hidden = [_hidden(item, place) for place, item in enumerate(listed)]
    (folder / ITEMS).write_text(json.dumps(listed))
    (folder / SECRETS).write_text(json.dumps({"secret": secret, "items": hidden}))
    write_description(folder, conditions, categories, checks=checks_table or {}, **tables)
    return read_study(folder)


def write_description(
    folder: Path,
    conditions: Sequence[str],
    categories: Sequence[dict[str, str]] = (),
    **tables: dict[str, Any],
) -> None:
    """The description of a study: what it has to say, and what `tables` lay on it."""
    tree: dict[str, Any] = {
        "design": "wrong-label",
        "title": "A small study",
        "conditions": [
            {"name": name, "title": name, "shows": ["image", "map"][: 1 + (place == 0)]}
            for place, name in enumerate(conditions)
        ],
        "categories": list(categories),
        "question": {"text": "This is no {label}. What was it taken for?"},
        "assignment": {"trials": 4, "answers": 2},
        "sheet": SHEET,
        "texts": {"instructions": "Look, then choose.", "debriefing": "That was all."},
    }
    for name, table in tables.items():
        tree[name] = {**tree.get(name, {}), **table}
    described(tree, "the small study")
    (folder / DESCRIPTION).write_text("\n".join(_toml(tree)))


def _item(folder: Path, kind: str, number: int, options: int) -> dict[str, Any]:
    name = f"{kind} {number}"
    for stimulus in ("image", "map"):
        colour = tuple(hashlib.sha256(f"{name} {stimulus}".encode()).digest()[:3])
        Image.new("RGB", (8, 8), colour).save(folder / "assets" / f"{key(name, stimulus)}.png")
    return {
        "key": key(name),
        "kind": kind,
        "label": f"class {options}",
        "stimuli": [{"name": s, "asset": key(name, s)} for s in ("image", "map")],
        "options": [{"key": key(name, i), "text": f"class {i}"} for i in range(options)],
    }


def _hidden(item: dict[str, Any], place: int) -> dict[str, Any]:
    options = [option["key"] for option in item["options"]]
    return {
        "item": item["key"],
        "image": 1000 + place,
        "right": options[:1],
        "category": f"C{place % 5 + 1}",
        "classes": {option: i for i, option in enumerate(options)},
        "facts": {"true": len(options), "predicted": 0},
    }


def _toml(tree: dict[str, Any], above: str = "") -> list[str]:
    """The lines of a TOML file: values first, then tables."""
    plain = {name: value for name, value in tree.items() if not isinstance(value, dict)}
    lines = [f"{json.dumps(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in tree.items():
        if isinstance(value, dict):
            lines += [f"[{above}{json.dumps(name)}]", *_toml(value, f"{above}{json.dumps(name)}.")]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(n)} = {_value(v)}" for n, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=True)
