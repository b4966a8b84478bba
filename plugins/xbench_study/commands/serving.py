"""`xbench study serve` and `preview`: the study's pages."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench import UsageError
from xbench_study.commands.places import book_of, check_packages, study_at, with_book

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from xbench_study.material.study import Study

TOKEN = "admin-token"  # noqa: S105 - the name of a file
ADDRESS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="The address to bind to."),
    click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True),
)


def _address(function: "click.decorators.FC") -> "click.decorators.FC":
    for option in reversed(ADDRESS):
        function = option(function)
    return function


@click.command("serve")
@with_book
@_address
@click.option("--pilot", is_flag=True, help="A trial run: nothing that is answered counts.")
@click.option(
    "--proxies",
    default="",
    metavar="ADDRESSES",
    help="Of proxies before this server, divided by commas: their word on https is believed.",
)
def serve(folder: Path, database: str, host: str, port: int, pilot: bool, proxies: str) -> None:
    """Serve a study until it is interrupted.

    Refused until the information sheet is complete; a --pilot is served before, and says on each
    page that nothing counts. The admin page is /admin; its token is in STUDY/admin-token.
    """
    check_packages("sqlalchemy", "starlette", "uvicorn", "python_multipart")
    from xbench_study.pages.application import application
    from xbench_study.pages.server import ready

    study = study_at(folder)
    missing = [] if pilot else ready(study)
    if missing:
        raise UsageError(
            f"nobody may be recruited yet: {'; '.join(missing)}. Write it into "
            f"{folder / 'study.toml'}, or try the study with --pilot"
        )
    token = token_of(folder)
    with book_of(folder, database) as book:
        book.database  # noqa: B018 - a database of another study is refused before anybody comes
        served = application(study, book, admin_token=token, pilot=pilot)
        _say(study, host, port, f"the admin page is /admin, its token is in {folder / TOKEN}")
        serve_at(served, host, port, proxies)


@click.command("preview")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@_address
def preview(folder: Path, host: str, port: int) -> None:
    """Show every kind of page of a study with invented answers; nothing is stored."""
    check_packages("sqlalchemy", "starlette", "uvicorn", "python_multipart")
    from xbench_study.answers.book import AnswerBook
    from xbench_study.pages.application import application

    study = study_at(folder)
    book = AnswerBook(study, "sqlite://")
    _say(study, host, port, "every answer on these pages is invented")
    serve_at(application(study, book, preview=True), host, port, "")


def serve_at(served: "Starlette", host: str, port: int, proxies: str) -> None:
    """Serve until interrupted; `UsageError` where the port is taken."""
    from xbench_study.pages import server

    try:
        server.serve(served, host, port, proxies=proxies)
    except SystemExit as error:  # what uvicorn does where a port is taken
        raise UsageError(
            f"the server cannot start at {host}:{port}; another --port may be free"
        ) from error


def _say(study: "Study", host: str, port: int, more: str) -> None:
    name = f"[{host}]" if ":" in host else host
    click.echo(f"{study.description.title}: http://{name}:{port}/\n{more}", file=sys.stderr)


def token_of(folder: Path) -> str:
    """What opens the admin page: drawn once, and only the researcher can read it."""
    path = folder / TOKEN
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="ascii")
    return path.read_text(encoding="ascii").strip()
