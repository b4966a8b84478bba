"""What two people say of errors, how far they agree, and what comes of it."""

import numpy as np
import pytest

from study_people import CONSENT
from tiny_study import write_study
from xbench_study.answers.book import AnswerBook
from xbench_study.answers.steps import Choice
from xbench_study.categories.annotating import (
    CLOSED,
    NOT_YET,
    OTHERS,
    STANDS,
    UNKNOWN,
    Annotating,
    categories_of,
    counts_of,
)
from xbench_study.categories.annotations import Annotations

NAMES = ("C1", "C2", "C3")
ITEMS = tuple("abcdef")


def annotations(first, second=None, settled=None):
    given = {"one": dict(zip(ITEMS, first, strict=False))}
    if second is not None:
        given["two"] = dict(zip(ITEMS, second, strict=False))
    return Annotations(ITEMS, NAMES, given, settled or {})


def slow_kappa(first, second):
    """Cohen (1960): counted pair by pair."""
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    by_chance = sum(
        sum(a == name for a in first) * sum(b == name for b in second) for name in NAMES
    )
    return (observed - by_chance / n**2) / (1 - by_chance / n**2)


def test_kappa_is_cohens():
    first, second = ("C1", "C1", "C2", "C3", "C2", "C1"), ("C1", "C2", "C2", "C3", "C3", "C1")
    assert annotations(first, second).kappa == pytest.approx(slow_kappa(first, second), abs=1e-12)
    assert annotations(first, first).kappa == 1
    assert np.isnan(annotations(first).kappa)
    same = ("C1",) * 6
    assert annotations(same, same).counts().kappa is None


def test_what_two_people_agree_about_or_what_was_settled_is_the_category():
    of = annotations(("C1", "C2", "C3"), ("C1", "C3", "C1"), {"b": "C2"})
    assert of.categories() == {"a": "C1", "b": "C2"}
    assert of.disagreements == [("b", ("C2", "C3")), ("c", ("C3", "C1"))]
    assert of.unsettled == [("c", ("C3", "C1"))]
    assert not of.complete
    counts = of.counts()
    assert (counts.items, counts.people, counts.by_both) == (6, 2, 3)
    assert (counts.disagreements, counts.settled) == (2, 1)
    assert counts.words().startswith("error categories: 3 of 6 items annotated by two, 2 people")


def test_what_one_person_says_is_no_category():
    assert annotations(("C1", "C2")).categories() == {}


def test_each_person_has_an_order_of_their_own():
    of = Annotations(tuple(map(str, range(40))), NAMES, {}, {})
    assert of.order("one", 0) == of.order("one", 0) != of.order("two", 0)
    assert of.order("one", 0) != list(of.items)
    assert sorted(of.order("one", 0)) == sorted(of.items)


@pytest.fixture
def book(tmp_path):
    named = [{"name": name, "title": name, "text": f"It is {name}."} for name in NAMES]
    book = AnswerBook(write_study(tmp_path / "study", items=3, categories=named))
    yield book
    book.close()


def annotate(book, *people):
    """Everything by these people, each with a category of their own for the last item."""
    annotating = Annotating(book)
    for person, last in people:
        for item, name in zip(annotating.items, ("C1", "C2", last), strict=True):
            assert annotating.annotate(person, item, name, 0.0) == ""
    return annotating


def test_annotations_are_stored_and_resumed_and_one_can_be_corrected(book):
    annotating = Annotating(book)
    first, second, _ = annotating.items
    assert annotating.annotate("anna", first, "C1", 0.0) == ""
    assert annotating.annotate("anna", second, "C2", 0.0) == ""
    assert annotating.annotate("anna", first, "C3", 0.0) == ""
    assert Annotating(book).read().given == {"anna": {first: "C3", second: "C2"}}
    assert counts_of(book).people == 1


def test_two_people_annotate_and_a_third_one_settles(book):
    assert counts_of(book) is None
    assert Annotating(book).settle("carl", "x", "C1", 0.0) == UNKNOWN
    annotating = annotate(book, ("anna", "C1"))
    last = annotating.items[-1]
    assert annotating.settle("carl", last, "C1", 0.0) == NOT_YET
    annotate(book, ("bert", "C3"))
    assert annotating.annotate("carl", last, "C1", 0.0) == STANDS
    assert annotating.annotate("anna", last, "C3", 0.0) == STANDS
    assert annotating.settle("carl", annotating.items[0], "C3", 0.0) == NOT_YET
    assert last not in categories_of(book)
    assert annotating.settle("carl", last, "C2", 0.0) == ""
    assert categories_of(book)[last] == "C2"
    assert counts_of(book).kappa == pytest.approx(0.5)


def test_a_third_person_annotates_nothing(book):
    annotating = Annotating(book)
    for person in ("anna", "bert"):
        annotating.annotate(person, annotating.items[0], "C1", 0.0)
    assert annotating.annotate("carl", annotating.items[1], "C1", 0.0) == OTHERS


@pytest.mark.parametrize(("item", "name"), [("f" * 16, "C1"), (None, "C9"), (None, "")])
def test_what_the_study_does_not_know_is_refused(book, item, name):
    annotating = Annotating(book)
    assert annotating.annotate("anna", item or annotating.items[0], name, 0.0) == UNKNOWN
    assert annotating.read().given == {}


def test_once_there_are_answers_nothing_is_annotated_or_settled_and_pilots_do_not_count(book):
    annotating = annotate(book, ("anna", "C1"), ("bert", "C3"))
    last = annotating.items[-1]
    for pilot, reason in ((True, ""), (False, CLOSED)):
        token = book.enrol(CONSENT, 0.0, pilot=pilot)
        book.go_on(token, book.step(token, 0.0).nonce, 0.0)
        step = book.step(token, 0.0)
        reply = Choice(step.options[:1])
        assert book.answer(token, step.position, step.nonce, reply, 9.0).kind == "stored"
        assert annotating.settle("carl", last, "C2", 0.0) == reason
    assert annotating.annotate("anna", last, "C1", 0.0) == CLOSED


def test_where_nobody_annotated_what_was_written_by_hand_counts(book):
    keys = Annotating(book).items
    assert categories_of(book) == {key: f"C{place + 1}" for place, key in enumerate(keys)}


def test_a_database_from_before_gets_the_tables(book, tmp_path):
    from sqlalchemy import text

    with book.database.writing() as connection:
        for table in ("annotations", "settlements"):
            connection.execute(text(f"DROP TABLE {table}"))
    book.close()
    again = AnswerBook(book.study)
    assert Annotating(again).read().given == {}
    again.close()
