"""What has to be said before people are recruited, and how words become texts."""

import httpx2
import pytest

from study_server import listening
from study_visitor import Served
from tiny_study import write_study
from xbench import ParameterError
from xbench_study.designs.description import Sheet
from xbench_study.pages.server import configured, ready, require_ready
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


def test_a_study_that_is_not_ready_recruits_nobody(tmp_path):
    study = write_study(tmp_path, sheet={"risks": "TODO"}, texts={"instructions": "TODO"})
    with pytest.raises(ParameterError) as caught:
        require_ready(study)
    said = "sheet.risks is not said yet; texts.instructions has TODO in it"
    assert said in str(caught.value)
    assert str(tmp_path / "study.toml") in str(caught.value)
    require_ready(write_study(tmp_path / "ready"))


def test_nobodys_address_is_logged_and_nothing_names_the_program(tmp_path, capfd):
    served = Served(write_study(tmp_path))
    with listening(served.app) as address:
        response = httpx2.get(address)
        refused = httpx2.get(f"{address}/p/some-token/")
    served.book.close()
    assert response.status_code == 200
    assert refused.status_code == 404
    assert not {"server", "date", "x-powered-by"} & set(response.headers)
    assert capfd.readouterr() == ("", "")


def test_proxies_are_believed_only_if_they_are_named():
    assert configured(None, "127.0.0.1", 8000).proxy_headers is False
    named = configured(None, "127.0.0.1", 8000, proxies="10.0.0.1")
    assert named.proxy_headers
    assert named.forwarded_allow_ips == "10.0.0.1"


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
def test_the_personal_link_is_https_behind_a_named_proxy(tmp_path, proxies):
    served = Served(write_study(tmp_path))
    person = served.visitor().consent()
    headers = {"x-forwarded-proto": "https", "host": "study.example"}
    with listening(served.app, proxies=proxies) as address:
        text = httpx2.get(address + person.home, headers=headers).text
    served.book.close()
    assert f"{'https' if proxies else 'http'}://study.example{person.home}" in text
