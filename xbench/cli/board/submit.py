"""`xbench submit`: stored entries as folders that travel to a board."""

from typing import Any

import click

from xbench.cli.options import OUTPUT, STORE, Session, session_options

SPLITS = ("train", "validation", "test", "none")
SAID = (
    click.option("--contact", required=True, metavar="TEXT", help="Whom to ask."),
    click.option("--name", metavar="NAME", help="On the board; from the label if left out."),
    click.option(
        "--licence", default="CC-BY-4.0", show_default=True, help="Of the submission, as SPDX."
    ),
    click.option("--paper", metavar="URL", help="Where the method is described."),
    click.option("--code", metavar="URL", help="Where its code is."),
    click.option(
        "--plugin",
        metavar="DISTRIBUTION|URL",
        help="What provides its components; from the record if left out.",
    ),
    click.option(
        "--uses-annotations/--no-annotations",
        default=None,
        help="Is told what an image's annotations say; a ceiling is, if left out.",
    ),
    click.option("--uses-labels", is_flag=True, help="Is told an image's label."),
    click.option(
        "--tuned-on",
        multiple=True,
        type=click.Choice(SPLITS),
        help="A split on which anything was chosen; may be repeated.",
    ),
    click.option(
        "--tried",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="How many configurations were evaluated, this one included.",
    ),
    click.option("--extra-data", default="", metavar="TEXT", help="Further training data."),
    click.option("--supersedes", metavar="KEY", help="The key of the entry it takes the place of."),
)
"""What a submitter says of an entry."""


@click.command("submit")
@click.argument("entries", metavar="RUN|RECORD…", nargs=-1, required=True)
@click.option("--out", required=True, metavar="FOLDER", help="Where the folders are written.")
@click.option("--floors", is_flag=True, help="Of a run also its floors and ceilings.")
@session_options(SAID, STORE, OUTPUT)
def command(session: Session, entries: tuple[str, ...], out: str, **said: Any) -> None:
    """Write a folder for each entry of a RUN, or for each RECORD, as it travels to a board.

    RUN is a number of `xbench results`. RECORD is a label (LABEL or LABEL@BENCHMARK, the newest
    of them), the first digits of a record's key, or the file of a record. Of the machine, and of
    values of human labels, nothing is in a folder; docs/submissions.md says what is.
    """
    from xbench.api.leaderboard.submitting import submit
    from xbench.cli.output import print_json, print_lines

    folders = submit(entries, out, store=session.store, **said)
    if session.json:
        print_json([str(folder) for folder in folders])
        return
    print_lines(*map(str, folders))
    if not session.quiet:
        click.echo(f"`xbench leaderboard check {folders[0]}` checks one", err=True)
