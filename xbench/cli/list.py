"""`xbench list`: what is installed, from metadata alone."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.benchmark.completion import of_kinds
from xbench.cli.options import OUTPUT, Session, session_options

if TYPE_CHECKING:
    from xbench.benchmark.contents import Contents

Row = dict[str, str]
"""What is told of a component, by name."""


@click.command("list")
@click.argument("kind", required=False, shell_complete=of_kinds())
@session_options(OUTPUT)
@click.option("--long", is_flag=True, help="Import the components and show what each is.")
def command(session: Session, kind: str | None, long: bool) -> None:
    """List the components that are installed, of one KIND or of all.

    KIND is dataset, classifier, loss, difficulty, attribution, explainer, protocol,
    executor, benchmark, command, or one that a plugin brings, as `xbench list kind` shows.
    Nothing is imported unless --long is given, which says what each is, keeps floors and
    ceilings apart from methods, and says which benchmarks need data that is not here.
    """
    from xbench.cli.output import print_json, print_table

    wanted = _kind(kind, session.registry.kinds)
    claims = [c for c in session.registry.claims() if wanted in (None, c.kind)]
    rows: list[Row] = [
        {"kind": c.kind, "name": c.name, "distribution": c.distribution, "version": c.version}
        for c in claims
    ]
    if long:
        rows = [{**row, **_described(session, row["kind"], row["name"])} for row in rows]
    if session.json:
        print_json(rows)
    elif long:
        _print_long(rows)
    else:
        cells = [[row["name"], row["kind"], _provider(row)] for row in rows]
        print_table("Installed components", ["name", "kind", "provided by"], cells)


def _kind(kind: str | None, known: tuple[str, ...]) -> str | None:
    from xbench.components.kinds import kind_named

    return None if kind is None else kind_named(kind, known)


def _described(session: Session, kind: str, name: str) -> Row:
    """What the component says of itself: of an explainer its role, of a benchmark its content."""
    from xbench.components.listing import summary
    from xbench.errors import XbenchError

    try:
        item = session.registry.get(kind, name)
        facts = _benchmark(session, item) if kind == "benchmark" else {}
    except XbenchError as error:
        return {"summary": f"FAILS: {error}"}
    role = {"role": item.role} if kind == "explainer" else {}
    return {"summary": summary(session.registry, kind, name), **role, **facts}


def _benchmark(session: Session, path: Path) -> Row:
    from xbench.benchmark.contents import contents

    found = contents(path)
    if found.dataset is None:
        return {"summary": found.title, "compares": found.compares, "dataset": "", "data": ""}
    dataset, data = _data(session, found)
    return {
        "summary": found.title,
        "compares": found.compares,
        "dataset": dataset,
        "data": data,
    }


def _data(session: Session, found: "Contents") -> tuple[str, str]:
    """The name of a benchmark's dataset, and whether its data is here or how it is had."""
    from xbench.cli.data import availability
    from xbench.components.specification import Builder, as_table
    from xbench.errors import XbenchError

    name = str(as_table(found.dataset)["name"])
    try:
        builder = Builder(session.registry, found.tree.get("defaults", {}))
        dataset = builder.build("dataset", found.dataset)
    except XbenchError as error:
        return name, f"FAILS: {error}"
    return name, availability(dataset)


def _print_long(rows: Sequence[Row]) -> None:
    """A table for each kind; floors and ceilings apart from methods."""
    from xbench.cli.output import print_table
    from xbench.components.kinds import plural

    several = len({row["distribution"] for row in rows}) > 1
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        if kind == "benchmark" and sys.stdout.isatty():
            _print_benchmarks(own, several=several)
            continue
        for title, part in _parts(plural(kind).capitalize(), own):
            columns = ["name", "what it is", *(["compares", "data"] if kind == "benchmark" else [])]
            cells = [_cells(row, several=several) for row in part]
            print_table(title, [*columns, *(["provided by"] if several else [])], cells)


def _print_benchmarks(rows: Sequence[Row], *, several: bool) -> None:
    """A paragraph for each benchmark: their names are too long for a table of four columns."""
    from xbench.cli.output import print_lines

    click.secho("Benchmarks", bold=True)
    for row in rows:
        data = f"{row.get('dataset')} ({row.get('data')})" if row.get("dataset") else ""
        told = [row["summary"], row.get("compares", ""), data]
        provider = [f"by {_provider(row)}"] if several else []
        click.secho(row["name"], bold=True)
        print_lines(*(f"  {line}" for line in filter(None, [*told, *provider])))


def _parts(title: str, rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    titles = {
        "entry": title,
        "floor": f"{title} that are floors, which a method should beat",
        "ceiling": f"{title} that are ceilings, which no method can beat",
    }
    for role, name in titles.items():
        if part := [row for row in rows if row.get("role", "entry") == role]:
            yield name, part


def _cells(row: Row, *, several: bool) -> list[str]:
    cells = [row["name"], row["summary"]]
    if row["kind"] == "benchmark":
        data = f"{row['dataset']}\n{row['data']}".strip() if "dataset" in row else ""
        cells += [row.get("compares", ""), data]
    return [*cells, *([_provider(row)] if several else [])]


def _provider(row: Row) -> str:
    return f"{row['distribution']} {row['version']}"
