"""What a run gave: records, tables and frames, curves, a report, and what a notebook shows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from xbench.api.frames import Frame, as_frame
from xbench.api.stored import with_scores
from xbench.benchmark.assembly import Benchmark
from xbench.errors import MismatchError, UnknownNameError
from xbench.reports.page import numeric_columns
from xbench.reports.report import Run, curve_drawings, first_explanation, write_report
from xbench.results.comparison import headlines
from xbench.results.conclusions import conclusions
from xbench.results.long_tables import case_table, difference_table, score_table
from xbench.results.record import Record
from xbench.results.tables import Table, headline_table, tables

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class RunResult:
    """The records of a run, with what can be made of them."""

    made: Run

    @property
    def benchmark(self) -> Benchmark:
        """What was run."""
        return self.made.benchmark

    @property
    def records(self) -> tuple[Record, ...]:
        """One for each entry, floor and ceiling, in the order of the benchmark."""
        return tuple(self.made.records)

    @property
    def tables(self) -> list[Table]:
        """What the command line prints: scores, differences, contrasts, published figures."""
        return tables(self.benchmark, self.records)

    @property
    def conclusions(self) -> tuple[str, ...]:
        """What the numbers say, in sentences: who wins by how much, and what entries are bad at."""
        return conclusions(self.benchmark, self.records).sentences

    def to_frame(
        self,
        kind: Frame = "auto",
        of: Literal["scores", "cases", "differences"] = "scores",
    ) -> Any:
        """The scores of all entries as a table, as `xbench export` has them: a row for each.

        With `of="cases"` one for each case, score and repeat; `differences` are those between
        entries. `auto` is pandas, else polars, else Arrow: whichever is installed.
        """
        contents: Mapping[str, Callable[[], pa.Table]] = {
            "scores": lambda: score_table(self.records),
            "cases": lambda: case_table(with_scores(one, self.made.store) for one in self.records),
            "differences": lambda: difference_table(self.records),
        }
        if of not in contents:
            raise UnknownNameError("content of a frame", str(of), contents)
        return as_frame(contents[of](), kind)

    def report(self, folder: str | Path, pictures: int = 6) -> Path:
        """Write a page with tables, curves and pictures into the folder; its path."""
        return write_report(self.made, Path(folder), pictures)

    def figure(self, name: str | None = None) -> "Figure":
        """The protocol's curves, or the first explanation that was scored where it draws none.

        `name` chooses among several drawings; `figures` has them all.
        """
        drawings = self.figures
        if name is not None and name not in drawings:
            raise UnknownNameError("figure of this run", name, drawings)
        if drawings:
            return drawings[name or next(iter(drawings))]
        figure = first_explanation(self.made)
        if figure is None:
            raise MismatchError(
                f"protocol {self.benchmark.protocol.name!r} draws no curves, and no entry explains"
            )
        return figure

    @property
    def figures(self) -> "Mapping[str, Figure]":
        """All that the protocol draws of the scores, by name."""
        return {name: drawing.figure for name, drawing in curve_drawings(self.made).items()}

    def __repr__(self) -> str:
        """What was run, and the score that ranks entries."""
        counted = f"{len(self.records)} entries" if len(self.records) != 1 else "1 entry"
        lines = [f"RunResult of {self.benchmark.name}: {counted}, {self.records[0].cases} cases"]
        return "\n".join([*lines, *(f"  {line}" for line in self._ranking())])

    def _repr_html_(self) -> str:
        """What was found, the headline scores, and all tables, which fold away."""
        from jinja2 import Environment, PackageLoader

        loader = PackageLoader("xbench.api", "templates")
        environment = Environment(loader=loader, autoescape=True, trim_blocks=True)
        decided = bool(headlines(self.records))
        first = [headline_table(self.benchmark, self.records)] if decided else []
        return environment.get_template("result.html").render(
            found=conclusions(self.benchmark, self.records),
            tables=[*first, *self.tables],
            numeric=numeric_columns,
        )

    def _ranking(self) -> Iterator[str]:
        """A line for each entry with its first headline score."""
        for record in self.records:
            score = next((one for one in record.scores if one.headline), None)
            value = "none" if score is None or score.value is None else f"{score.value:.3f}"
            name = f"{score.name} " if score else ""
            role = "" if record.role == "entry" else f" ({record.role})"
            yield f"{record.label}{role}: {name}{value}"
