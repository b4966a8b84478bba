"""The study that a verb is about, and its answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench import MissingPackageError

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook
    from xbench_study.material.study import Study

PACKAGES = {
    "sqlalchemy": "sqlalchemy",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "statsmodels": "statsmodels",
}
"""Modules of the extra `study`, with their packages."""

STUDY = click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
DATABASE = click.option(
    "--database",
    metavar="URL",
    default="",
    envvar="XBENCH_STUDY_DATABASE",
    help="Where answers lie: sqlite:///FILE or postgresql://…; STUDY/answers.sqlite by default.",
)


def check_packages(*modules: str) -> None:
    """`MissingPackageError` where the extra `study` is not installed."""
    missing = [PACKAGES[module] for module in modules if find_spec(module) is None]
    if missing:
        raise MissingPackageError(
            f"this verb needs {', '.join(missing)}: pip install 'xbench-xai[study]'"
        )


def with_book(function: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments that say which study, and where its answers lie."""
    return STUDY(DATABASE(function))


def study_at(folder: Path) -> "Study":
    """The study in a folder."""
    from xbench_study.material.study import read_study

    return read_study(folder)


@contextmanager
def book_of(folder: Path, database: str) -> "Iterator[AnswerBook]":
    """The answers of the study in a folder, open until this ends."""
    check_packages("sqlalchemy")
    from xbench_study.answers.book import AnswerBook

    book = AnswerBook(study_at(folder), database)
    try:
        yield book
    finally:
        book.close()
