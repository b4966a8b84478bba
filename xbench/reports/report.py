"""Reports: a folder with a page for a run, its curves, and pictures of explanations."""

import contextlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.errors import RunError, UsageError
from xbench.interfaces.data.case import Case
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import Drawing, Entry, Protocol, View
from xbench.interfaces.resampling import Resampling
from xbench.reports.page import Picture, html, page_of
from xbench.reports.picture_files import write_picture
from xbench.results.numbers import share_text
from xbench.results.record import Record
from xbench.running.bench import LocalBench
from xbench.running.outcome import record_rows
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import subject_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANIFEST = "manifest.json"
"""Lists the files of a report, so that a later one takes their place and touches no other."""
UNFINISHED = ".unfinished-"
CURVE_DOTS, PICTURE_DOTS = 150, 100
"""Pixels an inch: of curves, and of pictures, which hold photographs and weigh more."""
PREDICTIONS = 3
"""How many of the most probable classes a caption names."""


class Run(NamedTuple):
    """A finished run, with what a report needs to look into it."""

    benchmark: Benchmark
    records: Sequence[Record]
    store: Store
    workplace: LocalWorkplace
    command: str

    @property
    def bench(self) -> LocalBench:
        """Where kept explanations are found."""
        return LocalBench(self.workplace, self.store)


def check_folder(folder: Path, members: Collection[str] = ()) -> None:
    """Raise `UsageError` if a report there would touch files other than folders `members`."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"report folder {str(folder)!r} is a file; name a folder")
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise UsageError(f"report folder {str(folder)!r} cannot be written; name another")
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    foreign = [n for n in names if not n.startswith(UNFINISHED) and n not in members]
    if foreign and MANIFEST not in foreign:
        raise UsageError(
            f"report folder {str(folder)!r} holds files that are no report ({foreign[0]!r}"
            f"{', …' if len(foreign) > 1 else ''}); name a new or an empty folder"
        )


def write_report(run: Run, folder: Path, pictures: int) -> Path:
    """Write the report of a run, all of it or nothing; returns its page.

    `pictures` is how many explanations are drawn: of the first entry, for the first cases.
    A report that lay there before is replaced.
    """
    check_folder(folder)
    try:
        with replacing(folder) as unfinished:
            curves = [*_curves(run, unfinished), *_protocol_pictures(run, unfinished)]
            explanation_pictures = list(_explanation_pictures(run, unfinished, pictures))
            page = page_of(run.benchmark, run.records, curves, explanation_pictures, run.command)
            (unfinished / "index.html").write_text(html(page), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"the report could not be written to {str(folder)!r} ({error}); records and rows "
            "are stored: the same command, with another --report, goes on from here"
        ) from error
    return folder / "index.html"


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder; when the block ends well, its files replace those of a report in `folder`."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as name:
            yield Path(name)
            _move(Path(name), folder)
    except BaseException:
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _move(unfinished: Path, folder: Path) -> None:
    """The page comes last: while files are moved, the old page stands."""
    files = sorted(
        (path.name for path in unfinished.iterdir()), key=lambda name: name == "index.html"
    )
    for stale in set(_report_files(folder)).difference(files):
        (folder / stale).unlink(missing_ok=True)
    manifest = {"made_by": "xbench run --report", "files": files}
    (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for name in (MANIFEST, *files):
        (unfinished / name).replace(folder / name)


def _report_files(folder: Path) -> list[str]:
    """Files of the report that lies here; names that lead elsewhere are none of it."""
    try:
        names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return [name for name in names if Path(name).name == name and (folder / name).is_file()]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return []


def curve_drawings(run: Run) -> Mapping[str, Drawing]:
    """What the protocol draws of the scores, by name."""
    rows = {record.label: list(record_rows(record, run.store)) for record in run.records}
    roles = {record.label: record.role for record in run.records}
    intervals = run.records[0].intervals
    resampling = Resampling(intervals.level, intervals.resamples, intervals.seed)
    return run.benchmark.protocol.figures(rows, roles, resampling)


def _curves(run: Run, folder: Path) -> Iterator[Picture]:
    """What the protocol draws of the scores."""
    for stem, drawing in curve_drawings(run).items():
        yield _written(drawing, folder / stem, CURVE_DOTS)


def _protocol_pictures(run: Run, folder: Path) -> Iterator[Picture]:
    """What the protocol draws of images and networks."""
    bench, protocol = run.bench, run.benchmark.protocol
    if type(protocol).pictures is Protocol.pictures:
        return
    labels = {record.label for record in run.records}
    lines = [line for line in run.benchmark.lines if line.label in labels]
    entries = {line.label: next(run.benchmark.entries(line)) for line in lines}
    rows = {record.label: next(record_rows(record, run.store)) for record in run.records}
    artefacts = {
        label: bench.provider.all(protocol.artefacts(entry)) for label, entry in entries.items()
    }
    drawings = protocol.pictures(entries, rows, artefacts, bench)
    for stem, drawing in drawings.items():
        yield _written(drawing, folder / stem, PICTURE_DOTS)


def _explanation_pictures(run: Run, folder: Path, count: int) -> Iterator[Picture]:
    """Explanations of the first cases by the first entry, as they were scored."""
    occurrences: Counter[int] = Counter()
    for entry, view in _explained_views(run, count):
        suffix = f"-{occurrences[view.image]}" if occurrences[view.image] else ""
        occurrences[view.image] += 1
        yield _explanation_picture(run, entry, view, folder / f"image-{view.image}{suffix}")


def _explained_views(run: Run, count: int) -> Iterator[tuple[Entry, View]]:
    """What the first cases of the first entry show, where it explains."""
    line = next(line for line in run.benchmark.lines if line.role == "entry")
    if run.benchmark.protocol.scores is None or line.explainer is None:
        return
    entry = next(run.benchmark.entries(line))
    record = next(record for record in run.records if record.label == line.label)
    names = dict.fromkeys(next(record_rows(record, run.store)).column("case").to_pylist())
    for view in _views(run, entry, [Case.parse(name) for name in [*names][:count]]):
        yield entry, view


def first_explanation(run: Run) -> "Figure | None":
    """The picture of the first case's explanation by the first entry; None where none explains."""
    for entry, view in _explained_views(run, 1):
        return _explanation_figure(run, entry, view)
    return None


def _explanation_figure(run: Run, entry: Entry, view: View) -> "Figure":
    batch, names = view.images.batch([view.image]), view.images.dataset.class_names()
    asked = view.subject, view.images, [view.image]
    (explanation,) = run.bench.explanations(entry.required_explainer, *asked)
    figure: Figure = explanation.draw(batch, entry.datasets["train"], names)
    return figure


def _views(run: Run, entry: Entry, cases: Sequence[Case]) -> Iterator[View]:
    """What the cases show; nothing where they are neither views nor images."""
    protocol = run.benchmark.protocol
    artefacts = run.bench.provider.all(protocol.artefacts(entry))
    for case in cases:
        view = protocol.view(entry, case, artefacts) or _image_view(entry, case)
        if view is not None:
            yield view


def _image_view(entry: Entry, case: Case) -> View | None:
    """The image with the case's id in the set of its role, if it is there."""
    images = entry.datasets.get(case.role)
    if images is None or case.within or case.id not in images.ids():
        return None
    return View(_image_title(images, case.id), images, case.id, subject_of(entry))


def _image_title(images: ImageSet, image: int) -> str:
    """The image, and its class where that is known."""
    if not images.dataset.has_labels:
        return f"Image {image}"
    label = int(images.dataset.labels([image])[0])
    return f"Image {image}: {images.dataset.class_names()[label]}"


def _explanation_picture(run: Run, entry: Entry, view: View, place: Path) -> Picture:
    names, asked = view.images.dataset.class_names(), (view.subject, view.images, [view.image])
    figure = _explanation_figure(run, entry, view)
    shares = run.bench.predictions(*asked)[0].softmax(0).topk(min(PREDICTIONS, len(names)))
    predictions = [
        f"{names[label]} {share_text(value, 0)}"
        for value, label in zip(shares.values.tolist(), shares.indices.tolist(), strict=True)
    ]
    caption = f"The classifier says: {', '.join(predictions)}."
    text = f"Explanation of image {view.image} by {entry.label}. {caption}"
    return _written(Drawing(figure, view.title, caption, text), place, PICTURE_DOTS)


def _written(drawing: Drawing, place: Path, dots: int) -> Picture:
    """A drawing whose files were written."""
    files = write_picture(drawing.figure, place, title=drawing.title, dots=dots)
    return Picture(place.name, drawing.title, drawing.caption, drawing.text, *files)
