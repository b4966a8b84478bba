"""Rows for analysis: what stands in them, who is left out and why, and the files they are in."""

import csv
import re
from dataclasses import asdict, fields, replace

import pytest
from pyarrow import parquet

from study_people import enrol, rate_all
from tiny_study import write_study
from xbench_study.answers.codebook import ANSWERS, PARTICIPANTS
from xbench_study.answers.erasing import expire
from xbench_study.answers.export import AnswerRow, ParticipantRow, exported, write_export
from xbench_study.answers.replies import is_right, plain_reply, reply_from
from xbench_study.answers.steps import Choice, Ratings, Skipped

ALL = {"question": {"unsure": "I do not know", "may_skip": True}}


def right_or_wrong(study, right):
    """Answers all, or none, rightly."""

    def answering(step):
        (key,) = study.secrets[step.item].right
        return Choice((key if right else next(o for o in step.options if o != key),))

    return answering


def test_a_row_says_what_was_shown_chosen_and_right(book):
    study = book.study
    person = enrol(book, answering=right_or_wrong(study, right=True)).begin()
    step = person.step
    person.answer(step=step)
    (row,) = exported(book).answers
    classes = study.secrets[step.item].classes
    assert asdict(row) == {
        "participant": exported(book).participants[0].participant,
        "condition": step.condition,
        "item": step.item,
        "image": study.secrets[step.item].image,
        "category": study.secrets[step.item].category,
        "kind": "trial",
        "position": 0,
        "order": " ".join(step.options),
        "order_classes": " ".join(str(classes[key]) for key in step.options),
        "reply": "chosen",
        "option": study.secrets[step.item].right[0],
        "option_class": "0",
        "degree": None,
        "right": True,
        "seconds": 3.0,
        "state": "taking-part",
        "excluded": "",
    }


def test_wrong_unsure_and_skipped_answers_are_told_apart(tmp_path, book_of):
    book = book_of(write_study(tmp_path, **ALL))
    person = enrol(book, answering=right_or_wrong(book.study, right=False)).begin()
    person.answer()
    person.answer(Choice((), unsure=True))
    person.answer(Skipped())
    rows = exported(book).answers
    assert [(row.reply, row.right) for row in rows] == [
        ("chosen", False),
        ("unsure", False),
        ("skipped", None),
    ]
    assert [row.option != "" for row in rows] == [True, False, False]
    (row,) = exported(book).participants
    assert (row.answered, row.skipped) == (3, 1)


def test_a_rating_is_a_row_for_each_option_in_the_order_shown(tmp_path, book_of):
    question = {"kind": "rate", "scale": ["low", "high"], "unsure": "cannot tell"}
    book = book_of(write_study(tmp_path, options=3, question=question))
    person = enrol(book).begin()
    one, two, three = person.step.options
    person.answer(Ratings({one: 1, two: None, three: 0}))
    rows = exported(book).answers
    assert [(row.option, row.reply, row.degree) for row in rows] == [
        (one, "rated", 1),
        (two, "cannot-tell", None),
        (three, "rated", 0),
    ]


@pytest.mark.parametrize(
    ("reply", "right", "expected"),
    [
        (Choice(("a",)), ["a"], True),
        (Choice(("b",)), ["a"], False),
        (Choice(("b",)), ["a", "b"], True),
        (Choice(("a", "b")), ["b", "a"], True),
        (Choice(("a", "c")), ["b", "a"], False),
        (Choice((), unsure=True), ["a"], False),
        (Choice(("a",)), [], None),
        (Skipped(), ["a"], None),
        (Ratings({"a": 2, "b": 1}), ["a"], True),
        (Ratings({"a": 1, "b": 1}), ["a"], False),
        (Ratings({"a": None, "b": 0}), ["a"], False),
        (Ratings({"a": 0, "b": None}), ["a"], True),
        (Ratings({"a": 2}), ["a"], None),
        (Ratings({"a": 2}), [], None),
    ],
)
def test_what_is_right(reply, right, expected):
    assert is_right(reply, right) is expected
    assert is_right(reply_from(plain_reply(reply)), right) is expected


CHECKS = {"items": 4, "checks": 2, "checks_table": {"every": 2, "fastest_seconds": 2.0}}


def test_who_fails_the_checks_is_marked_and_not_removed(tmp_path, book_of):
    book = book_of(write_study(tmp_path, **CHECKS))
    enrol(book, answering=right_or_wrong(book.study, right=True)).take()
    enrol(book, answering=right_or_wrong(book.study, right=False)).take()
    rows = exported(book)
    assert [row.excluded for row in rows.participants] == ["", "checks"]
    assert [row.checks_right for row in rows.participants] == [2, 0]
    assert {row.excluded for row in rows.answers[6:]} == {"checks"}
    assert len(rows.answers) == 12


def test_who_is_too_fast_in_the_median_is_marked(tmp_path, book_of):
    book = book_of(write_study(tmp_path, **CHECKS))
    fast = enrol(book, answering=right_or_wrong(book.study, right=False))
    slow = enrol(book, answering=right_or_wrong(book.study, right=True))
    fast.pace, slow.pace = 1.9, 2.0
    fast.take(), slow.take()
    people = exported(book).participants
    assert [row.excluded for row in people] == ["checks too-fast", ""]
    assert [row.median_seconds for row in people] == [pytest.approx(1.9), 2.0]


def test_three_quarters_of_the_checks_are_enough(tmp_path, book_of):
    study = write_study(tmp_path, items=4, checks=4, checks_table={"every": 1, "right": 0.75})
    book = book_of(study)
    for wrong in (1, 2):
        missed = []

        def answering(step, missed=missed, wrong=wrong):
            check = study.items[step.item].kind == "check" and len(missed) < wrong
            missed.extend([step.item] * check)
            return right_or_wrong(study, right=not check)(step)

        enrol(book, answering=answering).take()
    people = exported(book).participants
    assert [(row.checks_right, row.excluded) for row in people] == [(3, ""), (2, "checks")]


def test_who_fails_comprehension_is_marked(tmp_path, book_of):
    ask = [{"text": "What?", "options": ["this", "that"], "right": 0}]
    table = {"comprehension": ask, "attempts": 1}
    book = book_of(write_study(tmp_path, checks_table=table))
    person = enrol(book)
    person.go_on()
    book.comprehend(person.token, person.step.nonce, (1,), 1.0)
    (row,) = exported(book).participants
    assert (row.state, row.excluded, row.comprehension_attempts) == ("failed", "comprehension", 1)


def test_pilot_participants_are_in_no_export(book, tmp_path):
    enrol(book, pilot=True).take()
    assert exported(book) == ([], [])
    paths = write_export(book, tmp_path / "out")
    assert paths[0].read_text().count("\n") == 1


def test_a_participants_name_in_exports_leads_nowhere_without_the_secret(book, tmp_path, book_of):
    enrol(book).take()
    other = book_of(write_study(tmp_path / "other", secret="ab" * 32))
    enrol(other).take()
    keys = {exported(one).participants[0].participant for one in (book, other)}
    assert len(keys) == 2
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in keys)


def test_exports_have_no_platform_names_and_hashes_only_when_asked(book, tmp_path):
    enrol(book, name="worker-7").take()
    enrol(book).take()
    assert [row.platform_hash for row in exported(book).participants] == [None, None]
    first, second = exported(book, platform_hashes=True).participants
    assert re.fullmatch(r"[0-9a-f]{16}", first.platform_hash)
    assert second.platform_hash is None
    paths = write_export(book, tmp_path / "out", platform_hashes=True)
    assert not [path for path in paths if b"worker-7" in path.read_bytes()]
    assert first.platform_hash in paths[2].read_text()
    expire(book, 1e9, 30)
    assert exported(book, platform_hashes=True).participants[0].platform_hash is None


def test_csv_and_parquet_say_the_same(tmp_path, book_of):
    book = book_of(write_study(tmp_path / "study", training=1, practice=1, **ALL))
    enrol(book).take(4)
    person = enrol(book).begin()
    person.answer(Skipped())
    paths = write_export(book, tmp_path / "out")
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)
    assert [path.suffix for path in paths] == [".csv", ".parquet", ".csv", ".parquet", ".md"]
    for text, table in (paths[:2], paths[2:4]):
        with text.open(newline="") as file:
            rows = list(csv.DictReader(file))
        whole = parquet.read_table(table).to_pylist()
        assert len(rows) == len(whole) > 1
        for row, cells in zip(rows, whole, strict=True):
            plain = {name: "" if cell is None else cell for name, cell in cells.items()}
            shown = {n: str(c).lower() if isinstance(c, bool) else str(c) for n, c in plain.items()}
            assert row == shown
    assert parquet.read_table(paths[1])["fact_true"].to_pylist()[0] == 5


def test_every_column_is_in_the_codebook(book, tmp_path):
    enrol(book).take()
    *paths, codebook = write_export(book, tmp_path)
    text = codebook.read_text()
    for path in paths[::2]:
        for column in path.read_text().splitlines()[0].split(","):
            assert f"| {column} | " in text
    assert list(ANSWERS) == [field.name for field in fields(AnswerRow)]
    assert list(PARTICIPANTS) == [field.name for field in fields(ParticipantRow)]
    assert "fewer than 75% of the checks" in text


def test_cells_that_a_spreadsheet_would_run_are_text(book, tmp_path):
    enrol(book).take(1)
    item = exported(book).answers[0].item
    secrets = book.study.secrets
    secrets[item] = secrets[item].model_copy(update={"category": "=1+1"})
    answers, table, *_ = write_export(book, tmp_path)
    assert ",'=1+1," in answers.read_text()
    assert parquet.read_table(table)["category"].to_pylist() == ["=1+1"]


def test_facts_of_several_types_are_one_column_of_text(book, tmp_path):
    enrol(book).take(2)
    one, two = (row.item for row in exported(book).answers)
    for item, value in ((one, 0.5), (two, "half")):
        facts = {"share": value}
        book.study.secrets[item] = book.study.secrets[item].model_copy(update={"facts": facts})
    _, table, *_ = write_export(book, tmp_path)
    assert parquet.read_table(table)["fact_share"].to_pylist() == ["0.5", "half"]


def test_ratings_of_simulated_people_are_exported_whole(tmp_path, book_of):
    question = {"kind": "rate", "scale": ["low", "high"]}
    book = book_of(write_study(tmp_path, options=3, question=question))
    enrol(book, answering=rate_all).take()
    rows = exported(book).answers
    assert len(rows) == 12
    assert {replace(row, item="", order="", order_classes="").degree for row in rows} == {0}
