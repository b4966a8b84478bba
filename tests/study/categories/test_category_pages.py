"""Pages on which researchers annotate errors."""

import pytest

from study_visitor import ADMIN
from xbench_study.categories.annotating import CLOSED, OTHERS, Annotating, counts_of

CATEGORIES = [
    {"name": "C1", "title": "local", "text": "A part looks like it <b>."},
    {"name": "C2", "title": "several", "text": "There are several things."},
]


@pytest.fixture
def served(serving):
    return serving(pages={"admin_token": ADMIN}, items=3, categories=CATEGORIES)


def enter(served, name, token=ADMIN):
    visitor = served.visitor()
    form = visitor.get("/categorise").forms[0]
    response = visitor.send(form, ("token", token), ("name", name))
    if response.status_code == 303:
        visitor.home = response.headers["location"]
    return visitor, response


def annotate(visitor, names, path=None):
    """Send a category for each item that comes."""
    for name in names:
        form = visitor.get(path).forms[0]
        assert visitor.send(form, ("category", name)).status_code == 303


def test_two_people_annotate_and_settle_what_they_disagree_about(served):
    anna, _ = enter(served, "anna")
    bert, _ = enter(served, "bert")
    annotate(anna, ["C1", "C2", "C1"])
    assert "You are through. Another person is needed" in anna.get().text
    by_item = Annotating(served.book).read().given["anna"]
    for place in range(3):
        form = bert.get().forms[0]
        said = by_item[form.hidden["item"]] if place else "C2"
        bert.send(form, ("category", said))
        assert "kappa" not in anna.get().text or place == 2
    text = bert.get().text
    counts = counts_of(served.book)
    assert counts.sentence() in text
    settle = [link for link in bert.get().links if link.endswith("settle/")]
    assert len(settle) == counts.disagreements
    if settle:
        assert "Two people said different things" in bert.get(settle[0]).text
        annotate(bert, ["C1"], settle[0])
    assert counts_of(served.book).settled == counts.disagreements


def test_a_page_shows_the_image_and_both_labels_and_no_map_and_no_condition(served):
    anna, _ = enter(served, "anna")
    seen = anna.get()
    assert "The picture shows: class 5. The algorithm said: class 0." in seen.text
    assert "Error 1 of 3" in seen.text
    (image,) = seen.images
    assert image["alt"] == "The picture"
    study, item = served.study, seen.forms[0].hidden["item"]
    image_asset, map_asset = (of.asset for of in study.items[item].stimuli)
    response = anna.client.get(image["src"])
    assert response.headers["content-type"] == "image/png"
    assert response.content[-30:] == study.asset(image_asset).read_bytes()[-30:]
    page = anna.client.get(anna.home).text
    for secret in (map_asset, image_asset, "with", "without"):
        assert secret not in page.replace("width", "")
    assert "A part looks like it &lt;b&gt;." in page
    assert not any(tag == "script" for tag, _ in seen.tags)
    assert not anna.client.cookies


def test_annotating_goes_on_where_it_ended_and_goes_back(served):
    annotate(enter(served, "anna")[0], ["C1"])
    again, _ = enter(served, "anna")
    seen = again.get()
    assert "Error 2 of 3" in seen.text
    (back,) = [link for link in seen.links if "?item=" in link]
    form = again.get(back).forms[0]
    assert form.chosen == [("category", "C1")]
    again.send(form, ("category", "C2"))
    assert list(Annotating(served.book).read().given["anna"].values()) == ["C2"]


def test_a_form_without_a_category_stores_nothing(served):
    anna, _ = enter(served, "anna")
    response = anna.send(anna.get().forms[0])
    assert response.status_code == 422
    assert "Please choose a category." in response.text
    assert counts_of(served.book) is None


def test_once_there_are_answers_pages_say_so_and_store_nothing(served):
    anna, _ = enter(served, "anna")
    form = anna.get().forms[0]
    served.participant().answer()
    assert CLOSED in anna.get().text
    assert CLOSED in anna.send(form, ("category", "C1")).text
    assert counts_of(served.book) is None


def test_a_third_person_is_told_that_two_annotate(served):
    for name in ("anna", "bert"):
        annotate(enter(served, name)[0], ["C1"])
    assert OTHERS in enter(served, "carl")[0].get().text


@pytest.mark.parametrize(
    ("name", "token", "status"),
    [("anna", "x", 403), ("anna", "", 403), ("", ADMIN, 422), ("a/b", ADMIN, 422)],
)
def test_without_the_token_or_a_name_nobody_comes_in(served, name, token, status):
    _, response = enter(served, name, token)
    assert response.status_code == status
    assert 'role="alert"' in response.text


def test_pages_of_others_cannot_be_reached_and_their_forms_not_sent(served):
    anna, _ = enter(served, "anna")
    form, image = anna.get().forms[0], anna.get().images[0]["src"]
    other = anna.home.replace("/anna/", "/bert/")
    for path in (other, image.replace("/anna/", "/bert/"), f"{other}settle/"):
        assert anna.client.get(path).status_code == 404
    assert anna.post(other, {**form.hidden, "category": "C1"}).status_code == 404
    assert anna.client.get(image.rsplit("/", 1)[0] + "/" + "f" * 16).status_code == 404
    fields = {**form.hidden, "category": "C1"}
    assert anna.post(anna.home, {**fields, "nonce": "x"}).status_code == 403
    foreign = {"Origin": "https://elsewhere.org", "Sec-Fetch-Site": "cross-site"}
    for path in (anna.home, "/categorise"):
        response = anna.client.post(path, data=fields, headers=foreign)
        assert response.status_code == 403
    assert counts_of(served.book) is None


def test_tries_of_the_token_are_few_and_without_a_token_there_are_no_pages(served, serving):
    visitor = served.visitor()
    tries = [visitor.post("/categorise", {"token": "x", "name": "a"}) for _ in range(12)]
    assert {of.status_code for of in tries} == {403, 429}
    assert serving().visitor().client.get("/categorise").status_code == 404


def test_the_category_that_was_annotated_is_what_answers_are_exported_with(served):
    from xbench_study.answers.export import exported

    for name in ("anna", "bert"):
        annotate(enter(served, name)[0], ["C2"] * 3)
    visitor = served.participant()
    visitor.answer()
    (row,) = exported(served.book).answers
    assert row.category == "C2"
    assert "C2" not in visitor.get().text
