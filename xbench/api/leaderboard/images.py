"""The images of submissions: whether they are the benchmark's, as far as its files are here."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from xbench.api.leaderboard.trees import differing, same, without
from xbench.benchmark.assembly import Benchmark
from xbench.errors import DatasetError
from xbench.interfaces.component import Tree, is_location, plain, provider
from xbench.interfaces.data.case import Case
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.results.board.submission import Submission
from xbench.results.record import Record

FINGERPRINT = "fingerprint"


def absent_images(benchmark: Benchmark) -> dict[str, Dataset]:
    """By role, the datasets whose files are not here, where they are made of another one that.

    `DatasetError` for files that are here and are damaged.
    """
    sets = benchmark.datasets
    lacking = {of: _lacking(of) for of in {images.dataset for images in sets.values()}}
    absent = {role: lacking[images.dataset] for role, images in sets.items()}
    return {role: of for role, of in absent.items() if of is not None}


def _lacking(dataset: Dataset) -> Dataset | None:
    """What of a dataset lacks its files, if it says that some are missing.

    Then a place of it, or of one that it is made of, leads nowhere; else the files are damaged.
    """
    try:
        dataset.check()
    except DatasetError:
        nowhere = (of for of, place in _places(dataset) if not leads_somewhere(place))
        lacking = next(nowhere, None)
        if lacking is None:
            raise
        return lacking
    return None


def leads_somewhere(place: str) -> bool:
    """Whether there is anything where files are said to lie."""
    return bool(place) and Path(place).expanduser().exists()


def _places(dataset: Dataset) -> Iterator[tuple[Dataset, str]]:
    """Where the files of a dataset, and of those that it is made of, are said to lie."""
    for field in fields(dataset):  # type: ignore[arg-type]
        value = getattr(dataset, field.name)
        for of in value if isinstance(value, tuple) else (value,):
            if is_location(field):
                yield dataset, str(of)
            elif isinstance(of, Dataset):
                yield from _places(of)


def wrong_places(dataset: Dataset) -> list[str]:
    """Where its files are said to lie, and nothing is."""
    return [place for _, place in _places(dataset) if place and not leads_somewhere(place)]


def faults_of_images(
    record: Record, benchmark: Benchmark, absent: Collection[str] = ()
) -> Iterator[str]:
    """Whether the image sets are the benchmark's, in what they show and in how it is shown.

    Of roles whose files are absent all but the fingerprints is compared.
    """
    for role in sorted({*record.datasets, *benchmark.datasets}):
        images, theirs = benchmark.datasets.get(role), record.datasets.get(role)
        if images is None or not isinstance(theirs, Mapping):
            yield f"only one of record and benchmark has images of {role!r}"
        else:
            yield from _other_images(role, theirs, images, files=role not in absent)


def _other_images(
    role: str, given: Mapping[str, Any], images: ImageSet, *, files: bool
) -> Iterator[str]:
    """That a role's images are others, in what their files hold or, without files, in the rest."""
    ours = images.tree() if files else declared_images(images)
    theirs = given if files else without(given, FINGERPRINT)
    if not same(ours, theirs):
        yield f"its images of {role!r} are others ({_difference(theirs, ours)})"


def _difference(theirs: Mapping[str, Any], ours: Tree) -> str:
    one, two = (tree.get("dataset") for tree in (theirs, ours))
    if isinstance(one, Mapping) and isinstance(two, Mapping) and not same(one, two):
        return f"dataset: {differing(dict(one), dict(two))}"
    of = [str(tree.get("split")) for tree in (theirs, ours)]
    return f"split {of[0]:.60}, not {of[1]}" if of[0] != of[1] else "another transform"


def declared_images(images: ImageSet) -> Tree:
    """The tree of an image set without what only its files tell."""
    part = {} if images.part is None else {"part": images.part.tree()}
    return {
        "dataset": _declared(images.dataset),
        "split": images.split,
        "transform": images.transform.tree(),
        **part,
    }


def _declared(dataset: Dataset) -> Tree:
    """What identifies a dataset, without fingerprints of its own or of those it is made of."""
    try:
        return dict(without(dataset.tree(), FINGERPRINT))
    except DatasetError:
        own = [of for of in fields(dataset) if not is_location(of)]  # type: ignore[arg-type]
    values = {of.name: getattr(dataset, of.name) for of in own}
    return {
        "kind": dataset.kind,
        "name": dataset.name,
        "version": dataset.version,
        "distribution": provider(type(dataset)).name,
        "parameters": {name: _declared_value(value) for name, value in values.items()},
    }


def _declared_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_declared_value(of) for of in value]
    return _declared(value) if isinstance(value, Dataset) else plain(value)


def known_cases(
    submission: Submission, benchmark: Benchmark, absent: Collection[str] = ()
) -> Collection[str]:
    """Those of the submission's cases that the benchmark can have, as far as ids tell.

    A case of a role is an image of that role's; one that belongs to something else as well is
    any image of the benchmark's datasets. Where images are absent any id may be theirs.
    """
    sets = {
        role: None if role in absent else set(images.ids())
        for role, images in benchmark.datasets.items()
    }
    anywhere = None if absent else _ids(images.dataset for images in benchmark.datasets.values())
    names = pc.unique(submission.scores["case"]).to_pylist()
    return {name for name in names if _is_known(name, sets, anywhere)}


def _ids(datasets: Iterable[Dataset]) -> set[int]:
    return {image for of in set(datasets) for split in of.splits() for image in of.ids(split)}


def _is_known(name: str, sets: Mapping[str, set[int] | None], anywhere: set[int] | None) -> bool:
    try:
        case = Case.parse(name)
    except ValueError:
        return False
    ids = anywhere if case.within else sets.get(case.role, set())
    return ids is None or case.id in ids
