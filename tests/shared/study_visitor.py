"""Somebody who visits a study's pages: reads them, fills in their forms, and sends them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from starlette.testclient import TestClient

from xbench_study.answers.book import AnswerBook
from xbench_study.material.study import Study
from xbench_study.pages.application import application

ADMIN = "the-token-of-the-researcher"


class Clock:
    """A watch that is set by hand."""

    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


@dataclass
class Form:
    """A form of a page: where it goes, what it sends unasked, and what can be chosen."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    choices: list[tuple[str, str]] = field(default_factory=list)
    chosen: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Seen(HTMLParser):
    """What a page has."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.images, self.links, self.words, self.tags = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag == "form":
            self.forms.append(Form(known["action"]))
        elif tag == "img":
            self.images.append(known)
        elif tag == "a":
            self.links.append(known["href"])
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((known.get("name", ""), known.get("value", "")))
        elif tag == "input":
            self._input(known)

    def _input(self, known):
        form, pair = self.forms[-1], (known["name"], known.get("value", ""))
        if known["type"] == "hidden":
            form.hidden[pair[0]] = pair[1]
        else:
            form.choices.append(pair)
            if "checked" in known:
                form.chosen.append(pair)

    def handle_data(self, data):
        if data.strip():
            self.words.append(data.strip())

    @property
    def text(self):
        return " ".join(self.words)


def browser_of(app):
    """A client that follows nothing by itself and shows errors as pages."""
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False)


@dataclass
class Visitor:
    """A person at a study, with a browser of their own."""

    client: TestClient
    clock: Clock
    home: str = ""
    pace: float = 3.0

    def get(self, path=None):
        response = self.client.get(self.home if path is None else path)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return Seen(response.text)

    def post(self, path, fields):
        return self.client.post(path, data=fields)

    def consent(self, address="/"):
        form = self.get(address).forms[0]
        response = self.post(form.action, {**form.hidden, "consent": "yes", "age": "yes"})
        assert response.status_code == 303, response.text
        self.home = response.headers["location"]
        return self

    def send(self, form, *pairs, button=("", "")):
        """Send a form with these choices."""
        fields = dict(form.hidden)
        for name, value in (*pairs, button):
            if name:
                fields[name] = [*fields.get(name, []), value]
        return self.post(form.action, fields)

    def answer(self, place=0):
        """Answer the trial that is shown with the option at a place."""
        form = self.get().forms[0]
        self.clock.now += self.pace
        return self.send(form, form.choices[place])

    def go_on(self):
        return self.send(self.get().forms[0])

    def take(self):
        """Take part to the end; how many answers were sent."""
        count = 0
        while (seen := self.get()).forms:
            form = seen.forms[0]
            if form.action.endswith("answer"):
                self.answer()
                count += 1
            else:
                assert self.send(form).status_code == 303
        return count


@dataclass
class Served:
    """A study that is served, and its book."""

    study: Study
    clock: Clock = field(default_factory=Clock)
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        self.book = AnswerBook(self.study)
        self.app = application(self.study, self.book, clock=self.clock, **self.options)

    def visitor(self):
        return Visitor(browser_of(self.app), self.clock)

    def participant(self, address="/"):
        """A visitor who consented and read the instructions."""
        visitor = self.visitor().consent(address)
        visitor.go_on()
        return visitor

    def count(self, table):
        """How many rows a table has."""
        from sqlalchemy import text

        query = text(f"SELECT count(*) FROM {table}")  # noqa: S608 names of our own
        with self.book.database.reading() as connection:
            return connection.execute(query).scalar()
