"""Results of Mechanical Turk: stored whole, or refused with the line that is wrong."""

import csv
import re

import pytest
from sqlalchemy import func, select

from study_people import CONSENT
from tiny_study import write_study
from xbench import DatasetError
from xbench_study.answers.export import exported
from xbench_study.answers.imported import import_answers
from xbench_study.answers.status import status
from xbench_study.answers.storage.tables import answers, participants


def write(path, rows):
    """A results file of these rows; the platform's own columns stand in it as well."""
    columns = ["HITId", *dict.fromkeys(name for row in rows for name in row)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_ALL, restval="")
        writer.writeheader()
        writer.writerows({"HITId": "3X", **row} for row in rows)
    return path


def row(study, worker, number, *, condition="with", option=0, **cells):
    """A worker's answer to an item by its number."""
    item = study.of_kind("trial")[number]
    plain = {"WorkerId": worker, "Input.item": item.key, "Input.condition": condition}
    return {**plain, "Answer.option": item.options[option].key, **cells}


@pytest.fixture
def results(tmp_path, study):
    """Writes rows into a file."""
    return lambda *rows: write(tmp_path / "results.csv", rows)


def empty(book):
    with book.database.reading() as connection:
        counts = [select(func.count()).select_from(table) for table in (answers, participants)]
        return [connection.execute(count).scalar() for count in counts] == [0, 0]


def test_answers_are_stored_by_worker_and_exported_like_others(any_book, results):
    study = any_book.study
    rows = [
        row(study, "A1", 0, **{"Answer.seconds": "7.5", "WorkTimeInSeconds": "90"}),
        row(study, "A2", 0, condition="without", option=1, WorkTimeInSeconds="9"),
        row(study, "A1", 1, option=2),
    ]
    assert import_answers(any_book, results(*rows), 1000.0) == 3
    rows = exported(any_book).answers
    assert [(r.condition, r.image, r.position, r.right, r.option_class) for r in rows] == [
        ("with", 1000, 0, True, "0"),
        ("with", 1001, 1, False, "2"),
        ("without", 1000, 0, False, "1"),
    ]
    assert [r.seconds for r in rows] == [7.5, None, 9.0]
    assert [r.state for r in exported(any_book).participants] == ["finished", "finished"]
    assert sum(slot.answers for slot in status(any_book, 1000.0).slots) == 3


def test_imported_answers_count_towards_quotas(book, results):
    study = book.study
    rows = [
        row(study, f"{condition} {number}", item, condition=condition)
        for condition in ("with", "without")
        for number in range(2)
        for item in range(6)
    ]
    import_answers(book, results(*rows), 0.0)
    assert book.enrol(CONSENT, 0.0) is None


def test_a_second_file_goes_on_where_the_first_ended(book, results):
    study = book.study
    import_answers(book, results(row(study, "A1", 0)), 0.0)
    import_answers(book, results(row(study, "A1", 1)), 0.0)
    assert [r.position for r in exported(book).answers] == [0, 1]
    assert [r.trials for r in exported(book).participants] == [2]


def test_the_order_of_options_is_kept_where_it_is_known(book, results):
    keys = [option.key for option in book.study.of_kind("trial")[0].options]
    shown = " ".join(reversed(keys))
    import_answers(book, results(row(book.study, "A1", 0, **{"Input.options": shown})), 0.0)
    (answer,) = exported(book).answers
    assert answer.order == shown
    assert answer.order_classes == "4 3 2 1 0"


def test_pairs_ratings_doubts_and_skips_are_read(tmp_path, book_of):
    question = {"pick": 2, "unsure": "I do not know", "may_skip": True}
    study = write_study(tmp_path / "pairs", question=question)
    first, second, *_ = [option.key for option in study.of_kind("trial")[0].options]
    rows = [
        row(study, "A1", 0, **{"Answer.option": f"{second}|{first}"}),
        row(study, "A1", 1, **{"Answer.option": "unsure"}),
        row(study, "A1", 2, **{"Answer.option": "", "Answer.skip": "on"}),
    ]
    book = book_of(study)
    import_answers(book, write(tmp_path / "pairs.csv", rows), 0.0)
    assert [r.reply for r in exported(book).answers] == ["chosen", "unsure", "skipped"]
    rating = {"kind": "rate", "scale": ["low", "high"], "unsure": "cannot tell"}
    study = write_study(tmp_path / "rated", options=2, question=rating)
    one, two = (option.key for option in study.of_kind("trial")[0].options)
    degrees = {f"Answer.degree-{one}": "1", f"Answer.degree-{two}": "unsure"}
    book = book_of(study)
    import_answers(book, write(tmp_path / "r.csv", [row(study, "A1", 0, **degrees)]), 0.0)
    assert [r.degree for r in exported(book).answers] == [1, None]


def test_a_study_of_one_condition_needs_no_column_for_it(tmp_path, book_of):
    book = book_of(write_study(tmp_path, conditions=("only",)))
    cells = row(book.study, "A1", 0)
    del cells["Input.condition"]
    import_answers(book, write(tmp_path / "results.csv", [cells]), 0.0)
    assert exported(book).answers[0].condition == "only"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"Input.item": "f" * 16}, "the study has no item 'ffffffffffffffff' (Input.item)"),
        ({"WorkerId": ""}, "WorkerId is empty"),
        ({"Input.condition": "maps"}, "is not shown in condition 'maps', but in with, without"),
        ({"Input.condition": ""}, "is not shown in condition '', but in with, without"),
        ({"Answer.option": "e" * 16}, "an option is none of the item's"),
        ({"Answer.option": ""}, "1 of the options have to be chosen, each once"),
        ({"Answer.option": "unsure"}, "one of the options is needed"),
        ({"Answer.skip": "on"}, "the question cannot be skipped"),
        ({"Answer.degree-x": "1"}, "one of the options has to be chosen"),
        ({"Answer.degree-x": "high"}, "Answer.degree-x is 'high'; it is a whole number from 0"),
        ({"Input.options": "a b c"}, "Input.options are not the options of item"),
        ({"Answer.seconds": "soon"}, "Answer.seconds is 'soon'; it is a number of seconds"),
        ({"Answer.seconds": "nan"}, "Answer.seconds is 'nan'; it is a number of seconds"),
        ({"WorkerId": "A1", "Input.condition": "without"}, "worker A1 is in two conditions"),
    ],
)
def test_a_line_that_is_wrong_is_named_and_nothing_is_stored(book, results, cells, message):
    study = book.study
    file = results(row(study, "A1", 0), row(study, "A2", 1, **cells))
    place = re.escape(f"{file}, line 3: ") + ".*" + re.escape(message)
    with pytest.raises(DatasetError, match=place):
        import_answers(book, file, 0.0)
    assert empty(book)


def test_the_same_answer_twice_is_refused_in_one_file_and_in_two(book, results):
    twice = (row(book.study, "A1", 0), row(book.study, "A1", 0, option=1))
    with pytest.raises(DatasetError, match=r"line 3: worker A1 has answered item \w+ before"):
        import_answers(book, results(*twice), 0.0)
    assert empty(book)
    import_answers(book, results(twice[0]), 0.0)
    with pytest.raises(DatasetError, match=r"line 2: worker A1 has answered item \w+ before"):
        import_answers(book, results(twice[0]), 0.0)
    assert len(exported(book).answers) == 1


def test_a_file_without_the_columns_that_are_needed_is_refused(book, tmp_path):
    file = write(tmp_path / "results.csv", [{"WorkerId": "A1"}])
    with pytest.raises(DatasetError, match=r"results.csv, line 1: there is no column Input.item"):
        import_answers(book, file, 0.0)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DatasetError, match="there is no column WorkerId"):
        import_answers(book, tmp_path / "empty.csv", 0.0)


def test_workers_can_be_erased_and_their_names_expire(book, results):
    from xbench_study.answers.erasing import erase, expire

    rows = [row(book.study, worker, 0) for worker in ("worker one", "worker two")]
    import_answers(book, results(*rows), 0.0)
    assert erase(book, platform="worker one")
    assert expire(book, 1e9, 1) == 1
    assert len(exported(book).answers) == 1
    path = book.study.folder / "answers.sqlite"
    assert b"worker one" not in path.read_bytes()
