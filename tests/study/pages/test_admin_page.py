"""The researcher's page."""

import hmac

import pytest

from study_visitor import ADMIN


def test_the_token_opens_how_the_study_goes(serving):
    served = serving(pages={"admin_token": ADMIN}, checks=1, checks_table={"every": 2})
    served.participant().take()
    leaver = served.participant()
    leaver.answer()
    visitor = served.visitor()
    form = visitor.get("/admin").forms[0]
    assert form.choices == [("token", "")]
    response = visitor.send(form, ("token", ADMIN))
    assert response.status_code == 200
    for word in ("participants: finished", "median seconds an answer", "checks answered", "with"):
        assert word in response.text
    assert ADMIN not in response.text
    assert not visitor.client.cookies


@pytest.mark.parametrize("token", ["", "x", ADMIN[:-1], ADMIN + "x", "ü" * 40])
def test_another_token_opens_nothing(serving, token):
    visitor = serving(pages={"admin_token": ADMIN}).visitor()
    response = visitor.post("/admin", {"token": token})
    assert response.status_code == 403
    assert "This is not the token." in response.text
    assert "Overview" not in response.text


def test_a_token_in_an_address_opens_nothing(serving):
    visitor = serving(pages={"admin_token": ADMIN}).visitor()
    assert "Overview" not in visitor.get(f"/admin?token={ADMIN}").text
    assert visitor.post(f"/admin?token={ADMIN}", {"token": ""}).status_code == 403


def test_tokens_are_compared_in_constant_time(serving, monkeypatch):
    compared = []

    def noting(first, second, compare=hmac.compare_digest):
        compared.append((first, second))
        return compare(first, second)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    visitor = serving(pages={"admin_token": ADMIN}).visitor()
    visitor.post("/admin", {"token": "guess"})
    assert compared == [(b"guess", ADMIN.encode())]


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_there_is_no_such_page(serving, token):
    visitor = serving(pages={"admin_token": token}).visitor()
    assert visitor.client.get("/admin").status_code == 404
    assert visitor.post("/admin", {"token": ""}).status_code == 404
