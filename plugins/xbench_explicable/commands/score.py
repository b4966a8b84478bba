"""`xbench score`: predictions, or explanations, of classifiers from elsewhere."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from xbench import ParameterError, UsageError
from xbench.commands import (
    CHOICE,
    OUTPUT,
    WORK,
    Session,
    parameter_tree,
    score_given,
    session_options,
)

if TYPE_CHECKING:
    from xbench import Benchmark, Protocol, Record, Result, Rows, SplitPredictions, Store, Tree

NAME = "predictions"
PROTOCOL_PARAMETERS = ("similarity", "hierarchy", "synsets", "wordnet")
"""The protocol's parameters, for which -p needs no `protocol.` before them."""


class PredictionsFile(NamedTuple):
    """One file, and what the record says of it."""

    label: str
    path: Path
    predictions: "SplitPredictions"

    def component(self) -> "Tree":
        """What stands in the record in place of a network."""
        predictions = self.predictions
        return {
            "name": NAME,
            "file": self.path.name,
            "sha256": predictions.digest,
            "order": predictions.matching,
        }


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
@click.option(
    "--limit", type=click.IntRange(1), help="Of maps: score those of so many images only."
)
def command(
    session: Session,
    files: tuple[Path, ...],
    split: str | None,
    labels: tuple[str, ...],
    limit: int | None,
) -> None:
    """Score files of predictions, or of saliency maps, that were made elsewhere.

    Predictions are compared with each other, without any network: FILE is a .npy file of one
    class for each image of the split, or a .npz file with one of predicted, probabilities and
    logits, and ids, labels or class_names where wanted. The benchmark's protocol scores them, such
    as human-fit; where it scores no predictions, explicability does. Its similarity comes from the
    benchmark, or from -p similarity.name=NAME.

    With a benchmark that scores saliency maps, FILE is a .npz file of maps (images × height ×
    width), ids of the images and classes that the maps speak for; it takes the place of the
    benchmark's entries, beside the same floors and the same network.
    """
    from xbench.commands import given_explainer

    paths = _paths_by_label(files, labels)
    plain = dataclasses.replace(session, parameters=()).tree
    if given_explainer(plain, session.registry, files[0]) is not None:
        if split:
            raise UsageError("--split is for predictions; images of maps are the benchmark's")
        score_given(session, paths, limit)
    elif limit is not None:
        raise UsageError("--limit is for maps; predictions are scored as a whole")
    else:
        _score_predictions(session, split, paths)


def _score_predictions(session: Session, split: str | None, paths: Mapping[str, Path]) -> None:
    from xbench import put_results, read_predictions, record_path
    from xbench.commands import print_json, print_results

    benchmark = _benchmark(session, split)
    images = benchmark.datasets["test"]
    images.dataset.check()
    prediction_files = [
        PredictionsFile(label, path, read_predictions(path, images.dataset, images.split))
        for label, path in paths.items()
    ]
    store = session.opened_store()
    store.check_writable()
    records = put_results(store, _results(benchmark, prediction_files, store))
    if session.json:
        print_json([record.model_dump() for record in records])
        return
    urls = [f"{store.url.rstrip('/')}/records/{record_path(record)}" for record in records]
    print_results(benchmark, records, urls)
    _print_comparisons(records, prediction_files)


def _paths_by_label(files: Sequence[Path], labels: Sequence[str]) -> dict[str, Path]:
    """The files by label."""
    if labels and len(labels) != len(files):
        raise ParameterError(f"{len(labels)} labels for {len(files)} files; give one for each")
    labels = list(labels or (path.stem for path in files))
    for label in labels:
        if not label.strip():
            raise ParameterError("a label is empty; tables need a name for each file")
        if labels.count(label) > 1:
            raise ParameterError(f"two files are called {label!r}; tell them apart with --label")
    return dict(zip(labels, files, strict=True))


def _benchmark(session: Session, split: str | None) -> "Benchmark":
    """The benchmark with this protocol and without entries: predictions take their place."""
    from xbench import ImageSet
    from xbench.commands import assemble

    tree = _tree(session)
    benchmark = assemble(tree, session.registry, scored=False)
    test = benchmark.datasets["test"]
    images = ImageSet(test.dataset, split or test.split, test.transform)
    if images.split not in images.dataset.splits():
        from xbench import UnknownNameError

        subject = f"split of dataset {images.dataset.name}"
        raise UnknownNameError(subject, images.split, images.dataset.splits())
    return dataclasses.replace(
        benchmark,
        name=NAME,
        version="1",
        title=f"Predictions for {images.dataset.name}, split {images.split}",
        protocol=_protocol(benchmark),
        datasets={"train": images, "test": images},
        lines=(),
        contrasts=(),
        seed=0,
        repeats=1,
        published=None,
        varied=(),
    )


def _protocol(benchmark: "Benchmark") -> "Protocol":
    """The benchmark's, as it scores predictions."""
    protocol = benchmark.protocol.for_predictions()
    if protocol is None:
        raise UsageError(f"protocol {benchmark.protocol.name!r} scores no predictions")
    return protocol


def _tree(session: Session) -> "Tree":
    """The benchmark's tree; its protocol is explicability if its own scores no predictions."""
    from xbench.commands import adjust, as_table
    from xbench_explicable.protocol.explicability import Explicability

    changes = parameter_tree([_full_parameter(text) for text in session.parameters])
    tree = dataclasses.replace(session, parameters=()).tree
    tree = {**tree, "entries": [{"label": NAME}], "contrasts": []}
    if not _scores_predictions(session, tree["protocol"]):
        tree = {**tree, "protocol": {"name": Explicability.name}}
    tree = adjust(tree, changes)
    protocol = as_table(tree["protocol"])
    if protocol["name"] == Explicability.name and "similarity" not in protocol:
        known = ", ".join(session.registry.names("similarity"))
        raise UsageError(
            "nothing says which mistakes are near: choose a similarity with "
            f"-p similarity.name=NAME ({known}), or a benchmark that has one with --benchmark"
        )
    return tree


def _scores_predictions(session: Session, protocol: Any) -> bool:
    """Whether the protocol that a benchmark names does."""
    from xbench import Protocol
    from xbench.commands import as_table

    cls = session.registry.get("protocol", as_table(protocol)["name"])
    return cls.for_predictions is not Protocol.for_predictions


def _full_parameter(text: str) -> str:
    """A `-p` text; the protocol's own parameters need not name it."""
    path, equals, _ = text.partition("=")
    is_short = equals and path.partition(".")[0].strip() in PROTOCOL_PARAMETERS
    return f"protocol.{text.strip()}" if is_short else text


def _results(
    benchmark: "Benchmark", files: Sequence[PredictionsFile], store: "Store"
) -> "list[Result]":
    """The record of each file, with rows in the store."""
    from xbench import judge

    keys = {file.label: _key(benchmark, file) for file in files}
    rows = {file.label: _rows(benchmark, file) for file in files}
    for label, table in rows.items():
        store.put_rows(keys[label], table)
    # what was trained, and how, is not known: the file stands in its place
    return judge(benchmark, rows, keys, {file.label: {NAME: file.component()} for file in files})


def _rows(benchmark: "Benchmark", file: PredictionsFile) -> "Rows":
    """The protocol's rows of a file."""
    from xbench import MismatchError

    try:
        return benchmark.protocol.predicted_rows(benchmark.datasets["test"], file.predictions)
    except MismatchError as error:
        raise MismatchError(f"{file.path}: {error}") from error


def _key(benchmark: "Benchmark", file: PredictionsFile) -> str:
    """Under which a file's rows are stored."""
    from xbench import content_key

    images, protocol = benchmark.datasets["test"], benchmark.protocol
    return content_key(
        {
            "protocol": protocol.tree(),
            "images": images.tree(),
            "predictions": file.predictions.digest,
        }
    )


def _print_comparisons(records: "Sequence[Record]", files: Sequence[PredictionsFile]) -> None:
    """The paper's counts, how pairs compare, and what is to be known of the files."""
    from xbench.commands import print_lines

    sets = {record.label: record.notes["sets"] for record in records if "sets" in record.notes}
    if len(sets) > 1:
        _print_points({label: next(iter(of.values())) for label, of in sets.items()})
    print_lines(*(line for file in files for line in _remarks(file)))


def _print_points(notes: Mapping[str, Any]) -> None:
    """Of the images that all get wrong, and of each two entries' mistakes."""
    from xbench.commands import print_table

    first = next(iter(notes.values()))
    common, same = first["common_mistakes"][0], first["same_class"][0]
    rows = [_points_row(label, entry_notes) for label, entry_notes in notes.items()]
    title = f"Points in the {common} images that all get wrong, {same} as the same class"
    print_table(title, ["", "hard", "soft"], rows)
    columns = ["", "images", "same class", "closer", "farther", "as close"]
    title = "Mistakes of two, where both are wrong, in per cent"
    print_table(title, columns, list(_pair_rows(notes)))


def _remarks(file: PredictionsFile) -> Iterator[str]:
    """Whose order nothing vouches for, and which zeros are none."""
    if file.predictions.matching == "assumed":
        yield f"{file.path}: has neither ids nor labels; its order was taken for the split's"
    if file.predictions.zeros:
        yield (
            f"{file.path}: gives a probability of 0 to classes of {file.predictions.zeros} "
            f"images; it was taken for {file.predictions.smallest:.3g}, the smallest positive "
            "number of its type, as the logarithm of 0 is infinite; logits have none"
        )


def _points_row(label: str, notes: Mapping[str, Any]) -> list[str]:
    return [label, f"{notes['hard'][0]:.0f}", f"{notes['soft'][0]:.2f}"]


def _pair_rows(notes: Mapping[str, Any]) -> Iterator[list[str]]:
    labels = list(notes)
    for place, label in enumerate(labels):
        for other in labels[place + 1 :]:
            pair = notes[label]["pairs"][other]
            shares = (pair[name] for name in ("same", "closer", "farther", "level"))
            cells = ("–" if share is None else f"{100 * share:.1f}" for share in shares)
            yield [f"{label} beside {other}", str(pair["images"]), *cells]
