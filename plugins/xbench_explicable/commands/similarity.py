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

OF = (
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
OWN = "similarity."
PICTURES = (".png", ".svg", ".pdf")


@click.group("similarity")
def command() -> None:
    """Build, show and check similarities of classes."""


@command.command("build")
@click.argument("specification", metavar="SIMILARITY")
@session_options(OF, OUTPUT)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The CSV file to write.")
def build(session: Session, specification: str, to: Path) -> None:
    """Write a similarity of a dataset's classes to a table.

    SIMILARITY is ekl, hierarchy, ihl:DATASET, chl:RATINGS.csv, mean or another that
    `xbench list similarity` shows. The table can be edited, and read with table:FILE.
    """
    from xbench.commands import print_json, print_lines
    from xbench_explicable.similarities.facts import facts
    from xbench_explicable.similarities.similarity_table import table_text

    _check_out(to, (".csv",))
    similarity, dataset = _asked(session, specification)
    found = facts(similarity, dataset)
    with _writing(to):
        to.write_text(table_text(found.matrix, found.names), encoding="utf-8")
    if session.json:
        print_json({"file": str(to), **found.summary()})
        return
    print_lines(*found.lines(), f"written to {to}")


@command.command("show")
@click.argument("specification", metavar="SIMILARITY|FILE.csv")
@session_options(OF, OUTPUT)
@click.option("--of", "chosen", metavar="CLASS", help="Show the classes by nearness to this one.")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Also draw a heat map (.png, .svg or .pdf)."
)
def show(session: Session, specification: str, chosen: str | None, to: Path | None) -> None:
    """Show a similarity: as a table for few classes, by its nearest pairs for many."""
    from xbench.commands import print_json, print_lines, print_table
    from xbench_explicable.similarities.facts import facts

    if to is not None:
        _check_out(to, PICTURES)
    similarity, dataset = _asked(session, specification)
    found = facts(similarity, dataset)
    if chosen is not None and chosen not in found.names:
        raise UnknownNameError(f"class of {dataset.name}", chosen, found.names)
    if to is not None:
        _draw(found, to)
    if session.json:
        print_json({**found.summary(), "matrix": found.matrix.tolist()})
        return
    for table in found.tables(chosen):
        print_table(*table)
    print_lines(*found.lines(), *([f"drawn to {to}"] if to else []))


@command.command("check")
@click.argument("file", type=click.Path(dir_okay=False))
@session_options(OF, OUTPUT)
def check(session: Session, file: str) -> None:
    """Check that a table is a similarity of a dataset's classes.

    Classes may stand in any order. Exit code 2 says what is wrong.
    """
    from xbench.commands import print_json, print_lines
    from xbench_explicable.similarities.facts import facts
    from xbench_explicable.similarities.similarity_table import SimilarityTable

    found = facts(SimilarityTable(file), _dataset(session))
    if session.json:
        print_json(found.summary())
        return
    good = f"{file} is a similarity of the {len(found.names)} classes of {found.dataset}"
    print_lines(good, *found.lines()[1:])


def _asked(session: Session, specification: str) -> "tuple[Similarity, Dataset]":
    """The similarity and the dataset that a call names."""
    from xbench.commands import overlay, parsed

    changes = _own_parameters(session)
    dataset, builder = _dataset(session), session.builder()
    table = specification.endswith(".csv") and ":" not in specification
    value: Any = f"table:{specification}" if table else parsed(specification)
    tree = builder.complete("similarity", value, "similarity")
    made: Similarity = builder.build("similarity", overlay(tree, changes))
    return made, dataset


def _own_parameters(session: Session) -> "Tree":
    """The parameters of the similarity, taken out of the session's."""
    own = [text for text in session.parameters if text.startswith(OWN)]
    session.parameters = tuple(text for text in session.parameters if text not in own)
    tree: Tree = parameter_tree(own).get("similarity", {})
    return tree


def _dataset(session: Session) -> "Dataset":
    """The dataset, whose files need not be there: its classes are all that is asked of it."""
    dataset: Dataset = session.builder().build("dataset", session.tree["dataset"])
    return dataset


def _check_out(to: Path, suffixes: tuple[str, ...]) -> None:
    """Before anything is made: the file is of a kind we write, in a folder that is there."""
    if to.suffix not in suffixes:
        raise ParameterError(f"--to {to}: a file that ends in {' or '.join(suffixes)} is written")
    if not to.parent.is_dir():
        raise ParameterError(f"--to {to}: there is no folder {str(to.parent)!r}")


def _draw(found: "Facts", to: Path) -> None:
    from xbench.figures import save_figure
    from xbench_explicable.pictures.heat_map import heat_map

    title = f"Similarity {found.similarity} of {found.dataset}"
    figure = heat_map(found.matrix, found.names, title)
    with _writing(to):
        save_figure(figure, to, title=title, dots=150)


@contextmanager
def _writing(to: Path) -> Iterator[None]:
    """Say what is in the way of a file."""
    try:
        yield
    except OSError as error:
        raise ParameterError(f"--to {to}: it cannot be written ({error.strerror})") from error
