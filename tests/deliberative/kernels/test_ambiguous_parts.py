"""Ground truth kernels against loops over pairs, and the real annotation of CUB-200-2011."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xbench import PartAttribute
from xbench_datasets.cub200.dataset import Cub200
from xbench_deliberative.kernels import ambiguous_parts as kernels
from xbench_deliberative.protocol.ground_truth import AmbiguousParts, facts, paper_strengths

PERCENT = arrays("float64", (5, 4), elements=st.floats(0, 100, width=16))


def slow_divergence(p: list[float], q: list[float]) -> float:
    return math.fsum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def slow_strength(p: list[float], q: list[float]) -> float:
    return math.exp(-(slow_divergence(p, q) + slow_divergence(q, p)))


def slow_jensen_shannon(p: list[float], q: list[float]) -> float:
    total = 0.0
    for a, b in zip(p, q, strict=True):
        m = (a + b) / 2
        total += (a * math.log(a / m) if a else 0) / 2 + (b * math.log(b / m) if b else 0) / 2
    return total


@given(PERCENT, st.sampled_from([0.01, 1.0, 10.0]))
def test_strengths_equal_their_slow_twin(values: object, smoothing: float) -> None:
    phi = kernels.smoothed(torch.as_tensor(values), smoothing)
    fast = kernels.ambiguity_strength(phi)
    for a in range(5):
        for b in range(5):
            slow = slow_strength(phi[a].tolist(), phi[b].tolist())
            assert math.isclose(float(fast[a, b]), slow, rel_tol=1e-9, abs_tol=1e-12)


@given(PERCENT)
def test_jensen_shannon_equals_its_slow_twin(values: object) -> None:
    phi = torch.as_tensor(values).softmax(1)
    fast = kernels.doubled_jensen_shannon(phi)
    for a in range(5):
        for b in range(5):
            slow = 2 * slow_jensen_shannon(phi[a].tolist(), phi[b].tolist())
            assert math.isclose(float(fast[a, b]), slow, abs_tol=1e-12)


@given(PERCENT, st.permutations(range(4)))
def test_strengths_are_symmetric_between_0_and_1_and_ignore_the_order_of_values(
    values: object, order: list[int]
) -> None:
    phi = kernels.smoothed(torch.as_tensor(values), 1.0)
    strengths = kernels.ambiguity_strength(phi)
    assert torch.equal(strengths, strengths.T)
    assert ((strengths >= 0) & (strengths <= 1)).all()
    assert (strengths.diagonal() == 1).all()
    assert torch.allclose(strengths, kernels.ambiguity_strength(phi[:, order]), atol=1e-12)


def slow_strongest(strengths: torch.Tensor, share: float) -> set[tuple[int, int, int]]:
    parts, classes, _ = strengths.shape
    triplets = [(p, a, b) for p in range(parts) for a in range(classes) for b in range(a)]
    triplets = [t for t in triplets if not math.isnan(strengths[t])]
    ordered = sorted(triplets, key=lambda t: -float(strengths[t]))
    last = float(strengths[ordered[max(1, round(share * len(ordered))) - 1]])
    return {t for t in triplets if float(strengths[t]) >= last}


@given(
    arrays("float64", (3, 5, 5), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    st.floats(0.01, 1),
)
def test_the_strongest_triplets_equal_their_slow_twin(values: object, share: float) -> None:
    strengths = torch.as_tensor(values).tril(-1)
    strengths = strengths + strengths.transpose(1, 2)
    found = kernels.strongest_triplets(strengths, share)
    kept = {tuple(t) for t in found.kept.nonzero().tolist() if t[1] > t[2]}
    assert kept == slow_strongest(strengths, share)
    assert torch.equal(found.kept, found.kept.transpose(1, 2))


def test_equal_triplets_are_kept_together_and_rounding_does_not_part_them() -> None:
    strengths = torch.ones(2, 3, 3, dtype=torch.float64)
    strengths[0, 0, 1] -= 1e-15
    assert int(kernels.strongest_triplets(strengths, 0.2).kept.sum()) == 12


def test_parts_without_attributes_are_neither_counted_nor_kept() -> None:
    values = ("red", "blue")
    frequencies = torch.tensor([[90.0, 10.0], [80.0, 20.0], [5.0, 95.0]], dtype=torch.float64)
    strengths = paper_strengths((PartAttribute(1, "colour", values, frequencies),), 3, 1.0)
    assert strengths[[0, 2]].isnan().all()
    found = kernels.strongest_triplets(strengths, 1 / 3)
    assert found.kept.nonzero().tolist() == [[1, 0, 1], [1, 1, 0]]


def test_a_parts_strength_is_the_mean_over_its_attributes() -> None:
    a = torch.tensor([[100.0, 0.0], [0.0, 100.0]], dtype=torch.float64)
    same = torch.tensor([[50.0, 50.0], [50.0, 50.0]], dtype=torch.float64)
    table = tuple(PartAttribute(0, n, ("x", "y"), f) for n, f in (("first", a), ("second", same)))
    strength = float(paper_strengths(table, 1, 1.0)[0, 0, 1])
    assert strength == pytest.approx((1 + float(paper_strengths(table[:1], 1, 1.0)[0, 0, 1])) / 2)


@given(arrays("float64", (2, 3), elements=st.floats(0, 1, width=16)))
def test_likelihood_ambiguity_follows_its_formula(values: object) -> None:
    a, b = torch.as_tensor(values)[:, None, :]
    fast = kernels.likelihood_ambiguity(a, b)
    for x, y, found in zip(a[0].tolist(), b[0].tolist(), fast[0].tolist(), strict=True):
        slow = math.exp(-abs(math.log(x) - math.log(y))) if x > 0 and y > 0 else 0.0
        assert math.isclose(found, slow, abs_tol=1e-12)


@pytest.fixture
def cub(realdata: Path) -> Cub200:
    return Cub200(root=str(realdata / "CUB_200_2011"))


@pytest.mark.realdata
def test_official_ground_truth_reproduces_the_published_oracle_on_cub(cub: Cub200) -> None:
    found = facts(AmbiguousParts(cub, "official", 0.0, 0.2).triplets())
    assert found["threshold"] == pytest.approx(0.6216, abs=5e-5)
    assert found["parts_per_pair"] == pytest.approx(2.94, abs=5e-3)
    assert found["empty_pairs"] == pytest.approx(0.186, abs=5e-4)


@pytest.mark.realdata
@pytest.mark.parametrize(("smoothing", "expected"), [(1e-6, 0.24), (0.1, 0.34), (1.0, 0.40)])
def test_paper_and_official_share_the_known_part_of_their_triplets_on_cub(
    cub: Cub200, smoothing: float, expected: float
) -> None:
    paper = AmbiguousParts(cub, "paper", smoothing, 0.2).triplets().kept
    official = AmbiguousParts(cub, "official", 0.0, 0.2).triplets().kept
    jaccard = int((paper & official).sum()) / int((paper | official).sum())
    assert jaccard == pytest.approx(expected, abs=0.006)


@pytest.mark.realdata
def test_paper_ground_truth_keeps_a_fifth_and_leaves_a_quarter_of_the_pairs_empty(
    cub: Cub200,
) -> None:
    found = facts(AmbiguousParts(cub, "paper", 1.0, 0.2).triplets())
    assert found["parts_per_pair"] == pytest.approx(3.0, abs=0.01)
    assert found["empty_pairs"] == pytest.approx(0.254, abs=0.001)
