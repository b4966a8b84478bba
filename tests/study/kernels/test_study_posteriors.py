import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.special import expit

from xbench_study.kernels.crossed_logistic import CrossedLogistic
from xbench_study.kernels.posteriors import (
    Parameters,
    condition_posterior,
    nested_laplace,
    probability_differences,
)


def crossed(seed=0, *, people=10, images=12, n=150, effect=-0.5):
    rng = np.random.default_rng(seed)
    participants, shown = rng.integers(0, people, n), rng.integers(0, images, n)
    participants[:people], shown[:images] = np.arange(people), np.arange(images)
    condition = participants % 2
    score = rng.normal(0, 0.7, people)[participants] + rng.normal(0, 1, images)[shown]
    right = (rng.random(n) < expit(1 + effect * condition + score)).astype(float)
    design = np.column_stack([np.ones(n), condition])
    return CrossedLogistic(design, right, shown, participants)


def slow_density(model, effects, log_sds):
    """log p(answers, effects, log σ) as the model is written down, answer by answer."""
    k, images, _ = model.sizes
    total = 0.0
    for row in range(len(model.right)):
        score = model.design[row] @ effects[:k] + effects[k + model.images[row]]
        score += effects[k + images + model.participants[row]]
        p = 1 / (1 + np.exp(-score))
        total += np.log(p if model.right[row] else 1 - p)
    for place, effect in enumerate(effects):
        sd = 2 if place < k else np.exp(log_sds[0 if place < k + images else 1])
        total -= effect**2 / 2 / sd**2 + np.log(sd)
    return total - sum(value**2 / 2 for value in log_sds)


def test_the_density_is_the_models_and_that_of_statsmodels():
    glm = pytest.importorskip("statsmodels.genmod.bayes_mixed_glm")
    model, rng = crossed(), np.random.default_rng(1)
    k, images, people = model.sizes
    kinds = np.repeat([0, 1], [images, people])
    oracle = glm.BinomialBayesMixedGLM(
        model.right, model.design, model.columns[:, k:], kinds, vcp_p=1, fe_p=2
    )
    first, second = [], []
    for _ in range(3):
        effects, log_sds = rng.normal(size=k + images + people), rng.normal(size=2)
        ours = model.log_density(effects, log_sds)
        first.append(ours - slow_density(model, effects, log_sds))
        second.append(
            ours - oracle.logposterior(np.concatenate([effects[:k], log_sds, effects[k:]]))
        )
    assert np.ptp(first) == pytest.approx(0, abs=1e-9)
    assert np.ptp(second) == pytest.approx(0, abs=1e-8)


def test_the_mode_is_where_a_general_optimiser_finds_it():
    model, log_sds = crossed(), np.array([0.1, -0.4])
    mode = model.mode(log_sds)
    size = sum(model.sizes)
    slow = optimize.minimize(
        lambda effects: -model.log_density(effects, log_sds), np.zeros(size), method="BFGS"
    )
    np.testing.assert_allclose(mode.effects, slow.x, atol=1e-4)
    np.testing.assert_allclose(mode.covariance, slow.hess_inv[:2, :2], rtol=0.2, atol=0.02)


def test_the_posterior_is_near_that_of_a_random_walk():
    model, rng = crossed(n=120, people=6, images=6), np.random.default_rng(0)
    drawn = nested_laplace(model, np.random.default_rng(0), 4000)
    size = sum(model.sizes)
    start = model.mode(np.array([-0.3, -0.3]))
    state = np.concatenate([start.effects, [-0.3, -0.3]])
    density = model.log_density(state[:size], state[size:])
    chain = np.zeros((30000, 4))
    for step in range(len(chain)):
        proposal = state + rng.normal(0, 0.17, len(state))
        other = model.log_density(proposal[:size], proposal[size:])
        if np.log(rng.random()) < other - density:
            state, density = proposal, other
        chain[step] = state[[0, 1, size, size + 1]]
    walked = chain[5000:]
    np.testing.assert_allclose(drawn.coefficients.mean(0), walked[:, :2].mean(0), atol=0.2)
    np.testing.assert_allclose(drawn.coefficients.std(0), walked[:, :2].std(0), rtol=0.25)
    np.testing.assert_allclose(np.log(drawn.sds).mean(0), walked[:, 2:].mean(0), atol=0.25)


def test_a_difference_of_probabilities_is_an_integral_over_images_and_people():
    drawn = Parameters(np.array([[0.8, -0.6]]), np.array([[1.1, 0.4]]))
    sd = np.hypot(1.1, 0.4)
    slow, _ = integrate.quad(
        lambda z: (expit(0.2 + sd * z) - expit(0.8 + sd * z)) * np.exp(-z * z / 2), -9, 9
    )
    assert probability_differences(drawn)[0] == pytest.approx(slow / np.sqrt(2 * np.pi), abs=1e-6)


def test_an_effect_is_seen_in_both_scales_and_seeds_decide_nothing_else():
    model = crossed(n=1500, effect=-1.5)
    found, again = (condition_posterior(model, np.random.default_rng(7)) for _ in range(2))
    assert found == again
    assert found.odds_ratio.low < found.odds_ratio.value < found.odds_ratio.high
    assert found.odds_ratio.value < 0.6
    assert found.difference.value < -0.1
    assert found.approximation == "nested Laplace"


def test_answers_that_are_all_right_leave_a_wide_and_finite_posterior():
    model = crossed()
    same = CrossedLogistic(
        model.design, np.ones_like(model.right), model.images, model.participants
    )
    found = condition_posterior(same, np.random.default_rng(0))
    assert found.odds_ratio.low < 1 < found.odds_ratio.high
    assert np.isfinite(found.odds_ratio).all()


def test_the_variational_interval_is_far_too_narrow_where_people_are_in_one_condition():
    pytest.importorskip("statsmodels")
    model = crossed()
    wide, narrow = (
        condition_posterior(model, np.random.default_rng(0), approximation=approximation)
        for approximation in ("nested Laplace", "mean-field variational")
    )
    widths = [np.log(of.odds_ratio.high / of.odds_ratio.low) for of in (wide, narrow)]
    assert widths[1] < 0.75 * widths[0]
