"""`xbench study categorise`: two people annotate errors before anybody answers."""

import sys
from pathlib import Path

import click

from xbench import UsageError
from xbench_study.commands.places import book_of, check_packages, with_book
from xbench_study.commands.serving import serve_at, token_of

HOST = "127.0.0.1"


@click.command("categorise")
@with_book
@click.option("--as", "person", metavar="NAME", required=True, help="Who annotates.")
@click.option("--settle", is_flag=True, help="Decide what two people disagree about.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
def categorise(folder: Path, database: str, person: str, settle: bool, port: int) -> None:
    """Annotate the category of each error, on pages that this machine alone can open.

    Two people do, each under a name of their own and blind to what conditions show, before there
    are answers. The same pages are at /categorise of a study that is served.
    """
    check_packages("sqlalchemy", "starlette", "uvicorn", "python_multipart")
    from xbench_study.categories.annotating import CLOSED, NOT_YET, Annotating
    from xbench_study.categories.passes import NAME, pass_of
    from xbench_study.pages.application import categorising

    if not NAME.fullmatch(person):
        raise UsageError(f"--as {person!r}: a name has up to 40 letters, digits, dots and dashes")
    with book_of(folder, database) as book:
        if not book.study.description.categories:
            raise UsageError(f"{folder / 'study.toml'} has no [[categories]] to annotate")
        annotating = Annotating(book)
        if annotating.closed():
            raise UsageError(CLOSED)
        if settle and not annotating.read().complete:
            raise UsageError(NOT_YET)
        token = token_of(folder)
        served = categorising(book.study, book, token)
        path = f"{person}/{pass_of(book.study.secret, token, person)}/{'settle/' * settle}"
        click.echo(f"http://{HOST}:{port}/categorise/{path}", file=sys.stderr)
        serve_at(served, HOST, port, "")
