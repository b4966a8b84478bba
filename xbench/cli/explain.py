"""`xbench explain`: explanations of photos, and of a benchmark's images, saved and drawn."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench.benchmark.completion import of_kind
from xbench.benchmark.naming import spelled_component as spelled
from xbench.cli.options import (
    CHOICE,
    EXPLAINER,
    NO_TRAIN,
    OUTPUT,
    WORK,
    Session,
    parameter_tree,
    session_options,
)
from xbench.errors import UsageError

if TYPE_CHECKING:
    from xbench.api.photos.explained import Explained
    from xbench.benchmark.assembly import Benchmark
    from xbench.interfaces.component import Tree
    from xbench.interfaces.data.dataset import Batch

DEFAULT = "grad-cam"
"""The explainer of photos where none is named."""
STDIN = "-"
"""What stands for a photo on standard input."""
_PHOTO_OPTIONS = (
    click.option(
        "--weights", metavar="FILE", help="Weights of --classifier, for its library's; or random."
    ),
    click.option(
        "--classes",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Names of the network's classes, one a line.",
    ),
    click.option("--target", metavar="CLASS", help="The class to explain, by name or number."),
    click.option("--bank", metavar="FILE", help="A concept bank, for explainers that take one."),
    click.option(
        "--size", type=click.IntRange(1), help="Side in pixels that photos are fitted to."
    ),
    click.option(
        "--fit/--no-fit",
        default=True,
        help="Whether photos are fitted to the network, or keep their size.",
    ),
)
"""Options that photos have, and images of a benchmark have not."""


def _photo_options(function: Any) -> Any:
    for option in reversed(_PHOTO_OPTIONS):
        function = option(function)
    return function


@click.command("explain")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@session_options(tuple(one for one in CHOICE if one is not EXPLAINER), WORK, NO_TRAIN, OUTPUT)
@click.option(
    "--explainer",
    "explainers",
    multiple=True,
    metavar="NAME",
    help="An explainer, grad-cam for photos; may be repeated.",
    shell_complete=of_kind("explainer"),
)
@_photo_options
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
    session: Session,
    photos: tuple[Path, ...],
    explainers: tuple[str, ...],
    ids: tuple[int, ...],
    out: Path,
    format_: str,
    **options: Any,
) -> None:
    r"""Explain PHOTOS, files or folders of them, with a --classifier that is trained already.

    \b
      xbench explain apple.jpg --classifier torchvision:resnet50

    Pictures, values, a JSON file and a page are written to --out; nothing is overwritten. With
    --id or a --dataset the classifier, its training and the explainer are those of `xbench run`.
    """
    if not photos and not ids:
        raise UsageError("nothing to explain: give photos, or --id of images of the dataset")
    explainers = tuple(spelled("explainer", name, session.registry) for name in explainers)
    if _needs_no_dataset(session, photos, ids):
        _explain_photos(session, photos, explainers, out, format_, options)
        return
    _explain_with_benchmark(session, photos, explainers, ids, out, format_, options)


def _needs_no_dataset(session: Session, photos: Sequence[Path], ids: Sequence[int]) -> bool:
    """Whether the network is all that explaining takes, and nothing is said of a benchmark."""
    about = {path.partition(".")[0].partition("=")[0] for path in session.parameters}
    chosen = session.dataset or session.variants or session.benchmark != "default"
    given = bool(session.classifier) or "classifier" in about
    return bool(
        photos and given and not ids and not chosen and about <= {"classifier", "explainer"}
    )


def _explain_photos(
    session: Session,
    photos: Sequence[Path],
    explainers: Sequence[str],
    out: Path,
    format_: str,
    options: "Tree",
) -> None:
    from xbench.cli.output import print_json, print_lines

    result = _explained(session, photos, explainers, options)
    files = result.save(out, format_)
    if session.json:
        print_json({**result.to_json(), "files": [str(path) for path in files]})
        return
    print_lines(*result.lines(), *result.remarks)
    print_lines(f"wrote {len(files)} files; look at {files[-1]}")


def _explained(
    session: Session, photos: Sequence[Path], explainers: Sequence[str], options: "Tree"
) -> "Explained":
    from xbench.api.photos.explaining import Request, explain_images
    from xbench.api.photos.given_explainers import given_explainers
    from xbench.api.photos.given_images import given_images
    from xbench.api.photos.given_networks import Wishes, loaded, read_names
    from xbench.api.setting import chosen_device
    from xbench.cli.output import progress

    images = list(given_images([_photo(path) for path in photos]))
    parameters = parameter_tree(session.parameters)
    names = None if options["classes"] is None else read_names(options["classes"])
    builder = session.builder()
    made = given_explainers(_explainer_tables(explainers, parameters), builder)
    wishes = Wishes(weights=options["weights"], classes=names, size=options["size"])
    table = _laid_on(session.classifier or {}, parameters.get("classifier", {}))
    classifier = loaded(table, wishes, builder, chosen_device(session.device))
    fields = {} if options["bank"] is None else {"bank": options["bank"]}
    request = Request(
        options["target"],
        fields,
        options["fit"],
        session.batch_size,
        session.seed or 0,
        len(images),
    )
    with progress(session.quiet or session.json or not _watched()) as reporter:
        return explain_images(classifier, iter(images), made, request, reporter)


def _watched() -> bool:
    return sys.stderr.isatty()


def _photo(path: Path) -> Any:
    """The path, or what comes on standard input."""
    if str(path) != STDIN:
        return path
    from xbench.api.photos.given_images import GivenImage

    return GivenImage("standard input", sys.stdin.buffer.read())


def _explainer_tables(explainers: Sequence[str], changes: "Tree") -> "list[Tree]":
    """The explainers with the parameters that `-p explainer.…` gives."""
    change = changes.get("explainer", {})
    if explainers and isinstance(change, dict) and "name" not in change:
        return [_laid_on(name, change) for name in explainers]
    return [_laid_on(DEFAULT, change)]


def _laid_on(base: Any, change: Any) -> "Tree":
    from xbench.components.specification import as_table, overlay

    table: Tree = as_table(overlay(base, change) if change else base)
    return table


def _explain_with_benchmark(
    session: Session,
    photos: Sequence[Path],
    explainers: Sequence[str],
    ids: Sequence[int],
    out: Path,
    format_: str,
    options: "Tree",
) -> None:
    """Explain with the classifier and the explainer of a benchmark."""
    from xbench.api.explaining import explain
    from xbench.cli.output import print_json, print_lines, progress

    _check_none(options)
    if len(explainers) > 1:
        raise UsageError("images of a benchmark are explained by one explainer at a time")
    session = replace(session, explainer=next(iter(explainers), None))
    benchmark = session.assembled(scored=False)
    demo = bool(photos) and _is_demo(session)
    batches = list(_batches(benchmark, photos, ids, fitted=demo))
    if demo and not session.no_train:  # else nothing is said that an error may follow
        click.echo(_demo_line(benchmark, photos[0]), err=True)
    store = session.opened_store()
    with progress(session.quiet or session.json) as reporter:
        place, train = session.workplace(reporter), not session.no_train
        written = explain(benchmark, batches, store, place, out, format_, train=train)
    if session.json:
        print_json([str(path) for path in written])
    else:
        print_lines(*(f"wrote {path}" for path in written))


def _check_none(options: "Tree") -> None:
    """Refuse what photos alone have."""
    given = [name for name, value in options.items() if value is not None and value is not True]
    if given:
        option = "--no-fit" if given[0] == "fit" else f"--{given[0]}"
        raise UsageError(
            f"{option} is for photos with a --classifier and without --id, --dataset, --benchmark "
            "and -p of a benchmark; say it with -p, such as -p classifier.weights=FILE"
        )


def _is_demo(session: Session) -> bool:
    return session.classifier is None and session.dataset is None and session.benchmark == "default"


def _demo_line(benchmark: "Benchmark", photo: Path) -> str:
    """What the default benchmark knows, and what a photo needs."""
    dataset = benchmark.datasets["test"].dataset
    return (
        f"this is the demo: its network knows the {len(dataset.class_names())} classes of "
        f"{dataset.name} and sees one of them in everything; a photo needs a network of photos: "
        f"xbench explain {photo} --classifier torchvision:resnet50"
    )


def _batches(
    benchmark: "Benchmark", photos: Sequence[Path], ids: Sequence[int], *, fitted: bool
) -> "Iterator[tuple[str, Batch]]":
    """Each image as a batch of its own, with the name of its picture.

    Photos are `fitted` to the network, or go through the benchmark's transform alone.
    """
    from xbench.api.explaining import photo_batch

    images = benchmark.datasets["test"]
    known = set(images.ids()) if ids else set()
    for number in ids:
        if number not in known:
            raise UsageError(
                f"image {number} is not in split {images.split!r} of {images.dataset.name}"
            )
        yield f"{images.dataset.name}-{number}", images.batch([number])
    entry = next(benchmark.entries(benchmark.lines[0]))
    side = entry.classifier.input_size() if fitted else 0
    for photo in photos:
        yield photo.stem, photo_batch(photo, images.transform, side)
