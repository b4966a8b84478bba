"""The page of public names is the one that the stubs and docstrings make."""

import runpy

import pytest


def test_the_page_is_fresh(project):
    made = runpy.run_path(str(project / "tools" / "api_page.py"))["page"](project)
    page = (project / "docs" / "api.md").read_text(encoding="utf-8")
    assert page == made, "write it again: python tools/api_page.py"


def test_the_page_is_linked(project):
    assert "(api.md)" in (project / "docs" / "plugins.md").read_text()
    assert ": api.md" in (project / "mkdocs.yml").read_text()


def test_a_name_of_which_nothing_is_said_is_refused(project, tmp_path):
    tool = runpy.run_path(str(project / "tools" / "api_page.py"))
    (tmp_path / "xbench").mkdir()
    (tmp_path / "xbench" / "errors.py").write_text("FIRST = 1\n'''Said. More.'''\nSECOND = 2\n")
    assert tool["sentence"](tool["Name"]("FIRST", "xbench.errors"), tmp_path) == "Said."
    with pytest.raises(LookupError, match=r"xbench\.errors says nothing of SECOND"):
        tool["sentence"](tool["Name"]("SECOND", "xbench.errors"), tmp_path)
