"""Who is asked about what: quotas, conditions, and balance that survives who drops out."""

from collections import Counter

import pytest

from study_people import CONSENT, Person, enrol, everybody
from tiny_study import write_study
from xbench_study.answers.assignment import Slot, assigned, loads, slots
from xbench_study.answers.sequence import sequence
from xbench_study.material.item import Item

LATE = 49 * 3600.0


def load(book, now=0.0):
    with book.database.reading() as connection:
        counts = loads(connection, book.study, now)
    return [counts.get(slot, 0) for slot in slots(book.study)]


def test_every_item_of_each_condition_gets_its_answers_and_hardly_more(any_book):
    everybody(any_book)
    assert set(load(any_book)) == {2}


def test_people_at_work_count_so_that_nobody_is_enrolled_in_vain(book):
    people = [enrol(book) for _ in range(6)]
    assert book.enrol(CONSENT, 0.0) is None
    people[0].take()
    assert book.enrol(CONSENT, 0.0) is None


def test_places_of_those_who_stay_away_are_given_to_others(any_book):
    away, *_ = [enrol(any_book).take(1) for _ in range(6)]
    for number in range(3):
        away = Person(any_book, any_book.enrol(CONSENT, LATE), LATE) if number else away
    assert max(load(any_book, LATE)) <= 2
    assert everybody(any_book, LATE) > 0
    assert min(load(any_book, LATE)) == 2


def test_what_was_answered_before_leaving_counts_and_the_rest_does_not(book):
    people = [enrol(book) for _ in range(6)]
    people[0].take(2)
    for person in people:
        book.leave(person.token, 9.0, erase=False)
    assert sum(load(book)) == 2
    everybody(book, 10.0)
    assert min(load(book)) == 2


def test_the_places_of_the_erased_are_given_to_others(book):
    people = [enrol(book).take() for _ in range(6)]
    assert book.enrol(CONSENT, 0.0) is None
    book.leave(people[0].token, 9.0, erase=True)
    assert sum(load(book)) == 20
    assert everybody(book) == 1
    assert set(load(book)) == {2}


def test_balance_survives_people_who_drop_out(tmp_path, book_of):
    """Every third person stops somewhere; items differ by few answers all the time."""
    book = book_of(write_study(tmp_path, items=12, assignment={"trials": 4, "answers": 6}))
    now = 0.0
    for number in range(18):
        person = enrol(book, now)
        person.take(number % 4 if number % 3 == 0 else 4)
        now += 0 if number % 3 else LATE
        assert max(load(book, now)) - min(load(book, now)) <= 2
    everybody(book, now + LATE)
    assert min(load(book, now + LATE)) == 6
    assert max(load(book, now + LATE)) <= 7


def test_conditions_between_people_are_as_many_and_nobody_meets_both(book):
    conditions = [person_conditions(enrol(book)) for _ in range(6)]
    assert all(len(met) == 1 for met in conditions)
    assert Counter(next(iter(met)) for met in conditions) == {"with": 3, "without": 3}


def person_conditions(person):
    """How often a person meets which condition, by item."""
    met = Counter()
    person.begin()
    while (step := person.step).stage == "trial":
        met[step.condition] += 1
        person.answer(step=step)
    return met


WITHIN = {"conditions": "within", "trials": 6, "answers": 3}


def test_within_people_each_item_is_met_once_and_conditions_equally_often(tmp_path, book_of):
    book = book_of(write_study(tmp_path, assignment=WITHIN))
    for _ in range(6):
        person = enrol(book)
        with book.database.reading() as connection:
            from xbench_study.answers.progress import participant_of

            assert participant_of(connection, book.study, person.token).condition == ""
        assert person_conditions(person) == {"with": 3, "without": 3}
    assert set(load(book)) == {3}
    assert book.enrol(CONSENT, 0.0) is None


@pytest.mark.parametrize("trials", [3, 5, 9])
def test_within_people_no_item_comes_twice_whatever_the_counts(tmp_path, trials):
    study = write_study(tmp_path, items=7, assignment={**WITHIN, "trials": trials})
    for seed in range(20):
        chosen = assigned(study, {slots(study)[0]: 1}, seed)
        assert len({slot.item for slot in chosen}) == len(chosen) == min(trials, 7)
        counts = Counter(slot.condition for slot in chosen)
        assert abs(counts["with"] - counts["without"]) <= 1


def test_pilot_participants_take_no_place_and_find_one_when_the_study_is_full(book):
    for _ in range(7):
        enrol(book, pilot=True).take()
    assert set(load(book)) == {0}
    assert everybody(book) == 6
    enrol(book, pilot=True).take()
    assert set(load(book)) == {2}


def test_items_of_one_condition_are_shown_in_no_other(tmp_path, book_of):
    study = write_study(tmp_path, items=8)
    half = {
        key: Item(**{**dict(item), "conditions": [("with", "without")[place % 2]]})
        for place, (key, item) in enumerate(study.items.items())
    }
    study.items.clear()
    study.items.update(half)
    book = book_of(study)
    assert everybody(book) == 4
    assert load(book) == [2] * 8
    assert len(slots(study)) == 8


def test_the_least_loaded_items_come_first_and_ties_differ_between_people(tmp_path):
    study = write_study(tmp_path, items=6, assignment={"trials": 2, "answers": 3})
    busy = dict.fromkeys(slots(study)[8:], 2) | dict.fromkeys(slots(study)[:8], 1)
    chosen = {tuple(sorted(assigned(study, busy, seed))) for seed in range(40)}
    assert len(chosen) > 2
    assert {slot for pair in chosen for slot in pair} <= set(slots(study)[:8])


def test_the_order_of_items_differs_between_people_and_not_between_looks(tmp_path):
    study = write_study(tmp_path, items=6)
    chosen = [Slot("with", key) for key in study.items]
    orders = [tuple(row["item"] for row in sequence(study, chosen, seed)) for seed in range(10)]
    assert len(set(orders)) > 5
    assert orders == [
        tuple(row["item"] for row in sequence(study, chosen[::-1], seed)) for seed in range(10)
    ]
    assert all(set(order) == set(study.items) for order in orders)


def test_checks_are_drawn_anew_only_when_all_were_met(tmp_path):
    study = write_study(tmp_path, items=6, checks=2, checks_table={"every": 2})
    chosen = [Slot("with", item.key) for item in study.of_kind("trial")]
    for seed in range(10):
        rows = sequence(study, chosen, seed)
        met = [row["item"] for row in rows if row["kind"] == "check"]
        assert [row["kind"] for row in rows] == ["trial", "trial", "check"] * 3
        assert len(set(met[:2])) == 2
        assert met[2] == met[0]
        assert [row["position"] for row in rows] == list(range(9))


def test_a_study_without_check_items_has_no_checks(tmp_path):
    study = write_study(tmp_path, items=4, checks_table={"every": 1})
    rows = sequence(study, slots(study)[:8], 0)
    assert {row["kind"] for row in rows} == {"trial"}
