"""The conclusion in a sentence, interval first and p second, and what is to be said with it."""

from collections.abc import Iterator, Sequence

from xbench.commands import counted
from xbench_study.analysis.accuracies import Accuracies, Test, people_in_both
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import p_words, points_cell
from xbench_study.analysis.tables.accuracy_tables import t_text


def conclusion(
    of: Accuracies, titles: Sequence[str], pair: tuple[int, int], test: Test, who: str
) -> str:
    """Whether the interval of the difference leaves zero out, the interval, then the test."""
    first, second = (titles[place] for place in pair)
    difference, result = of.means.difference(*pair), of.test(*pair, test)
    if difference.low > 0 or difference.high < 0:
        word = "more" if difference.value > 0 else "less"
        verdict = f"{who} are right {word} often under “{first}” than under “{second}”"
    else:
        verdict = f"No difference is shown between “{first}” and “{second}” ({who.lower()})"
    level = f"{100 * of.means.level:.0f} %"
    images = " and ".join(str(of.sizes(place).images) for place in pair)
    over = str(of.shared_images(*pair)) if test == "paired" else images
    return (
        f"{verdict}: {points_cell(difference)} points ({level} interval, images and participants "
        f"resampled); {test} t-test over {over} images: {t_text(result)}, {p_words(result.p)}."
    )


def remarks(answers: Answers, assignment: str) -> Iterator[str]:
    """What a reader must know of who answered."""
    both, people = people_in_both(answers)
    if assignment == "between" and both:
        yield (
            f"{both} of {counted(people, 'participant')} answered in several conditions, although "
            "nobody should: tests over images take the groups to be independent, so their p is too "
            "small. The intervals take it into account."
        )
    left_out = answers.where(answers.excluded != "")
    reasons = sorted(set(left_out.excluded.tolist()))
    for reason in reasons:
        own = left_out.where(left_out.excluded == reason)
        persons = counted(len(set(own.participants.tolist())), "participant")
        yield f"{persons} left out of the tables without exclusions ({len(own)} answers): {reason}."
    skipped = int(answers.skipped.sum())
    if skipped:
        yield f"{counted(skipped, 'question')} skipped; they count as no answer."
