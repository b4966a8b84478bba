"""Entries of several networks."""

from dataclasses import replace

import pytest

from small_datasets import Greys, Stripes
from small_entries import entry_of
from small_networks import Linear, Tiny
from xbench.errors import MismatchError
from xbench.interfaces.data.dataset import ImageSet
from xbench.training.ensembles import networks_of
from xbench.training.recipe import subject_of, weights_recipe

LINEAR, GREYS = Linear(), Greys()


def entry(label="x", dataset=GREYS, classifier=LINEAR, **fields):
    sets = {role: ImageSet(dataset, role) for role in ("train", "test")}
    return entry_of(classifier, sets, label=label, **fields)


def ensemble(*members):
    return replace(entry("all"), members=members)


def told(entry):
    """Each network's name, classifier, weights and seed."""
    return [(name, s.classifier, s.weights, s.seed) for name, s in networks_of(entry)]


def test_an_entry_has_one_network_unless_it_is_an_ensemble():
    alone = entry()
    assert told(alone) == [("weights", Linear(), weights_recipe(alone), 0)]


def test_the_networks_of_an_ensemble_are_those_of_its_members():
    members = entry("a"), entry("b", classifier=Tiny(), seed=3)
    assert told(ensemble(*members)) == [
        ("weights/0", Linear(), weights_recipe(members[0]), 0),
        ("weights/1", Tiny(), weights_recipe(members[1]), 3),
    ]


def test_members_identify_an_ensemble_and_stay_out_of_the_trees_of_others():
    a, b = entry("a"), entry("b", seed=1)
    assert "members" not in a.tree()
    assert ensemble(a, b).tree()["members"] == [a.tree(), b.tree()]


@pytest.mark.parametrize("ask", [weights_recipe, subject_of])
def test_who_asks_an_ensemble_for_one_network_is_refused(ask):
    with pytest.raises(MismatchError) as caught:
        ask(ensemble(entry("a"), entry("b")))
    assert str(caught.value) == (
        "entry 'all' is an ensemble of 'a', 'b', and one network is asked for here: the protocol "
        "does not evaluate ensembles; leave the entry out"
    )


def test_an_ensemble_of_an_ensemble_is_refused():
    with pytest.raises(MismatchError, match="entry 'all' is an ensemble of 'a'"):
        networks_of(replace(entry("top"), members=(ensemble(entry("a")),)))


def test_members_with_other_classes_are_refused():
    with pytest.raises(MismatchError) as caught:
        networks_of(ensemble(entry("a"), entry("b", Stripes())))
    assert str(caught.value) == (
        "entry 'b' is trained for other classes (top, middle, bottom, …) than the ensemble 'all' "
        "of which it is a member (dark, bright, …)"
    )
