"""Artefacts are told apart by the beginnings of their names."""

from xbench.interfaces.artefact import entries_below


def test_entries_below_a_prefix_go_by_the_rest_of_their_names():
    entries = {"weights": 1, "explainer/bank": 2, "explainer/explainer/bank": 3, "an explainer/": 4}
    assert entries_below("explainer/", entries) == {"bank": 2, "explainer/bank": 3}
    assert entries_below("", entries) == entries
    assert entries_below("floor/", entries) == {}
