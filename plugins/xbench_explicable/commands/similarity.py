"""`xbench similarity`: build, show and check similarities of classes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench import ParameterError, UnknownNameError
from xbench.commands import CHOICE, OUTPUT, Session, parameter_tree, session_options

if TYPE_CHECKING:
    from xbench import Dataset, Similarity, Tree
    from xbench_explicable.similarities.facts import Facts

DATASET_OPTIONS = (
    CHOICE[2],
    click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="PATH=VALUE",
        help="A parameter, such as similarity.senses=official or dataset.root=FOLDER; "
        "may be repeated.",
    ),
)
PREFIX = "similarity."
PICTURE_SUFFIXES = (".png", ".svg", ".pdf")


@click.group("similarity")
def command() -> None:
    """Build, show and check similarities of classes."""


@command.command("build")
@click.argument("specification", metavar="SIMILARITY")
@session_options(DATASET_OPTIONS, OUTPUT)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The CSV file to write.")
def build(session: Session, specification: str, to: Path) -> None:
    """Write a similarity of a dataset's classes to a table.

    SIMILARITY is ekl, hierarchy, ihl:DATASET, chl:RATINGS.csv, mean or another that
    `xbench list similarity` shows. The table can be edited, and read with table:FILE.
    """
    from xbench.commands import print_json, print_lines
    from xbench_explicable.similarities.facts import similarity_facts
    from xbench_explicable.similarities.similarity_table import table_text

    _check_target(to, (".csv",))
    similarity, dataset = _similarity_and_dataset(session, specification)
    facts = similarity_facts(similarity, dataset)
    with _writable(to):
        to.write_text(table_text(facts.matrix, facts.names), encoding="utf-8")
    if session.json:
        print_json({"file": str(to), **facts.summary()})
        return
    print_lines(*facts.lines(), f"written to {to}")


@command.command("show")
@click.argument("specification", metavar="SIMILARITY|FILE.csv")
@session_options(DATASET_OPTIONS, OUTPUT)
@click.option(
    "--of", "class_name", metavar="CLASS", help="Show the classes by nearness to this one."
)
@click.option(
    "--to", type=click.Path(path_type=Path), help="Also draw a heat map (.png, .svg or .pdf)."
)
def show(session: Session, specification: str, class_name: str | None, to: Path | None) -> None:
    """Show a similarity: as a table for few classes, by its nearest pairs for many."""
    from xbench.commands import print_json, print_lines, print_table
    from xbench_explicable.similarities.facts import similarity_facts

    if to is not None:
        _check_target(to, PICTURE_SUFFIXES)
    similarity, dataset = _similarity_and_dataset(session, specification)
    facts = similarity_facts(similarity, dataset)
    if class_name is not None and class_name not in facts.names:
        raise UnknownNameError(f"class of {dataset.name}", class_name, facts.names)
    if to is not None:
        _draw(facts, to)
    if session.json:
        print_json({**facts.summary(), "matrix": facts.matrix.tolist()})
        return
    for table in facts.tables(class_name):
        print_table(*table)
    print_lines(*facts.lines(), *([f"drawn to {to}"] if to else []))


@command.command("check")
@click.argument("file", type=click.Path(dir_okay=False))
@session_options(DATASET_OPTIONS, OUTPUT)
def check(session: Session, file: str) -> None:
    """Check that a table is a similarity of a dataset's classes.

    Classes may stand in any order. Exit code 2 says what is wrong.
    """
    from xbench.commands import print_json, print_lines
    from xbench_explicable.similarities.facts import similarity_facts
    from xbench_explicable.similarities.similarity_table import SimilarityTable

    facts = similarity_facts(SimilarityTable(file), _dataset(session))
    if session.json:
        print_json(facts.summary())
        return
    message = f"{file} is a similarity of the {len(facts.names)} classes of {facts.dataset}"
    print_lines(message, *facts.lines()[1:])


def _similarity_and_dataset(session: Session, specification: str) -> "tuple[Similarity, Dataset]":
    """The similarity and the dataset that a call names."""
    from xbench.commands import overlay, parsed

    parameters = _similarity_parameters(session)
    dataset, builder = _dataset(session), session.builder()
    is_file = specification.endswith(".csv") and ":" not in specification
    value: Any = f"table:{specification}" if is_file else parsed(specification)
    tree = builder.complete("similarity", value, "similarity")
    similarity: Similarity = builder.build("similarity", overlay(tree, parameters))
    return similarity, dataset


def _similarity_parameters(session: Session) -> "Tree":
    """The parameters of the similarity, taken out of the session's."""
    texts = [text for text in session.parameters if text.startswith(PREFIX)]
    session.parameters = tuple(text for text in session.parameters if text not in texts)
    tree: Tree = parameter_tree(texts).get("similarity", {})
    return tree


def _dataset(session: Session) -> "Dataset":
    """The dataset, whose files need not be there: its classes are all that is asked of it."""
    dataset: Dataset = session.builder().build("dataset", session.tree["dataset"])
    return dataset


def _check_target(to: Path, suffixes: tuple[str, ...]) -> None:
    """Before anything is made: the file is of a kind we write, in a folder that is there."""
    if to.suffix not in suffixes:
        raise ParameterError(f"--to {to}: a file that ends in {' or '.join(suffixes)} is written")
    if not to.parent.is_dir():
        raise ParameterError(f"--to {to}: there is no folder {str(to.parent)!r}")


def _draw(facts: "Facts", to: Path) -> None:
    from xbench.figures import save_figure
    from xbench_explicable.pictures.heat_map import heat_map

    title = f"Similarity {facts.similarity} of {facts.dataset}"
    figure = heat_map(facts.matrix, facts.names, title)
    with _writable(to):
        save_figure(figure, to, title=title, dots=150)


@contextmanager
def _writable(to: Path) -> Iterator[None]:
    """Say what is in the way of a file."""
    try:
        yield
    except OSError as error:
        raise ParameterError(f"--to {to}: it cannot be written ({error.strerror})") from error
