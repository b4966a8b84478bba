"""`xbench list`: what is installed, from metadata alone."""

import click

from xbench.cli.options import OUTPUT, Session, session_options


@click.command("list")
@click.argument("kind", required=False)
@session_options(OUTPUT)
@click.option("--long", is_flag=True, help="Import the components and show what each is.")
def command(session: Session, kind: str | None, long: bool) -> None:
    """List the components that are installed, of one KIND or of all.

    KIND is dataset, classifier, loss, difficulty, attribution, explainer, protocol,
    executor, benchmark, command, or one that a plugin brings, as `xbench list kind` shows.
    Nothing is imported unless --long is given.
    """
    from xbench.cli.output import print_json, print_table

    wanted = _kind(kind, session.registry.kinds)
    claims = [c for c in session.registry.claims() if wanted in (None, c.kind)]
    rows = [
        {"kind": c.kind, "name": c.name, "distribution": c.distribution, "version": c.version}
        for c in claims
    ]
    if long:
        rows = [{**row, "summary": _summary(session, row["kind"], row["name"])} for row in rows]
    if session.json:
        print_json(rows)
        return
    columns = ["name", "kind", "provided by", *(["what it is"] if long else [])]
    table = [_cells(row, long) for row in rows]
    print_table("Installed components", columns, table)


def _kind(kind: str | None, known: tuple[str, ...]) -> str | None:
    from xbench.components.kinds import plural
    from xbench.errors import UnknownNameError

    singular = {plural(one): one for one in known}
    if kind is None or kind in known:
        return kind
    if kind in singular:
        return singular[kind]
    raise UnknownNameError("kind", kind, known)


def _summary(session: Session, kind: str, name: str) -> str:
    from xbench.errors import PluginError

    try:
        item = session.registry.get(kind, name)
    except PluginError as error:
        return f"FAILS: {error}"
    text = getattr(item, "help", None) or getattr(item, "__doc__", None) or ""
    return str(item) if kind == "benchmark" else text.strip().partition("\n")[0]


def _cells(row: dict[str, str], long: bool) -> list[str]:
    cells = [row["name"], row["kind"], f"{row['distribution']} {row['version']}"]
    return [*cells, row["summary"]] if long else cells
