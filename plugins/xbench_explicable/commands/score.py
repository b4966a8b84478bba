"""`xbench score`: compare classifiers that were trained elsewhere, by their predictions."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from xbench import ParameterError, UsageError
from xbench.commands import CHOICE, OUTPUT, WORK, Session, parameter_tree, session_options

if TYPE_CHECKING:
    from xbench import Benchmark, Record, Rows, Store, Tree
    from xbench_explicable.protocol.explicability import Explicability
    from xbench_explicable.protocol.predictions import Predictions

NAME = "predictions"
OWN = ("similarity", "hierarchy", "synsets", "wordnet")
"""The protocol's parameters, for which -p needs no `protocol.` before them."""


class Scored(NamedTuple):
    """One file, and what the record says of it."""

    label: str
    path: Path
    predictions: "Predictions"

    def component(self) -> "Tree":
        """What stands in the record in place of a network."""
        of = self.predictions
        return {"name": NAME, "file": self.path.name, "sha256": of.digest, "order": of.order}


@click.command("score")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(path_type=Path),
)
@session_options((*CHOICE[:3], CHOICE[5], WORK[0]), OUTPUT)
@click.option("--split", help="Of the dataset; the benchmark's test split if nothing is said.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="What tables call a file, once for each; its name if nothing is said.",
)
def command(
    session: Session, files: tuple[Path, ...], split: str | None, labels: tuple[str, ...]
) -> None:
    """Score files of predictions against each other, without any network.

    FILE is a .npy file of one class for each image of the split, or a .npz file with one of
    predicted, probabilities and logits, and ids, labels or class_names where wanted. The
    similarity comes from the benchmark, or from -p similarity.name=NAME.
    """
    from xbench import record_path
    from xbench.commands import print_json, print_results
    from xbench_explicable.protocol.predictions import read_predictions

    named = _named(files, labels)
    benchmark = _benchmark(session, split)
    images = benchmark.datasets["test"]
    images.dataset.check()
    found = [
        Scored(label, path, read_predictions(path, images.dataset, images.split))
        for label, path in named.items()
    ]
    store = session.opened_store()
    store.check_writable()
    records = _records(benchmark, found, store)
    for record in records:
        store.put_record(record_path(record), record.model_dump())
    if session.json:
        print_json([record.model_dump() for record in records])
        return
    paths = [f"{store.url.rstrip('/')}/records/{record_path(record)}" for record in records]
    print_results(benchmark, records, paths)
    _print_counts(records, found)


def _named(files: Sequence[Path], labels: Sequence[str]) -> dict[str, Path]:
    """The files by label."""
    if labels and len(labels) != len(files):
        raise ParameterError(f"{len(labels)} labels for {len(files)} files; give one for each")
    names = list(labels or (path.stem for path in files))
    for name in names:
        if not name.strip():
            raise ParameterError("a label is empty; tables need a name for each file")
        if names.count(name) > 1:
            raise ParameterError(f"two files are called {name!r}; tell them apart with --label")
    return dict(zip(names, files, strict=True))


def _benchmark(session: Session, split: str | None) -> "Benchmark":
    """The benchmark with this protocol and without entries: predictions take their place."""
    from xbench import ImageSet
    from xbench.commands import assemble

    tree = _tree(session)
    made = assemble(tree, session.registry, scored=False)
    test = made.datasets["test"]
    images = ImageSet(test.dataset, split or test.split, test.transform)
    if images.split not in images.dataset.splits():
        from xbench import UnknownNameError

        of = f"split of dataset {images.dataset.name}"
        raise UnknownNameError(of, images.split, images.dataset.splits())
    protocol: Any = made.protocol
    protocol = dataclasses.replace(protocol, losses=())  # they need more than predictions
    return dataclasses.replace(
        made,
        name=NAME,
        version="1",
        title=f"Predictions for {images.dataset.name}, split {images.split}",
        protocol=protocol,
        datasets={"train": images, "test": images},
        lines=(),
        contrasts=(),
        seed=0,
        repeats=1,
        published=None,
        varied=(),
    )


def _tree(session: Session) -> "Tree":
    """The benchmark's tree; its protocol is this one, whichever it was."""
    from xbench.commands import adjust, as_table
    from xbench_explicable.protocol.explicability import Explicability

    tree = dataclasses.replace(session, parameters=()).tree
    tree = {**tree, "entries": [{"label": NAME}], "contrasts": []}
    if as_table(tree["protocol"])["name"] != Explicability.name:
        tree = {**tree, "protocol": {"name": Explicability.name}}
    tree = adjust(tree, parameter_tree([_placed(text) for text in session.parameters]))
    if "similarity" not in tree["protocol"]:
        known = ", ".join(session.registry.names("similarity"))
        raise UsageError(
            "nothing says which mistakes are near: choose a similarity with "
            f"-p similarity.name=NAME ({known}), or a benchmark that has one with --benchmark"
        )
    return tree


def _placed(text: str) -> str:
    """A `-p` text; the protocol's own parameters need not name it."""
    path, equals, _ = text.partition("=")
    own = equals and path.partition(".")[0].strip() in OWN
    return f"protocol.{text.strip()}" if own else text


def _records(benchmark: "Benchmark", files: Sequence[Scored], store: "Store") -> "list[Record]":
    """A record for each file, with rows in the store."""
    from xbench import judge

    keys = {of.label: _key(benchmark, of) for of in files}
    rows = {of.label: _rows(benchmark, of) for of in files}
    for label, table in rows.items():
        store.put_rows(keys[label], table)
    # what was trained, and how, is not known: the file stands in its place
    return judge(benchmark, rows, keys, {of.label: {NAME: of.component()} for of in files})


def _key(benchmark: "Benchmark", of: Scored) -> str:
    """Under which a file's rows are stored."""
    from xbench import content_key

    images, protocol = benchmark.datasets["test"], benchmark.protocol
    return content_key(
        {
            "protocol": protocol.tree(),
            "images": images.tree(),
            "predictions": of.predictions.digest,
        }
    )


def _rows(benchmark: "Benchmark", scored: Scored) -> "Rows":
    """Rows of a file."""
    import numpy as np

    from xbench_explicable.protocol.rows import Answers, rows_of

    protocol: Explicability = benchmark.protocol  # type: ignore[assignment]
    images, of = benchmark.datasets["test"], scored.predictions
    answers = Answers(
        set=images.split,
        repeat=0,
        cases=np.arange(len(of.predicted)),
        images=np.array(images.ids(), np.int64),
        labels=of.labels,
        predicted=of.predicted,
        probability=of.probability,
        true_probability=of.true_probability,
        losses={},
        labels_needed=0,
    )
    return rows_of(answers, protocol.yardstick(images.dataset))


def _print_counts(records: "Sequence[Record]", found: Sequence[Scored]) -> None:
    """The paper's counts, how pairs compare, and whose order nothing vouches for."""
    from xbench.commands import print_lines, print_table

    of_test = {record.label: record.notes["sets"]["test"] for record in records}
    if len(records) > 1:
        first = next(iter(of_test.values()))
        every, same = first["common_mistakes"][0], first["same_class"][0]
        rows = [_points(label, of) for label, of in of_test.items()]
        title = f"Points in the {every} images that all get wrong, {same} as the same class"
        print_table(title, ["", "hard", "soft"], rows)
        columns = ["", "images", "same class", "closer", "farther", "as close"]
        title = "Mistakes of two, where both are wrong, in per cent"
        print_table(title, columns, list(_pair_rows(of_test)))
    print_lines(
        *(
            f"{one.path}: has neither ids nor labels; its order was taken for the split's"
            for one in found
            if one.predictions.order == "assumed"
        )
    )


def _points(label: str, of: Mapping[str, Any]) -> list[str]:
    return [label, f"{of['hard'][0]:.0f}", f"{of['soft'][0]:.2f}"]


def _pair_rows(of_test: Mapping[str, Any]) -> Iterator[list[str]]:
    labels = list(of_test)
    for place, label in enumerate(labels):
        for other in labels[place + 1 :]:
            of = of_test[label]["pairs"][other]
            shares = (of[name] for name in ("same", "closer", "farther", "level"))
            told = ("–" if share is None else f"{100 * share:.1f}" for share in shares)
            yield [f"{label} beside {other}", str(of["images"]), *told]
