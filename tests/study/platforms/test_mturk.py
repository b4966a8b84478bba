"""Files for Mechanical Turk: nothing in them tells, and what comes back is read."""

import csv
import json
import re

import pytest

from tiny_study import write_study
from xbench import DatasetError, UsageError
from xbench_study.answers.book import AnswerBook
from xbench_study.answers.export import exported
from xbench_study.answers.imported import import_answers
from xbench_study.material.study import read_study
from xbench_study.platforms.mturk import Turk
from xbench_study.platforms.results import plain_cells

BASE = "https://pictures.example.org/study"


def written(tmp_path, **tables):
    study = write_study(tmp_path / "study", **tables)
    out = tmp_path / "turk"
    return study, out, Turk(study, BASE).write(out)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def filled(page, row):
    """What the platform makes of a page and a row."""
    return re.sub(r"\$\{(\w+)\}", lambda of: row[of[1]], page)


def chosen(page, name, place):
    """The button at a place of those of a name."""
    return re.findall(rf'name="{name}" value="([^"]*)"', page)[place]


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def results(rows, answers):
    """What the platform gives back: its own columns, the input's, and the answers."""
    inputs = [{f"Input.{name}": cell for name, cell in row.items()} for row in rows]
    return [
        {"HITId": f"H{k}", "WorkerId": "A1", "WorkTimeInSeconds": "9", **given, **answer}
        for k, (given, answer) in enumerate(zip(inputs, answers, strict=True))
    ]


def test_each_condition_has_a_page_and_rows_with_its_own_pictures_alone(tmp_path):
    study, out, paths = written(tmp_path)
    names = ["condition-1.html", "condition-1.csv", "condition-2.html", "condition-2.csv"]
    assert [path.name for path in paths] == names
    first, second = rows_of(paths[1]), rows_of(paths[3])
    assert len(first) == len(second) == 6
    maps = {of.asset for item in study.items.values() for of in item.stimuli if of.name == "map"}
    assert all(any(key in row["picture_2"] for key in maps) for row in first)
    assert "picture_2" not in second[0]
    assert not any(key in cell for row in second for cell in row.values() for key in maps)
    assert first[0]["picture_1"].startswith(f"{BASE}/")
    shown = {cell.rsplit("/", 1)[1] for row in first for k, cell in row.items() if "picture" in k}
    assert {path.name for path in (out / "assets").iterdir()} == shown


def test_rows_carry_no_key_and_no_place_tells_the_right_option(tmp_path):
    study, _, paths = written(tmp_path, items=20)
    rows, places = rows_of(paths[1]), set()
    for row in rows:
        secret = study.secrets[row["item"]]
        places.add(row["options"].split().index(secret.right[0]))
        told = {str(secret.image), secret.category, "true", "predicted"}
        assert told.isdisjoint(row.values())
    assert len(places) > 1
    assert [row["item"] for row in rows] != list(study.items)
    other = Turk(study, BASE).write(tmp_path / "again")
    assert other[1].read_bytes() == paths[1].read_bytes()


def test_a_page_has_the_sheet_consent_and_only_places_that_rows_fill(tmp_path):
    _, _, paths = written(tmp_path)
    page, rows = paths[0].read_text(), rows_of(paths[1])
    assert set(re.findall(r"\$\{(\w+)\}", page)) <= set(rows[0])
    assert "What is said of controller." in page
    assert re.search(r'name="consent" value="yes" required', page)
    assert "This is no class 5." in filled(page, rows[0])
    assert page.count('type="radio"') == 5


def test_what_a_study_says_is_no_tag_and_no_place(tmp_path):
    question = {"text": "<b>${option_1_key}</b> {label}"}
    study, _, paths = written(tmp_path, question=question)
    path = study.folder / "items.json"
    path.write_text(path.read_text().replace('"class 5"', '"<i>${item}"'))
    again = Turk(read_study(study.folder), BASE).write(tmp_path / "again")
    text = filled(again[0].read_text(), rows_of(again[1])[0])
    assert "&lt;b&gt;&#36;{option_1_key}&lt;/b&gt; &lt;i&gt;&#36;{item}" in text
    assert paths[0].read_text() == again[0].read_text()


@pytest.mark.parametrize("form", ["value", "buttons", "task"])
def test_what_workers_chose_comes_back_whole(tmp_path, form):
    study, _, paths = written(tmp_path)
    page, rows = paths[0].read_text(), rows_of(paths[1])
    options = [chosen(filled(page, row), "option", k % 5) for k, row in enumerate(rows)]
    forms = {
        "value": lambda key, row: {"Answer.option": key},
        "buttons": lambda key, row: {
            f"Answer.option.{one}": str(one == key).lower() for one in row["options"].split()
        },
        "task": lambda key, row: {
            "Answer.taskAnswers": json.dumps(
                [{"option": {one: one == key for one in row["options"].split()}}]
            )
        },
    }
    answers = [forms[form](key, row) for key, row in zip(options, rows, strict=True)]
    book = AnswerBook(study)
    assert import_answers(book, write(tmp_path / "r.csv", results(rows, answers)), 99.0) == 6
    back = exported(book).answers
    assert [row.option for row in back] == options
    assert [row.order for row in back] == [row["options"] for row in rows]
    assert {(row.condition, row.seconds) for row in back} == {("with", 9.0)}
    assert [row.right for row in back] == [
        key in study.secrets[row["item"]].right for key, row in zip(options, rows, strict=True)
    ]
    book.close()


def test_ratings_and_skipped_questions_come_back_as_well(tmp_path):
    question = {"kind": "rate", "scale": ["no", "yes"], "unsure": "?", "may_skip": True}
    study, _, paths = written(tmp_path, items=2, options=2, question=question)
    page, rows = paths[0].read_text(), rows_of(paths[1])
    assert " required> no" not in page
    first, second = rows[0]["options"].split()
    assert chosen(filled(page, rows[0]), f"degree-{first}", 2) == "unsure"
    task = {f"degree-{first}": {"0": False, "1": True}, f"degree-{second}": {"unsure": True}}
    answers = [
        {"Answer.taskAnswers": json.dumps([task])},
        {"Answer.taskAnswers": json.dumps([{"skip": {"on": True}}])},
    ]
    book = AnswerBook(study)
    import_answers(book, write(tmp_path / "r.csv", results(rows, answers)), 0.0)
    assert [row.reply for row in exported(book).answers] == ["rated", "cannot-tell", "skipped"]
    book.close()


def test_answers_that_no_form_gives_are_refused(tmp_path):
    study, _, paths = written(tmp_path, items=1)
    rows, book = rows_of(paths[1]), AnswerBook(study)
    for text in ("{", "[]", "[1]", "[{}, {}]"):
        file = write(tmp_path / "r.csv", results(rows, [{"Answer.taskAnswers": text}]))
        with pytest.raises(DatasetError, match=r"line 2: Answer.taskAnswers is no answer of one"):
            import_answers(book, file, 0.0)
    assert plain_cells({"Answer.option": "a"}) == {"Answer.option": "a"}
    book.close()


@pytest.mark.parametrize("address", ["http://x.org", "https://", 'https://x.org/"', "https://x/$a"])
def test_an_address_that_no_page_can_show_is_refused(tmp_path, address):
    with pytest.raises(UsageError, match="it is where assets/ lies, https://"):
        Turk(write_study(tmp_path), address)


def test_what_these_pages_cannot_ask_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="ask for one option, and the study for 2"):
        Turk(write_study(tmp_path / "a", question={"pick": 2}), BASE)
    study = write_study(tmp_path / "b")
    path = study.folder / "items.json"
    items = json.loads(path.read_text())
    items[0]["options"].pop()
    path.write_text(json.dumps(items))
    with pytest.raises(UsageError, match="differ in how many pictures or options"):
        Turk(read_study(study.folder), BASE).write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
