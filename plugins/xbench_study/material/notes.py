"""What a researcher should know of a new study: what was left out, which pictures may disturb."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from xbench_study.designs.drafts import Draft

WARNING = (
    "Names of classes were held against a list of words; nobody looked at the pictures. Look at "
    "them, and say on the information sheet what may disturb. `xbench study new --without CLASS` "
    "leaves a class out."
)


@dataclass(frozen=True)
class DisturbingClass:
    """A class whose name has a word of the list, and how many items have a picture of it."""

    name: str
    group: str
    items: int


@dataclass(frozen=True)
class Notes:
    """What was left out, and classes that may disturb."""

    remarks: Sequence[str]
    disturbing: Sequence[DisturbingClass]

    def lines(self) -> Iterator[str]:
        """As the command prints them."""
        yield from self.remarks
        groups: dict[str, list[str]] = {}
        for of in self.disturbing:
            groups.setdefault(of.group, []).append(f"{of.name} ({of.items})")
        if groups:
            yield "classes that may disturb, with the number of items that show them:"
        for group, names in groups.items():
            yield f"  {group}: {', '.join(names)}"

    def markdown(self) -> str:
        """As they lie in the study's folder."""
        left_out = [f"- {remark}" for remark in self.remarks] or ["- Nothing was left out."]
        rows = [f"| {of.group} | {of.name} | {of.items} |" for of in self.disturbing]
        table = ["| what | class | items |", "|---|---|---|", *rows] if rows else ["None."]
        parts = ["# Notes on this study", "\n".join(left_out), "## Classes that may disturb"]
        return "\n\n".join([*parts, "\n".join(table), WARNING]) + "\n"


def notes(drafts: Sequence[Draft], names: Sequence[str], remarks: Sequence[str]) -> Notes:
    """Of a study's items; classes are named of which any item has a picture."""
    counts = Counter(label for draft in drafts for label in _pictured(draft))
    groups = {label: disturbing_group(names[label]) for label in sorted(counts)}
    of = [DisturbingClass(names[k], group, counts[k]) for k, group in groups.items() if group]
    return Notes(tuple(remarks), tuple(sorted(of, key=lambda one: (one.group, one.name))))


def _pictured(draft: Draft) -> set[int]:
    """Classes of its image, and of options that are pictures."""
    own = draft.facts.get("true")
    labels = {option.label for option in draft.options if option.pictures}
    return labels | ({own} if isinstance(own, int) else set())


def disturbing_group(name: str) -> str:
    """What of a class of this name may disturb; "" for nothing on the list."""
    harmless, groups = _words()
    plain = harmless.sub(" ", re.sub(r"[^a-z]+", " ", name.lower()))
    return next((group for group, words in groups.items() if words.search(plain)), "")


@cache
def _words() -> tuple[re.Pattern[str], Mapping[str, re.Pattern[str]]]:
    """The list, as patterns of whole words."""
    text = (files(__package__) / "disturbing.toml").read_text(encoding="utf-8")
    tree = tomllib.loads(text)
    return _pattern(tree["harmless"]), {name: _pattern(of) for name, of in tree["words"].items()}


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})(?:e?s)?\b")
