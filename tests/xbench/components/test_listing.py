"""What is installed of a kind, by name, with a line for each."""

import pytest

from xbench import components
from xbench.components.listing import listing
from xbench.errors import UnknownNameError


def test_a_kind_or_its_plural_is_listed_with_the_first_line_of_each():
    explainers = listing("explainers")
    assert dict(explainers) == dict(listing("explainer"))
    assert explainers["random-pair"].startswith("Random insecurities: ")
    assert "random-pair" in explainers._ipython_key_completions_()
    assert len(repr(explainers).splitlines()) == len(explainers)
    assert dict(components("explainer")) == dict(explainers)


def test_benchmarks_have_their_titles():
    assert "toybirds" in listing("benchmark")["default"]


def test_what_notebooks_show_is_escaped(monkeypatch):
    shown = listing("executor")
    shown._lines["local"] = "<b>"
    assert "&lt;b&gt;" in shown._repr_html_()
    assert "<b>" not in shown._repr_html_()


def test_unknown_kinds_and_names_are_told():
    with pytest.raises(UnknownNameError, match="did you mean 'explainer'"):
        listing("explaner")
    with pytest.raises(KeyError, match="did you mean 'grad-cam'"):
        listing("explainer")["gradcam"]
