"""What participants see, one step after the other, and what becomes of what they send."""

import pytest

from study_people import CONSENT, Person, enrol, everybody, first_option
from tiny_study import write_study
from xbench_study.answers.steps import Choice, Ratings, Skipped

TWO = [
    {"text": "What is asked?", "options": ["The label", "The weather"], "right": 0},
    {"text": "Was it right?", "options": ["Yes", "No"], "right": 1},
]


def test_who_consents_reads_answers_and_is_debriefed(any_book):
    person = enrol(any_book)
    assert person.step.stage == "instructions"
    person.go_on()
    for position in range(4):
        step = person.step
        assert (step.stage, step.position, step.of) == ("trial", position, 4)
        assert person.answer(step=step).kind == "stored"
    assert person.step.stage == "debriefing"


def test_a_whole_study_gets_its_answers_and_is_then_full(any_book):
    assert everybody(any_book) == 6  # 2 conditions of 6 items, 2 answers each, 4 trials a person
    assert any_book.enrol(CONSENT, 0.0) is None


def test_a_token_of_nobody_leads_nowhere(any_book):
    enrol(any_book)
    assert any_book.step("nobody", 0.0) is None
    assert any_book.answer("nobody", 0, "", Skipped(), 0.0).kind == "invalid"
    assert not any_book.leave("nobody", 0.0, erase=False)
    assert not any_book.leave("nobody", 0.0, erase=True)


def test_an_answer_counts_once_and_the_first_one_stands(any_book):
    person = enrol(any_book).begin()
    step = person.step
    assert person.answer(step=step).kind == "stored"
    assert person.answer(Choice(step.options[1:2]), step=step).kind == "already"
    person.answer()
    assert person.answer(step=step).kind == "already"  # the back button


def test_a_step_is_the_same_however_often_it_is_asked_for_and_its_clock_starts_once(tmp_path):
    study = write_study(tmp_path, question={"minimum_seconds": 5.0})
    from xbench_study.answers.book import AnswerBook

    person = enrol(AnswerBook(study)).begin()
    first, person.now = person.step, 3.0
    assert person.step == first
    person.pace = 1.0
    soon = person.answer(step=first)
    assert (soon.kind, soon.seconds) == ("too-soon", pytest.approx(1.0))
    assert person.answer(step=first).kind == "stored"
    person.book.close()


def test_a_trial_that_was_not_shown_cannot_be_answered(any_book):
    person = enrol(any_book).begin()
    step = person.step
    ahead = any_book.answer(person.token, 1, step.nonce, first_option(step), 9.0)
    assert ahead.kind == "invalid"
    assert person.step.position == 0


def test_nobody_answers_for_another_participant(any_book):
    one, other = enrol(any_book).begin(), enrol(any_book).begin()
    mine, yours = one.step, other.step
    for token, step in ((one.token, yours), (other.token, mine)):
        sent = any_book.answer(token, step.position, step.nonce, first_option(step), 9.0)
        assert sent.kind == "invalid"
    assert (one.step.position, other.step.position) == (0, 0)


def test_a_nonce_with_other_letters_is_refused(book):
    person = enrol(book).begin()
    assert book.answer(person.token, 0, "é€", first_option(person.step), 9.0).kind == "invalid"


@pytest.mark.parametrize(
    "reply",
    [
        Choice(()),
        Choice(("0" * 16,)),
        Choice((), unsure=True),
        Skipped(),
        Ratings({}),
    ],
)
def test_what_is_no_answer_to_the_question_is_not_stored(book, reply):
    person = enrol(book).begin()
    step = person.step
    outcome = person.answer(reply, step)
    assert outcome.kind == "invalid"
    assert outcome.reason
    assert person.step == step


def test_two_options_are_one_too_many(book):
    person = enrol(book).begin()
    assert person.answer(Choice(person.step.options[:2])).kind == "invalid"


def test_a_pair_is_chosen_of_two_different_options(tmp_path, book_of):
    question = {"pick": 2, "unsure": "I do not know", "may_skip": True}
    person = enrol(book_of(write_study(tmp_path, question=question))).begin()
    one, two = person.step.options[:2]
    assert person.answer(Choice((one, one))).kind == "invalid"
    assert person.answer(Choice((one,))).kind == "invalid"
    assert person.answer(Choice((one,), unsure=True)).kind == "invalid"
    assert person.answer(Choice((two, one))).kind == "stored"
    assert person.answer(Choice((), unsure=True)).kind == "stored"
    assert person.answer(Skipped()).kind == "stored"


RATED = {"kind": "rate", "scale": ["low", "middle", "high"], "unsure": "cannot tell"}


def test_a_rating_has_a_degree_for_every_option(tmp_path, book_of):
    person = enrol(book_of(write_study(tmp_path, options=2, question=RATED))).begin()
    one, two = person.step.options
    assert person.answer(Choice((one,))).kind == "invalid"
    for degrees in ({one: 0}, {one: 0, two: 3}, {one: 0, two: -1}, {one: 0, two: 1, "x": 1}):
        assert person.answer(Ratings(degrees)).kind == "invalid"
    assert person.answer(Ratings({one: 0, two: None})).kind == "stored"


def test_cannot_tell_needs_words_in_the_design(tmp_path, book_of):
    question = {**RATED, "unsure": ""}
    person = enrol(book_of(write_study(tmp_path, options=1, question=question))).begin()
    (only,) = person.step.options
    assert person.answer(Ratings({only: None})).kind == "invalid"
    assert person.answer(Ratings({only: 2})).kind == "stored"


def test_training_comes_first_then_practice_with_feedback_then_trials_with_checks(
    tmp_path, book_of
):
    counts = {"training": 1, "practice": 1, "checks": 2, "items": 6}
    study = write_study(tmp_path, **counts, checks_table={"every": 2})
    person, kinds = enrol(book_of(study)), []
    while (step := person.step).stage != "debriefing":
        kinds.append(study.items[step.item].kind if step.stage == "trial" else step.stage)
        person.answer(step=step) if step.stage == "trial" else person.go_on()
    before = ["instructions", "training", "practice", "feedback"]
    assert kinds == [*before, "trial", "trial", "check", "trial", "trial", "check"]


def test_pages_and_answers_agree_about_where_somebody_is(tmp_path, everywhere):
    counts = {"training": 1, "practice": 2, "checks": 1, "items": 4}
    checks = {"every": 2, "comprehension": TWO}
    book = everywhere(write_study(tmp_path / "all", **counts, checks_table=checks))
    person, stages = enrol(book), []
    while not stages or stages[-1] != "debriefing":
        step = person.step
        assert book.answer(person.token, step.position, "", Skipped(), 0.0).at == step
        stages.append(step.stage)
        go_on = person.begin if step.stage == "comprehension" else person.go_on
        person.answer(step=step) if step.stage == "trial" else go_on()
    assert set(stages) == {"instructions", "comprehension", "trial", "feedback", "debriefing"}
    assert book.leave(person.token, 1.0, erase=True)
    assert book.answer(person.token, 0, "", Skipped(), 1.0).at is None


def test_training_is_left_behind_without_an_answer(tmp_path, book_of):
    person = enrol(book_of(write_study(tmp_path, training=1))).begin()
    assert person.step.position == 0
    person.go_on()
    assert (person.step.stage, person.step.position) == ("trial", 1)


def test_a_trial_is_not_left_behind_without_an_answer(book):
    person = enrol(book).begin()
    step = person.step
    person.go_on()
    assert person.step == step


@pytest.mark.parametrize(("place", "right"), [(0, True), (1, False)])
def test_practice_tells_afterwards_whether_it_was_right(tmp_path, book_of, place, right):
    study = write_study(tmp_path, practice=1)
    person = enrol(book_of(study)).begin()
    step = person.step
    assert step.right is None
    (answer,) = study.secrets[step.item].right
    others = [key for key in step.options if key != answer]
    person.answer(Choice(((answer, *others)[place],)))
    assert (person.step.stage, person.step.right) == ("feedback", right)
    person.go_on()
    assert person.step.stage == "trial"


def test_comprehension_is_asked_until_it_is_right(tmp_path, book_of):
    book = book_of(write_study(tmp_path, checks_table={"comprehension": TWO}))
    person = enrol(book)
    person.go_on()
    asked = person.step
    assert (asked.stage, asked.attempt) == ("comprehension", 0)
    assert not book.comprehend(person.token, asked.nonce, (0, 0), 1.0)
    assert person.step.attempt == 1
    assert not book.comprehend(person.token, asked.nonce, (0, 0), 1.0)  # a double click
    assert person.step.attempt == 1
    assert book.comprehend(person.token, person.step.nonce, (0, 1), 1.0)
    assert book.comprehend(person.token, asked.nonce, (0, 0), 1.0)  # it is known by now
    assert person.step.stage == "trial"


def test_who_fails_the_comprehension_questions_is_not_asked_further(tmp_path, book_of):
    book = book_of(write_study(tmp_path, checks_table={"comprehension": TWO}))
    person = enrol(book)
    person.go_on()
    for _ in range(2):
        assert person.step.stage == "comprehension"
        assert not book.comprehend(person.token, person.step.nonce, (1, 0), 1.0)
    assert person.step.stage == "failed"
    assert not book.comprehend(person.token, person.step.nonce, (0, 1), 1.0)


@pytest.mark.parametrize("options", [(), (0,), (0, 2), (-1, 1), (0, 1, 1)])
def test_an_incomplete_attempt_at_comprehension_is_none(tmp_path, book_of, options):
    book = book_of(write_study(tmp_path, checks_table={"comprehension": TWO}))
    person = enrol(book)
    person.go_on()
    assert not book.comprehend(person.token, person.step.nonce, options, 1.0)
    assert person.step.attempt == 0


def test_options_stand_in_each_participants_own_order_and_stay_there(book, book_of):
    orders = {}
    for _ in range(4):
        person = enrol(book).begin()
        for _ in range(4):
            step = person.step
            assert set(step.options) == {o.key for o in book.study.items[step.item].options}
            again = book_of(book.study).step(person.token, person.now)
            assert again == step
            orders.setdefault(step.item, set()).add(step.options)
            person.answer()
    assert any(len(different) > 1 for different in orders.values())


def test_options_of_a_design_that_does_not_shuffle_stand_as_they_are(tmp_path, book_of):
    study = write_study(tmp_path, question={"shuffled": False})
    step = enrol(book_of(study)).begin().step
    assert step.options == tuple(option.key for option in study.items[step.item].options)


def test_a_link_leads_back_for_a_time_and_no_longer(any_book):
    person = enrol(any_book).begin()
    person.answer()
    person.now = 48 * 3600.0
    assert person.step.stage == "trial"
    late = person.step
    person.now += 1
    assert person.step.stage == "expired"
    assert person.answer(step=late).kind == "invalid"
    assert any_book.leave(person.token, person.now, erase=True)


def test_who_finished_is_debriefed_for_ever(book):
    person = enrol(book).take()
    person.now = 1e9
    assert person.step.stage == "debriefing"


def test_who_leaves_is_asked_no_further_and_answers_are_kept(any_book):
    person = enrol(any_book).take(2)
    late = person.step
    assert any_book.leave(person.token, 9.0, erase=False)
    assert person.step.stage == "left"
    assert person.answer(step=late).kind == "invalid"


def test_a_person_of_a_platform_is_one_participant_however_often_they_come(any_book):
    one = enrol(any_book, name="worker 7").take(1)
    again = enrol(any_book, 5.0, name="worker 7")
    assert again.token != one.token
    assert again.step == one.step
    assert again.step.position == 1
    again.answer()
    assert one.step.position == 2


def test_an_invitation_is_for_one_participant(any_book):
    first, second = any_book.invite(2)
    one, other = enrol(any_book, invitation=first), enrol(any_book, invitation=second)
    again = enrol(any_book, invitation=first)
    assert again.step == one.step
    assert again.step.nonce != other.step.nonce


def test_an_invitation_of_nobody_is_refused(book):
    from xbench import ParameterError

    with pytest.raises(ParameterError, match=r"none of the study's; ask for another link"):
        enrol(book, invitation="made up")
    assert Person(book, book.enrol(CONSENT, 0.0), 0.0).step.stage == "instructions"


def test_a_pilot_participant_is_told_so(book):
    assert enrol(book, pilot=True).step.pilot
    assert not enrol(book).step.pilot
