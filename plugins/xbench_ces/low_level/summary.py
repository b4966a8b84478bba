"""From rows to scores: whether the matching concept explains why the class gets less probable."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Shaped
from scipy.stats import rankdata

from xbench import CaseScores, Tree, Unit
from xbench_ces.kernels.appearance import Perturbation
from xbench_ces.low_level.rows import Course, Target, courses

Scale = Literal["raw", "log"]
SCALES: tuple[Scale, ...] = ("raw", "log")
EXACT = 1e-9
"""By how much rounding may put a rank correlation below the one it is compared with."""
LEADERS = 5
"""How many of the concepts that rise most are noted."""


class Scoring(NamedTuple):
    """What a summary needs to know of the protocol."""

    targets: tuple[Target, ...]
    perturbation: Perturbation
    score: Scale
    minimum_probability: float
    correlation: float

    def alike(self, course: Course) -> tuple[str, ...]:
        """Concepts that mean much the same as the one that matches the image's class."""
        groups = (target.alike for target in self.targets if target.class_name == course.class_name)
        return next(groups, ())

    def matching(self) -> tuple[str, ...]:
        """The concepts that match some class, such as all colours."""
        return tuple(dict.fromkeys(target.concept for target in self.targets))


class Judgement(NamedTuple):
    """What is asked of one image's scores; NaN where it cannot be told, truths as 0 or 1."""

    positive: float
    """The matching concept's score at the last step is above zero."""
    rises: float
    """It is higher than at the first step, and goes with the steps."""
    most: float
    """It rises more than the score of every other concept."""
    most_of_targets: float
    """It rises more than the scores of the concepts that match other classes."""
    size: float
    """How far it rises."""
    correlation: float
    """Its rank correlation with the steps."""
    chance: float
    """How often a random concept would rise most."""

    @property
    def explained(self) -> float:
        """It is positive at the end, rises, and rises most of all."""
        return self.positive * self.rises * self.most


UNKNOWN = Judgement(*[float("nan")] * len(Judgement._fields))


def reason_not_scored(course: Course, scoring: Scoring) -> str:
    """Why an image is not scored; "" where it is."""
    if not course.correct:
        return "wrong"
    if course.probability[0] < scoring.minimum_probability:
        return "unsure"
    return "" if course.matching in course.concepts else "concept_not_kept"


def falls(course: Course, scoring: Scoring) -> float:
    """1 where the probability is lower in the end and falls with the steps; NaN if not scored."""
    if reason_not_scored(course, scoring):
        return float("nan")
    lower = course.probability[-1] < course.probability[0]
    return float(lower and rank_correlation(course.probability) <= EXACT - scoring.correlation)


def course_judgement(course: Course, scoring: Scoring, scale: Scale) -> Judgement:
    """What is asked of the image's raw scores, or of its differences of log P."""
    if reason_not_scored(course, scoring):
        return UNKNOWN
    scores = of_scale(course, scale)
    place = course.concepts.index(course.matching)
    matching, rises = scores[:, place], scores[-1] - scores[0]
    rivals = _rivals(course, scoring)
    targets = rivals & np.isin(course.concepts, scoring.matching())
    correlation = rank_correlation(matching)
    return Judgement(
        positive=float(matching[-1] > 0),
        rises=float(rises[place] > 0 and correlation >= scoring.correlation - EXACT),
        most=_is_largest(rises[place], rises[rivals]),
        most_of_targets=_is_largest(rises[place], rises[targets]),
        size=float(rises[place]),
        correlation=correlation,
        chance=1 / (1 + int(rivals.sum())),
    )


def of_scale(course: Course, scale: Scale) -> Float64[np.ndarray, "steps concepts"]:
    """The scores in this scale."""
    return course.raw if scale == "raw" else course.logarithmic


def _rivals(course: Course, scoring: Scoring) -> Bool[np.ndarray, " concepts"]:
    """All concepts but the matching one and those that mean much the same."""
    return ~np.isin(course.concepts, [course.matching, *scoring.alike(course)])


def _is_largest(value: float, others: Float64[np.ndarray, " n"]) -> float:
    """Whether it is larger than all others; NaN where there are none."""
    return float(value > others.max()) if len(others) else float("nan")


def rank_correlation(values: Float64[np.ndarray, " steps"]) -> float:
    """Spearman's correlation of the values with their order; NaN where all are the same."""
    if np.ptp(values) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(values), np.arange(len(values)))[0, 1])


def case_scores(table: pa.Table, scoring: Scoring) -> Sequence[CaseScores]:
    """The headline first; each score with raw differences and with differences of log P."""
    images = list(courses(table))
    order = sorted(SCALES, key=lambda scale: scale != scoring.score)
    scores = [score for scale in order for score in _scores(images, scale, scoring)]
    rates = [falls(image, scoring) for image in images]
    return [*scores, _score("probability falls", case_names(images), rates)]


def case_names(images: Sequence[Course]) -> Shaped[np.ndarray, " n"]:
    """The names of the images' cases."""
    return np.array([image.case for image in images], object)


def _scores(images: Sequence[Course], scale: Scale, scoring: Scoring) -> list[CaseScores]:
    cases = case_names(images)
    judgements = [course_judgement(image, scoring, scale) for image in images]
    chances = [judgement.chance for judgement in judgements if not np.isnan(judgement.chance)]
    chance = float(np.mean(chances)) if chances else None
    headline = scale == scoring.score

    def make(name: str, value: Callable[[Judgement], float], unit: Unit = "share") -> CaseScores:
        values = [value(judgement) for judgement in judgements]
        return _score(f"{name}@{scale}", cases, values, unit=unit)

    explained = [judgement.explained for judgement in judgements]
    most = [judgement.most for judgement in judgements]
    return [
        _score(f"explained@{scale}", cases, explained, headline=headline),
        make("positive at the end", lambda judgement: judgement.positive),
        make("rises", lambda judgement: judgement.rises),
        _score(f"rises most@{scale}", cases, most, chance=chance),
        make("rises most of the targets' concepts", lambda judgement: judgement.most_of_targets),
        make("size of the rise", lambda judgement: judgement.size, "number"),
        make("rank correlation", lambda judgement: judgement.correlation, "number"),
    ]


def _score(
    name: str,
    cases: Shaped[np.ndarray, " n"],
    values: Sequence[float],
    *,
    headline: bool = False,
    unit: Unit = "share",
    chance: float | None = None,
) -> CaseScores:
    numbers = np.array(values, np.float64)
    return CaseScores(name, "higher", cases, numbers, headline, unit, chance)


def table_notes(table: pa.Table, scoring: Scoring) -> Tree:
    """Counts of images by why they were not scored, and which concepts rose most."""
    images = list(courses(table))
    reasons = Counter(reason_not_scored(image, scoring) for image in images)
    scored_images = [image for image in images if not reason_not_scored(image, scoring)]
    counts = {f"not_scored_{name}": n for name, n in sorted(reasons.items()) if name}
    return {
        "images": len(images),
        "scored": len(scored_images),
        **counts,
        "concepts": len(images[0].concepts) if images else 0,
        "rose_most": {scale: _leaders(scored_images, scale) for scale in SCALES},
    }


def _leaders(images: Sequence[Course], scale: Scale) -> Tree:
    """How often each of the concepts that rose most of all did."""
    counts: Counter[str] = Counter()
    for image in images:
        scores = of_scale(image, scale)
        counts[image.concepts[int((scores[-1] - scores[0]).argmax())]] += 1
    return dict(counts.most_common(LEADERS))
