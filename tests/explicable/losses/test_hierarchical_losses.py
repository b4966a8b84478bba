"""Hierarchical cross-entropy and soft hierarchical labels, as their formulas have them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from small_datasets import Treed
from xbench import Batch, ImageSet, MismatchError, Transform, generator
from xbench.testing import check_component, tiny_images
from xbench_explicable.kernels.hierarchy import grouped_logsumexp
from xbench_explicable.losses.hierarchical import (
    HierarchicalCrossEntropy,
    SoftHierarchicalLabels,
    tree_descent,
)
from xbench_explicable.similarities.class_tree import class_tree
from xbench_zoo.losses import CrossEntropy

CATS = (("cats", "pets", "animals", "all"),) * 2
BIRDS = (("birds", "animals", "all"),)
CARS = (("cars", "all"), ("cars", "all"))
TREE = (*CATS, *BIRDS, *CARS)
"""Two cats, a bird without kin and two cars: chains, and classes at three depths."""
FLAT = (("all",),) * 4
EVEN = tuple((f"genus {label // 3}", "all") for label in range(9))


def classes_with(ancestors):
    """Classes with these ancestors."""
    return Treed(tuple(f"class {label}" for label in range(len(ancestors))), ancestors)


def images_of(ancestors):
    return ImageSet(classes_with(ancestors), "test", Transform())


def targets_of(loss, ancestors, labels):
    images = torch.zeros(len(labels), 3, 2, 2, dtype=torch.float64)
    batch = Batch(images, tuple(range(len(labels))), torch.tensor(labels), images_of(ancestors))
    options = {"classes": len(ancestors), "epoch": 0, "generator": generator(0)}
    return loss.targets(batch, **options)


def loss_of(loss, ancestors, logits, labels):
    return loss.score(logits, targets_of(loss, ancestors, labels))


@st.composite
def trees(draw, most=7):
    """Random trees: classes are put below a node of one of the lines that are there."""
    lines = [("root",)]
    for number in range(draw(st.integers(0, 5))):
        above = lines[draw(st.integers(0, len(lines) - 1))]
        lines.append((f"node {number}", *above))
    places = draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=most))
    return tuple(lines[place] for place in places)


@st.composite
def problems(draw):
    ancestors = draw(trees())
    size = draw(st.integers(1, 4))
    seed = draw(st.integers(0, 1000))
    spread = draw(st.sampled_from([0.5, 3.0, 12.0]))
    source = generator("logits", seed)
    shape = (size, len(ancestors))
    logits = spread * torch.randn(shape, generator=source, dtype=torch.float64)
    return ancestors, logits, torch.randint(shape[1], (size,), generator=source).tolist()


def below(ancestors, label, steps):
    """The classes below the node so many steps above a class."""
    if steps == 0:
        return [label]
    node = ancestors[label][steps - 1]
    return [other for other, line in enumerate(ancestors) if node in line]


def slow_hierarchical(ancestors, alpha, logits, labels):
    """−Σ_l λ(C_l) log P(C_l | C_l+1), edge by edge."""
    total = 0.0
    for values, label in zip(logits.tolist(), labels, strict=True):
        p = [math.exp(value) / sum(map(math.exp, values)) for value in values]
        depth = len(ancestors[label])
        for steps in range(depth):
            inside = sum(p[leaf] for leaf in below(ancestors, label, steps))
            above = sum(p[leaf] for leaf in below(ancestors, label, steps + 1))
            total -= math.exp(-alpha * (depth - steps)) * math.log(inside / above)
    return total / len(labels)


def slow_height(ancestors, a, b):
    """The height of the lowest common ancestor of two classes."""
    if a == b:
        return 0
    node = next(ancestor for ancestor in ancestors[a] if ancestor in ancestors[b])
    return max(line.index(node) + 1 for line in ancestors if node in line)


def slow_soft(ancestors, beta, logits, labels):
    """Cross-entropy with exp(−β d(A, C)) / Σ_B exp(−β d(B, C))."""
    tallest = max(map(len, ancestors))
    total, classes = 0.0, range(len(ancestors))
    for values, label in zip(logits.tolist(), labels, strict=True):
        distances = [slow_height(ancestors, other, label) / tallest for other in classes]
        whole = sum(math.exp(-beta * distance) for distance in distances)
        normaliser = sum(map(math.exp, values))
        for other in classes:
            target = math.exp(-beta * distances[other]) / whole
            total -= target * math.log(math.exp(values[other]) / normaliser)
    return total / len(labels)


@given(problem=problems(), alpha=st.floats(0, 3))
def test_hierarchical_cross_entropy_equals_the_slow_loop(problem, alpha):
    ancestors, logits, labels = problem
    loss = loss_of(HierarchicalCrossEntropy(alpha), ancestors, logits, labels)
    expected = slow_hierarchical(ancestors, alpha, logits, labels)
    assert float(loss) == pytest.approx(expected, rel=1e-8, abs=1e-10)


@given(problem=problems(), beta=st.floats(0, 40))
def test_soft_hierarchical_labels_equal_the_slow_loop(problem, beta):
    ancestors, logits, labels = problem
    loss = loss_of(SoftHierarchicalLabels(beta), ancestors, logits, labels)
    assert float(loss) == pytest.approx(slow_soft(ancestors, beta, logits, labels), rel=1e-8)


@given(problem=problems())
def test_alpha_of_nothing_gives_cross_entropy_exactly(problem):
    ancestors, logits, labels = problem
    hierarchical = loss_of(HierarchicalCrossEntropy(0.0), ancestors, logits, labels)
    plain = loss_of(CrossEntropy(), ancestors, logits, labels)
    assert float(hierarchical) == pytest.approx(float(plain), rel=1e-12)
    descent = tree_descent(tree_of(ancestors), 0.0)
    assert (descent.own == 1).all()
    assert (descent.above == 0).all()


def tree_of(ancestors):
    return class_tree(classes_with(ancestors), "dataset")


@given(alpha=st.floats(0, 4), seed=st.integers(0, 100))
def test_a_flat_tree_gives_cross_entropy_up_to_the_weight_of_its_level(alpha, seed):
    logits = torch.randn(3, 4, generator=generator(seed), dtype=torch.float64)
    labels = [0, 2, 3]
    made = loss_of(HierarchicalCrossEntropy(alpha), FLAT, logits, labels)
    plain = loss_of(CrossEntropy(), FLAT, logits, labels)
    assert float(made) == pytest.approx(math.exp(-alpha) * float(plain), 1e-10)


def test_a_large_beta_gives_the_label_and_none_makes_all_classes_equal():
    rows = SoftHierarchicalLabels(1e6).rows(classes_with(TREE))
    assert torch.equal(rows, torch.eye(5, dtype=torch.float64))
    flat = SoftHierarchicalLabels(0.0).rows(classes_with(TREE))
    assert torch.allclose(flat, torch.full_like(flat, 1 / 5))


def test_a_flat_tree_smooths_labels_evenly():
    rows = SoftHierarchicalLabels(2.0).rows(classes_with(FLAT))
    others = rows[~torch.eye(4, dtype=torch.bool)]
    assert torch.allclose(others, torch.full_like(others, math.exp(-2) / (1 + 3 * math.exp(-2))))


@pytest.mark.parametrize("loss", [HierarchicalCrossEntropy(0.7), SoftHierarchicalLabels(5.0)])
@given(problem=problems(), data=st.data())
def test_permuting_classes_changes_nothing(loss, problem, data):
    ancestors, logits, labels = problem
    order = data.draw(st.permutations(range(len(ancestors))))
    other = tuple(ancestors[place] for place in order)
    moved = [order.index(label) for label in labels]
    one = loss_of(loss, ancestors, logits, labels)
    assert float(loss_of(loss, other, logits[:, order], moved)) == pytest.approx(float(one), 1e-9)


def test_mistakes_within_a_genus_cost_less_than_others():
    logits = torch.full((1, 9), -9.0, dtype=torch.float64)
    near, far = logits.clone(), logits.clone()
    near[0, 1], far[0, 8] = 3.0, 3.0  # the class is 0; 1 is of its genus, 8 is not
    for loss in (HierarchicalCrossEntropy(0.5), SoftHierarchicalLabels(4.0)):
        assert loss_of(loss, EVEN, near, [0]) < loss_of(loss, EVEN, far, [0])
    equal = [loss_of(CrossEntropy(), EVEN, one, [0]) for one in (near, far)]
    assert float(equal[0]) == pytest.approx(float(equal[1]))


def test_a_large_alpha_asks_for_the_first_edges_alone():
    logits = torch.randn(1, 9, generator=generator(3), dtype=torch.float64)
    made = loss_of(HierarchicalCrossEntropy(20.0), EVEN, logits, [4])
    genus = logits.softmax(1)[0, 3:6].sum()
    assert float(made) / math.exp(-20) == pytest.approx(-math.log(float(genus)), rel=1e-6)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_loss_stays_exact_where_probabilities_underflow(kind):
    logits = torch.full((1, 9), 0.0, dtype=kind)
    logits[0, :3] = torch.tensor([-2000.0, -2001.0, -2002.0])
    logits.requires_grad_()
    targets = targets_of(HierarchicalCrossEntropy(0.3), EVEN, [0])
    targets = targets._replace(distribution=targets.distribution.to(kind))
    loss = HierarchicalCrossEntropy(0.3).score(logits, targets)
    within = math.log(1 + math.exp(-1) + math.exp(-2))
    between = 2000 - within + math.log(6)
    expected = math.exp(-0.6) * within + math.exp(-0.3) * between
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-6)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(gradient).all()
    assert float(gradient.sum()) == pytest.approx(0, abs=1e-6)


@given(problem=problems(), alpha=st.floats(0, 2))
def test_gradients_are_those_of_the_formula(problem, alpha):
    ancestors, logits, labels = problem
    loss = HierarchicalCrossEntropy(alpha)
    targets = targets_of(loss, ancestors, labels)
    logits = (logits / 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss.score(z, targets), (logits,))


def test_scores_are_linear_in_targets_so_mixed_targets_have_the_mixed_score():
    loss = HierarchicalCrossEntropy(0.5)
    logits = torch.randn(1, 5, generator=generator(1), dtype=torch.float64)
    first, second = targets_of(loss, TREE, [0]), targets_of(loss, TREE, [3])
    mixed = first._replace(distribution=0.3 * first.distribution + 0.7 * second.distribution)
    expected = 0.3 * loss.score(logits, first) + 0.7 * loss.score(logits, second)
    assert float(loss.score(logits, mixed)) == pytest.approx(float(expected), 1e-12)


@given(seed=st.integers(0, 200), spread=st.sampled_from([1.0, 500.0]))
def test_logarithms_of_sums_by_group_equal_the_slow_loop(seed, spread):
    source = generator("groups", seed)
    groups = torch.cat([torch.arange(3), torch.randint(3, (4,), generator=source)])
    values = spread * torch.randn(2, 7, generator=source, dtype=torch.float64)
    made = grouped_logsumexp(values, groups, 3)
    for row in range(2):
        for group in range(3):
            own = values[row][groups == group].tolist()
            top = max(own)
            slow = top + math.log(sum(math.exp(one - top) for one in own))
            assert float(made[row, group]) == pytest.approx(slow, rel=1e-10)


@pytest.mark.parametrize("loss", [HierarchicalCrossEntropy(), SoftHierarchicalLabels()])
def test_the_losses_keep_the_contract_of_their_kind(loss):
    check_component(loss)
    loss.check(tiny_images())


@pytest.mark.parametrize("loss", [HierarchicalCrossEntropy(), SoftHierarchicalLabels()])
def test_images_from_nowhere_are_refused(loss):
    batch = Batch(torch.zeros(1, 3, 2, 2), (0,), torch.tensor([0]))
    with pytest.raises(MismatchError) as refused:
        loss.targets(batch, classes=5, epoch=0, generator=generator(0))
    assert str(refused.value) == (
        f"loss {loss.name!r} asks a dataset about its classes, and these images are of none; "
        "give the batch its `source`"
    )


def test_targets_from_nowhere_are_refused():
    loss = HierarchicalCrossEntropy()
    targets = targets_of(loss, TREE, [0])._replace(source=None)
    with pytest.raises(MismatchError) as refused:
        loss.score(torch.zeros(1, 5), targets)
    assert str(refused.value) == (
        "loss 'hierarchical-cross-entropy' scores targets of a dataset, and these are of none; "
        "give the targets their `source`"
    )


@pytest.mark.parametrize("loss", [HierarchicalCrossEntropy(), SoftHierarchicalLabels()])
def test_what_is_no_tree_is_refused_before_anything_is_trained(loss):
    crossed = (("a", "b", "all"), ("a", "c", "all"))
    with pytest.raises(MismatchError, match="no tree: 'a' stands below 'b' and below 'c'"):
        loss.check(images_of(crossed))


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_alpha_and_beta_are_finite_numbers_and_not_negative(value):
    with pytest.raises(ValueError, match=r"alpha is .*; it needs a finite number of at least 0"):
        HierarchicalCrossEntropy(value)
    with pytest.raises(ValueError, match=r"beta is .*; it needs a finite number of at least 0"):
        SoftHierarchicalLabels(value)


@pytest.mark.parametrize("kind", [HierarchicalCrossEntropy, SoftHierarchicalLabels])
def test_a_table_says_which_nouns_of_wordnets_tree_the_classes_are(kind, tmp_path):
    images = images_of(FLAT)
    nouns = dict(zip(images.dataset.class_names(), ("cat", "dog", "bird", "truck"), strict=True))
    file = tmp_path / "synsets.csv"
    rows = [f"{name},{noun}.n.01" for name, noun in nouns.items()]
    file.write_text("\n".join(["class,synset", *rows]))
    loss = kind(hierarchy="wordnet", synsets=str(file))
    loss.check(images)
    logits = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    near, far = (float(loss_of(loss, FLAT, row[None], [0])) for row in logits)
    assert near < far


@pytest.mark.parametrize("kind", [HierarchicalCrossEntropy, SoftHierarchicalLabels])
def test_a_table_of_synsets_that_changes_changes_the_tree_of_the_loss(kind, tmp_path):
    file = tmp_path / "synsets.csv"
    file.write_text("class,synset\nA,cat.n.01\n")
    loss = kind(hierarchy="wordnet", synsets=str(file))
    before = loss.tree()
    file.write_text("class,synset\nA,truck.n.01\n")
    assert loss.tree() != before
