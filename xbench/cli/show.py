"""`xbench show`: one thing of everything that is installed."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench.benchmark.completion import of_kinds, of_shown_kind
from xbench.cli.options import CHOICE, OUTPUT, Session, session_options

if TYPE_CHECKING:
    from xbench.interfaces.component import Tree

WIDEST = 100
"""Characters of a line of explanations; longer ones are hard to read."""


@click.command("show")
@click.argument("kind", shell_complete=of_kinds("record"))
@click.argument("name", shell_complete=of_shown_kind)
@session_options(CHOICE, OUTPUT)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A picture file.")
@click.option(
    "--classes", type=click.IntRange(1), help="Outputs of a classifier; else the library's."
)
@click.option("--per-class", type=click.IntRange(1), default=6, show_default=True)
def command(
    session: Session, kind: str, name: str, out: Path | None, classes: int | None, per_class: int
) -> None:
    """Show one component of KIND called NAME.

    A classifier: the layers at which it can be cut. A dataset: its classes, splits and
    annotations, and with --out a contact sheet. A benchmark or any other component: its
    parameters. A record: give its file as NAME.
    """
    from xbench.components.kinds import kind_named

    kind = kind_named(kind, (*session.registry.kinds, "record"))
    if kind == "dataset" and not _lacks_parameters(session, name):
        _show_dataset(session, name, out, per_class)
    elif kind == "classifier":
        _show_classifier(session, name, classes)
    elif kind == "record":
        _show_record(session, Path(name))
    elif kind == "benchmark":
        _show_benchmark(session, name)
    else:
        _show_component(session, kind, name)


def _built(session: Session, kind: str, name: str) -> Any:
    """The component, with its `-p` parameters."""
    from xbench.components.specification import as_table, overlay

    changes = session.tree.get(kind, {}) if session.parameters else {}
    if as_table(changes).get("name", name) != name:
        changes = {key: value for key, value in as_table(changes).items() if key != "name"}
    return session.builder().build(kind, overlay({"name": name}, changes))


def _show_dataset(session: Session, name: str, out: Path | None, per_class: int) -> None:
    from xbench.cli.output import print_json, print_lines
    from xbench.components.specification import plain_table
    from xbench.interfaces.data.annotation import annotation_kinds
    from xbench.interfaces.data.dataset import ImageSet
    from xbench.interfaces.data.transform import Transform

    session.dataset = name
    dataset = session.builder().build("dataset", session.tree["dataset"])
    dataset.check()
    facts = {
        "name": dataset.name,
        "parameters": dataset.parameters(),
        "classes": list(dataset.class_names()),
        "splits": {split: len(dataset.ids(split)) for split in dataset.splits()},
        "annotations": [kind.__name__ for kind in annotation_kinds(type(dataset))],
        "fingerprint": dataset.fingerprint(),
    }
    if out is not None:
        from xbench.reports.figures import save_figure
        from xbench.reports.sheet import contact_sheet

        transform = plain_table(Transform, session.tree.get("transform", {}), "transform")
        images = ImageSet(dataset, session.tree["splits"]["test"], transform)
        save_figure(contact_sheet(images, per_class=per_class), out)
        facts["sheet"] = str(out)
    if session.json:
        print_json(facts)
    else:
        print_lines(*(f"{key}: {_text(value)}" for key, value in facts.items()))


def _show_classifier(session: Session, name: str, classes: int | None) -> None:
    from xbench.cli.output import print_json, print_lines, print_table
    from xbench.networks.loading import cut_table

    session.classifier = name
    classifier = session.builder().build("classifier", session.tree["classifier"])
    points, default, reason, arrangements = cut_table(classifier, classes or 1000)
    if session.json:
        layers = [
            {
                "layer": point.name,
                "shape": list(point.shape),
                "arrangement": arrangements.get(point.name, ""),
                "default": point.name == default,
            }
            for point in points
        ]
        print_json({"classifier": classifier.tree(), "layers": layers, "reason": reason})
        return
    if not points:
        print_lines(f"{name} runs whole; nothing can look inside it: {reason}")
        return
    rows = [
        [
            point.name,
            "×".join(map(str, point.shape)),
            arrangements.get(point.name, ""),
            "default" if point.name == default else "",
        ]
        for point in points
    ]
    columns = ["layer", "values", "lie as", ""]
    print_table(f"Layers at which {name} can be cut", columns, rows)
    _print_parameters(session, classifier.name)


def _print_parameters(session: Session, classifier: str) -> None:
    from xbench.api.catalogue import described, parameter_lines

    description = described("classifier", classifier, session.registry, {})
    click.echo("\n".join(["", *parameter_lines(description, _width())]).rstrip())


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def _lacks_parameters(session: Session, name: str) -> bool:
    """Whether a dataset cannot be built by its name alone, such as one made of another."""
    from xbench.components.specification import required

    return not session.parameters and bool(required(session.registry.get("dataset", name)))


def _show_component(session: Session, kind: str, name: str) -> None:
    name = session.registry.spelled(kind, name)
    session.registry.claim(kind, name)  # says what there is, before anything large is imported
    from xbench.api.catalogue import described, lines
    from xbench.cli.output import print_json

    defaults = session.tree.get("defaults", {}).get(kind, {}).get(name, {})
    description = described(kind, name, session.registry, defaults)
    if session.json:
        print_json(description.facts())
        return
    click.echo("\n".join(lines(description, _width())))


def _show_benchmark(session: Session, name: str) -> None:
    from xbench.benchmark.declaration import chain
    from xbench.cli.output import print_json, print_lines

    session.benchmark = name
    suite = session.suite()
    trees = suite.trees if suite else (session.tree,)  # finds what is wrong with the files
    sizes = [_size(tree, f"{tree['name']}: " if suite else "") for tree in trees]
    if session.json:
        print_json(suite._asdict() if suite else session.tree)
        return
    own, *below = [session.benchmark_file()] if suite else chain(session.benchmark_file())
    print_lines(own.read_text(encoding="utf-8").rstrip())
    for path in below:
        text = path.read_text(encoding="utf-8").rstrip()
        print_lines("", f"# ── it extends {path.stem}, which says:", text)
    if any(sizes):
        print_lines("", *(f"# ── {size}" for size in sizes if size))


def _size(tree: "Tree", name: str) -> str:
    """How many entries a grid has, after the name of its benchmark; empty without a grid."""
    from xbench.benchmark.grid import extent, grid_entries

    cells = [t["cell"] for t in grid_entries(tree.get("grid", {})) if t["role"] == "entry"]
    return f"{name}{extent(cells)}" if cells else ""


def _show_record(session: Session, path: Path) -> None:
    from xbench.cli.output import print_json
    from xbench.results.record import read_record_file

    print_json(read_record_file(path).model_dump())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
