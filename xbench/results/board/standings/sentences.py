"""What a standing says, in sentences that stand before its tables."""

from collections.abc import Iterator

from xbench.results.board.standings.ranking import Line, Ranking, Standing
from xbench.results.numbers import counted, interval_text, level_text, spoken, value_text
from xbench.results.prose.sentences import amount, quoted


def sentences(standing: Standing) -> tuple[str, ...]:
    """Who leads, who is not told from the leader, what beats entries, and how ranks are made."""
    main = standing.main
    return (
        *_leader(main),
        *_networks(main),
        *_floors(main),
        *_ceilings(main),
        *_left_out(main),
        *_detectable(main),
        *_method(main),
        *_apart(standing),
    )


def _leader(ranking: Ranking) -> Iterator[str]:
    """Who has the best value, its ranks, and whom it is not told apart from."""
    ranked = ranking.ranked
    if not ranked:
        yield f"No entry is ranked by {ranking.what}: there are floors and ceilings alone."
        return
    first, *others = ranked
    value = f"{spoken(first.value, ranking.unit)} {_ends(first, ranking)}"
    if not others:
        yield f"In {ranking.what} '{first.shown}' has {value}; no other entry is ranked."
        return
    best = f"In {ranking.what} '{first.shown}' has the best value of {len(ranked)} entries"
    yield f"{best} ({value}), {_of_ranks(first)}, and {_told_apart(first, ranking)}."


def _ends(line: Line, ranking: Ranking) -> str:
    return interval_text(line.low, line.high, ranking.unit)


def _of_ranks(line: Line) -> str:
    if line.rank_low == line.rank_high:
        return f"rank {line.rank_low}"
    return f"ranks {line.rank_low} to {line.rank_high}"


def _told_apart(first: Line, ranking: Ranking) -> str:
    alike, others = ranking.called(first.not_distinguished), len(ranking.ranked) - 1
    if not alike:
        return "is told apart from " + ("all others" if others > 1 else "the other")
    if len(alike) == others > 1:
        return "is not told apart from any other"
    return f"is not told apart from {quoted(alike)}"


def _networks(ranking: Ranking) -> Iterator[str]:
    """Whether the leader leads on each network."""
    ranks = ranking.ranked[0].by_network if len(ranking.ranked) > 1 else ()
    led = sum(rank == 1 for rank in ranks)
    if len(ranks) > 1:
        which = f"all {len(ranks)}" if led == len(ranks) else f"{led} of the {len(ranks)}"
        yield f"'{ranking.ranked[0].shown}' has the best value on {which} networks."


def _floors(ranking: Ranking) -> Iterator[str]:
    """Each floor that is better than an entry."""
    for floor in ranking.of_role("floor"):
        beaten = [line.shown for line in ranking.ranked if floor.name in line.beaten_by]
        if beaten:
            value = spoken(floor.value, ranking.unit)
            yield f"The floor '{floor.shown}' ({value}) is better than {quoted(beaten)}."


def _ceilings(ranking: Ranking) -> Iterator[str]:
    ceilings = ranking.of_role("ceiling")
    if ceilings:
        names = quoted([line.shown for line in ceilings])
        what = "knows" if len(ceilings) == 1 else "know"
        which = "a ceiling" if len(ceilings) == 1 else "ceilings"
        yield f"{names} {what} what the others do not: {which}, without rank."


def _left_out(ranking: Ranking) -> Iterator[str]:
    """Who lacks scores, and what that costs."""
    lacking = sorted((of for of in ranking.lines if of.left_out), key=lambda of: -of.left_out)
    if lacking:
        first = lacking[0]
        cases = f"{first.left_out} of {ranking.scored} {ranking.case}s, counted on each network"
        most = f"'{first.shown}' leaves out {cases}"
        more = f", the most of {len(lacking)} lines" if len(lacking) > 1 else ""
        worst = spoken(ranking.worst, ranking.unit)
        yield f"{most}{more}; what others score and one leaves out counts as {worst}, the worst."


def _detectable(ranking: Ranking) -> Iterator[str]:
    """The difference that a pair of entries must have to be told apart."""
    if ranking.detectable is not None:
        pairs = len(ranking.ranked) * (len(ranking.ranked) - 1) // 2
        of = f"the median of {pairs} pairs, each by itself" if pairs > 1 else "by itself"
        size = amount(ranking.detectable, ranking.unit)
        level = f"level {value_text(ranking.alpha, 'number')}"
        yield f"Detectable difference: {size}, at 80 % power and {level} ({of})."


def _method(ranking: Ranking) -> Iterator[str]:
    """How ranks and letters are made, and what they are conditional on."""
    of = f"{counted(ranking.clusters, ranking.case)}"
    if ranking.clusters != ranking.cases:
        of = f"{counted(ranking.clusters, 'cluster')} of {counted(ranking.cases, ranking.case)}"
    if len(ranking.ranked) > 1:
        kind = "hold all ranks at once" if ranking.simultaneous else "are marginal"
        step = ", with stepdown" if ranking.stepdown else ", without stepdown"
        drawn = f"{counted(ranking.resamples, 'resample')} of {of}, seed {ranking.seed}"
        yield f"Rank intervals of {level_text(ranking.level)} {kind}{step} ({drawn})."
        alpha = value_text(ranking.alpha, "number")
        yield f"Letters are by paired tests of all pairs, by Holm's method at level {alpha}."
    networks = counted(ranking.networks, "network")
    alone = "which is" if ranking.networks == 1 else "which are"
    yield f"All of this is conditional on the {networks}, {alone} not drawn anew."
    if ranking.crossed:
        yield "Their second key of clusters is averaged over and not drawn anew either."


def _apart(standing: Standing) -> Iterator[str]:
    """Those that do not pair with the board's ranking, and in what they differ."""
    for ranking in standing.rankings[1:]:
        names = quoted([line.shown for line in ranking.lines])
        stands = "stands" if len(ranking.lines) == 1 else "stand"
        yield f"{names} {stands} apart: {ranking.apart}."
