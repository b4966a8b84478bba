"""Tables of accuracies: conditions, what is between two of them, and categories."""

from collections.abc import Iterator, Sequence

import numpy as np

from xbench.commands import Row, Table
from xbench_study.analysis.accuracies import Accuracies, Sizes, Test
from xbench_study.analysis.cells import number_cell, number_text, p_text, points_cell, share_cell
from xbench_study.kernels.clustered_means import Estimate
from xbench_study.kernels.crossed_logistic import CrossedLogistic
from xbench_study.kernels.posteriors import Posterior, condition_posterior
from xbench_study.kernels.t_tests import TTest

MOST_EFFECTS = 3000
"""Images and people; the model's time grows with their number's cube."""
NO_POSTERIOR = (
    f"No posterior: the mixed logistic model takes up to {MOST_EFFECTS} images and people, with "
    "answers in both conditions."
)


def sizes_text(sizes: Sizes) -> str:
    """Images, answers and people, as table heads say."""
    return f"{sizes.images} / {sizes.answers} / {sizes.people}"


SIZES = "images / answers / people"


def condition_table(of: Accuracies, titles: Sequence[str], level: str, sample: str) -> Table:
    """The accuracy of each condition."""
    rows = tuple(
        Row(title, (share_cell(of.means.estimate(place)), sizes_text(of.sizes(place))))
        for place, title in enumerate(titles)
    )
    title = f"Right answers in per cent by condition, with {level} intervals, {sample}"
    return Table(title, ("", "right", SIZES), rows, CLUSTERED)


CLUSTERED = "Intervals: images and participants resampled, both at once (pigeonhole bootstrap)."


def category_table(
    of: Accuracies, titles: Sequence[str], pair: tuple[int, int], test: Test, sample: str
) -> Table:
    """Each category in both conditions, the difference, and p with and without Holm."""
    first, second = (titles[place] for place in pair)
    columns = ("", first, SIZES, second, SIZES, "difference", "p", "p (Holm)")
    rows = tuple(
        Row(
            one.category,
            (
                *(
                    cell
                    for mean, sizes in zip(one.means, one.sizes, strict=True)
                    for cell in (share_cell(mean), sizes_text(sizes))
                ),
                points_cell(one.difference),
                p_text(one.test.p),
                p_text(one.holm),
            ),
        )
        for one in of.by_category(*pair, test)
    )
    title = f"Right answers in per cent by category, {sample}; p of the {test} t-test over images"
    return Table(title, columns, rows, CLUSTERED)


def comparison_table(
    of: Accuracies, titles: Sequence[str], pair: tuple[int, int], test: Test, sample: str
) -> Table:
    """All that is said of the difference between two conditions."""
    first, second = (titles[place] for place in pair)
    title = f"{first} minus {second}, in percentage points unless said otherwise, {sample}"
    posterior = pair_posterior(of, pair)
    rows = [
        Row("images and participants resampled", (points_cell(of.means.difference(*pair)), "", "")),
        *_standardised(of, pair, first),
        *_tests(of, pair, test),
        *_posterior(posterior),
    ]
    legend = NO_POSTERIOR if posterior is None else ""
    return Table(title, ("", "difference", "t", "p"), tuple(rows), legend)


def _standardised(of: Accuracies, pair: tuple[int, int], title: str) -> Iterator[Row]:
    if len(of.categories) > 1:
        cell = points_cell(of.standardised(*pair))
        yield Row(f"the same at the category mix of {title}", (cell, "", ""))


def _tests(of: Accuracies, pair: tuple[int, int], test: Test) -> Iterator[Row]:
    """The primary test first."""
    tests = {f"{test} t-test over images (primary)": of.test(*pair, test)}
    if test == "paired":
        tests["unpaired t-test over images"] = of.test(*pair, "unpaired")
    tests["Welch's t-test over images"] = of.welch(*pair)
    for name, result in tests.items():
        yield Row(name, (_test_cell(result), t_text(result), p_text(result.p)))


def _test_cell(result: TTest) -> str:
    return points_cell(Estimate(result.difference, result.low, result.high))


def t_text(result: TTest) -> str:
    """The statistic with its degrees of freedom."""
    degrees = f"{result.degrees:.1f}".removesuffix(".0")
    return "–" if np.isnan(result.t) else f"t({degrees}) = {number_text(result.t)}"


def _posterior(says: Posterior | None) -> Iterator[Row]:
    if says is not None:
        how = f"posterior ({says.approximation})"
        yield Row(f"{how}: probability", (points_cell(says.difference), "", ""))
        yield Row(f"{how}: odds ratio", (number_cell(says.odds_ratio), "", ""))


def pair_posterior(of: Accuracies, pair: tuple[int, int]) -> Posterior | None:
    """What the mixed logistic model says of one condition against another.

    None where there are too many images and people for it, or none in one of both.
    """
    conditions = [of.conditions[place] for place in pair]
    own = of.scored.where(np.isin(of.scored.conditions, conditions))
    images, people = (
        np.unique(key, return_inverse=True)[1] for key in (own.images, own.participants)
    )
    inside = own.conditions == conditions[0]
    if not inside.any() or inside.all() or images.max() + people.max() > MOST_EFFECTS:
        return None
    design = np.column_stack([np.ones(len(own)), inside])
    model = CrossedLogistic(design, own.right, images, people)
    plan = of.draws.resampling
    return condition_posterior(model, np.random.default_rng(plan.seed), level=plan.level)
