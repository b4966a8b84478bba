"""Many at once, and a server that dies: no answer is lost, none counts twice."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, insert, select

from study_people import CONSENT, Person, enrol, first_option
from tiny_study import write_study
from xbench_study.answers.book import AnswerBook
from xbench_study.answers.storage.tables import answers, participants, trials
from xbench_study.categories.annotating import CLOSED, Annotating

SIXTEEN = {"assignment": {"trials": 5, "answers": 16}}


def stored(book):
    """How many answers there are, and to how many trials."""
    with book.database.reading() as connection:
        count = select(func.count(), func.count(answers.c.trial.distinct()))
        return tuple(connection.execute(count.select_from(answers)).one())


def together(work, count=16):
    """What each of so many threads gives, that begin at the same moment."""
    gate = threading.Barrier(count)

    def begin(number):
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_sixteen_people_answer_at_once_and_each_answer_is_stored_once(tmp_path, book_of):
    book = book_of(write_study(tmp_path, items=5, **SIXTEEN))
    people = together(lambda number: enrol(book).take())
    assert len({person.token for person in people}) == 16
    assert stored(book) == (80, 80)


def test_sixteen_clicks_on_one_button_store_one_answer(any_book):
    person = enrol(any_book).begin()
    step = person.step
    sent = (person.token, step.position, step.nonce, first_option(step), 9.0)
    outcomes = together(lambda number: any_book.answer(*sent).kind)
    assert sorted(outcomes) == ["already"] * 15 + ["stored"]
    assert stored(any_book) == (1, 1)


def test_books_of_several_programs_store_one_answer(tmp_path, book_of):
    """Each book has its own connections and its own turn, as another process would."""
    study = write_study(tmp_path, items=12, assignment={"trials": 12, "answers": 9})
    books = [book_of(study) for _ in range(6)]
    person = enrol(books[0]).begin()

    def take(number):
        mine = Person(books[number], person.token, 9.0, pace=0.0)
        kinds = []
        while (step := mine.step).stage == "trial":
            kinds.append(mine.answer(step=step).kind)
        return kinds

    kinds = [kind for given in together(take, 6) for kind in given]
    assert set(kinds) <= {"stored", "already"}
    assert kinds.count("stored") == 12
    assert stored(books[0]) == (12, 12)


def test_programs_together_enrol_no_more_than_are_needed(study, book_of):
    books = [book_of(study) for _ in range(12)]
    tokens = together(lambda number: books[number].enrol(CONSENT, 0.0), 12)
    assert len(list(filter(None, tokens))) == 6


def test_no_more_are_enrolled_at_once_than_one_after_the_other(any_book):
    tokens = together(lambda number: any_book.enrol(CONSENT, 0.0), 12)
    assert len(list(filter(None, tokens))) == 6


def test_one_person_who_arrives_twice_at_once_is_one_participant(any_book):
    together(lambda number: enrol(any_book, name="worker 7"), 6)
    with any_book.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(participants)).scalar() == 1


def test_annotating_waits_for_an_answer_that_is_being_stored_and_then_refuses(any_book):
    enrol(any_book).begin()
    with any_book.database.reading() as connection:
        trial = connection.execute(select(trials.c.id)).scalars().first()
    item = any_book.study.of_kind("trial")[0].key
    with ThreadPoolExecutor(1) as pool:
        with any_book.database.writing() as connection:
            connection.execute(insert(answers).values(trial=trial, reply={}, stored_at=0.0))
            said = pool.submit(Annotating(any_book).annotate, "anna", item, "C1", 9.0)
            time.sleep(0.3)
            assert not said.done()
        assert said.result() == CLOSED


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from study_people import enrol
from xbench_study.answers.book import AnswerBook
from xbench_study.material.study import read_study
book = AnswerBook(read_study(Path(sys.argv[1])))
while True:
    person = enrol(book).begin()
    while (step := person.step).stage == "trial":
        assert person.answer(step=step).kind == "stored"
        print(person.token, step.position, flush=True)
"""


def test_no_accepted_answer_is_lost_when_the_program_is_killed(tmp_path):
    study = write_study(tmp_path, assignment={"trials": 6, "answers": 100_000})
    shared = str(Path(__file__).parents[2] / "shared")
    command = [sys.executable, "-c", WRITER, str(tmp_path), shared]
    accepted = []
    for number in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            accepted.append(program.stdout.readline())
            time.sleep(0.05 + 0.04 * number)
            program.send_signal(signal.SIGKILL)
            accepted += program.stdout
    whole = [line.split() for line in accepted if line.endswith("\n")]
    assert len(whole) > 3
    book = AnswerBook(study)
    for token, position in whole:
        step = Person(book, token, 9.0).step
        assert step.stage == "debriefing" or step.position > int(position)
    assert stored(book)[0] >= len(whole)
    with book.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.execute(select(func.count()).select_from(trials)).scalar() % 6 == 0
    book.close()
