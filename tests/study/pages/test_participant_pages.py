"""A participant's steps: nothing is lost, and nothing counts twice."""

import re

import pytest

from study_visitor import Seen, Served
from xbench_study.answers.steps import Choice

ASKED = [
    {"text": "Which is asked?", "options": ["the label", "the wrong label"], "right": 1},
    {"text": "Who errs?", "options": ["the program", "nobody"], "right": 0},
]
SCALE = ["low", "middle", "high"]


def replies(served):
    from sqlalchemy import text

    query = text("SELECT reply FROM answers ORDER BY trial")
    with served.book.database.reading() as connection:
        return [row[0] for row in connection.execute(query)]


def test_a_participant_takes_part_from_the_sheet_to_the_code(serving):
    completion = {"code": "C/1", "redirect": "https://example.org/done?cc={code}"}
    served = serving(training=1, practice=1, completion=completion)
    visitor = served.visitor().consent()
    assert f"http://testserver{visitor.home}" in visitor.get().text
    assert visitor.take() == 5
    end = visitor.get()
    assert "That was all." in end.text
    assert "Your completion code is C/1." in end.text
    assert "https://example.org/done?cc=C%2F1" in end.links
    assert f"http://testserver{visitor.home}" in end.text


def test_training_shows_the_right_answer_and_practice_tells_it_afterwards(serving):
    served = serving(training=1, practice=1)
    visitor = served.participant()
    training = visitor.get()
    assert "Training" in training.text
    assert "The right answer is: class 0." in training.text
    visitor.go_on()
    practice = visitor.get()
    assert "Practice" in practice.text
    assert "right answer" not in practice.text
    keys = [key for _, key in practice.forms[0].choices]
    visitor.answer(next(place for place, key in enumerate(keys) if key not in right(served)))
    feedback = visitor.get()
    assert "That is not right. The right answer is: class 0." in feedback.text
    visitor.go_on()
    assert visitor.get().forms[0].action.endswith("answer")


def right(served):
    return {key for secret in served.study.secrets.values() for key in secret.right}


def test_the_same_form_sent_twice_counts_once(serving):
    served = serving()
    visitor = served.participant()
    form = visitor.get().forms[0]
    first, second = (visitor.send(form, choice) for choice in form.choices[:2])
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"] == visitor.home
    assert len(replies(served)) == 1
    assert form.choices[0][1] in replies(served)[0]


def test_a_second_tab_and_the_back_button_lead_to_where_the_participant_is(serving):
    served = serving()
    visitor = served.participant()
    old = visitor.get().forms[0]
    visitor.answer()
    visitor.answer()
    assert visitor.send(old, old.choices[3]).headers["location"] == visitor.home
    assert len(replies(served)) == 2
    assert "Question 3 of 4" in visitor.get().text


def test_the_last_answer_sent_twice_leads_to_the_end(serving):
    served = serving(assignment={"trials": 1})
    visitor = served.participant()
    form = visitor.get().forms[0]
    for _ in range(2):
        assert visitor.send(form, form.choices[0]).headers["location"] == visitor.home
    assert "That was all." in visitor.get().text


def test_a_reload_shows_the_same_options_in_the_same_order(serving):
    visitor = serving().participant()
    first, second = visitor.get(), visitor.get()
    assert first.forms == second.forms
    assert first.text == second.text


def test_a_server_that_starts_again_goes_on(serving):
    served = serving()
    visitor = served.participant()
    visitor.answer()
    form = visitor.get().forms[0]
    served.book.close()
    again = Served(served.study, served.clock)
    visitor.client = again.visitor().client
    assert visitor.send(form, form.choices[0]).status_code == 303
    assert len(replies(again)) == 2
    again.book.close()


def test_too_soon_keeps_what_was_chosen_and_says_how_long(serving):
    served = serving(question={"minimum_seconds": 5.0})
    visitor = served.participant()
    visitor.pace = 1.5
    response = visitor.answer(2)
    assert response.status_code == 303
    seen = visitor.get(response.headers["location"])
    assert "4 seconds are needed" in seen.text
    assert seen.forms[0].chosen == [seen.forms[0].choices[2]]
    assert not replies(served)
    problem = next(of for _, of in seen.tags if of.get("id") == "problem")
    assert problem["role"] == "alert"
    assert "#option-0" in seen.links
    served.clock.now += 4
    assert visitor.send(seen.forms[0], seen.forms[0].chosen[0]).headers["location"] == visitor.home
    assert len(replies(served)) == 1


def test_who_chose_nothing_is_told_so_however_soon_it_was(serving):
    visitor = serving(question={"minimum_seconds": 5.0}).participant()
    visitor.pace = 1.5
    form = visitor.get(visitor.home).forms[0]
    seen = visitor.get(visitor.post(form.action, form.hidden).headers["location"])
    assert "Please choose 1" in seen.text
    assert "seconds" not in seen.text


def test_what_an_address_says_of_another_step_is_nothing(serving):
    visitor = serving().participant()
    query = "?at={}&say=soon&kept=1&wait=3"
    assert visitor.get(visitor.home + query.format(0)).forms[0].chosen
    for other in ("1", "x", "", "9" * 30):
        seen = visitor.get(visitor.home + query.format(other))
        assert not seen.forms[0].chosen
        assert "seconds" not in seen.text


def test_several_are_chosen_and_too_few_are_told(serving):
    served = serving(question={"pick": 2, "unsure": "I do not know"})
    visitor = served.participant()
    form = visitor.get().forms[0]
    assert len(form.choices) == 6
    for chosen in ([], form.choices[:1], form.choices[:3], form.choices[4:]):
        location = visitor.send(form, *chosen).headers["location"]
        seen = visitor.get(location)
        assert "Please choose 2." in seen.text
        assert seen.forms[0].chosen == chosen
    assert not replies(served)
    visitor.send(form, *form.choices[:2])
    visitor.send(visitor.get().forms[0], ("choice", "unsure"))
    first, second = replies(served)
    assert all(key in first for _, key in form.choices[:2])
    assert "unsure" in second


def test_every_option_is_rated_and_gaps_are_told_beside_them(serving):
    question = {"kind": "rate", "scale": SCALE, "unsure": "cannot tell"}
    served = serving(options=3, question=question)
    visitor = served.participant()
    form = visitor.get().forms[0]
    names = list(dict.fromkeys(name for name, _ in form.choices))
    assert [value for _, value in form.choices] == ["0", "1", "2", "unsure"] * 3
    location = visitor.send(form, (names[0], "2"), (names[2], "unsure")).headers["location"]
    seen = visitor.get(location)
    assert "Please choose a degree in every row." in seen.text
    assert seen.forms[0].chosen == [(names[0], "2"), (names[2], "unsure")]
    faulty = [of for tag, of in seen.tags if tag == "fieldset" and "aria-describedby" in of]
    assert [of["aria-describedby"] for of in faulty] == ["problem-1"]
    visitor.send(form, (names[0], "2"), (names[1], "0"), (names[2], "unsure"))
    (stored,) = replies(served)
    assert re.findall(r": (\d|null)", stored) == ["2", "0", "null"]


@pytest.mark.parametrize("may_skip", [True, False])
def test_a_question_is_skipped_where_the_design_allows_it(serving, may_skip):
    served = serving(question={"may_skip": may_skip})
    visitor = served.participant()
    form = visitor.get().forms[0]
    assert (("skip", "yes") in form.buttons) is may_skip
    response = visitor.send(form, button=("skip", "yes"))
    assert response.status_code == (303 if may_skip else 403)
    assert len(replies(served)) == may_skip


def test_instructions_have_to_be_understood(serving):
    rules = {"comprehension": ASKED, "attempts": 2}
    served = serving(checks_table=rules, completion={"failed_code": "F0"})
    visitor = served.participant()
    form = visitor.get().forms[0]
    location = visitor.send(form, ("question-0", "1")).headers["location"]
    seen = visitor.get(location)
    assert seen.forms[0].chosen == [("question-0", "1")]
    assert "Please choose an answer to every question." in seen.text
    assert "#question-1-0" in seen.links
    visitor.send(form, ("question-0", "0"), ("question-1", "0"))
    again = visitor.get()
    assert "Not all answers were right." in again.text
    assert "Look, then choose." in again.text
    visitor.send(form, ("question-0", "0"), ("question-1", "0"))
    assert visitor.get().text == again.text
    visitor.send(again.forms[0], ("question-0", "0"), ("question-1", "0"))
    end = visitor.get()
    assert "the study ends here" in end.text
    assert "F0" in end.text


def test_instructions_that_are_understood_lead_on(serving):
    visitor = serving(checks_table={"comprehension": ASKED}).participant()
    visitor.send(visitor.get().forms[0], ("question-0", "1"), ("question-1", "0"))
    assert "Question 1 of 4" in visitor.get().text


def test_a_link_leads_back_for_a_time(serving):
    served = serving(assignment={"resume_hours": 2.0})
    visitor = served.participant()
    visitor.answer()
    form = visitor.get().forms[0]
    served.clock.now += 2.1 * 3600
    assert "has expired" in visitor.get().text
    assert visitor.send(form, form.choices[0]).headers["location"] == visitor.home
    assert len(replies(served)) == 1


def test_a_pilot_says_on_every_page_that_nothing_counts(serving):
    served = serving(pages={"pilot": True})
    visitor = served.visitor()
    words = "nothing that is answered here counts"
    assert words in visitor.get("/").text
    visitor.consent()
    while (seen := visitor.get()).forms:
        assert words in seen.text
        visitor.answer() if seen.forms[0].action.endswith("answer") else visitor.go_on()
    assert words in seen.text


def test_every_page_after_consent_leads_out(serving):
    served = serving(training=1, practice=1, checks_table={"comprehension": ASKED})
    visitor = served.visitor().consent()
    while (seen := visitor.get()).forms:
        assert f"{visitor.home}leave" in seen.links
        form = seen.forms[0]
        if form.action.endswith("comprehension"):
            visitor.send(form, ("question-0", "1"), ("question-1", "0"))
        elif form.action.endswith("answer"):
            visitor.answer()
        else:
            visitor.go_on()
    assert f"{visitor.home}leave" in seen.links


def test_labels_stand_around_one_picture(serving):
    served = serving(question={"layout": "around"}, conditions=["none", "one"])
    visitor = served.visitor().consent()
    visitor.go_on()
    classes = [of.get("class", "") for _, of in visitor.get().tags]
    with_map = served.book.step(visitor.home.split("/")[2], served.clock.now).condition == "none"
    assert ("around" in classes) is not with_map


def test_a_page_is_the_same_book_s_step(serving):
    served = serving()
    visitor = served.participant()
    token, now = visitor.home.split("/")[2], served.clock.now
    step = served.book.step(token, now)
    form = visitor.get().forms[0]
    assert [key for _, key in form.choices] == list(step.options)
    reply = Choice(step.options[:1])
    outcome = served.book.answer(token, 0, form.hidden["nonce"], reply, now)
    assert outcome.kind == "stored"
    assert "Question 2 of 4" in visitor.get().text


def test_pages_have_a_language_a_heading_and_a_name_for_each_control(serving):
    visitor = serving(question={"unsure": "I do not know"}).participant()
    response = visitor.client.get(visitor.home)
    assert '<html lang="en">' in response.text
    seen = Seen(response.text)
    assert [tag for tag, _ in seen.tags].count("h1") == 1
    words = r"<label[^>]*><input[^>]*>\s*<span class=\"words\">[^<]+</span>"
    inside = re.findall(words, response.text)
    assert len(inside) == len(seen.forms[0].choices) == 6
