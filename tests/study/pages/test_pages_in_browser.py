"""Real browsers at a study: by mouse, by keyboard, without scripts, on a desk and on a phone."""

import re
import tomllib

import pytest

import browser as browsers
from study_server import listening
from study_visitor import ADMIN, Served
from tiny_study import key, write_study
from xbench_study.categories.annotating import counts_of
from xbench_study.designs.design import own_text

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
ASKED = [{"text": "Which is asked?", "options": ["this", "that"], "right": 1}]
ALIKE = re.compile("400|403|413|429|500|check|without")
"""Of pages that another one stands for."""
QUESTIONS = {
    "choose": {"unsure": "I do not know", "may_skip": True},
    "pick": {"pick": 2},
    "rate": {"kind": "rate", "scale": ["low", "middle", "high"], "unsure": "cannot tell"},
}


DESIGNS = {
    name: {**tomllib.loads(own_text(name))["question"], "minimum_seconds": 0}
    for name in (
        "wrong-label",
        "ambiguous-pair",
        "mistake-rating",
        "class-confusion",
        "categorisation",
    )
}
"""What the designs of the papers ask, without their waiting."""
CATEGORIES = [
    {"name": "C1", "title": "a part looks like it", "text": "What is marked looks like the other."},
    {"name": "C2", "title": "several things", "text": "The picture shows more than one thing."},
]
WAYS = [("wrong-label", True), *((design, False) for design in DESIGNS)]
"""With scripts, and without: pages have none."""


@pytest.fixture(scope="module")
def chromium():
    with browsers.browser() as opened:
        yield opened


@pytest.fixture
def at(tmp_path):
    """The address of a study that is being served."""
    opened = []

    def serve(pages=None, **tables):
        served = Served(write_study(tmp_path / str(len(opened)), **tables), options=pages or {})
        context = listening(served.app)
        opened.append((context, served))
        return served, context.__enter__()

    yield serve
    for context, served in opened:
        context.__exit__(None, None, None)
        served.book.close()


@pytest.fixture
def tab(chromium):
    """Opens tabs of one size and colour scheme, which keep what they complain of."""
    contexts = []

    def open_tab(viewport=DESK, scheme="light", script=True):
        given = {"viewport": viewport, "color_scheme": scheme, "java_script_enabled": script}
        contexts.append(chromium.new_context(**given))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text))
        return page

    yield open_tab
    for context in contexts:
        context.close()


def kind_of(question):
    if question["kind"] == "rate":
        return "rate"
    return "pick" if question.get("pick", 1) > 1 else "choose"


def choose(page, kind):
    """Fill in a question by mouse."""
    if kind == "rate":
        for place in range(page.locator("fieldset.rating").count()):
            page.locator(f"fieldset.rating >> nth={place} >> label >> nth=1").click()
        return
    for place in range(2 if kind == "pick" else 1):
        page.locator(f"label.option >> nth={place}").click()


def click_button(page):
    with page.expect_navigation():
        page.get_by_role("button").first.click()


def consent(page, address):
    page.goto(address)
    for place in range(2):
        page.locator(f"label.box >> nth={place}").click()


def by_mouse(page, address, kind):
    consent(page, address)
    click_button(page)
    while page.get_by_role("button").count():
        if page.locator("input[name=question-0]").count():
            page.locator("label.option >> nth=1").click()
        elif page.locator("input[name=position]").count():
            choose(page, kind)
        click_button(page)
    return page


@pytest.mark.parametrize(("design", "script"), WAYS)
def test_each_design_is_completed_by_mouse_with_and_without_scripts(at, tab, design, script):
    question = DESIGNS[design]
    served, address = at(question=question, checks_table={"comprehension": ASKED})
    page = by_mouse(tab(script=script), address, kind_of(question))
    assert "That was all." in page.content()
    assert served.count("answers") == 4
    assert page.complaints == []
    assert page.context.cookies() == []


def focused(page):
    return page.evaluate("document.activeElement.outerHTML")


def tab_to(page, pattern):
    """Press Tab until what has the focus looks so."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if re.search(pattern, focused(page)):
            return
    raise AssertionError(f"no way to {pattern}")


@pytest.mark.parametrize("design", DESIGNS)
def test_each_design_is_completed_by_keyboard_alone(at, tab, design):
    served, address = at(question=DESIGNS[design], assignment={"trials": 2})
    page = tab(PHONE)
    page.goto(address)
    for name in ("consent", "age"):
        tab_to(page, f'name="{name}"')
        page.keyboard.press("Space")
    press_button(page)
    press_button(page)
    for _ in range(2):
        answer_by_keys(page, kind_of(DESIGNS[design]))
        press_button(page)
    assert "That was all." in page.content()
    assert served.count("answers") == 2


def answer_by_keys(page, kind):
    names = {"rate": 'name="degree', "choose": 'name="choice"', "pick": 'name="choice"'}
    for _ in range({"rate": 5, "choose": 1, "pick": 2}[kind]):
        tab_to(page, names[kind])
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Space")


def press_button(page):
    tab_to(page, "^<button")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_double_clicks_the_back_button_reloads_and_tabs_count_nothing_twice(at, tab):
    served, address = at()
    page = tab()
    consent(page, address)
    page.get_by_role("button").dblclick()
    page.wait_for_url("**/p/**")
    assert served.count("participants") == 1
    click_button(page)
    page.locator("label.option >> nth=0").click()
    page.get_by_role("button").dblclick()
    page.get_by_text("Question 2 of 4").wait_for()
    assert served.count("answers") == 1
    page.go_back()
    page.reload()
    page.goto(page.url)
    assert page.get_by_text("Question 2 of 4").count() == 1
    other = page.context.new_page()
    other.goto(page.url)
    for of in (page, other):
        of.locator("label.option >> nth=1").click()
    for of in (page, other):
        of.get_by_role("button").first.click()
        of.get_by_text("Question 3 of 4").wait_for()
    assert served.count("answers") == 2


def test_a_lost_connection_loses_no_choice_that_was_sent(at, tab):
    served, address = at()
    page = tab()
    consent(page, address)
    click_button(page)
    home = page.url
    click_button(page)
    page.locator("label.option >> nth=0").click()
    page.route("**/answer", lose_answer)
    page.get_by_role("button").first.click(no_wait_after=True)
    page.wait_for_timeout(300)
    page.unroute("**/answer")
    page.goto(home)
    assert page.get_by_text("Question 2 of 4").count() == 1
    assert served.count("answers") == 1


def lose_answer(route):
    """The server gets the form, and the browser gets nothing back."""
    route.fetch(max_redirects=0)
    route.abort("connectionreset")


def test_no_kind_of_page_has_a_serious_fault_or_overflows(at, tab):
    checks = {"every": 2, "comprehension": ASKED}
    _, address = at(
        pages={"preview": True, "admin_token": ADMIN},
        items=1,
        practice=1,
        training=1,
        checks=1,
        checks_table=checks,
        question=QUESTIONS["choose"],
        captions={"image": "A picture.", "map": "A map of it."},
        completion={"code": "C1", "redirect": "https://example.org/"},
    )
    page = tab()
    page.goto(f"{address}/preview/")
    links = [link.get_attribute("href") for link in page.get_by_role("link").all()]
    paths = [path for path in links if not ALIKE.search(path)]
    assert len(paths) > 20
    assert list(looked_at(tab, address, ["/preview/", *paths])) == []


@pytest.mark.parametrize(
    ("kind", "layout"),
    [("rate", {}), ("pick", {"layout": "beside"}), ("choose", {"layout": "around"})],
)
def test_no_kind_of_question_has_a_serious_fault_or_overflows(at, tab, kind, layout):
    question = {**QUESTIONS[kind], **layout}
    _, address = at(pages={"preview": True}, items=1, options=10, question=question)
    page = tab()
    page.goto(f"{address}/preview/")
    links = [link.get_attribute("href") for link in page.get_by_role("link").all()]
    (path,) = (path for path in links if "/soon/" in path and path.endswith("/without/"))
    assert list(looked_at(tab, address, [path])) == []


def test_pages_of_error_categories_have_no_serious_fault_and_need_no_scripts(at, tab):
    served, address = at(pages={"admin_token": ADMIN}, items=2, categories=CATEGORIES)
    page = tab(script=False)
    home = annotated(page, address, "anna", (0, 1))
    paths = ["/categorise", home, f"{home}?item={key('trial 0')}"]
    assert list(looked_at(tab, address, paths)) == []
    home = annotated(page, address, "bert", (1, 1))
    paths = [home, f"{home}settle/"]
    assert list(looked_at(tab, address, paths)) == []
    page.get_by_role("link", name="Settle what two people").click()
    assert page.get_by_text("Two people said different things").count() == 1
    page.locator("label.option >> nth=0").click()
    click_button(page)
    counts = counts_of(served.book)
    assert (counts.by_both, counts.disagreements, counts.settled) == (2, 1, 1)


def annotated(page, address, person, said):
    """Where this person's pages are, after the person chose these categories with the mouse."""
    page.goto(f"{address}/categorise")
    page.get_by_label("Token").fill(ADMIN)
    page.get_by_label("Your name here").fill(person)
    click_button(page)
    for place in said:
        page.locator(f"label.option >> nth={place}").click()
        click_button(page)
    return page.url.removeprefix(address)


def looked_at(tab, address, paths):
    """Serious faults on a desk in the light; on a phone in the dark, those of colours and sizes."""
    page = tab()
    for path in paths:
        page.goto(address + path)
        yield from faults(page, {})
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="dark")
        yield from faults(page, {"runOnly": ["color-contrast", "target-size"]})
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light")


def faults(page, options):
    from axe_playwright_python.sync_playwright import Axe

    rules = {"resultTypes": ["violations"], **options}
    for of in Axe().run(page, options=rules).response["violations"]:
        if of["impact"] in browsers.GRAVE:
            yield page.url, of["id"], of["nodes"][0]["html"]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield page.url, "overflows"
    yield from page.evaluate(SMALL)


SMALL = """[...document.querySelectorAll('button, a.button, label.option, a.out, .links a')]
  .filter(of => of.getBoundingClientRect().height < 40).map(of => of.outerHTML)"""


def test_faults_are_seen(tab):
    page = tab()
    page.set_content("<button></button><div style='width: 3000px'>x</div>")
    assert {"button-name", "overflows"} <= {part for fault in faults(page, {}) for part in fault}
