"""The information sheet and consent."""

import pytest

from study_visitor import Seen
from xbench_study.pages.words import consent_hash

TABLES = ("participants", "tokens", "platforms", "invitations", "trials", "answers")


def rows(served):
    return {table: served.count(table) for table in TABLES}


def stored(served, query):
    from sqlalchemy import text

    with served.book.database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_sheet_says_everything_and_that_sight_is_needed(serving):
    served = serving()
    seen = served.visitor().get("/")
    for name, said in served.study.description.sheet:
        assert name == "minimum_age" or said in seen.text
    assert "sight is needed" in seen.text
    assert "18 years old or older" in seen.text


def test_checks_and_what_follows_from_them_are_announced_before_consent(serving):
    asked = {"text": "What?", "options": ["this", "that"], "right": 0}
    rules = {"every": 2, "right": 0.75, "fastest_seconds": 2.5, "comprehension": [asked]}
    visitor = serving(checks=2, checks_table=rules).visitor()
    for text in (visitor.get("/").text, visitor.consent().get().text):
        assert "fewer than 75% of them" in text
        assert "less than 2.5 seconds" in text
        assert "answered 2 times" in text


def test_no_box_is_ticked_and_no_cookie_is_set(serving):
    visitor = serving().visitor()
    response = visitor.client.get("/")
    (form,) = Seen(response.text).forms
    assert [name for name, _ in form.choices] == ["consent", "age"]
    assert not form.chosen
    visitor.consent().take()
    assert not visitor.client.cookies
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("ticked", [(), ("consent",), ("age",)])
def test_nothing_is_stored_before_both_boxes_are_ticked(serving, ticked):
    served = serving()
    visitor = served.visitor()
    form = visitor.get("/?PROLIFIC_PID=abc").forms[0]
    response = visitor.post(form.action, form.hidden | dict.fromkeys(ticked, "yes"))
    assert response.status_code == 422
    assert set(rows(served).values()) == {0}
    again = Seen(response.text)
    assert again.forms[0].chosen == [(name, "yes") for name in ticked]
    assert again.forms[0].hidden["PROLIFIC_PID"] == "abc"
    for name in {"consent", "age"} - set(ticked):
        box = next(of for tag, of in again.tags if tag == "input" and of["name"] == name)
        described = [of.get("id") for _, of in again.tags]
        assert box["aria-invalid"] == "true"
        assert box["aria-describedby"] in described
        assert f"#{name}" in again.links


def test_consent_is_stored_with_the_hash_of_what_was_read_and_its_time(serving):
    served = serving()
    served.visitor().consent()
    text = consent_hash(served.study.description)
    assert stored(served, "SELECT consent, started_at FROM participants") == [
        (text, served.clock.now)
    ]


def test_the_hash_is_another_one_when_a_word_of_the_sheet_changes(serving):
    first = serving().study.description
    second = serving(sheet={"risks": "None at all."}).study.description
    assert consent_hash(first) != consent_hash(second)


def test_a_text_that_changed_meanwhile_is_shown_again(serving):
    served = serving()
    visitor = served.visitor()
    form = visitor.get("/").forms[0]
    fields = form.hidden | {"text": "0" * 32, "consent": "yes", "age": "yes"}
    response = visitor.post(form.action, fields)
    assert response.status_code == 422
    assert not Seen(response.text).forms[0].chosen
    assert served.count("participants") == 0


def test_a_button_that_is_pressed_twice_is_one_consent(serving):
    served = serving()
    visitor = served.visitor()
    form = visitor.get("/").forms[0]
    fields = {**form.hidden, "consent": "yes", "age": "yes"}
    places = {visitor.post(form.action, fields).headers["location"] for _ in range(3)}
    assert served.count("participants") == 1
    assert len({visitor.get(place).text for place in places}) == len(places)


def test_a_sheet_is_good_for_a_day_and_cannot_be_made_up(serving):
    served = serving()
    visitor = served.visitor()
    form = visitor.get("/").forms[0]
    fields = {**form.hidden, "consent": "yes", "age": "yes"}
    for ticket in ("", "x", "zz-1-2", form.hidden["ticket"][:-1] + "~"):
        assert visitor.post(form.action, {**fields, "ticket": ticket}).status_code == 422
    served.clock.now += 25 * 3600
    assert visitor.post(form.action, fields).status_code == 422
    assert served.count("participants") == 0


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("PROLIFIC_PID=participant-1&STUDY_ID=s1&SESSION_ID=x1", ("participant-1", "s1", "x1")),
        ("workerId=worker-1&assignmentId=a1&hitId=h1", ("worker-1", "h1", "a1")),
    ],
)
def test_what_platforms_call_people_is_stored_apart_and_only_with_consent(serving, query, row):
    served = serving()
    visitor = served.visitor()
    visitor.get(f"/?{query}")
    assert served.count("platforms") == 0
    home = visitor.consent(f"/?{query}").home
    assert stored(served, "SELECT name, study, session FROM platforms") == [row]
    assert row[0] not in home
    again = served.visitor().consent(f"/?{query}")
    assert served.count("participants") == 1
    assert again.home != home


@pytest.mark.parametrize("value", ["<b>", "a b", "x" * 101, "%00"])
def test_what_no_platform_says_is_refused(serving, value):
    visitor = serving().visitor()
    assert visitor.client.get("/", params={"PROLIFIC_PID": value}).status_code == 400


def test_an_invitation_enrols_one_person_once(serving):
    served = serving()
    (code,) = served.book.invite(1)
    first = served.visitor().consent(f"/i/{code}")
    second = served.visitor().consent(f"/i/{code}")
    assert first.home != second.home
    assert served.count("participants") == 1
    assert served.visitor().client.get("/i/made-up").status_code == 404


def test_a_full_study_says_so_before_consent(serving):
    served = serving(items=1, assignment={"trials": 1, "answers": 1}, conditions=["only"])
    late = served.visitor()
    form = late.get("/").forms[0]
    known = served.participant("/?workerId=w1")
    known.answer()
    for address in ("/", "/?workerId=w2"):
        seen = served.visitor().get(address)
        assert "Enough people have taken part" in seen.text
        assert not seen.forms
    assert served.visitor().get("/?workerId=w1").forms
    response = late.post(form.action, {**form.hidden, "consent": "yes", "age": "yes"})
    assert "Enough people have taken part" in response.text
    assert served.count("participants") == 1
