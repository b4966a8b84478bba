"""From the entries of a benchmark to rankings: who pairs, who is ranked, and how sure that is."""

from collections.abc import Sequence

from xbench.errors import MismatchError, SubmissionError, UnknownNameError
from xbench.kernels.ranks import RankRule
from xbench.results.board.plain_text import shown_text
from xbench.results.board.standings.filled import filled
from xbench.results.board.standings.groups import Group, apart, groups
from xbench.results.board.standings.lines import ALPHA, in_order, lines, told_difference
from xbench.results.board.standings.published import chance, published
from xbench.results.board.standings.ranking import Ranking, Standing, better
from xbench.results.board.standings.submitted import Submitted
from xbench.results.numbers import listed
from xbench.results.record import ScoreRecord

MARGINAL = RankRule()
CASE = "case"
"""What a case is where records do not say it."""


def standing(
    entries: Sequence[Submitted], score: str | None = None, rule: RankRule = MARGINAL
) -> Standing:
    """Where the entries of one benchmark stand, by the score that ranks or one by name.

    The order of `entries` has no meaning. Intervals have the level of the records; whatever
    else of them `rule` says. `SubmissionError` where there is no entry, `UnknownNameError` for
    a score that none has, `MismatchError` where entries disagree about what ranks.
    """
    if not entries:
        message = "the board has no entry of this benchmark that is ranked; add one first"
        raise SubmissionError(message)
    _check_names(entries)
    found = groups(entries)
    main = found[0].measure
    _check_known(entries, score)
    rankings = [_ranking(group, apart(group.measure, main), score, rule) for group in found]
    headings = [one.record.heading for one in found[0].entries]
    titles = (shown_text(of.title, 120) for of in headings if of is not None and of.title)
    return Standing(entries[0].entry.benchmark, next(titles, ""), tuple(rankings))


def _check_names(entries: Sequence[Submitted]) -> None:
    """Raise `MismatchError` unless the entries are of one benchmark, each with its own name."""
    benchmarks = sorted({one.entry.benchmark for one in entries})
    if len(benchmarks) > 1:
        message = f"entries of {listed(benchmarks)} have no ranks in common; rank one benchmark"
        raise MismatchError(message)
    names = [one.name for one in entries]
    for name in names:
        if names.count(name) > 1:
            raise MismatchError(f"two entries are called {name!r}; rank the one that is current")


def _check_known(entries: Sequence[Submitted], score: str | None) -> None:
    known = {of.name for one in entries for of in one.record.scores}
    if score is not None and score not in known:
        raise UnknownNameError("score", score, known)


def _ranking(group: Group, differs: str, name: str | None, rule: RankRule) -> Ranking:
    score = _common_score(group.entries, name)
    rule = rule._replace(level=group.measure.level)
    entries = in_order(group.entries)
    tables = {one.name: one.submission.scores for one in entries}
    values = filled(tables, score, group.measure.networks)
    source, figures = published(entries, score.name)
    headings = [one.record.heading for one in entries]
    return Ranking(
        apart=differs,
        version=group.measure.version,
        score=score.name,
        direction=better(score),
        unit=score.unit,
        case=next((shown_text(of.case, 20) for of in headings if of is not None), CASE),
        cases=values.cases,
        scored=len(values.values),
        clusters=len(values.counts),
        networks=group.measure.networks,
        lines=lines(entries, values, score, rule),
        worst=values.worst,
        level=rule.level,
        simultaneous=rule.simultaneous,
        stepdown=rule.stepdown,
        resamples=rule.resamples,
        seed=rule.seed,
        alpha=ALPHA,
        detectable=told_difference(entries, values),
        chance=chance(entries, score.name),
        published=figures,
        source=source,
        crossed=values.crossed,
    )


def _common_score(entries: Sequence[Submitted], name: str | None) -> ScoreRecord:
    """The score that all entries are ranked by; those that lack it left out all of its cases."""
    scores = {one.name: score for one in entries if (score := one.score(name)) is not None}
    meanings: dict[tuple[str, str, str], list[str]] = {}
    for entry, score in scores.items():
        meanings.setdefault((score.name, score.direction, score.unit), []).append(entry)
    if len(meanings) > 1:
        told = [_meaning(*meaning, names) for meaning, names in meanings.items()]
        message = f"entries disagree about the score that ranks: {'; '.join(told)}"
        raise MismatchError(f"{message}; withdraw those that are wrong, or name another score")
    if not scores:
        what = f"the score {name!r}" if name else "a score that ranks"
        message = f"none of {listed([one.name for one in entries])} has {what}"
        raise MismatchError(f"{message}; name another score")
    return next(iter(scores.values()))


def _meaning(score: str, direction: str, unit: str, names: list[str]) -> str:
    return f"{listed(names)} by {score!r} ({direction} is better, a {unit})"
