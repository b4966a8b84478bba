"""People's rights over what is stored: each is searched for in every byte of the study's folder."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from study_people import enrol, everybody
from tiny_study import write_study
from xbench import ParameterError, RunError
from xbench_study.answers.backups import backup
from xbench_study.answers.erasing import erase, expire
from xbench_study.answers.progress import participant_of, token_digest
from xbench_study.answers.steps import Choice
from xbench_study.answers.storage.database import Database
from xbench_study.answers.storage.keyed import participant_key
from xbench_study.answers.storage.tables import answers, erasures, metadata, platforms

NAME = "5f3c-a-worker-of-some-platform"


def rows(book):
    """How many rows each table has."""
    with book.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in metadata.sorted_tables
        }


def places(book, *words):
    """The files below the study's folder in which a word stands, by the word."""
    files = [path for path in book.study.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    return {
        word: [path.name for path in files if word.encode() in path.read_bytes()] for word in words
    }


def traces(book, person):
    """Words of a person that no one else has: the token's hash, a name, a seed."""
    with book.database.reading() as connection:
        row = participant_of(connection, book.study, person.token)
    return [token_digest(book.study, person.token), NAME, str(row.seed)]


def free_pages(book):
    """How many pages of the file hold nothing, or what was deleted."""
    with book.database.reading() as connection:
        return connection.exec_driver_sql("PRAGMA freelist_count").scalar()


def a_person_among_others(book):
    """Some people, one of whom a platform calls `NAME`, has taken part."""
    for number in range(3):
        enrol(book, number).take()
    person = enrol(book, 4.0, name=NAME).take(3)
    enrol(book, 5.0).take()
    return person


def test_nothing_is_stored_of_who_has_not_consented(book):
    before = rows(book)
    book.step("a token that somebody made up", 0.0)
    assert rows(book) == before
    assert sum(before.values()) == 2  # which study it is, and that nobody was erased


def test_no_token_is_kept_only_its_hash(book):
    person = enrol(book).take()
    invitation = enrol(book, invitation=(word := book.invite(1)[0])).take()
    assert places(book, person.token, invitation.token, word) == {
        person.token: [],
        invitation.token: [],
        word: [],
    }


def test_stopping_keeps_answers(book):
    person = a_person_among_others(book)
    before = rows(book)
    assert book.leave(person.token, 9.0, erase=False)
    assert rows(book) == before


def test_stopping_and_erasing_leaves_nothing_in_any_file(book):
    person = a_person_among_others(book)
    words = traces(book, person)
    assert places(book, NAME)[NAME]
    assert book.leave(person.token, 9.0, erase=True)
    assert places(book, *words) == {word: [] for word in words}
    assert book.step(person.token, 9.0) is None
    assert not book.leave(person.token, 9.0, erase=True)


def test_an_erased_answer_is_in_no_page_of_the_file(tmp_path, book_of):
    """Of the choice that only this person made, no byte is left where answers lie."""
    book = book_of(write_study(tmp_path, assignment={"trials": 6, "answers": 50}))
    for _ in range(8):
        enrol(book, answering=lambda step: Choice((min(step.options),))).take()
    person = enrol(book, answering=lambda step: Choice((max(step.options),))).take()
    for _ in range(8):
        enrol(book, answering=lambda step: Choice((min(step.options),))).take()
    assert free_pages(book) == 0
    options = [max(o.key for o in item.options) for item in book.study.items.values()]
    chosen = ['{"chosen": ["' + key + '"]}' for key in options]
    assert all(places(book, *chosen).values())
    book.leave(person.token, 9.0, erase=True)
    assert not any(places(book, *chosen).values())
    assert free_pages(book) == 0
    assert rows(book)["answers"] == 96


def test_only_the_erased_persons_rows_go_and_the_count_stays(any_book):
    person = a_person_among_others(any_book)
    before = rows(any_book)
    any_book.leave(person.token, 9.0, erase=True)
    gone = {name: before[name] - count for name, count in rows(any_book).items()}
    expected = {"participants": 1, "tokens": 1, "platforms": 1, "trials": 4, "answers": 3}
    assert gone == {**dict.fromkeys(gone, 0), **expected}
    with any_book.database.reading() as connection:
        assert connection.execute(select(erasures.c.persons)).scalar() == 1


def test_withdrawal_is_possible_long_after_the_link_expired(book):
    person = a_person_among_others(book)
    assert book.leave(person.token, 1e9, erase=True)


def test_a_person_with_several_links_is_erased_by_any_of_them(book):
    a_person_among_others(book)
    again = enrol(book, 6.0, name=NAME)
    assert rows(book)["tokens"] == 6
    book.leave(again.token, 9.0, erase=True)
    assert rows(book)["tokens"] == 4


def test_the_invitation_of_an_erased_person_is_used_up(book):
    (word,) = book.invite(1)
    person = enrol(book, invitation=word).take()
    book.leave(person.token, 9.0, erase=True)
    assert rows(book)["invitations"] == 0
    with pytest.raises(ParameterError, match="none of the study's"):
        enrol(book, invitation=word)


def test_erasing_reaches_backups(book):
    person = a_person_among_others(book)
    words = traces(book, person)
    paths = [backup(book, 0.0), backup(book, 86_400.0)]
    assert [path.name for path in paths] == [
        "answers-1970-01-01T000000Z.sqlite",
        "answers-1970-01-02T000000Z.sqlite",
    ]
    assert len(places(book, NAME)[NAME]) >= 3
    book.leave(person.token, 9.0, erase=True)
    assert places(book, *words) == {word: [] for word in words}
    with sqlite3.connect(paths[0]) as copy:
        assert copy.execute("SELECT count(*) FROM answers").fetchone() == (16,)
    copy.close()
    assert sorted(path.name for path in paths[0].parent.iterdir()) == [p.name for p in paths]


@pytest.mark.parametrize("who", ["platform", "participant"])
def test_the_researcher_erases_by_what_a_platform_or_an_export_says(any_book, who):
    person = a_person_among_others(any_book)
    with any_book.database.reading() as connection:
        number = participant_of(connection, any_book.study, person.token).number
    names = {"platform": NAME, "participant": participant_key(any_book.study.secret, number)}
    given = {who: names[who]}
    assert erase(any_book, **given)
    assert not erase(any_book, **given)
    assert rows(any_book)["participants"] == 4
    assert any_book.step(person.token, 9.0) is None


def test_a_number_is_never_given_twice(book):
    enrol(book)
    last = enrol(book)
    book.leave(last.token, 9.0, erase=True)
    new = enrol(book)
    with book.database.reading() as connection:
        assert participant_of(connection, book.study, new.token).number == 3


@pytest.mark.parametrize("who", [{}, {"platform": NAME, "participant": "x"}])
def test_who_is_erased_has_to_be_said_once(book, who):
    with pytest.raises(ParameterError, match="by a platform's name or by an export's"):
        erase(book, **who)


def test_a_person_who_is_in_a_backup_alone_is_erased_from_it(book):
    person = a_person_among_others(book)
    backup(book, 0.0)
    with book.database.writing() as connection:
        from sqlalchemy import delete

        from xbench_study.answers.storage.tables import participants

        connection.execute(delete(participants))
    book.database.sweep()
    assert erase(book, platform=NAME)
    assert places(book, NAME) == {NAME: []}
    assert not erase(book, platform=NAME)
    assert book.step(person.token, 9.0) is None


def test_an_erasure_that_was_interrupted_is_completed_when_the_book_is_opened_again(
    book, book_of, monkeypatch
):
    person = a_person_among_others(book)

    class PowerError(Exception):
        """The power went off."""

    def fail(self):
        raise PowerError

    monkeypatch.setattr("xbench_study.answers.storage.database.Database.sweep", fail)
    with pytest.raises(PowerError):
        book.leave(person.token, 9.0, erase=True)
    monkeypatch.undo()
    assert places(book, NAME)[NAME]
    assert book_of(book.study).step(person.token, 9.0) is None
    assert places(book, NAME) == {NAME: []}


def test_a_backup_that_cannot_be_opened_is_named_when_all_else_is_erased(book):
    person = a_person_among_others(book)
    backup(book, 0.0).with_name("broken.sqlite").write_text("no database at all, " * 100)
    with pytest.raises(RunError, match=r"all is deleted but what these backups hold: .*broken.sq"):
        book.leave(person.token, 9.0, erase=True)
    assert places(book, NAME) == {NAME: []}


def test_who_is_erased_while_a_backup_is_made_is_not_in_it(book, monkeypatch):
    person = a_person_among_others(book)
    copy_to = Database.copy_to

    def copy_and_erase(self, path):
        copy_to(self, path)
        book.leave(person.token, 9.0, erase=True)

    monkeypatch.setattr(Database, "copy_to", copy_and_erase)
    backup(book, 0.0)
    assert places(book, NAME) == {NAME: []}


def test_two_backups_in_a_second_are_refused(book):
    backup(book, 0.0)
    with pytest.raises(ParameterError, match="is there already; backups are at least a second"):
        backup(book, 0.5)


def test_postgresql_is_backed_up_by_its_own_tools(postgres, study, book_of):
    with pytest.raises(ParameterError, match="made by pg_dump"):
        backup(book_of(study, postgres()), 0.0)
    assert not (study.folder / "backups").exists()


def test_platform_names_expire_everywhere_and_answers_stay(any_book):
    a_person_among_others(any_book)
    enrol(any_book, 10 * 86_400.0, name="a later one")
    if any_book.database.sqlite:
        backup(any_book, 0.0)
    before = rows(any_book)
    assert expire(any_book, now=31 * 86_400.0, days=30) == 1
    assert expire(any_book, now=31 * 86_400.0, days=30) == 0
    assert rows(any_book) == {**before, "platforms": 1}
    with any_book.database.reading() as connection:
        assert connection.execute(select(platforms.c.name)).scalars().all() == ["a later one"]
    if any_book.database.sqlite:
        assert places(any_book, NAME) == {NAME: []}
        assert len(places(any_book, "a later one")["a later one"]) >= 2


def test_invitations_expire_too_and_the_personal_link_still_erases(book):
    old, new = book.invite(2)
    person = enrol(book, invitation=old).take()
    assert expire(book, now=31 * 86_400.0, days=30) == 1
    assert rows(book)["invitations"] == 1
    assert book.leave(person.token, 1e9, erase=True)
    enrol(book, invitation=new)


def test_platform_names_lie_in_a_table_apart(book):
    a_person_among_others(book)
    columns = {(table.name, column.name) for table in metadata.sorted_tables for column in table.c}
    named = {(table, column) for table, column in columns if column in ("name", "session", "study")}
    assert {table for table, _ in named} == {"platforms", "book"}
    forbidden = ("ip", "agent", "address", "browser", "mail")
    assert not [name for _, name in columns if any(word in name.split("_") for word in forbidden)]


def test_erasing_while_others_answer_loses_none_of_their_answers(any_book, book_of):
    study = write_study(any_book.study.folder, assignment={"trials": 4, "answers": 50})
    book = book_of(study, any_book.url)
    leaving = [enrol(book, name=f"{NAME} {number}").take(2) for number in range(4)]
    with ThreadPoolExecutor(8) as pool:
        taking = [pool.submit(lambda: enrol(book).take()) for _ in range(12)]
        gone = [pool.submit(book.leave, one.token, 9.0, erase=True) for one in leaving]
        assert all(future.result() for future in gone)
        assert [future.result().step.stage for future in taking] == ["debriefing"] * 12
    assert rows(book)["answers"] == 48
    if book.database.sqlite:
        assert places(book, NAME) == {NAME: []}


def test_the_study_goes_on_after_everything(book):
    person = a_person_among_others(book)
    backup(book, 0.0)
    book.leave(person.token, 9.0, erase=True)
    everybody(book)
    with book.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(answers)).scalar() >= 24
