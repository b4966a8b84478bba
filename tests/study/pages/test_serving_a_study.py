"""What has to be said before people are recruited, and how words become texts."""

import pytest

from tiny_study import write_study
from xbench_study.designs.description import Sheet
from xbench_study.pages.server import ready
from xbench_study.pages.words import filled, paragraphs

SAID = [name for name in Sheet.model_fields if name != "minimum_age"]


def test_a_study_that_says_everything_is_ready(tmp_path):
    assert ready(write_study(tmp_path)) == []


@pytest.mark.parametrize("name", SAID)
def test_what_the_sheet_does_not_say_is_named(tmp_path, name):
    for text in ("TODO", "TODO: ask", " "):
        reasons = ready(write_study(tmp_path / str(len(text)), sheet={name: text}))
        assert reasons == [f"sheet.{name} is not said yet"]


def test_texts_that_are_still_to_be_written_are_named_with_their_places(tmp_path):
    asked = [{"text": "TODO", "options": ["a", "b"], "right": 0}]
    study = write_study(
        tmp_path,
        texts={"debriefing": "TODO: write"},
        checks_table={"comprehension": asked},
        captions={"map": "TODO"},
    )
    assert ready(study) == [
        "checks.comprehension.0.text has TODO in it",
        "texts.debriefing has TODO in it",
        "captions.map has TODO in it",
    ]


def test_a_study_without_trials_is_not_ready(tmp_path):
    assert "there is no trial" in ready(write_study(tmp_path, items=0, practice=1))


def test_words_are_filled_in_and_other_braces_stay():
    assert filled("{a} of {b.c} {} {d} {a", a="{d}", d=1) == "{d} of {b.c} {} 1 {a"


def test_paragraphs_are_divided_by_empty_lines():
    assert paragraphs("one\nline\n\n \n two \n") == ["one\nline", "two"]
