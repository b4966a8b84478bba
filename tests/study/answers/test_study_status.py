"""How a study stands: counts, times, checks, exclusions and pay."""

import pytest

from study_people import enrol, everybody
from tiny_study import write_study
from xbench_study.answers.status import ConditionCount, status
from xbench_study.answers.steps import Choice


def test_nothing_is_known_of_a_study_that_nobody_took_part_in(book):
    now = status(book, 0.0)
    assert (now.people, now.pilots, now.erased, now.participants) == ({}, 0, 0, [])
    assert (now.median_seconds, now.median_minutes, now.hourly, now.warning) == (None,) * 3 + ("",)
    assert now.conditions == [
        ConditionCount(name, 0, needed=12, items=6, complete=0) for name in ("with", "without")
    ]
    assert len(now.slots) == 12


def test_people_are_counted_by_state_and_pilots_apart(any_book):
    enrol(any_book).take()
    any_book.leave(enrol(any_book).take(1).token, 9.0, erase=False)
    any_book.leave(enrol(any_book).take(1).token, 9.0, erase=True)
    enrol(any_book)
    enrol(any_book, pilot=True).take()
    now = status(any_book, 9.0)
    assert now.people == {"finished": 1, "left": 1, "taking-part": 1}
    assert (now.pilots, now.erased) == (1, 1)
    assert [(one.state, one.answered, one.of) for one in now.participants] == [
        ("finished", 4, 4),
        ("left", 1, 4),
        ("taking-part", 0, 4),
    ]


def test_answers_and_people_at_work_are_counted_by_item_and_condition(book):
    enrol(book).take(1)
    now, late = status(book, 9.0), status(book, 1e9)
    assert [sum(slot.answers for slot in one.slots) for one in (now, late)] == [1, 1]
    assert [sum(slot.at_work for slot in one.slots) for one in (now, late)] == [3, 0]


def test_a_full_study_is_complete(book):
    everybody(book)
    for condition in status(book, 9.0).conditions:
        assert (condition.answers, condition.needed, condition.complete) == (12, 12, 6)


def test_checks_and_exclusions_are_counted(tmp_path, book_of):
    study = write_study(tmp_path, items=4, checks=2, checks_table={"every": 2})
    book = book_of(study)
    for place in (0, 1, 1):
        keys = {key: [o.key for o in item.options] for key, item in study.items.items()}
        enrol(book, answering=lambda s, keys=keys, p=place: Choice((keys[s.item][p],))).take()
    now = status(book, 9.0)
    assert (now.checks, now.checks_right, now.excluded) == (6, 2, {"checks": 2})
    assert [one.excluded for one in now.participants] == ["", "checks", "checks"]


@pytest.mark.parametrize(
    ("amount", "least", "warning"),
    [
        (0.1, 0.0, ""),
        (0.1, 30.0, ""),
        (0.1, 45.0, "an hour is paid 30.00 EUR, less than 45.00 EUR; pay a bonus of 0.05 EUR, and"),
        (0.0, 45.0, "nothing is paid, and 45.00 EUR an hour are promised; pay participants"),
        (0.0, 0.0, ""),
    ],
)
def test_pay_below_what_is_promised_is_warned_of(tmp_path, book_of, amount, least, warning):
    payment = {"amount": amount, "currency": "EUR", "minimum_hourly": least}
    book = book_of(write_study(tmp_path, payment=payment))
    for pace in (1.0, 3.0, 5.0):  # 4, 12 and 20 seconds in all
        person = enrol(book)
        person.pace = pace
        person.take()
    now = status(book, 9.0)
    assert now.median_seconds == 3.0
    assert now.median_minutes == pytest.approx(0.2)
    assert now.hourly == pytest.approx(amount * 300)
    assert bool(now.warning) == bool(warning)
    assert warning in now.warning
