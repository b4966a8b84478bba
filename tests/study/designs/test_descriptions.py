"""Descriptions of studies: what they hold, and what is wrong with them."""

import tomllib

import pytest

from xbench import ParameterError
from xbench_study.designs.categorisation import Categorisation
from xbench_study.designs.class_confusion import ClassConfusion
from xbench_study.designs.description import Condition, described, read_description
from xbench_study.designs.mistake_rating import MistakeRating
from xbench_study.designs.wrong_label import WrongLabel
from xbench_study.material.making import Head

DESIGNS = (WrongLabel(), MistakeRating(), ClassConfusion(), Categorisation())


def head(design, **changes):
    conditions = [Condition(name="maps", title='with "maps"', shows=["image", "maps-1"])]
    values = {
        "text": design.text(),
        "seed": 3,
        "conditions": conditions,
        "captions": {"maps-1": 'What it "sees".\n'},
        "parameters": {"design": "{}"},
    }
    return Head(**{**values, **changes})


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_a_design_describes_a_whole_study_with_what_the_researcher_has_to_say(design):
    description = head(design).description()
    assert description.design == design.name
    assert description.seed == 3
    assert description.conditions[0].title == 'with "maps"'
    assert description.captions == {"maps-1": 'What it "sees".\n'}
    missing = ("controller", "contact", "duration", "payment", "risks", "ethics", "storage")
    assert description.sheet.missing() == [*missing, "rights"]


def tree(**changes):
    plain = tomllib.loads(head(WrongLabel()).toml())
    for path, value in changes.items():
        table, _, name = path.partition("__")
        if name:
            plain[table][name] = value
        else:
            plain[table] = value
    return plain


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question__kind": "guess"}, "question.kind: Input should be 'choose' or 'rate'"),
        ({"question__kind": "rate"}, "question.scale: a rating needs at least two degrees"),
        ({"question__scale": ["a", "b"]}, 'question.scale: there is one, and question.kind is "ch'),
        ({"assignment__answers": 0}, "assignment.answers: Input should be greater than or equal"),
        ({"assignment__trials": "ten"}, "assignment.trials: Input should be a valid integer"),
        ({"conditions": []}, "conditions: List should have at least 1 item"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"texts__debrief": "bye"}, "texts.debrief: Extra inputs are not permitted"),
        ({"completion": {"redirect": "http://x.org"}}, "redirect is 'http://x.org'; it begins wi"),
        ({"language": "English!"}, "language: String should match pattern"),
        (
            {"checks__comprehension": [{"text": "Why?", "options": ["a", "b"], "right": 2}]},
            "checks.comprehension.0: right is 2, and options are 0 to 1",
        ),
        (
            {"conditions": [{"name": "a", "title": "A"}, {"name": "a", "title": "B"}]},
            "conditions: two have one name among a, a",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes, message):
    with pytest.raises(ParameterError) as raised:
        described(tree(**changes), "study file s.toml")
    assert str(raised.value).startswith("study file s.toml: ")
    assert message in str(raised.value)


def test_an_unknown_condition_is_named_with_those_that_there_are():
    with pytest.raises(ParameterError, match="has no condition 'map'; it has maps"):
        head(WrongLabel()).description().condition("map")


def test_files_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "study.toml"
    with pytest.raises(ParameterError, match=r"study.toml cannot be read: No such file"):
        read_description(path)
    path.write_bytes(b"title = \xff")
    with pytest.raises(ParameterError, match=r"study.toml is no text in UTF-8"):
        read_description(path)
    path.write_text("title = \nlanguage = 1")
    with pytest.raises(ParameterError, match=r"study.toml: Invalid value \(at line 1, column 9"):
        read_description(path)
