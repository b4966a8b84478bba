"""A study's server under load, on the loopback alone: what is accepted is stored, and how soon.

OMP_NUM_THREADS=1 pytest benchmarks/load/test_study_load.py -s [-k sqlite | -k postgresql]

The server is `xbench study serve`, a program of its own, on SQLite or on the PostgreSQL of the test
extra, which writes to the disk here. People are threads of this program with a connection each;
they read every page with its pictures, and follow each form as a browser does. 200 people give 20
answers each: first with two seconds of thinking (one to three, for who takes two each time stays
in step with others for ever), all of them there at once after ten seconds, then without any. At
last the server is killed 20 times at random moments under the load of 100 people, and started
again. Each part ends by itself. An answer counts as accepted when the server has led on from it.
"""

import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import psycopg
import pytest
from sqlalchemy import select

from postgresql import running_postgresql
from study_visitor import Seen
from tiny_study import write_study
from xbench_study.answers.book import AnswerBook
from xbench_study.answers.progress import token_digest
from xbench_study.answers.storage.tables import answers, tokens, trials

PEOPLE, ANSWERS, THINKING, KILLS, UNDER_FIRE = 200, 20, 2.0, 20, 100
ARRIVAL = 10.0
"""Seconds in which those who think arrive; all are there at once for half a minute then."""
KINDS = ("answer", "page", "picture", "consent")
"""What is timed."""
PROMISED = 0.1
"""Seconds that 95 % of answers take at most, with thinking."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def postgresql_url():
    """Makes empty databases of a server that waits for the disk."""
    with running_postgresql() as make:
        with psycopg.connect(make(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET fsync")
            connection.execute("SELECT pg_reload_conf()")
        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request, tmp_path):
    """A study for everybody, and its server, which is ended at last."""
    make = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else str
    assignment = {"trials": ANSWERS, "answers": 10 * PEOPLE}
    study = write_study(tmp_path / "study", items=2 * ANSWERS, assignment=assignment)
    server = Server(study, make(), tmp_path / "server.txt")
    with server.running():
        yield server


@dataclass
class Server:
    """`xbench study serve` on a free port."""

    study: object
    url: str
    said: object
    program: subprocess.Popen | None = None
    port: int = 0

    @contextmanager
    def running(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()
        try:
            yield
        finally:
            self.kill()

    def start(self):
        folder = str(self.study.folder)
        command = [sys.executable, "-m", "xbench", "study", "serve", folder]
        database = ["--database", self.url] if self.url else []
        with self.said.open("a") as said:
            options = ["--port", str(self.port), *database]
            self.program = subprocess.Popen([*command, *options], stderr=said, stdout=said)
        end = time.monotonic() + 60
        while not self._answers():
            assert self.program.poll() is None, self.said.read_text()
            assert time.monotonic() < end, "the server did not start within a minute"
            time.sleep(0.05)

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def kill(self):
        self.program.kill()
        self.program.wait()

    def stored(self):
        """What the database says that each person answered at each place."""
        book = AnswerBook(self.study, self.url) if self.url else AnswerBook(self.study)
        query = (
            select(tokens.c.digest, trials.c.position, answers.c.reply)
            .join(trials, trials.c.participant == tokens.c.participant)
            .join(answers, answers.c.trial == trials.c.id)
        )
        with closing(book), book.database.reading() as connection:
            rows = connection.execute(query).all()
        return Counter((row.digest, row.position, json.dumps(row.reply)) for row in rows)


@dataclass
class Person:
    """Somebody at a browser, who takes part to the end."""

    server: Server
    number: int
    thinking: float
    arrival: float = 0.0
    seconds: dict = field(default_factory=lambda: {kind: [] for kind in KINDS})
    accepted: list = field(default_factory=list)
    failures: int = 0
    connection: http.client.HTTPConnection | None = None
    home: str = ""

    def run(self):
        try:
            self.take()
        finally:
            self.connection.close()

    def take(self):
        source = random.Random(self.number)  # noqa: S311 no secret
        time.sleep(source.random() * self.arrival)
        while not self.home:
            self.consent()
        while seen := self.page():
            if not seen.forms:
                return
            form = seen.forms[0]
            fields = dict(form.hidden)
            if asked := form.action.endswith("answer"):
                time.sleep(self.thinking * (0.5 + source.random()))
                fields["choice"] = source.choice([value for _, value in form.choices])
            answer = self.ask("POST", form.action, fields, "answer" if asked else "")
            if asked and answer and answer.status == 303 and "?" not in answer.headers["location"]:
                self.accepted.append((int(fields["position"]), fields["choice"]))

    def consent(self):
        first = self.ask("GET", "/")
        if first is None:
            return
        form = Seen(first.text).forms[0]
        fields = {**form.hidden, "consent": "yes", "age": "yes"}
        answer = self.ask("POST", form.action, fields, "consent")
        self.home = answer.headers["location"] if answer else ""

    def page(self):
        """The participant's page with its pictures, however often it takes to get it."""
        while (answer := self.ask("GET", self.home, kind="page")) is None:
            pass
        seen = Seen(answer.text)
        for image in seen.images:
            self.ask("GET", image["src"], kind="picture")
        return seen

    def ask(self, method, path, fields=None, kind=""):
        """The answer, or None where the connection broke."""
        body = urlencode(fields) if fields else None
        start = time.perf_counter()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(
                    "127.0.0.1", self.server.port, timeout=60
                )
            self.connection.request(method, path, body, FORM if fields else {})
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.failures += 1
            self.connection.close()
            self.connection = None
            time.sleep(0.2)
            return None
        if kind:
            self.seconds[kind].append(time.perf_counter() - start)
        assert answer.status in (200, 303), (path, answer.status, content[:200])
        return Answered(answer.status, content, {k.lower(): v for k, v in answer.getheaders()})

    @property
    def token(self):
        return self.home.strip("/").split("/")[-1]


@dataclass
class Answered:
    """What came back."""

    status: int
    content: bytes
    headers: dict

    @property
    def text(self):
        return self.content.decode()


def crowd(server, count, thinking, arrival=0.0, meanwhile=lambda: None):
    """People who take part at once; what they did, and the seconds it took."""
    people = [Person(server, number, thinking, arrival) for number in range(count)]
    threads = [threading.Thread(target=person.run) for person in people]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    meanwhile()
    for thread in threads:
        thread.join()
    return people, time.perf_counter() - start


def check(server, people):
    """Every accepted answer is stored as it was given, once; nobody has two at one place."""
    accepted = [
        (token_digest(server.study, person.token), place, choice)
        for person in people
        for place, choice in person.accepted
    ]
    stored = server.stored()
    assert max(stored.values()) == 1
    places = Counter((digest, place) for digest, place, _ in stored)
    assert max(places.values()) == 1
    said = {(digest, place): reply for digest, place, reply in stored}
    for digest, place, choice in accepted:
        assert choice in said[digest, place], "an accepted answer is lost, or another one"
    return len(accepted), len(stored)


def report(title, people, seconds, counts):
    print(f"\n{title}: {counts[0]} accepted, {counts[1]} stored, {seconds:.0f} s", end="")
    print(f", {sum(person.failures for person in people)} broken connections")
    for kind in KINDS:
        times = sorted(x * 1000 for person in people for x in person.seconds[kind])
        cuts = statistics.quantiles(times, n=100)
        print(f"  {kind}: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f}", end="")
        print(f", most {times[-1]:.0f} ({len(times)})")
    return statistics.quantiles([x for p in people for x in p.seconds["answer"]], n=100)[94]


def test_two_hundred_people_who_think(served):
    people, seconds = crowd(served, PEOPLE, THINKING, ARRIVAL)
    counts = check(served, people)
    slow = report("with 2 s of thinking", people, seconds, counts)
    assert counts == (PEOPLE * ANSWERS, PEOPLE * ANSWERS)
    assert slow < PROMISED, "more than what is documented"


def test_two_hundred_people_who_do_not_think(served):
    people, seconds = crowd(served, PEOPLE, 0.0)
    counts = check(served, people)
    report("without thinking", people, seconds, counts)
    assert counts == (PEOPLE * ANSWERS, PEOPLE * ANSWERS)


def test_twenty_deaths_of_the_server(served):
    source = random.Random(0)  # noqa: S311 no secret

    def shoot():
        for _ in range(KILLS):
            time.sleep(0.2 + source.random())
            served.kill()
            served.start()

    people, seconds = crowd(served, UNDER_FIRE, 0.3, 2.0, shoot)
    counts = check(served, people)
    report(f"{KILLS} kills", people, seconds, counts)
    assert counts[1] >= counts[0]
