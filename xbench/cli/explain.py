"""`xbench explain`: explanations of images, saved and drawn."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.cli.options import CHOICE, OUTPUT, WORK, Session, session_options
from xbench.errors import UsageError

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.interfaces.data.dataset import Batch


@click.command("explain")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@session_options(CHOICE, WORK, OUTPUT)
@click.option(
    "--id", "ids", multiple=True, type=int, help="An image of the dataset's test split, by its id."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("explanations"),
    show_default=True,
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["png", "svg", "pdf"]),
    default="png",
    show_default=True,
)
def command(
    session: Session, photos: tuple[Path, ...], ids: tuple[int, ...], out: Path, format_: str
) -> None:
    """Explain PHOTOS, or images of the dataset by --id, and draw the explanations.

    The classifier, its training and the explainer are those of `xbench run` with the same
    options. Pictures and the explanations themselves are written to --out.
    """
    from xbench.api.explaining import explain
    from xbench.cli.output import print_json, print_lines, progress

    if not photos and not ids:
        raise UsageError("nothing to explain: give photos, or --id of images of the dataset")
    benchmark = session.assembled(scored=False)
    batches = list(_batches(benchmark, photos, ids))
    store = session.opened_store()
    with progress(session.quiet or session.json) as reporter:
        written = explain(benchmark, batches, store, session.workplace(reporter), out, format_)
    if session.json:
        print_json([str(path) for path in written])
    else:
        print_lines(*(f"wrote {path}" for path in written))


def _batches(
    benchmark: "Benchmark", photos: Sequence[Path], ids: Sequence[int]
) -> "Iterator[tuple[str, Batch]]":
    """Each image as a batch of its own, with the name of its picture."""
    from xbench.api.explaining import photo_batch

    images = benchmark.datasets["test"]
    known = set(images.ids()) if ids else set()
    for number in ids:
        if number not in known:
            raise UsageError(
                f"image {number} is not in split {images.split!r} of {images.dataset.name}"
            )
        yield f"{images.dataset.name}-{number}", images.batch([number])
    for photo in photos:
        yield photo.stem, photo_batch(photo, images.transform)
