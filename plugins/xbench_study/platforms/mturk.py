"""Files for Mechanical Turk: for each condition a page and the rows that fill it, without a key."""

import csv
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from xbench import UsageError
from xbench_study.answers.assignment import conditions_of
from xbench_study.answers.storage.keyed import drawn
from xbench_study.designs.description import Condition
from xbench_study.material.item import Item, Option
from xbench_study.material.study import ASSETS, Study
from xbench_study.pages.assets import bare
from xbench_study.pages.forms import UNSURE
from xbench_study.pages.words import age_box, filled, paragraphs, sheet

PAGE, ROWS = "condition-{}.html", "condition-{}.csv"
"""Named by the condition's number: a name might tell."""
TEMPLATE = "mturk.html"
ADDRESS = re.compile(r"https://[^\s\"'<>$]+")


@dataclass(frozen=True)
class Place:
    """Where a picture or an option stands in the page; the rows have columns of these names."""

    key: str = ""
    text: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A picture of the item."""

    address: str
    alternative: str
    caption: str


@dataclass(frozen=True)
class Turk:
    """A study as Mechanical Turk asks it, whose pictures lie below an address."""

    study: Study
    address: str

    def __post_init__(self) -> None:
        """`UsageError` for an address that the platform's pages cannot show pictures of."""
        if not ADDRESS.fullmatch(self.address):
            raise UsageError(f"--mturk {self.address!r}: it is where assets/ lies, https://…")
        if self.study.description.question.pick > 1:
            raise UsageError(
                "these pages ask for one option, and the study for "
                f"{self.study.description.question.pick}; serve it: `xbench study serve`"
            )

    def write(self, folder: Path) -> list[Path]:
        """Write pages, rows and pictures; the files of the former."""
        conditions = self.study.description.conditions
        made = {k: (one, list(self._rows(one))) for k, one in enumerate(conditions, start=1)}
        pages = {k: self._page(one, rows) for k, (one, rows) in made.items() if rows}
        (folder / ASSETS).mkdir(parents=True, exist_ok=True)
        for key in sorted({key for _, rows in made.values() for key in _assets(rows)}):
            content = bare(self.study.asset(key).read_bytes())
            (folder / ASSETS / f"{key}.png").write_bytes(content)
        paths = []
        for number, text in pages.items():
            paths += [folder / PAGE.format(number), folder / ROWS.format(number)]
            paths[-2].write_text(text, encoding="utf-8")
            self._write_rows(paths[-1], made[number][1])
        return paths

    def _rows(self, condition: Condition) -> Iterator["Row"]:
        """A row for each item that is asked about in the condition, in an order by the seed."""
        study, seed = self.study, self.study.description.seed
        items = sorted(study.of_kind("trial"), key=lambda item: drawn(seed, "mturk", item.key))
        for item in items:
            if condition.name in conditions_of(study, item):
                yield self._row(item, condition)

    def _row(self, item: Item, condition: Condition) -> "Row":
        seed = self.study.description.seed
        known = {stimulus.name: stimulus.asset for stimulus in item.stimuli}
        pictures = [known[name] for name in condition.shows if name in known]
        options = sorted(
            item.options, key=lambda of: drawn(seed, "mturk", condition.name, item.key, of.key)
        )
        return Row(item, condition.name, pictures, options)

    def _write_rows(self, path: Path, rows: Sequence["Row"]) -> None:
        cells = [dict(row.cells(self.address)) for row in rows]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(cells[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(cells)

    def _page(self, condition: Condition, rows: Sequence["Row"]) -> str:
        """The page of a condition; `UsageError` where items are not all of one form."""
        form = rows[0].form
        if any(row.form != form for row in rows):
            raise UsageError(
                f"items of condition {condition.name!r} differ in how many pictures or options "
                "they have, and the platform's pages are all alike; serve it: `xbench study serve`"
            )
        description = self.study.description
        names = [name for name in condition.shows if name in _stimuli(rows[0].item)]
        return (
            _environment()
            .get_template(TEMPLATE)
            .render(
                study=description,
                sheet=sheet(description),
                age=age_box(description),
                question=self._question(),
                pictures=[self._figure(k, name) for k, name in enumerate(names, start=1)],
                options=[_place(k, samples) for k, samples in enumerate(form[1], start=1)],
                degrees=self._degrees(),
                required="" if description.question.may_skip else " required",
            )
        )

    def _question(self) -> Markup:
        """The question, with a place for the label."""
        text = _escaped(self.study.description.question.text)
        return Markup(filled(text, label=_placeholder("label")))  # noqa: S704 escaped

    def _figure(self, number: int, name: str) -> Figure:
        description = self.study.description
        alternative = filled(description.texts.picture, number=number)
        caption = description.captions.get(name, "")
        return Figure(_placeholder(f"picture_{number}"), alternative, caption)

    def _degrees(self) -> list[tuple[str, str]]:
        question = self.study.description.question
        scale = [(str(degree), words) for degree, words in enumerate(question.scale)]
        return scale + ([(UNSURE, question.unsure)] if scale and question.unsure else [])


@dataclass(frozen=True)
class Row:
    """What fills the page once."""

    item: Item
    condition: str
    pictures: Sequence[str]
    options: Sequence[Option]

    @property
    def form(self) -> tuple[int, tuple[int, ...]]:
        """How many pictures, and how many each option has."""
        return len(self.pictures), tuple(len(option.assets) for option in self.options)

    def cells(self, address: str) -> Iterator[tuple[str, str]]:
        """Columns and what stands in them: text as HTML has it, for it is put into a page."""
        yield "item", self.item.key
        yield "condition", self.condition
        yield "options", " ".join(option.key for option in self.options)
        yield "label", _escaped(self.item.label)
        for k, asset in enumerate(self.pictures, start=1):
            yield f"picture_{k}", _address(address, asset)
        for k, option in enumerate(self.options, start=1):
            yield f"option_{k}_key", option.key
            yield f"option_{k}_text", _escaped(option.text)
            for j, asset in enumerate(option.assets, start=1):
                yield f"option_{k}_picture_{j}", _address(address, asset)


def _assets(rows: Sequence[Row]) -> set[str]:
    options = {asset for row in rows for option in row.options for asset in option.assets}
    return options | {asset for row in rows for asset in row.pictures}


def _stimuli(item: Item) -> set[str]:
    return {stimulus.name for stimulus in item.stimuli}


def _place(number: int, samples: int) -> Place:
    name = f"option_{number}"
    pictures = tuple(_placeholder(f"{name}_picture_{k}") for k in range(1, samples + 1))
    return Place(_placeholder(f"{name}_key"), _placeholder(f"{name}_text"), pictures)


def _placeholder(column: str) -> Markup:
    """Where the platform puts a row's cell."""
    return Markup("${{{}}}").format(column)


def _address(address: str, asset: str) -> str:
    return f"{address.rstrip('/')}/{asset}.png"


def _escaped(text: str) -> str:
    """Text as HTML has it, in which nothing is a place to be filled."""
    return html.escape(text).replace("$", "&#36;")


@cache
def _environment() -> Environment:
    """Templates in which nothing that a study says is a tag, or a place to be filled."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_final
    )
    environment.filters["paragraphs"] = paragraphs
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment


def _final(value: object) -> object:
    """Places are marked up already; a dollar of the study's own is written as a number."""
    return value if isinstance(value, Markup) else Markup(_escaped(str(value)))  # noqa: S704 escaped
