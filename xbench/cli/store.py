"""`xbench store`: list what lies in a store, verify it, and clean up."""

import time
from collections.abc import Sequence

import click

from xbench.cli.options import OUTPUT, STORE, Session, session_options


@click.group("store")
def command() -> None:
    """List, verify and clean up what lies in a store."""


@command.command("ls")
@session_options(STORE, OUTPUT)
def ls(session: Session) -> None:
    """List how many files of each kind there are, and what they weigh."""
    from xbench.cli.output import print_json, print_table
    from xbench.running.storage.inventory import holdings

    store = session.opened_store()
    rows = holdings(store)
    if session.json:
        print_json([row._asdict() for row in rows])
        return
    cells = [[row.kind, str(row.files), _megabytes(row.size)] for row in rows]
    total = [str(sum(row.files for row in rows)), _megabytes(sum(row.size for row in rows))]
    print_table(f"Store {store.url}", ["kind", "files", "size"], [*cells, ["all", *total]])


@command.command("verify")
@session_options(STORE, OUTPUT)
def verify(session: Session) -> None:
    """Read every file and name those that are damaged, one a line; exit code 1 if any is.

    The next run that needs one of them makes it again.
    """
    from xbench.cli.output import print_json
    from xbench.errors import RunError
    from xbench.running.storage.inventory import damaged

    store = session.opened_store()
    paths = list(damaged(store))
    if session.json:
        print_json({"store": store.url, "damaged": paths})
    else:
        said = f"{len(paths)} damaged; a run makes again what it needs" if paths else "all is whole"
        _tell(paths, f"{store.url}: {said}", quiet=session.quiet)
    if paths:
        raise SystemExit(RunError.exit_code)


@command.command("gc")
@click.option("--explanations", is_flag=True, help="Remove all kept explanations, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@session_options(STORE, OUTPUT)
def gc(session: Session, explanations: bool) -> None:
    """Remove temporary files older than a day, damaged files and checksums without use.

    A record that can still be read is left, whatever its checksum says.
    """
    from xbench.cli.output import print_json
    from xbench.running.storage.inventory import garbage

    store = session.opened_store()
    files = list(garbage(store, time.time(), kept=explanations))
    for file in () if session.dry_run else files:
        store.files.delete(file.path)
    size, done = sum(of.size for of in files), "would be removed" if session.dry_run else "removed"
    if session.json:
        print_json({"store": store.url, done.replace(" ", "_"): [file._asdict() for file in files]})
        return
    lines = [f"{file.path}: {file.reason}" for file in files]
    said = f"{store.url}: {len(files)} files {done}, {_megabytes(size)}"
    _tell(lines, said, quiet=session.quiet)


def _tell(lines: Sequence[str], summary: str, *, quiet: bool) -> None:
    for line in lines:
        click.echo(line)
    if not quiet:
        click.echo(summary, err=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
