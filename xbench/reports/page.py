"""Pages: what is said of a run, as one HTML file that needs nothing but the pictures beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.interfaces.component import Tree
from xbench.interfaces.protocol import Role
from xbench.results.columns import numeric
from xbench.results.comparison import headlines
from xbench.results.conclusions import conclusions
from xbench.results.numbers import level_text
from xbench.results.record import Record
from xbench.results.tables import (
    Table,
    artefact_lines,
    awaited,
    headline_table,
    tables,
    unscored,
)

OWN = "each entry's own, named below"
SETTINGS = ("epochs", "batch_size", "optimiser", "learning_rate", "schedule", "augmentation")
"""What is told of a training that all entries have in common."""
MEMBER = "member "
"""Precedes the label of an ensemble's member among a record's components."""
LONG = 150
"""Characters of a list that is no longer told in full; the record has it."""


class Picture(NamedTuple):
    """A picture that lies beside the page."""

    stem: str
    title: str
    caption: str
    text: str
    """What it shows, for readers who cannot see it."""
    size: tuple[float, float]
    """Width and height in CSS pixels."""
    suffixes: tuple[str, ...]
    """Of its files, all of which begin with the stem; the page shows the first."""


class ComparedLine(NamedTuple):
    """One line of the benchmark."""

    label: str
    role: Role
    explainer: str
    """"" where classifiers are compared."""
    classifier: str
    loss: str
    training: str
    """What of it differs from that of another line."""
    key: str
    """The key of its record."""


class Page(NamedTuple):
    """Everything that a page says."""

    title: str
    subtitle: str
    """What was run, in one line."""
    conclusions: Sequence[str]
    """Sentences that say what came out."""
    facts: Sequence[tuple[str, str]]
    remarks: Sequence[str]
    lines: Sequence[ComparedLine]
    headlines: Sequence[Table]
    """The scores that decide; empty where none does."""
    tables: Sequence[Table]
    """Every score, and what was compared."""
    unscored: Sequence[str]
    curves: Sequence[Picture]
    """The first stands beside the conclusions."""
    entry: str
    """Whose explanations the pictures show."""
    pictures: Sequence[Picture]
    provenance: Sequence[tuple[str, str]]
    terms: Sequence[tuple[str, str]] = ()
    """Words that the conclusions use, with what they mean."""


def page_of(
    benchmark: Benchmark,
    records: Sequence[Record],
    curves: Sequence[Picture],
    pictures: Sequence[Picture],
    command: str,
) -> Page:
    """The page of a run; `command` is how it can be run again."""
    found = conclusions(benchmark, records)
    return Page(
        title=found.title,
        subtitle=found.measured[0],
        conclusions=found.sentences,
        terms=found.terms,
        facts=list(_facts(benchmark, records).items()),
        remarks=artefact_lines(records),
        lines=[_compared_line(record, _differing_settings(records)) for record in records],
        headlines=[headline_table(benchmark, records)] if headlines(records) else [],
        tables=tables(benchmark, records),
        unscored=[*unscored(benchmark, records), *awaited(records)],
        curves=curves,
        entry=next(record.label for record in records if record.role == "entry"),
        pictures=pictures,
        provenance=list(_provenance(records[0], command).items()),
    )


def html(page: Page) -> str:
    """The page as HTML; every string in it is escaped."""
    return rendered("report.html", page=page, numeric=numeric_columns, columns=columns_of(page))


def rendered(template: str, **values: Any) -> str:
    """A page made by a template of this folder; every string that is put in is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("xbench.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def component_text(tree: Tree) -> str:
    """A component as it might be written: its name with its parameters in brackets.

    Of a long list the first item is told, and how many more there are.
    """
    parameters = ", ".join(f"{key}={_value(value)}" for key, value in tree["parameters"].items())
    return f"{tree['name']}({parameters})" if parameters else str(tree["name"])


def numeric_columns(table: Table) -> list[bool]:
    """For each column but the first, whether it holds numbers alone."""
    columns = zip(*(row.cells for row in table.rows), strict=True)
    return [numeric(column) for column in columns] or [False] * (len(table.columns) - 1)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        items = ", ".join(f"{key}={_value(item)}" for key, item in value.items())
        return component_text(dict(value)) if "parameters" in value else f"{{{items}}}"
    if isinstance(value, list):
        content = ", ".join(map(_value, value))
        summary = f"{_value(value[0])} and {len(value) - 1} more" if len(value) > 1 else content
        return f"[{summary if len(content) > LONG else content}]"
    return '""' if value == "" else str(value)


def _facts(benchmark: Benchmark, records: Sequence[Record]) -> dict[str, str]:
    record = records[0]
    variants = "".join(f", variant {name}" for name in benchmark.varied)
    limited = "" if record.limited_to is None else f", limited to {record.limited_to}"
    return {
        "Benchmark": f"{benchmark.name}, version {record.benchmark_version}{variants}",
        "Protocol": component_text(record.protocol),
        "Dataset": _dataset(record),
        **_networks(records),
        f"{benchmark.protocol.case.capitalize()}s": f"{record.cases}{limited}",
        "Repeats": f"{len(record.seeds)}, seed {', '.join(map(str, record.seeds))}",
        "Intervals": f"{level_text(record.intervals.level)}, {_methods(record)}, "
        f"{record.intervals.resamples} resamples, seed {record.intervals.seed}",
    }


def _methods(record: Record) -> str:
    return " or ".join(dict.fromkeys(score.interval for score in record.scores))


def _dataset(record: Record) -> str:
    """The dataset with its splits by role, and the datasets of further test sets."""
    test, splits = record.datasets["test"], dict[str, list[str]]()
    for role, images in record.datasets.items():
        splits.setdefault(images["fingerprint"], []).append(f"{role}: {images['split']}")
    names = {
        images["fingerprint"]: images["dataset"]["name"] for images in record.datasets.values()
    }
    return "; ".join(
        f"{names[key]} ({', '.join(splits[key])}), fingerprint {key}"
        for key in dict.fromkeys((test["fingerprint"], *splits))
    )


def _networks(records: Sequence[Record]) -> dict[str, str]:
    """Classifier and training, or that entries differ; nothing where there are no networks."""
    own = _with_network(records)
    if not own or not any(artefact for record in records for artefact in record.artefacts):
        return {}
    classifier = _common([component_text(record.components["classifier"]) for record in own])
    return {"Classifier": classifier, "Training": _training(own)}


def _with_network(records: Sequence[Record]) -> list[Record]:
    """All but ensembles, which have the networks of other entries."""
    return [record for record in records if "classifier" in record.components]


def _training(records: Sequence[Record]) -> str:
    trainings = [record.components["training"] for record in records]
    if not any(training["epochs"] for training in trainings):
        return "none, the weights are taken as they are"
    loss = _common([component_text(record.components["loss"]) for record in records])
    settings = [
        f"{name}={_common([str(training[name]) for training in trainings])}" for name in SETTINGS
    ]
    return f"{'loss: ' * (loss == OWN)}{loss}; {', '.join(settings)}"


def _common(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else OWN


def _differing_settings(records: Sequence[Record]) -> list[str]:
    """Names of what is not the same in all trainings."""
    trainings = [record.components["training"] for record in _with_network(records)]
    return [
        name
        for name in (trainings[0] if trainings else ())
        if any(training[name] != trainings[0][name] for training in trainings)
    ]


def _compared_line(record: Record, names: Sequence[str]) -> ComparedLine:
    explainer, classifier, loss = (
        component_text(record.components[kind]) if kind in record.components else ""
        for kind in ("explainer", "classifier", "loss")
    )
    settings = record.components.get("training", {})
    training = ", ".join(f"{name}={_value(settings[name])}" for name in names if settings)
    members = [name.removeprefix(MEMBER) for name in record.components if name.startswith(MEMBER)]
    networks = f"ensemble of {', '.join(members)}" if members else classifier
    return ComparedLine(record.label, record.role, explainer, networks, loss, training, record.key)


def columns_of(page: Page) -> list[str]:
    """What the table of what was compared tells: what differs, and explainers if there are any."""
    columns = {
        "explainer": any(line.explainer for line in page.lines),
        "classifier": len({line.classifier for line in page.lines}) > 1,
        "loss": len({line.loss for line in page.lines}) > 1,
        "training": len({line.training for line in page.lines}) > 1,
    }
    return [name for name, present in columns.items() if present]


def _provenance(record: Record, command: str) -> dict[str, str]:
    packages = ", ".join(f"{name} {version}" for name, version in record.packages.items())
    return {
        "Command": command,
        "Finished": record.times.finished,
        "Source": _source(record.git),
        "Packages": packages,
        "Machine": f"{record.platform}, Python {record.python}, device {record.device}",
    }


def _source(git: Mapping[str, Any] | None) -> str:
    if git is None:
        return "installed, no checkout"
    return f"commit {git['commit']}{', with changes that are not committed' * git['dirty']}"
