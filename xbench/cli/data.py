"""`xbench data`: get, verify and list the files that datasets are made of."""

from typing import TYPE_CHECKING

import click

from xbench.benchmark.completion import of_kind
from xbench.cli.options import OUTPUT, Session, session_options
from xbench.errors import DatasetError, XbenchError

if TYPE_CHECKING:
    from xbench.interfaces.data.dataset import Dataset
    from xbench.interfaces.data.download import Download
    from xbench.interfaces.workplace import Progress

PARAMETERS = (
    click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="PATH=VALUE",
        help="A parameter, such as dataset.root=FOLDER; may be repeated.",
    ),
)


@click.group("data")
def command() -> None:
    """Get, verify and list data of datasets."""


@command.command("get")
@click.argument("name", shell_complete=of_kind("dataset"))
@click.option("--keep", is_flag=True, help="Keep the archives after they are unpacked.")
@session_options(PARAMETERS, OUTPUT)
def get(session: Session, name: str, keep: bool) -> None:
    """Download the data of dataset NAME from its official home, check and unpack it.

    An interrupted download goes on where it ended. Nothing is unpacked before its
    checksum is right.
    """
    from xbench.cli.output import print_json, progress

    dataset = dataset_named(session, name)
    with progress(session.quiet) as reporter:
        for download in dataset.downloads():
            _get(download, session, reporter, keep=keep)
    problems = dataset.verify()
    if session.json:
        urls = [download.url for download in dataset.downloads()]
        print_json({"dataset": name, "downloads": urls, "problems": problems})
    else:
        _tell(dataset, problems)
    if problems:
        raise SystemExit(DatasetError.exit_code)


@command.command("verify")
@click.argument("name", shell_complete=of_kind("dataset"))
@session_options(PARAMETERS, OUTPUT)
def verify(session: Session, name: str) -> None:
    """Name every missing or damaged file of dataset NAME, one a line; exit code 2 if any is."""
    from xbench.cli.output import print_json

    dataset = dataset_named(session, name)
    problems = dataset.verify()
    if session.json:
        print_json({"dataset": name, "problems": problems})
    else:
        _tell(dataset, problems)
    if problems:
        raise SystemExit(DatasetError.exit_code)


@command.command("list")
@session_options(OUTPUT)
def list_(session: Session) -> None:
    """List all datasets: whether their files are there, what they weigh, their licence."""
    from xbench.cli.output import print_json, print_table

    rows = [_row(session, name) for name in session.registry.names("dataset")]
    if session.json:
        print_json(rows)
        return
    columns = ["dataset", "state", "download", "licence"]
    cells = [[row["dataset"], row["state"], row["size"], row["licence"]] for row in rows]
    print_table("Datasets", columns, cells)


def dataset_named(session: Session, name: str) -> "Dataset":
    """The dataset called `name`, with the session's `-p dataset.…` parameters."""
    session.dataset = name
    dataset: Dataset = session.builder().build("dataset", session.tree["dataset"])
    return dataset


def _row(session: Session, name: str) -> dict[str, str]:
    from xbench.components.specification import required

    try:
        if needed := required(session.registry.get("dataset", name)):
            state = f"made of another dataset: -p dataset.{needed[0]}=…"
            return {"dataset": name, "state": state, "size": "", "licence": ""}
        dataset = dataset_named(Session(no_plugins=session.no_plugins), name)
    except XbenchError as error:
        return {"dataset": name, "state": f"FAILS: {error}", "size": "", "licence": ""}
    downloads = dataset.downloads()
    size = f"{sum(download.size for download in downloads) / 1e6:.0f} MB" if downloads else "none"
    licences = "; ".join(dict.fromkeys(download.licence for download in downloads))
    return {"dataset": name, "state": _state(dataset), "size": size, "licence": licences}


def _state(dataset: "Dataset") -> str:
    try:
        dataset.check()
    except DatasetError:
        return "not here"
    except XbenchError as error:
        return f"FAILS: {error}"
    return "here"


def availability(dataset: "Dataset") -> str:
    """Whether the data of a dataset is here, in a few words; else how it is had."""
    state = _state(dataset)
    if state != "not here":
        return "nothing to download" if state == "here" and not dataset.downloads() else state
    size = sum(download.size for download in dataset.downloads())
    name = getattr(dataset, "of", dataset).name
    return f"{size / 1e6:.0f} MB: xbench data get {name}" if size else "not here; bring your own"


def _way_out(dataset: "Dataset") -> str:
    if not dataset.downloads():
        return "There is nothing to download for it; see -p dataset.root=FOLDER."
    get = f"`xbench data get {dataset.name}` fetches the data"
    return f"{get} where there is none; move damaged files away first."


def _get(download: "Download", session: Session, progress: "Progress", *, keep: bool) -> None:
    """Fetch, and unpack an archive unless its folder is there."""
    from xbench.files.archive import Limits, extract
    from xbench.files.download import fetch
    from xbench.files.home import data_home

    folder = data_home() / download.target
    place = folder if download.archive else folder / download.filename
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        return  # what is there belongs to the user; `verify` says what it lacks
    if not session.quiet:
        size = f"{download.size / 1e6:.0f} MB"
        click.echo(f"{download.url}: {size}. Licence: {download.licence}.", err=True)
    if not download.archive:
        fetch(download, folder, progress)
        return
    archive = fetch(download, data_home() / "archives", progress)
    extract(archive, folder, Limits(download.most_members, download.most_bytes))
    if not session.quiet:
        click.echo(f"unpacked to {folder}", err=True)
    if not keep:
        archive.unlink()


def _tell(dataset: "Dataset", problems: list[str]) -> None:
    if not problems:
        click.echo(f"{dataset.name}: complete")
        return
    click.echo("\n".join(problems))
    click.echo(f"{dataset.name}: {len(problems)} missing or damaged. {_way_out(dataset)}", err=True)
