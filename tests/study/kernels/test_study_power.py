import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from xbench_study.kernels.effects import Effects, expected_accuracy, image_logits, locations
from xbench_study.kernels.power import Plan, needed, people_of, rejections, simulated_power

BOTH = [
    Effects((0.63, 0.72), 1.0, 0.6),
    Effects((0.63, 0.72), 0.2, 0.6, "beta-binomial"),
]
STUDIES = 1500


def grid(points=201):
    """Ranks of images, effects of people, and the probability of each."""
    ranks = (np.arange(points) + 0.5) / points
    return ranks, stats.norm.ppf(ranks)


def shares(effects, location):
    """P(right) for images (rows) and people (columns) of a fine grid."""
    ranks, people = grid()
    return expit(image_logits(effects, location, ranks)[:, None] + effects.participant * people)


def closed_form(effects, plan):
    """Power of the t test of a mean difference whose variance follows from both effects.

    The answers to an image share its ease, the answers of a person share the person's; the test
    believes that images vary independently, so it sees less than the variance that there is.
    """
    n, k, each = plan.images, plan.answers, plan.images * plan.answers / plan.people
    ps = [shares(effects, location) for location in locations(effects)]
    eases = [p.mean(1) for p in ps]
    noise = sum((ease * (1 - ease)).mean() / k for ease in eases)
    # Of any two answers to different images, this share is of one person, with this covariance.
    common = (each - 1) / (n * k - 1) * sum(p.mean(0).var() for p in ps)
    varied = (eases[0] - eases[1]).var() if plan.test == "paired" else sum(e.var() for e in eases)
    seen = np.sqrt((varied + noise - common) / n)
    real = np.sqrt((varied + noise) / n + common)
    degrees = n - 1 if plan.test == "paired" else 2 * n - 2
    bound = stats.t.ppf(1 - plan.alpha / 2, degrees) * seen
    difference = stats.norm(ps[0].mean() - ps[1].mean(), real)
    return difference.cdf(-bound) + difference.sf(bound)


@pytest.mark.parametrize("effects", BOTH, ids=lambda of: of.family)
@pytest.mark.parametrize("test", ["paired", "unpaired"])
def test_power_is_that_of_a_closed_form(effects, test):
    plan = Plan(test, images=80, people=60, answers=5)
    found = simulated_power(effects, plan, STUDIES, np.random.default_rng(0), level=0.999)
    assert found.low < closed_form(effects, plan) < found.high
    assert 0.2 < found.value < 0.95


@pytest.mark.parametrize("family", ["logit-normal", "beta-binomial"])
@pytest.mark.parametrize("test", ["paired", "unpaired"])
def test_size_is_nominal_where_people_do_not_vary(family, test):
    effects = Effects((0.7, 0.7), 0.3, 0.0, family)
    found = simulated_power(
        effects, Plan(test, 60, 300, 5), STUDIES, np.random.default_rng(1), level=0.999
    )
    assert found.low < 0.05 < found.high


def test_people_who_vary_make_the_test_over_images_find_what_is_not_there():
    effects = Effects((0.7, 0.7), 0.5, 1.0)
    found = simulated_power(effects, Plan("paired", 200, 12, 5), 300, np.random.default_rng(0))
    assert found.low > 0.1


@pytest.mark.parametrize("effects", BOTH, ids=lambda of: of.family)
def test_accuracies_over_all_images_and_people_are_the_wanted_ones(effects):
    for location, wanted in zip(locations(effects), effects.accuracies, strict=True):
        assert expected_accuracy(effects, location) == pytest.approx(wanted, abs=1e-6)
        assert shares(effects, location).mean() == pytest.approx(wanted, abs=3e-3)


def test_the_image_effect_of_the_beta_family_is_a_correlation_of_answers():
    effects = Effects((0.3, 0.6), 0.25, 0.0, "beta-binomial")
    for location in locations(effects):
        own = shares(effects, location).mean(1)
        assert own.var() / own.mean() / (1 - own.mean()) == pytest.approx(0.25, abs=0.005)


def test_studies_are_tested_one_by_one_as_scipy_does():
    accuracies = np.random.default_rng(0).integers(0, 6, (2, 40, 9)) / 5
    accuracies[0] += 0.2
    paired = rejections(accuracies, Plan("paired", 9, 5, 5))
    unpaired = rejections(accuracies, Plan("unpaired", 9, 5, 5))
    assert paired.tolist() == (stats.ttest_rel(*accuracies, axis=1).pvalue < 0.05).tolist()
    assert unpaired.tolist() == (stats.ttest_ind(*accuracies, axis=1).pvalue < 0.05).tolist()


def test_people_take_turns_and_nobody_answers_an_image_twice():
    people = people_of(Plan("paired", 11, 7, 5))
    assert all(len(set(row)) == 5 for row in people.tolist())
    assert np.ptp(np.bincount(people.ravel())) <= 1


def test_the_search_finds_where_power_is_reached():
    effects, plan = Effects((0.6, 0.75), 1.0, 0.3), Plan("paired", 60, 20, 4)
    for vary in ("images", "people"):
        size = needed(effects, plan, 0.8, vary, studies=200, seed=3)
        sized = plan._replace(images=size) if vary == "images" else None
        if sized is None:
            sized = plan._replace(people=size, answers=max(1, min(size, round(size / 5))))
        power = simulated_power(effects, sized, 200, np.random.default_rng(3))
        assert power.value >= 0.8
    assert needed(effects, plan, 0.9999, "images", studies=50, seed=0, most=4) is None


@pytest.mark.parametrize(
    ("effects", "plan", "words"),
    [
        (Effects((0.0, 0.5), 1, 1), Plan("paired", 9, 9, 3), "lie between 0 and 1"),
        (Effects((0.4, 0.5), -1, 1), Plan("paired", 9, 9, 3), "vary by 0 or more"),
        (Effects((0.4, 0.5), 1, 0, "beta-binomial"), Plan("paired", 9, 9, 3), "below 1"),
        (Effects((0.4, 0.5), 1, 1), Plan("paired", 9, 2, 3), "as many people as answers"),
        (Effects((0.4, 0.5), 1, 1), Plan("paired", 1, 9, 3), "at least 2 images"),
    ],
)
def test_what_cannot_be_is_refused(effects, plan, words):
    with pytest.raises(ValueError, match=words):
        simulated_power(effects, plan, 10, np.random.default_rng(0))
