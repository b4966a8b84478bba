"""A concept bank knows which network it belongs to, and how far its concepts are added."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import Concept, MismatchError, Network
from xbench.networks import cut_module
from xbench_ces.banks.bank import PAPER_STEP, ConceptBank, bottom_hash

SHAPE = (8, 10, 10)
ACCURACIES = (0.5, 0.7, 0.96)


def bank(bottom="", layer="4", shape=SHAPE, **fields):
    source = torch.Generator().manual_seed(3)
    return ConceptBank(
        concepts=tuple(Concept(name, "family") for name in "abc"),
        normals=torch.randn(3, math.prod(shape), generator=source),
        accuracies=torch.tensor(ACCURACIES, dtype=torch.float64),
        margins=torch.tensor([0.5, 2.0, 4.0], dtype=torch.float64),
        layer=layer,
        shape=shape,
        bottom=bottom,
        **fields,
    )


def test_concepts_below_the_threshold_are_left_out():
    pictures = torch.arange(3, dtype=torch.uint8)[:, None, None, None].expand(3, 3, 2, 2)
    whole = bank(examples=pictures, facts={"seed": 1})
    kept = whole.kept(0.7)
    assert kept.names == ("b", "c")
    assert torch.equal(kept.normals, whole.normals[1:])
    assert kept.accuracies.tolist() == [0.7, 0.96]
    assert kept.margins.tolist() == [2.0, 4.0]
    assert kept.examples[:, 0, 0, 0].tolist() == [1, 2]
    assert (kept.layer, kept.shape, kept.facts) == ("4", SHAPE, {"seed": 1})
    assert bank().kept(0.7).examples is None


def test_a_threshold_that_all_reach_changes_nothing():
    whole = bank()
    assert whole.kept(0.0) is whole


def test_a_bank_of_which_nothing_is_left_says_so():
    with pytest.raises(MismatchError) as caught:
        bank().kept(0.97)
    assert str(caught.value) == (
        "none of the 3 concepts of the bank of layer '4' reaches a held-out accuracy of 0.97 "
        "(the best has 0.96); lower the threshold, or learn other concepts"
    )
    with pytest.raises(MismatchError, match="none of the 3"):
        bank().kept(0.97)


@given(st.floats(-100, 100))
def test_a_number_is_a_step_along_the_normal_as_it_is(step):
    whole = bank()
    torch.testing.assert_close(whole.displacements(step), step * whole.normals)


def test_the_step_of_the_paper_is_ten_thousand_normals():
    assert torch.equal(bank().displacements("paper"), PAPER_STEP * bank().normals)
    assert PAPER_STEP == 10_000


def test_the_margin_is_the_length_of_a_step_of_one_margin():
    whole = bank()
    steps = whole.displacements("margin")
    for place in range(3):
        v = whole.normals[place].double()
        slow = float(whole.margins[place]) * v / math.sqrt(sum(float(x) ** 2 for x in v))
        torch.testing.assert_close(steps[place].double(), slow, rtol=1e-5, atol=1e-7)


@given(st.floats(0.01, 100))
def test_a_step_of_one_margin_does_not_depend_on_the_length_of_the_normal(scale):
    whole = bank()
    longer = ConceptBank(**{**vars(whole), "normals": whole.normals * scale})
    steps = whole.displacements("margin")
    torch.testing.assert_close(longer.displacements("margin"), steps, rtol=1e-4, atol=1e-6)


def test_concepts_that_no_training_image_shows_are_named():
    margins = torch.tensor([-1.0, 2.0, 0.0], dtype=torch.float64)
    assert ConceptBank(**{**vars(bank()), "margins": margins}).one_sided() == ("a", "c")
    assert bank().one_sided() == ()


def test_a_bank_comes_back_from_its_artefact():
    whole = bank("hash", examples=torch.zeros(3, 3, 4, 4, dtype=torch.uint8), facts={"seed": 7})
    artefact = whole.artefact("key")
    back = ConceptBank.from_artefact(artefact)
    assert artefact.key == "key"
    assert back.concepts == whole.concepts
    assert (back.layer, back.shape, back.bottom) == ("4", SHAPE, "hash")
    assert all(torch.equal(back.artefact("").tensors[n], t) for n, t in artefact.tensors.items())
    assert back.facts["seed"] == 7
    assert back.verified
    assert not bank().verified


def test_the_networks_own_bank_passes(network):
    verified_bank = bank(bottom_hash(network))
    assert verified_bank.verified
    verified_bank.check(network, SHAPE)  # raises for any other network
    verified_bank.check(network)


def test_an_unverified_bank_passes_if_layer_and_shape_fit(network):
    bank().check(network, SHAPE)
    for wrong in (bank(layer="3"), bank(shape=(8, 5, 5))):
        with pytest.raises(MismatchError):
            wrong.check(network, SHAPE)


def test_a_bank_of_another_layer_is_refused(network):
    with pytest.raises(MismatchError) as caught:
        bank(layer="2").check(network)
    assert str(caught.value) == (
        "the concept bank is of layer '2', and Sequential is cut at '4'; cut it there with "
        "-p classifier.layer=2, or learn a bank of that layer"
    )


def test_an_unverified_bank_may_name_the_block_whose_output_is_meant():
    module = torch.nn.Sequential(
        torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU()),
        torch.nn.Flatten(),
        torch.nn.Linear(2 * 36, 2),
    )
    network = cut_module(module, classes=2, size=8, layer="0")
    assert network.layer == "0.1"
    bank(layer="0", shape=(2, 6, 6)).check(network, (2, 6, 6))
    with pytest.raises(MismatchError):
        bank(bottom_hash(network), layer="0", shape=(2, 6, 6)).check(network)
    with pytest.raises(MismatchError):
        bank(layer="", shape=(2, 6, 6)).check(network)


def test_a_bank_of_another_shape_is_refused(network):
    with pytest.raises(MismatchError) as caught:
        bank(bottom_hash(network)).check(network, (8, 14, 14))
    assert str(caught.value) == (
        "the concept bank is of activations of shape 8×10×10, and images give Sequential "
        "activations of shape 8×14×14 at layer '4'; learn a bank on images of this size"
    )


def test_a_bank_of_other_weights_is_refused(network, make_network):
    with pytest.raises(MismatchError) as caught:
        bank(bottom_hash(make_network(seed=1))).check(network)
    assert str(caught.value) == (
        "the concept bank was learned on other weights below layer '4' than those of "
        "Sequential; learn one on these with `xbench concepts learn`"
    )


def changed(network: Network, half: str, name: str) -> str:
    """The hash after one tensor of a half changed in place."""
    with torch.no_grad():
        getattr(network, half).state_dict()[name].add_(1)
    return bottom_hash(network)


def test_retraining_the_head_only_keeps_the_hash(network):
    before = bottom_hash(network)
    for name in list(network.top.state_dict()):
        assert changed(network, "top", name) == before


def test_any_change_below_the_layer_changes_the_hash(make_network):
    names = list(make_network().bottom.state_dict())
    assert {"mean", "std"} < set(names)
    hashes = [changed(make_network(), "bottom", name) for name in names]
    assert len({*hashes, bottom_hash(make_network())}) == len(names) + 1


def test_the_hash_is_of_the_same_weights_under_their_original_names(make_network):
    assert bottom_hash(make_network()) == bottom_hash(make_network())
    assert bottom_hash(make_network(layer="2")) != bottom_hash(make_network())
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU(), torch.nn.Flatten())
    wrapped = torch.nn.Sequential(module, torch.nn.Linear(2 * 36, 2))
    first = cut_module(wrapped, classes=2, size=8, layer="0.0")
    other = cut_module(wrapped, classes=2, size=8, layer="0.0")
    assert bottom_hash(first) == bottom_hash(other)
