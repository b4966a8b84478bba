"""A study, and databases for its answers: SQLite, and PostgreSQL where it is installed."""

import pytest

from postgresql import running_postgresql
from tiny_study import write_study
from xbench_study.answers.book import AnswerBook


@pytest.fixture
def study(tmp_path):
    """Two conditions between people, six items, four trials a person, two answers an item."""
    return write_study(tmp_path / "study")


@pytest.fixture
def book_of():
    """Makes books, and closes them."""
    books = []

    def make(study, url=""):
        books.append(AnswerBook(study, url))
        return books[-1]

    yield make
    for book in books:
        book.close()


@pytest.fixture
def book(study, book_of):
    return book_of(study)


@pytest.fixture(scope="session")
def postgres():
    """Makes empty databases of a PostgreSQL that pip installs; their URLs."""
    with running_postgresql() as make:
        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def everywhere(request, book_of):
    """Makes the book of a study in each of the databases."""
    if request.param == "sqlite":
        return book_of
    make = request.getfixturevalue("postgres")
    return lambda study: book_of(study, make())


@pytest.fixture
def any_book(everywhere, study):
    """A book in each of the databases."""
    return everywhere(study)
