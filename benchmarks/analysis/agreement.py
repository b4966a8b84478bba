"""Do protocols rank saliency maps alike? From the records of the suite saliency-toybirds.

python benchmarks/analysis/agreement.py STORE [PICTURE]

prints, as Markdown, what the records of a store say: each entry's mean in each score, over the
images of its protocol; Spearman's rank correlation of each pair of scores over entries, without
and with floors, with 95 % bootstrap intervals over images (drawn from those of all protocols, for
all scores and entries together); and what an image costs each explainer, from the records of
localisation.
PICTURE, a .svg or .png, gets the correlations as a matrix.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float64
from rank_agreement import Agreement, agreement
from strata import latest

from xbench import Record, Store
from xbench.figures import COLOURS, INK, SMALL, TINY, WIDE, WORDS, blank_figure, save_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BENCHMARK = "saliency-{}-toybirds"
COST = "localisation"
"""Its passes and seconds are those of explaining alone."""


class Criterion(NamedTuple):
    """A score of a benchmark, and how the table and the picture call it."""

    label: str
    benchmark: str
    score: str


CRITERIA = (
    Criterion("part deletion", "part-deletion", "rank correlation"),
    Criterion("part deletion, sums", "part-deletion", "rank correlation@sum"),
    Criterion("symmetric gain", "pixel-flipping", "symmetric gain"),
    Criterion("deletion", "pixel-flipping", "deletion"),
    Criterion("insertion", "pixel-flipping", "insertion"),
    Criterion("energy inside", "localisation", "energy inside"),
    Criterion("hit", "localisation", "hit"),
)


class Table(NamedTuple):
    """What all criteria have of the entries and floors that all have, the entries first."""

    labels: list[str]
    entries: int
    images: int
    networks: int
    sums: Float64[np.ndarray, "s k n"]
    """Over networks; more is better."""
    counts: Float64[np.ndarray, "s k n"]
    signs: Float64[np.ndarray, " s"]

    @property
    def means(self) -> Float64[np.ndarray, "s k"]:
        """As the score has them, whichever side is better."""
        return self.signs[:, None] * self.sums.sum(2) / self.counts.sum(2)


def main(url: str, picture: str = "") -> None:
    """Print the tables, draw the matrix."""
    runs = {name: of_run(url, name) for name in dict.fromkeys(of.benchmark for of in CRITERIA)}
    table = gathered(Store(url), runs)
    of_entries = agreement(table.sums[:, : table.entries], table.counts[:, : table.entries])
    of_all = agreement(table.sums, table.counts)
    floors = len(table.labels) - table.entries
    print(
        f"{table.entries} entries, {floors} floors, {table.networks} networks, "
        f"{table.images} images of one protocol or several\n"
    )
    print_means(table)
    print_pairs(of_entries, of_all)
    print_costs(runs[COST].values())
    if picture:
        draw(of_entries, of_all, table, Path(picture))


def of_run(url: str, name: str) -> dict[str, Record]:
    """The newest record of each entry and floor of a benchmark, by label: all of one run."""
    folder = Path(url) / "records" / BENCHMARK.format(name)
    records = {of.label: of for of in latest(folder) if of.role != "ceiling"}
    if not records:
        raise SystemExit(f"{folder} holds no records: xbench run --benchmark saliency-toybirds")
    sizes = {(of.cases, len(of.rows)) for of in records.values()}
    if len(sizes) > 1:
        raise SystemExit(f"{folder} holds several runs: images and networks {sorted(sizes)}")
    return records


def gathered(store: Store, runs: dict[str, dict[str, Record]]) -> Table:
    """The scores of what all benchmarks have in common, image by image."""
    common = set.intersection(*(set(of) for of in runs.values()))
    first = next(iter(runs.values()))
    labels = sorted(common, key=lambda of: (first[of].role != "entry", place(first[of])))
    read = {
        (name, label): store.scores(runs[name][label].scores_file.path).to_pydict()
        for name in runs
        for label in labels
    }
    images = sorted(set().union(*(of["case"] for of in read.values())))
    places = {image: place for place, image in enumerate(images)}
    sums, counts = np.zeros((2, len(CRITERIA), len(labels), len(images)))
    for s, of in enumerate(CRITERIA):
        for k, label in enumerate(labels):
            add(read[of.benchmark, label], of.score, places, (sums[s, k], counts[s, k]))
    signs = np.array([sign(first_of(runs[of.benchmark]), of.score) for of in CRITERIA])
    entries = sum(first[of].role == "entry" for of in labels)
    networks = len(first_of(first).rows)
    return Table(labels, entries, len(images), networks, sums * signs[:, None, None], counts, signs)


def place(record: Record) -> int:
    """Its place in the benchmark's file."""
    return record.heading.place if record.heading else 0


def first_of(run: dict[str, Record]) -> Record:
    return next(iter(run.values()))


def sign(record: Record, score: str) -> float:
    """What makes more of a score better."""
    direction = next(of.direction for of in record.scores if of.name == score)
    return -1.0 if direction == "lower" else 1.0


def add(
    rows: dict[str, list], score: str, places: dict[str, int], to: tuple[np.ndarray, np.ndarray]
) -> None:
    """Add the values of a score to the sums and counts of their images."""
    for case, name, value in zip(rows["case"], rows["score"], rows["value"], strict=True):
        if name == score and not np.isnan(value):
            to[0][places[case]] += value
            to[1][places[case]] += 1


def print_means(table: Table) -> None:
    print_row("", *(of.label for of in CRITERIA))
    print_row(*["---"] * (len(CRITERIA) + 1))
    print_row("images", *((of > 0).any(0).sum().astype(str) for of in table.counts))
    for k, label in enumerate(table.labels):
        floor = "floor: " if k >= table.entries else ""
        print_row(floor + label, *(signed(value) for value in table.means[:, k]))
    print()


def print_pairs(of_entries: Agreement, of_all: Agreement) -> None:
    print_row("ρ over entries", "", "without floors", "with floors")
    print_row(*["---"] * 4)
    for one, other in pairs():
        cells = (interval(of, one, other) for of in (of_entries, of_all))
        print_row(CRITERIA[one].label, CRITERIA[other].label, *cells)
    print()


def print_costs(records: Iterable[Record]) -> None:
    """Passes and seconds that explaining took, for each image and network."""
    print_row("an image costs", "forward", "back", "seconds")
    print_row(*["---"] * 4)
    for record in sorted(records, key=place):
        images, passes = record.cases * len(record.rows), record.cost.passes
        forward = passes.get("forward", 0) + passes.get("top_forward", 0)
        seconds = record.times.seconds.get("explain", float("nan")) / images
        back = (passes.get("backward", 0) + passes.get("top_backward", 0)) / images
        print_row(record.label, f"{forward / images:.1f}", f"{back:.1f}", f"{seconds:.3f}")


def pairs() -> Iterator[tuple[int, int]]:
    yield from zip(*np.triu_indices(len(CRITERIA), 1), strict=True)


def print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


def signed(value: float) -> str:
    """−.13, +1.00."""
    return f"{value:+.2f}".replace("0.", ".", 1).replace("-", "−")


def interval(of: Agreement, one: int, other: int) -> str:
    low, high = signed(of.low[one, other]), signed(of.high[one, other])
    return f"{signed(of.rho[one, other])} [{low}, {high}]"


def draw(of_entries: Agreement, of_all: Agreement, table: Table, path: Path) -> None:
    """The matrix: below the diagonal without floors, above it with them."""
    from matplotlib.colors import LinearSegmentedColormap

    figure = blank_figure(WIDE, 5.6, laid_out=True)
    axes = figure.add_subplot()
    rho = np.tril(of_entries.rho, -1) + np.triu(of_all.rho, 1)
    np.fill_diagonal(rho, np.nan)
    colours = LinearSegmentedColormap.from_list("", [COLOURS[1], "white", COLOURS[0]])
    shown = axes.imshow(rho, cmap=colours, vmin=-1, vmax=1, aspect="auto")
    for one, other in pairs():
        write_cell(axes, of_entries, other, one)
        write_cell(axes, of_all, one, other)
    names = [of.label for of in CRITERIA]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", color=INK)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"Rank correlation over {table.entries} explainers (below the diagonal), and over these "
        f"and {len(table.labels) - table.entries} floors (above)\n95 % intervals over "
        f"{table.images} images",
        fontsize=WORDS,
        color=INK,
    )
    figure.colorbar(shown, shrink=0.7, ticks=[-1, -0.5, 0, 0.5, 1]).outline.set_visible(False)
    save_figure(figure, path, title="Rank correlations between protocols")


def write_cell(axes: "Axes", of: Agreement, row: int, column: int) -> None:
    """The correlation, and below it its interval."""
    value, *ends = (part[row, column] for part in of)
    style = {"ha": "center", "color": "white" if abs(value) > 0.85 else INK}
    write(axes, (column, row - 0.05), signed(value), va="bottom", fontsize=SMALL, **style)
    ends = " to ".join(map(signed, ends))
    write(axes, (column, row + 0.08), ends, va="top", fontsize=TINY, **style)


if __name__ == "__main__":
    main(*sys.argv[1:])
