"""Databases that are refused, and how a study's own one is kept."""

import sqlite3
import stat

import psycopg
import pytest
from sqlalchemy import event, text

from study_people import enrol
from tiny_study import write_study
from xbench import MissingPackageError, ParameterError


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_answers_lie_in_the_studys_folder_and_only_their_owner_reads_them(book):
    enrol(book)
    path = book.study.folder / "answers.sqlite"
    for name in ("answers.sqlite", "answers.sqlite-wal"):
        assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600


def test_every_commit_is_on_the_disk_before_it_is_told(book):
    with book.database.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 2, 1, 1]


def test_an_answer_waits_for_the_disk_and_the_clock_of_a_page_does_not(book):
    person, levels = enrol(book).begin(), []

    def note(connection):
        if connection.get_execution_options().get("writes"):
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

    event.listen(book.database.engine, "commit", note)
    for _ in range(2):
        assert person.answer().kind == "stored"  # NORMAL for the clock, FULL for the answer
    assert levels == [2, 1, 2]  # the first page was shown before


def test_a_book_goes_on_where_another_one_stopped(study, book_of):
    first = book_of(study)
    person = enrol(first).take(2)
    first.close()
    person.book = book_of(study)
    assert person.step.position == 2
    assert person.take().step.stage == "debriefing"


def test_a_database_of_another_study_is_refused_and_stays_as_it_is(book, tmp_path, book_of):
    enrol(book)
    book.close()
    other = write_study(tmp_path / "other", secret="ab" * 32)
    before = snapshot(book.study.folder)
    with pytest.raises(ParameterError, match=r"has the answers of another study.*empty database"):
        enrol(book_of(other, f"sqlite:///{book.study.folder}/answers.sqlite"))
    assert snapshot(book.study.folder) == before


def test_texts_may_change_and_items_may_not(book, tmp_path, book_of):
    enrol(book)
    same = write_study(book.study.folder, texts={"answer_button": "Go"})
    enrol(book_of(same))
    more = write_study(book.study.folder, items=7)
    with pytest.raises(ParameterError, match=r"another study"):
        enrol(book_of(more))


def test_a_condition_that_people_are_in_cannot_be_taken_out_of_the_study(book, book_of):
    enrol(book)
    enrol(book)
    other = write_study(book.study.folder, conditions=("with", "bare"))
    with pytest.raises(ParameterError, match="has no condition 'without'; it has with, bare"):
        enrol(book_of(other))


def test_a_database_of_another_schema_is_refused(study, book_of):
    enrol(book_of(study))
    with sqlite3.connect(study.folder / "answers.sqlite") as connection:
        connection.execute("UPDATE book SET schema = 7")
    connection.close()
    with pytest.raises(ParameterError, match=r"has schema 7, .* writes schema 1; go on with"):
        enrol(book_of(study))


def test_a_database_of_something_else_is_refused_and_stays_as_it_is(study, tmp_path, book_of):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE birds (name)")
    connection.close()
    before = snapshot(tmp_path)
    with pytest.raises(ParameterError, match=r"holds something else .table birds.; give the study"):
        enrol(book_of(study, f"sqlite:///{path}"))
    assert snapshot(tmp_path) == before


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(study, tmp_path, book_of):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, " * 100)
    with pytest.raises(ParameterError, match=r"notes.txt cannot be used: file is not a database"):
        enrol(book_of(study, f"sqlite:///{path}"))
    assert path.read_text() == "no database at all, " * 100


def test_a_folder_that_is_not_there_is_named(study, tmp_path, book_of):
    with pytest.raises(ParameterError, match=r"gone/answers.sqlite cannot be used: unable to open"):
        enrol(book_of(study, f"sqlite:///{tmp_path}/gone/answers.sqlite"))


@pytest.mark.parametrize("url", ["sqlite://", "mysql://me:secret@host/x", "what", "sqlite:///"])
def test_other_urls_are_refused_without_telling_a_password(study, book_of, url):
    with pytest.raises(ParameterError, match=r"it is sqlite:///FILE or postgresql://") as refused:
        enrol(book_of(study, url))
    assert "secret" not in str(refused.value)


def test_connections_that_lay_idle_while_postgresql_ended_them_are_made_anew(
    study, postgres, book_of, monkeypatch
):
    monkeypatch.setattr("xbench_study.answers.storage.database.IDLE", 0.0)
    book = book_of(study, postgres())
    person = enrol(book).begin()
    with book.database.reading() as one, book.database.reading() as other:
        ours = [x.scalar(text("SELECT pg_backend_pid()")) for x in (one, other)]
    with psycopg.connect(book.url) as administrator:
        for number in ours:
            administrator.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))
    assert person.answer().kind == "stored"


def test_postgresql_that_is_not_there_is_named_without_its_password(study, book_of):
    pytest.importorskip("psycopg")
    with pytest.raises(
        ParameterError, match=r"database postgresql.*127.0.0.1.* cannot be used"
    ) as e:
        enrol(book_of(study, "postgresql://me:secret@127.0.0.1:9/x?connect_timeout=2"))
    assert "secret" not in str(e.value)


def test_postgresql_without_its_driver_says_what_to_install(study, book_of, monkeypatch):
    monkeypatch.setattr("xbench_study.answers.storage.database.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'psycopg"):
        enrol(book_of(study, "postgresql://host/x"))


def test_a_database_of_another_study_is_refused_on_postgresql_too(postgres, tmp_path, book_of):
    url = postgres()
    enrol(book_of(write_study(tmp_path / "one"), url))
    with pytest.raises(ParameterError, match=r"another study"):
        enrol(book_of(write_study(tmp_path / "two", secret="ab" * 32), url))
