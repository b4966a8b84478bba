"""Every kind of page can be opened beforehand, and nothing of it is stored."""

from study_visitor import ADMIN

WORDS = "Preview: answers and figures are invented, and nothing is stored."
PAGES = {
    *("sheet", "instructions", "comprehension", "again", "leave", "withdraw", "debriefing"),
    *("failed", "left", "expired", "full", "erased", "admin", "categorise", "404", "429"),
}
ASKED = [{"text": "Which is asked?", "options": ["this", "that"], "right": 1}]


def previewing(serving, **tables):
    checks = {"every": 2, "comprehension": ASKED}
    pages = {"preview": True, "admin_token": ADMIN}
    return serving(pages=pages, training=1, practice=1, checks=1, checks_table=checks, **tables)


def links(visitor):
    return [path for path in visitor.get("/preview/").links if path.startswith("/preview/")]


def test_every_page_says_that_it_is_invented(serving):
    named = [{"name": "C1", "title": "local", "text": "A part looks like it."}]
    visitor = previewing(serving, categories=named).visitor()
    paths = links(visitor)
    for path in paths:
        response = visitor.client.get(path)
        name = path.rstrip("/").rpartition("/")[2]
        assert response.status_code == (int(name) if name.isdecimal() else 200), path
        assert WORDS in response.text
    named = {path.rpartition("/")[2] for path in paths}
    assert named >= PAGES


def test_every_item_is_there_in_each_condition_with_its_pictures(serving):
    served = previewing(serving)
    visitor = served.visitor()
    paths = links(visitor)
    for item in served.study.items.values():
        for condition in ("with", "without"):
            path = f"/preview/trial/{item.key}/{condition}/"
            assert path in paths
            images = visitor.get(path).images
            assert len(images) == (2 if condition == "with" else 1)
            for image in images:
                assert visitor.client.get(image["src"]).headers["content-type"] == "image/png"


def test_invented_answers_are_chosen_in_the_forms(serving):
    rated = {"kind": "rate", "scale": ["low", "high"]}
    for question in ({}, {"pick": 2}, rated):
        visitor = previewing(serving, question=question).visitor()
        path = [path for path in links(visitor) if "/trial/" in path][-1]
        chosen = len(visitor.get(path).forms[0].chosen)
        assert chosen == (5 if question is rated else question.get("pick", 1))


def test_forms_lead_back_to_the_list_and_nothing_is_stored(serving):
    served = previewing(serving)
    visitor = served.visitor()
    for path in links(visitor):
        response = visitor.client.get(path)
        if response.status_code != 200:
            continue
        seen = visitor.get(path)
        for form in seen.forms:
            assert visitor.send(form, *form.choices[:1]).headers["location"] == "/preview/"
    assert visitor.client.get("/").headers["location"] == "/preview/"
    assert not list(served.study.folder.glob("answers*"))


def test_what_is_no_page_is_none(serving):
    served = previewing(serving)
    visitor = served.visitor()
    key = next(iter(served.study.items))
    for path in (
        "/preview/page/nothing",
        f"/preview/trial/{key}/nothing/",
        "/preview/trial/nothing/with/",
        f"/preview/asset/{key}/with/9",
        "/consent",
    ):
        assert visitor.client.get(path).status_code in (404, 405), path
