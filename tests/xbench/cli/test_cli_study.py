"""`xbench study`: from a benchmark to people's answers, and to a record."""

import json
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from command_line import records, score
from study_visitor import ADMIN, Clock, Visitor
from tiny_study import write_study
from xbench_study.material.study import read_study
from xbench_study.pages import server

SHOWN = """
extends = "wrong-label-toybirds"
name = "wrong-label-small"
version = "1"
title = "Guess the wrong label, small"
entries = []
[protocol]
design = { name = "wrong-label", images = 10 }
[dataset]
test = 150
[grid]
label = "{shown}"
[[grid.axes.shown]]
name = "with explanations"
explainer = { name = "shown-maps", condition = "maps", maps = ["grad-cam"], captions = ["Red."] }
[[grid.axes.shown]]
name = "without explanations"
explainer = { name = "shown-maps", condition = "image" }
"""


def complete(folder, **changes):
    """Say in a study's file what is still to be said, and other numbers."""
    path = folder / "study.toml"
    text = re.sub('TODO[^"]*', "Said.", path.read_text())
    for name, value in changes.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    path.write_text(text)


@pytest.fixture
def small(tmp_path):
    """The file of a small benchmark."""
    path = tmp_path / "small.toml"
    path.write_text(SHOWN)
    return path


@pytest.mark.slow
def test_a_study_is_made_served_answered_analysed_and_recorded(xbench, small, tmp_path):
    study, answers, report = tmp_path / "STUDY", tmp_path / "ANSWERS", tmp_path / "report"
    store = ("--store", tmp_path / "store", "-q")
    made = xbench("study", "new", small, "--out", study, *store)
    assert made.code == 0, made.err
    assert "wrote a study of 10 items" in made.out
    assert "to be written in" in made.out
    refused = xbench("study", "serve", study)
    assert refused.code == 2
    assert "sheet.controller is not said yet" in refused.err
    complete(study, minimum_seconds=0, trials=10, answers=30)
    with served(study) as address:
        for person in range(60):
            take_part(address, read_study(study), np.random.default_rng(person))
    stand = xbench("study", "status", study, "--json").json()
    assert {of["condition"]: of["answers"] for of in stand["conditions"]} == {
        "maps": 300,
        "image": 300,
    }
    assert xbench("study", "export", study, "--out", answers).code == 0
    analysed = xbench("study", "analyse", study, "--simulated", "--out", tmp_path / "analysis")
    assert "no result about people" in analysed.out
    assert "(simulated participants): " in analysed.out
    text = (tmp_path / "analysis" / "analysis.md").read_text()
    assert "simulated guessing: all 20.0" in text
    chosen = ("--benchmark", small, "-p", f"protocol.answers={answers}")
    run = xbench("run", *chosen, *store, "--full", "--json", "--report", report)
    of = records(run)
    assert {record.status for record in of.values()} == {"complete"}
    for label, condition in (("with explanations", "maps"), ("without explanations", "image")):
        right = score(of[label], "right answers")
        table = stand_in(answers, condition)
        assert right.value == pytest.approx(sum(table) / 300)
        assert right.interval.startswith("pigeonhole bootstrap")
        assert right.chance == 0.2
    assert (report / "index.html").is_file()


def stand_in(answers, condition):
    """Which answers in a condition are right, as the export has them."""
    import pyarrow.parquet as pq

    rows = pq.read_table(answers / "answers.parquet").to_pylist()
    return [row["right"] for row in rows if row["condition"] == condition]


@contextmanager
def served(study):
    """The address of a study that a program of its own serves, until this ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "xbench", "study", "serve", study, "--port", port]
    program = subprocess.Popen(command)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        yield address
    finally:
        program.terminate()
        program.wait(timeout=120)


def wait_for(address):
    for _ in range(600):
        try:
            assert httpx2.get(address).status_code == 200
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


def take_part(address, study, source):
    """A simulated participant, who is right somewhat more often than chance."""
    right = {key for secret in study.secrets.values() for key in secret.right}
    asked = study.description.checks.comprehension
    with httpx2.Client(base_url=address) as client:
        visitor = Visitor(client, Clock())
        visitor.consent()
        while forms := visitor.get().forms:
            form, choices = forms[0], forms[0].choices
            pairs = []
            if form.action.endswith("answer"):
                known = [pair for pair in choices if pair[1] in right]
                pairs = known if source.random() < 0.5 else [choices[source.integers(len(choices))]]
            elif form.action.endswith("comprehension"):
                names = sorted({name for name, _ in choices})
                pairs = [(n, str(q.right)) for n, q in zip(names, asked, strict=True)]
            assert visitor.send(form, *pairs).status_code == 303


@pytest.fixture
def studied(tmp_path):
    return write_study(tmp_path / "STUDY")


@pytest.fixture
def app(monkeypatch):
    """What the server is given, in the place of serving it."""
    given = {}
    monkeypatch.setattr(
        server, "serve", lambda app, host, port, **how: given.update(app=app, **how)
    )
    return given


def test_every_page_is_shown_before_and_nothing_is_stored(xbench, studied, app):
    called = xbench("study", "preview", studied.folder)
    assert called.code == 0, called.err
    assert "invented" in called.err
    client = TestClient(app["app"])
    assert "Preview" in client.get("/preview/").text
    assert not (studied.folder / "answers.sqlite").exists()


def test_the_admin_page_opens_with_the_token_in_the_folder(xbench, studied, app):
    assert xbench("study", "serve", studied.folder, "--proxies", "127.0.0.1").code == 0
    assert app["proxies"] == "127.0.0.1"
    token = (studied.folder / "admin-token").read_text()
    assert (studied.folder / "admin-token").stat().st_mode & 0o077 == 0
    client = TestClient(app["app"])
    assert client.post("/admin", data={"token": ADMIN}).status_code == 403
    assert "Participants" in client.post("/admin", data={"token": token}).text
    assert xbench("study", "serve", studied.folder).code == 0
    assert (studied.folder / "admin-token").read_text() == token


def test_errors_are_categorised_on_pages_of_this_machine(xbench, tmp_path, app):
    named = [{"name": "C1", "title": "local", "text": "A part looks like it."}]
    folder = write_study(tmp_path / "S", items=1, categories=named).folder
    for person in ("anna", "bert"):
        called = xbench("study", "categorise", folder, "--as", person)
        address = called.err.splitlines()[0]
        assert address.startswith(f"http://127.0.0.1:8001/categorise/{person}/")
        client = TestClient(app["app"], follow_redirects=False)
        visitor = Visitor(client, Clock(), home=address.removeprefix("http://127.0.0.1:8001"))
        form = visitor.get().forms[0]
        assert visitor.send(form, form.choices[0]).status_code == 303
    assert client.get("/").status_code == 404
    said = "1 of 1 item annotated by two, 2 people in all"
    assert said in xbench("study", "status", folder).out
    assert said in xbench("study", "preregister", folder).out
    assert xbench("study", "categorise", folder, "--as", "carl", "--settle").code == 0
    bare = write_study(tmp_path / "bare").folder
    for arguments, message in {
        (bare, "--as", "anna"): "study.toml has no [[categories]] to annotate",
        (folder, "--as", "an na"): "a name has up to 40 letters",
    }.items():
        called = xbench("study", "categorise", *arguments)
        assert (called.code, message in called.err) == (2, True), called.err


def test_links_are_told_once_and_work_once(xbench, studied, app):
    printed = xbench("study", "invite", studied.folder, "--count", 2, "--address", "https://x.org/")
    first, second = printed.out.split()
    assert first.startswith("https://x.org/i/")
    assert first != second
    assert xbench("study", "serve", studied.folder).code == 0
    client = TestClient(app["app"], follow_redirects=False)
    visitor = Visitor(client, Clock()).consent(first.removeprefix("https://x.org"))
    assert visitor.home.startswith("/p/")


def test_pages_for_mechanical_turk_are_written_once_the_sheet_is_complete(
    xbench, studied, tmp_path
):
    out, folder = tmp_path / "turk", studied.folder
    base = ("--mturk", "https://pictures.example.org/")
    called = xbench("study", "export", folder, "--out", out, *base)
    assert called.code == 0, called.err
    assert "wrote condition-1.html, condition-1.csv, condition-2.html" in called.out
    assert "ask for 2 assignments a HIT" in called.out
    assert not (folder / "answers.sqlite").exists()
    path = folder / "study.toml"
    path.write_text(path.read_text().replace("What is said of contact.", "TODO"))
    refused = xbench("study", "export", folder, "--out", tmp_path / "x", *base)
    assert (refused.code, "sheet.contact is not said yet" in refused.err) == (2, True)
    assert not (tmp_path / "x").exists()


def test_answers_are_imported_copied_erased_and_forgotten(xbench, studied, tmp_path):
    item = studied.of_kind("trial")[0]
    file = tmp_path / "results.csv"
    heads = ("WorkerId", "Input.item", "Input.condition", "Answer.option")
    lines = [heads, ("A1", item.key, "with", item.options[0].key)]
    file.write_text("\n".join(",".join(line) for line in lines))
    folder = studied.folder
    assert xbench("study", "import", folder, file).out == f"stored 1 answers of {file}\n"
    assert "backups/answers-" in xbench("study", "backup", folder).out
    assert "1 participants" in xbench("study", "expire", folder, "--days", 0).out
    out = tmp_path / "ANSWERS"
    assert xbench("study", "export", folder, "--out", out).code == 0
    facts = json.loads((out / "facts.json").read_text())
    assert facts["wanted"] == {"with": 12, "without": 12}
    person = (out / "participants.csv").read_text().splitlines()[1].split(",")[0]
    assert xbench("study", "erase", folder, "--participant", person).code == 0
    again = xbench("study", "erase", folder, "--participant", person)
    assert again.code == 2
    assert f"nobody is called '{person}' in this study" in again.err
    assert "0 of 12" in xbench("study", "status", folder).out


RATING = {"kind": "rate", "scale": ["no", "perhaps", "yes"]}


@pytest.mark.parametrize(
    ("design", "question", "file", "head", "line"),
    [
        ("categorisation", {}, "labels.csv", "image,annotator,label", "1000,{},class 0"),
        (
            *("class-confusion", RATING, "ratings.csv"),
            *("person,true,predicted,rating,expected", "{},class 4,class 0,2,"),
        ),
    ],
)
def test_what_a_design_collects_stands_beside_its_answers(
    xbench, tmp_path, design, question, file, head, line
):
    study = write_study(tmp_path / "STUDY", question=question)
    path = study.folder / "study.toml"
    path.write_text(path.read_text().replace("wrong-label", design))
    known = study.folder / "key.json"
    known.write_text(known.read_text().replace('"true": 5', '"true": 4'))
    item = study.of_kind("trial")[0]
    keys = [option.key for option in item.options]
    heads = [f"Answer.degree-{key}" for key in keys] if question else ["Answer.option"]
    cells = ["2"] * 5 if question else keys[:1]
    (tmp_path / "r.csv").write_text(
        ",".join(("WorkerId", "Input.item", "Input.condition", *heads))
        + "\n"
        + ",".join(("A1", item.key, "with", *cells))
    )
    imported = xbench("study", "import", study.folder, tmp_path / "r.csv")
    assert imported.code == 0, imported.err
    assert xbench("study", "export", study.folder, "--out", tmp_path / "out").code == 0
    person = (tmp_path / "out" / "participants.csv").read_text().splitlines()[1].split(",")[0]
    first, second, *_ = (tmp_path / "out" / file).read_text().splitlines()
    assert (first, second) == (head, line.format(person))


def test_what_is_decided_beforehand_is_printed(xbench, studied):
    text = xbench("study", "preregister", studied.folder).out
    assert text.startswith("# Preregistration: A small study")
    assert "paired t-test" in text


def test_the_size_of_a_study_is_simulated(xbench):
    sizes = ("--images", 30, "--people", 10, "--studies", 100)
    out = xbench("study", "power", *sizes, "--accuracies", 0.9, 0.5, "--wanted", 0.9).out
    assert "90% against 50% is found in 100% of 100 simulated studies" in out
    assert re.search(r"for 90%: \d+ images\nfor 90%: \d+ people", out)


def test_mistakes_are_told_before_anything_is_written(xbench, studied, small, tmp_path):
    folder = studied.folder
    mistakes = {
        ("new", "default", "--out", tmp_path / "x"): "benchmark 'default' asks no people: its pro",
        ("new", small, "--out", folder): "STUDY is there already; choose another folder with --out",
        ("new", "wrong-labels-2", "--out", tmp_path / "x"): "did you mean 'wrong-label-2'?",
        ("status", tmp_path / "none"): "study.toml cannot be read: No such file",
        ("export", folder, "--database", "oracle://x", "--out", tmp_path / "x"): "oracle",
        ("erase", folder): "who is erased is said by a platform's name or by an export's",
        ("analyse", folder): "study 'A small study' has no answers to analyse",
        ("import", folder, tmp_path / "none.csv"): "none.csv: it cannot be read",
        ("power", "--accuracies", 0.5, 1.0): "they lie between 0 and 1",
        ("power", "--accuracies", 0.5, 0.5, "--wanted", 0.9): "equal accuracies are found at the",
    }
    for arguments, message in mistakes.items():
        called = xbench("study", *arguments)
        assert called.code == 2, (arguments, called)
        assert message in called.err
        assert called.err.startswith("error: "), arguments
    assert not (tmp_path / "x").exists()


def test_without_the_extra_the_way_to_it_is_told(xbench, studied, monkeypatch):
    from xbench_study.commands import places

    found = places.find_spec
    monkeypatch.setattr(
        places, "find_spec", lambda name: None if name == "uvicorn" else found(name)
    )
    called = xbench("study", "serve", studied.folder)
    assert called.code == 2
    assert "this verb needs uvicorn: pip install 'xbench-xai[study]'" in called.err
    assert Path(studied.folder / "study.toml").is_file()
