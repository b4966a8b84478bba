"""Published figures: what a paper reports, beside which a run's own scores are put."""

from dataclasses import dataclass

from xbench.components.specification import plain_table
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree


@dataclass(frozen=True)
class PublishedRow:
    """The figures of one entry, one for each of the scores."""

    label: str
    """The label of the benchmark's entry."""
    values: tuple[float, ...]
    deviations: tuple[float, ...] = ()
    """Standard deviations over the paper's runs, where it states them."""
    not_comparable: str = ""
    """Why the row cannot be compared with ours, if it cannot."""


@dataclass(frozen=True)
class PublishedOrder:
    """A claim that one entry scores higher than another."""

    higher: str
    lower: str
    claim: str = ""


@dataclass(frozen=True)
class Published:
    """What a paper reports for a benchmark's entries; figures in the unit that it prints."""

    source: str
    """The paper, with its table or figure."""
    remark: str = ""
    not_comparable: str = ""
    """Why no figure of this run can be compared, as in a variant that is scaled down."""
    scores: tuple[str, ...] = ()
    """Names of the scores of `rows`, in per cent, the average last."""
    rows: tuple[PublishedRow, ...] = ()
    orders: tuple[PublishedOrder, ...] = ()


def read_published(tree: Tree) -> Published:
    """The table `[published]` of a benchmark file."""
    plain = {key: value for key, value in tree.items() if key not in ("rows", "orders")}
    for key in plain:
        if key not in ("source", "remark", "scores", "not_comparable"):
            raise UnknownNameError("key in [published]", key, Published.__dataclass_fields__)
    if "source" not in plain:
        raise ParameterError("[published] lacks 'source': say where the figures stand")
    rows = [
        plain_table(PublishedRow, row, f"published.rows[{place}]")
        for place, row in enumerate(tree.get("rows", []))
    ]
    orders = [
        plain_table(PublishedOrder, order, f"published.orders[{place}]")
        for place, order in enumerate(tree.get("orders", []))
    ]
    scores = tuple(plain.pop("scores", ()))
    for row in rows:
        _check(row, scores)
    return Published(**plain, scores=scores, rows=tuple(rows), orders=tuple(orders))


def _check(row: PublishedRow, scores: tuple[str, ...]) -> None:
    for name, given in (("values", row.values), ("deviations", row.deviations)):
        if len(given) != len(scores) and (given or name == "values"):
            raise ParameterError(
                f"published row {row.label!r} has {len(given)} {name} for {len(scores)} scores"
            )
