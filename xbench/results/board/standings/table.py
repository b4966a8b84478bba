"""Tables of a standing: who stands where, what is behind it, and who stands apart."""

from collections.abc import Iterator, Sequence

from xbench.results.board.plain_text import shown_text
from xbench.results.board.standings.ranking import Figure, Line, Ranking, Standing
from xbench.results.numbers import (
    NONE,
    level_text,
    signed_interval,
    signed_text,
    spoken,
    unit_text,
    value_text,
)
from xbench.results.tables import LEGEND, MARK, Row, Table, interval_cell

MOST_NETWORKS = 4
"""Of so many the ranks are listed; of more their range."""
LARGE = 100_000
MANY = 10**12
MINUTE, HOUR = 60, 3600


def standing_table(standing: Standing) -> Table:
    """The board's ranking: scores, ranks and letters; floors, ceilings and what else below."""
    return ranking_table(standing, standing.main)


def standing_tables(standing: Standing) -> list[Table]:
    """The board's ranking, what is behind it, and the entries that do not pair with it."""
    main = standing.main
    others = standing.rankings[1:]
    return [
        standing_table(standing),
        detail_table(main),
        *(ranking_table(standing, ranking) for ranking in others),
    ]


def ranking_table(standing: Standing, ranking: Ranking) -> Table:
    """The scores, ranks and letters of one ranking."""
    what = f"{standing.benchmark} {ranking.version}: {ranking.what}{unit_text(ranking.unit)}"
    title = f"{what}, with {level_text(ranking.level)} intervals over {ranking.case}s"
    title = f"Apart, {ranking.apart}\n{title}" if ranking.apart else title
    rows = tuple(_row(line, ranking) for line in ranking.lines)
    more = (*_chance(ranking), *(_published(of) for of in ranking.published))
    return Table(title, ("", "score", "rank", "letters"), (*rows, *more), _legend(ranking))


def _row(line: Line, ranking: Ranking) -> Row:
    value = interval_cell(line.value, line.low, line.high, ranking.unit)
    wins = any(line.name in other.beaten_by for other in ranking.lines)
    cells = f"{MARK} " * wins + value, _ranks(line, ranking), "".join(line.letters)
    return Row(line.shown, cells, line.role)


def _ranks(line: Line, ranking: Ranking) -> str:
    """The rank and its interval; nothing for who stands apart and alone."""
    alone = ranking.apart and len(ranking.ranked) == 1
    if line.rank is None or alone:
        return ""
    return f"{line.rank}\n{line.rank_low}–{line.rank_high}"


def _chance(ranking: Ranking) -> Iterator[Row]:
    if ranking.chance:
        ends = dict.fromkeys(value_text(value, ranking.unit) for value in ranking.chance)
        yield Row("chance", ("–".join(ends), "", ""), "floor")


def _published(figure: Figure) -> Row:
    spread = "" if figure.deviation is None else f" ±{value_text(figure.deviation, 'number')}"
    value = value_text(figure.value, "number")
    return Row(
        f"{shown_text(figure.label, 60)}, published", (f"{value}{spread}", "", ""), "published"
    )


def _legend(ranking: Ranking) -> str:
    """What stands in the cells, where it stands there."""
    parts = []
    if len(ranking.ranked) > 1:
        kind = "simultaneous" if ranking.simultaneous else "marginal"
        level = level_text(ranking.level)
        parts.append(f"rank: that of the mean, and its {level} interval ({kind})")
        parts.append("entries that share a letter are not told apart")
    if any(line.beaten_by for line in ranking.lines):
        parts.append(LEGEND)
    if ranking.published:
        parts.append(f"published: {shown_text(ranking.source, 200)}")
    return "\n".join(parts)


def detail_table(ranking: Ranking) -> Table:
    """What is behind the ranks: each network alone, cases left out, cost, and marks."""
    left_out = any(line.left_out for line in ranking.lines)
    columns = ("", "networks", *("left out",) * left_out, "passes", "time", "marks")
    rows = (
        Row(
            line.shown,
            (
                _networks(line.by_network),
                *(str(line.left_out),) * left_out,
                _compact(line.passes),
                _duration(line.seconds),
                "; ".join(marks(line, ranking)),
            ),
            line.role,
        )
        for line in ranking.lines
    )
    legend = ["networks: the rank on each alone"]
    if left_out:
        worst = spoken(ranking.worst, ranking.unit)
        what = f"{ranking.scored} {ranking.case}s, counted on each network"
        legend.append(f"left out: of {what}; each scores {worst}")
    legend.append("passes: images through networks; time: on the submitter's machine")
    return Table("Behind the ranks", columns, tuple(rows), "\n".join(legend))


def marks(line: Line, ranking: Ranking) -> Iterator[str]:
    """What is to be known of an entry beside its numbers."""
    yield from (f"{part} unchecked" for part in line.unchecked)
    if line.fresh is not None:
        unit = ranking.unit if line.fresh.score == ranking.score else "number"
        drop = signed_text(line.fresh.drop, unit)
        ends = signed_interval(line.fresh.low, line.fresh.high, unit)
        of = "" if line.fresh.score == ranking.score else f" of {shown_text(line.fresh.score, 40)}"
        yield f"fresh-checked: drop{of} {drop} {ends}"
    if "test" in line.tuned_on:
        yield "tuned on test"
    if line.superseded:
        yield f"replaces {line.superseded}"


def _networks(ranks: Sequence[int | None]) -> str:
    """The ranks on the networks, or their range."""
    if len(ranks) <= MOST_NETWORKS:
        return ", ".join(NONE if rank is None else str(rank) for rank in ranks)
    known = [rank for rank in ranks if rank is not None]
    return "–".join(dict.fromkeys((str(min(known)), str(max(known))))) if known else NONE


def _compact(count: int) -> str:
    return f"{count:_}".replace("_", " ") if abs(count) < MANY else f"{count:.2e}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    hours = seconds / HOUR
    return f"{hours:.1f} h" if hours < LARGE else f"{hours:.2e} h"
