"""Similarities of classes, whatever they come from."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import (
    DatasetError,
    MismatchError,
    ParameterError,
    checked_similarity,
    normalised_similarity,
)
from xbench_explicable.similarities.existing_knowledge import ExistingKnowledge
from xbench_explicable.similarities.hierarchy import HierarchyPaths
from xbench_explicable.similarities.human_labels import InstanceLevelLabels, summed_counts
from xbench_explicable.similarities.mean import MeanSimilarity
from xbench_explicable.similarities.similarity_table import SimilarityTable, read_table, table_text
from xbench_toybirds.dataset import Toybirds

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
EKL = ExistingKnowledge()


@pytest.fixture
def cifar10h(realdata, judged):
    """The real counts, with the labels of the same images."""
    counts = np.load(realdata / "cifar10h" / "cifar10h-counts.npy")
    labels = np.load(realdata / "cifar10" / "test_jpeg.npz")["labels"]
    return judged(CIFAR10, counts.tolist(), labels.tolist())


def slow_sums(counts, labels, classes):
    """The counts of every image added to the row of its class."""
    sums = [[0.0] * classes for _ in range(classes)]
    for row, label in zip(counts, labels, strict=True):
        for place, count in enumerate(row):
            sums[label][place] += count
    return sums


def targets(rows):
    """The mean diagonal and entropy of the softmax of rows."""
    target = torch.softmax(rows, 1)
    entropy = -(target * target.log()).sum(1)
    return round(float(target.diagonal().mean()), 3), round(float(entropy.mean()), 3)


@given(st.data())
def test_summed_counts_equal_a_loop(data):
    classes = data.draw(st.integers(1, 5))
    row = st.lists(st.integers(0, 50), min_size=classes, max_size=classes)
    counts = data.draw(st.lists(row, min_size=1, max_size=8))
    labels = data.draw(
        st.lists(st.integers(0, classes - 1), min_size=len(counts), max_size=len(counts))
    )
    found = summed_counts(torch.tensor(counts), torch.tensor(labels))
    assert found.tolist() == slow_sums(counts, labels, classes)


def test_human_labels_become_rows_that_sum_to_one(judged, named):
    people = judged("ab", [[8, 2], [10, 0], [1, 9]], [0, 0, 1])
    similarity = InstanceLevelLabels(people)
    assert similarity.matrix(named("a", "b")).tolist() == [[0.9, 0.1], [0.1, 0.9]]
    assert similarity.labels_needed(named("a", "b")) == 30


def test_human_labels_of_another_dataset_are_matched_by_name(judged, named):
    similarity = InstanceLevelLabels(judged("ab", [[8, 2], [4, 6]], [0, 1]))
    assert similarity.matrix(named("b", "a")).tolist() == [[0.6, 0.4], [0.2, 0.8]]


def test_human_labels_of_other_classes_are_refused(judged, named):
    similarity = InstanceLevelLabels(judged("ab", [[8, 2], [4, 6]], [0, 1]))
    with pytest.raises(MismatchError) as raised:
        similarity.matrix(named("a", "c"))
    assert str(raised.value) == (
        "similarity 'ihl' of dataset 'named' is not about the same 2 classes: it lacks 'c' and "
        "has besides 'b'. Classes are matched by name."
    )


def test_a_class_that_nobody_judged_is_named(judged, named):
    similarity = InstanceLevelLabels(judged("ab", [[8, 2]], [0]))
    with pytest.raises(MismatchError, match="the row of 'b' is all zeros"):
        similarity.matrix(named("a", "b"))


def test_a_dataset_without_human_labels_is_refused(named):
    with pytest.raises(ParameterError, match="dataset 'named' has no human labels"):
        InstanceLevelLabels(named("a", "b"))


def test_simulated_annotators_are_said_to_be_simulated():
    birds = Toybirds(test=40)
    similarity = InstanceLevelLabels(birds)
    assert similarity.facts(birds)["annotators"] == "simulated"
    assert similarity.labels_needed(birds) == 40 * 50
    assert torch.allclose(similarity.matrix(birds).sum(1), torch.ones(20).double())


def test_a_tree_may_be_read_from_a_file_that_changes(tmp_path):
    file = tmp_path / "s.csv"
    file.write_text(",a\na,1\n")
    before = SimilarityTable(str(file)).tree()
    file.write_text(",a\na,1.5\n")
    assert SimilarityTable(str(file)).tree() != before


def test_what_people_said_is_in_the_tree(judged):
    trees = [
        InstanceLevelLabels(judged(names, [[1, 0], [0, 1]], [0, 1])).tree()
        for names in ("ab", "ac")
    ]
    prints = [tree["parameters"]["of"]["fingerprint"] for tree in trees]
    assert prints[0] != prints[1]


@pytest.mark.realdata
def test_the_real_counts_give_per_class_sums_normalised(realdata, cifar10h, named):
    counts = np.load(realdata / "cifar10h" / "cifar10h-counts.npy").astype(int)
    sums = slow_sums(counts.tolist(), cifar10h.truth, 10)
    found = InstanceLevelLabels(cifar10h).matrix(named(*CIFAR10))
    slow = torch.tensor([[value / sum(row) for value in row] for row in sums], dtype=torch.float64)
    assert (found - slow).abs().max() < 1e-12


@pytest.mark.realdata
def test_the_real_counts_are_511_000_judgements(cifar10h, named):
    # The paper says 511 400; the counts that were released sum to this.
    assert InstanceLevelLabels(cifar10h).labels_needed(named(*CIFAR10)) == 511_000


@pytest.mark.realdata
def test_the_target_of_the_real_counts_is_the_papers(cifar10h, named):
    assert targets(InstanceLevelLabels(cifar10h).matrix(named(*CIFAR10))) == (0.223, 2.238)


def test_the_target_of_wordnet_is_the_papers(named):
    # The authors' softmax is of rows that sum to 1. Official and corrected senses are the
    # same for these ten names.
    matrix = EKL.matrix(named(*CIFAR10))
    assert targets(normalised_similarity(matrix)) == (0.151, 2.289)
    assert torch.equal(matrix, ExistingKnowledge("official").matrix(named(*CIFAR10)))


def test_wordnets_similarities_do_not_depend_on_the_order_of_classes(named):
    matrix = EKL.matrix(named(*CIFAR10))
    turned = EKL.matrix(named(*CIFAR10[::-1]))
    assert torch.equal(turned, matrix.flip(0, 1))


def test_a_matrix_can_be_written_to_without_harm(named):
    EKL.matrix(named("cat", "dog")).zero_()
    assert EKL.matrix(named("cat", "dog"))[0, 1] == 1 / 5


def test_siblings_and_cousins_in_a_hierarchy(treed):
    classes = treed({"a": ("x", "root"), "b": ("x", "root"), "c": ("y", "root")})
    assert HierarchyPaths().matrix(classes).tolist() == [
        [1, 1 / 3, 1 / 5],
        [1 / 3, 1, 1 / 5],
        [1 / 5, 1 / 5, 1],
    ]


def test_a_dataset_without_a_hierarchy_is_refused(named):
    with pytest.raises(MismatchError, match="dataset 'named' has no annotation of kind ClassHi"):
        HierarchyPaths().matrix(named("a"))


def test_the_mean_is_of_rows_that_sum_to_one(judged, treed):
    people = InstanceLevelLabels(judged("ab", [[8, 2], [4, 6]], [0, 1]))
    classes = treed({"a": ("root",), "b": ("root",)})
    mean = MeanSimilarity((people, HierarchyPaths()))
    slow = [[(0.8 + 0.75) / 2, (0.2 + 0.25) / 2], [(0.4 + 0.25) / 2, (0.6 + 0.75) / 2]]
    assert torch.allclose(mean.matrix(classes), torch.tensor(slow, dtype=torch.float64))
    assert mean.labels_needed(classes) == 20


def test_the_mean_of_one_is_its_rows_summing_to_one(named):
    classes = named("cat", "dog", "truck")
    assert torch.equal(
        MeanSimilarity((EKL,)).matrix(classes), normalised_similarity(EKL.matrix(classes))
    )


def test_a_mean_of_nothing_is_refused():
    with pytest.raises(ParameterError, match="name at least one similarity"):
        MeanSimilarity(())


def test_tables_are_matched_by_name_on_both_sides(named, tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("\ufefftrue,b,a\na,2,1\n\n b ,4,3\n", encoding="utf-8")
    assert SimilarityTable(str(file)).matrix(named("a", "b")).tolist() == [[1, 2], [3, 4]]


@given(st.data())
def test_what_is_written_is_read_again(tmp_path_factory, data):
    size = data.draw(st.integers(1, 5))
    number = st.floats(0, 1e6, allow_nan=False)
    row = st.lists(number, min_size=size, max_size=size)
    matrix = torch.tensor(data.draw(st.lists(row, min_size=size, max_size=size))).double()
    names = tuple(f"class, {index}" for index in range(size))
    file = tmp_path_factory.mktemp("table") / "s.csv"
    file.write_text(table_text(matrix, names))
    table = read_table(str(file))
    assert (table.rows, table.columns) == (names, names)
    assert torch.equal(table.values, matrix)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (",a,b\na,1,2\n", MismatchError, "the first column of .*it lacks 'b'"),
        (",a,b\na,1,2\nb,1\n", MismatchError, "line 3: 1 numbers for 2 predicted classes"),
        (",a,b\na,1,2\nb,1,-2\n", MismatchError, r"'b' \(true\) and 'b' \(predicted\) is negat"),
        (",a,b\na,1,2\nb,1,nan\n", MismatchError, r"'b' \(true\) and 'b' .* is no number"),
        (",a,b\na,1,2\nb,1,inf\n", MismatchError, r"'b' \(true\) and 'b' .* is no number"),
        (",a,b\na,1,2\nb,0,0\n", MismatchError, "the row of 'b' is all zeros"),
        (",a,b\na,1,2\nb,1e308,1e308\n", MismatchError, "row of 'b' has an infinite sum"),
        (",a,b\na,1,2\nb,1,much\n", DatasetError, "line 3, column 'b': 'much' is no number"),
        (",a,b\na,1,2\nb,1,\n", DatasetError, "line 3, column 'b': '' is no number"),
        (",a,c\na,1,2\nb,1,1\n", MismatchError, "first line of .*lacks 'b' and has besides 'c'"),
        (",a,b\na,1,2\na,1,2\n", MismatchError, "has classes twice: 'a'"),
        (",a,b\na,1,2\nb,1," + "2" * 200_000, DatasetError, "cannot be read"),
        (",a,b\n", DatasetError, "holds no table"),
        ("", DatasetError, "holds no table"),
        (None, DatasetError, "cannot be read"),
    ],
)
def test_a_wrong_table_is_refused(named, tmp_path, text, error, message):
    file = tmp_path / "s.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(error, match=message):
        SimilarityTable(str(file)).matrix(named("a", "b"))


def test_the_content_of_a_table_is_in_its_tree(tmp_path):
    file = tmp_path / "s.csv"
    missing = SimilarityTable(str(file)).tree()
    file.write_text(",a\na,1\n")
    assert SimilarityTable(str(file)).tree() != missing


@pytest.mark.parametrize("similarity", [EKL, MeanSimilarity((EKL,))], ids=lambda one: one.name)
def test_every_similarity_passes_the_cores_check(named, similarity):
    classes = named(*CIFAR10)
    matrix = similarity.matrix(classes)
    assert checked_similarity(matrix, classes.class_names(), "it") is matrix
    assert matrix.dtype == torch.float64
