"""Leaving the study, and withdrawing later."""

import pytest

from study_visitor import Seen

PEOPLE = ("participants", "tokens", "platforms", "invitations", "trials", "answers")


def leave(visitor, answers, form=None):
    form = form or visitor.get(visitor.home + "leave").forms[0]
    return visitor.send(form, ("answers", answers))


def test_leaving_is_asked_once_and_leads_back(serving):
    visitor = serving().participant()
    seen = visitor.get(visitor.home + "leave")
    assert "What shall become of your answers?" in seen.text
    assert visitor.home in seen.links
    assert visitor.get().forms[0].action.endswith("answer")


def test_who_stops_and_keeps_has_a_link_for_withdrawing_later(serving):
    served = serving()
    visitor = served.participant()
    visitor.answer()
    assert leave(visitor, "keep").headers["location"] == visitor.home
    seen = visitor.get()
    assert "Your answers are kept." in seen.text
    assert visitor.home + "leave" in seen.links
    assert served.count("answers") == 1
    leave(visitor, "erase")
    assert served.count("answers") == served.count("participants") == 0


def test_who_stops_and_erases_leaves_nothing(serving):
    served = serving()
    visitor = served.participant("/?workerId=somebody-of-a-platform")
    visitor.answer()
    form = visitor.get(visitor.home + "leave").forms[0]
    places = [leave(visitor, "erase", form).headers["location"] for _ in range(2)]
    assert places == ["/erased", "/erased"]
    assert "Your answers are erased." in visitor.get("/erased").text
    assert visitor.client.get(visitor.home).status_code == 404
    assert {table: served.count(table) for table in PEOPLE} == dict.fromkeys(PEOPLE, 0)
    files = [path for path in served.study.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"somebody-of-a-platform" in path.read_bytes()]


@pytest.mark.parametrize("hours", [0, 1000])
def test_the_link_withdraws_after_the_end(serving, hours):
    served = serving()
    visitor = served.participant()
    visitor.take()
    served.clock.now += 3600 * hours
    seen = visitor.get()
    assert visitor.home + "leave" in seen.links
    asked = visitor.get(visitor.home + "leave")
    assert asked.forms[0].buttons == [("answers", "erase")]
    leave(visitor, "erase")
    assert served.count("answers") == 0


def test_the_link_withdraws_after_it_expired(serving):
    served = serving()
    visitor = served.participant()
    visitor.answer()
    served.clock.now += 3600 * 1000
    assert visitor.home + "leave" in visitor.get().links
    leave(visitor, "erase")
    assert served.count("answers") == 0


def test_leaving_needs_the_form_of_this_participant(serving):
    served = serving()
    first, second = served.participant(), served.participant()
    form = first.get(first.home + "leave").forms[0]
    for nonce in (form.hidden["nonce"], "", "é"):
        response = second.post(second.home + "leave", {"nonce": nonce, "answers": "erase"})
        assert response.status_code == 403
    assert leave(first, "both").status_code == 400
    assert served.count("participants") == 2
    assert "form cannot be used here" in Seen(response.text).text
