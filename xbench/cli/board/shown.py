"""`xbench leaderboard show`: the entries of a benchmark as a ranked table."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench.cli.options import FORMAT, OUTPUT, Session, session_options

if TYPE_CHECKING:
    from xbench.results.board.standings.ranking import Line, Standing

CELLS = (
    *("name", "label", "role", "value", "low", "high", "rank", "rank_low", "rank_high"),
    *("left_out", "passes", "seconds", "superseded", "configurations_tried"),
)
"""What separated values have of each line as it is."""
BOARD = (
    click.option(
        "--board",
        metavar="FOLDER",
        default="leaderboard",
        show_default=True,
        type=click.Path(path_type=Path),
        help="Where the board lies.",
    ),
)
"""The option that says which board is meant."""


@click.command("show")
@click.argument("of", metavar="BENCHMARK")
@click.option("--score", metavar="NAME", help="Another score than the one that ranks.")
@click.option(
    "--simultaneous", is_flag=True, help="Rank intervals that hold all at once; they are wider."
)
@session_options(BOARD, FORMAT, OUTPUT)
def show(session: Session, board: Path, of: str, score: str | None, *, simultaneous: bool) -> None:
    """Rank the entries of BENCHMARK: scores and ranks with intervals, and who is told apart.

    Ranks are conditional on the benchmark's networks; docs/ranks.md says how they are made.
    """
    from xbench.kernels.ranks import RankRule
    from xbench.results.board.standings.standing import standing
    from xbench.results.board.standings.submitted import submitted

    rule = RankRule(simultaneous=simultaneous)
    _print(session, standing(submitted(board, of), score, rule))


def _print(session: Session, found: "Standing") -> None:
    """What the ranks say and the tables; in other forms the tables, or the lines, alone."""
    from xbench.cli.output import print_json, print_lines
    from xbench.cli.standings import print_rendered
    from xbench.results.board.standings.sentences import sentences
    from xbench.results.board.standings.table import standing_tables
    from xbench.results.rendering import rendered

    form = session.printed_as
    if form == "json":
        print_json(found.tree())
    elif form in ("csv", "tsv"):
        _print_lines(found, form)
    elif form == "text":
        print_lines(found.title or found.benchmark, "", *sentences(found), "")
        for table in standing_tables(found):
            print_rendered(table)
    else:
        click.echo("\n\n".join(rendered(table, form) for table in standing_tables(found)))


def _print_lines(found: "Standing", form: str) -> None:
    """A row for each entry, of all rankings, for programs."""
    import pyarrow as pa

    from xbench.results.long_tables import written

    rows = [
        {"apart": of.apart, "score": of.score, **_cells(line)}
        for of in found.rankings
        for line in of.lines
    ]
    click.echo(written(pa.Table.from_pylist(rows), form), nl=False)


def _cells(line: "Line") -> dict[str, Any]:
    return {
        **{name: getattr(line, name) for name in CELLS},
        "letters": "".join(line.letters),
        "unchecked": " ".join(line.unchecked),
        "drop": line.fresh.drop if line.fresh else None,
    }
