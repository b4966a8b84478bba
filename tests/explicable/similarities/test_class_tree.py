"""Trees above classes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import MismatchError
from xbench_explicable.similarities.class_tree import ROOT, ClassTree, class_tree
from xbench_explicable.wordnet.nouns import nouns, synset_of
from xbench_explicable.wordnet.senses import imagenet
from xbench_toybirds.dataset import Toybirds


@st.composite
def trees(draw):
    """Classes hung at random below the nodes of a random tree."""
    nodes = draw(st.integers(1, 6))
    parents = [draw(st.integers(0, node - 1)) for node in range(1, nodes)]
    places = draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=7))

    def line(node):
        return (f"n{node}", *(line(parents[node - 1]) if node else ()))

    names = tuple(f"c{index}" for index in range(len(places)))
    return ClassTree(names, tuple(line(node) for node in places))


def slow_height(tree, node):
    """The longest way down from a node to a class."""
    return max(line.index(node) + 1 for line in tree.ancestors if node in line)


def slow_common(tree, i, j):
    """The first ancestor of one class that is also one of the other."""
    return next(node for node in tree.ancestors[i] if node in tree.ancestors[j])


@given(trees())
def test_heights_equal_those_of_the_first_common_ancestor(tree):
    found = tree.lca_heights()
    for i in range(len(tree.names)):
        for j in range(len(tree.names)):
            slow = 0 if i == j else slow_height(tree, slow_common(tree, i, j))
            assert found[i, j].item() == slow


@given(trees())
def test_path_lengths_are_steps_up_and_down(tree):
    found = tree.path_lengths()
    for i, one in enumerate(tree.ancestors):
        for j, other in enumerate(tree.ancestors):
            node = slow_common(tree, i, j)
            steps = 0 if i == j else one.index(node) + other.index(node) + 2
            assert found[i, j].item() == steps


@given(trees())
def test_heights_are_an_ultrametric_up_to_the_trees_height(tree):
    found = tree.lca_heights()
    through = torch.maximum(found[:, :, None], found[None, :, :]).amin(1)
    assert torch.equal(found, found.T)
    assert (found <= through).all()
    assert found.max() <= tree.height


def test_a_dataset_of_one_class_has_height_one():
    tree = ClassTree(("a",), (("root",),))
    assert (tree.height, tree.lca_heights().tolist()) == (1, [[0]])


def test_toybirds_have_genera_below_one_root():
    tree = class_tree(Toybirds(), "dataset")
    assert tree.height == 2
    heights = tree.lca_heights()
    assert heights[0].tolist() == [0, 1, 1, 1, 1, *[2] * 15]


def test_trees_without_a_common_node_get_a_root(treed):
    tree = class_tree(treed({"a": ("x",), "b": ("y",), "c": ()}), "dataset")
    assert tree.ancestors == (("x", ROOT), ("y", ROOT), (ROOT,))


def test_a_dataset_without_a_hierarchy_has_no_tree(named):
    with pytest.raises(MismatchError, match="has no annotation of kind ClassHierarchy"):
        class_tree(named("a"), "dataset")


@pytest.mark.parametrize(
    ("ancestors", "message"),
    [
        ((("x", "root"), ("y", "x2")), "needs one root, not 'root', 'x2'"),
        (((), ()), "needs one root"),
        ((("x", "y", "root"), ("x", "root")), "'x' stands below 'y' and below 'root'"),
        ((("x", "x", "root"), ("root",)), "a node stands above itself"),
        ((("root",),), "a tree of 1 classes cannot have 2 names"),
    ],
)
def test_what_is_no_tree_is_refused(ancestors, message):
    with pytest.raises(MismatchError, match=message):
        ClassTree(("a", "b"), ancestors)


def test_names_that_wordnet_does_not_know_are_told_with_a_way_out(named):
    with pytest.raises(MismatchError) as raised:
        class_tree(named("dog", "xyzzy"), "wordnet")
    assert str(raised.value) == (
        "The bundled part of WordNet has no noun for 1 of the 2 classes of dataset 'named': "
        "'xyzzy'. Give each class its synset with synsets=FILE (columns class,synset), or name "
        "the folder of a full WordNet 3.0 with wordnet=FOLDER."
    )


def test_wordnets_tree_ends_at_one_root(named):
    tree = class_tree(named("cat", "dog", "truck"), "wordnet")
    assert {line[-1] for line in tree.ancestors} == {"entity.n.01"}
    assert tree.ancestors[0][:2] == ("feline.n.01", "carnivore.n.01")
    assert slow_common(tree, 0, 1) == "carnivore.n.01"


def test_a_synset_keeps_the_hypernym_farthest_from_the_root(named):
    # A dog is a canine, and also a domestic animal, which is nearer to the root.
    tree = class_tree(named("dog", "cat"), "wordnet")
    dog = synset_of(nouns(), "dog.n.01")
    assert {one.name() for one in dog.hypernyms()} == {"canine.n.02", "domestic_animal.n.01"}
    assert tree.ancestors[0][0] == "canine.n.02"


def test_a_class_above_another_hangs_below_its_own_noun(named):
    tree = class_tree(named("fish", "shark"), "wordnet")
    assert tree.ancestors[0][0] == "fish.n.01"
    assert "fish.n.01" in tree.ancestors[1]
    assert tree.lca_heights()[0, 1] == tree.ancestors[1].index("fish.n.01") + 1


def test_two_names_of_one_noun_are_siblings(named):
    tree = class_tree(named("car", "automobile", "truck"), "wordnet")
    assert tree.lca_heights()[0, 1] == 1


def test_the_thousand_classes_of_imagenet_form_a_tree(named):
    tree = class_tree(named(*imagenet()), "wordnet")
    heights = tree.lca_heights()
    assert heights.shape == (1000, 1000)
    assert (heights.diagonal() == 0).all()
    assert heights.max() == tree.height


def test_a_table_says_which_nouns_the_classes_of_a_tree_are(named, tmp_path):
    file = tmp_path / "synsets.csv"
    file.write_text("class,synset\nA,cat.n.01\nB,dog.n.01\n")
    classes = named("A", "B")
    assert class_tree(classes, "wordnet", str(file)).ancestors[0][0] == "feline.n.01"
    file.write_text("class,synset\nA,truck.n.01\nB,dog.n.01\n\n")
    assert class_tree(classes, "wordnet", str(file)).ancestors[0][0] == "motor_vehicle.n.01"
