"""`xbench study status`, `invite`, `export`, `import`, `backup`, `erase` and `expire`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench import UsageError
from xbench_study.commands.places import book_of, check_packages, study_at, with_book

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook
    from xbench_study.answers.status import Status
    from xbench_study.material.study import Study

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


@click.command("status")
@with_book
@JSON
def status(folder: Path, database: str, as_json: bool) -> None:
    """How far a study is: answers by condition, times, checks, who is left out, pay."""
    import dataclasses

    from xbench.commands import print_json, print_lines, print_table

    with book_of(folder, database) as book:
        from xbench_study.answers.status import status as status_of

        now = status_of(book, time.time())
    if as_json:
        print_json(dataclasses.asdict(now))
        return
    rows = [
        [one.condition, f"{one.answers} of {one.needed}", f"{one.complete} of {one.items}"]
        for one in now.conditions
    ]
    print_table("Answers", ["condition", "answers", "items with all answers"], rows)
    print_lines(*_facts(now))


def _facts(now: "Status") -> list[str]:
    people = ", ".join(f"{count} {state}" for state, count in now.people.items() if count)
    lines = [f"participants: {people or 'none'}; pilot: {now.pilots}; erased: {now.erased}"]
    if now.checks:
        lines.append(f"checks: {now.checks_right} of {now.checks} right")
    lines += [f"left out, {reason}: {count}" for reason, count in now.excluded.items() if count]
    if now.median_seconds is not None:
        lines.append(f"an answer takes {now.median_seconds:.1f} s (median)")
    if now.median_minutes is not None:
        lines.append(f"the study takes {now.median_minutes:.1f} minutes (median)")
    lines += [now.categories.words()] if now.categories else []
    return [*lines, now.warning] if now.warning else lines


@click.command("invite")
@with_book
@click.option("--count", type=click.IntRange(1, 100_000), default=1, show_default=True)
@click.option(
    "--address", default="", metavar="URL", help="Where the study is served, to print whole links."
)
def invite(folder: Path, database: str, count: int, address: str) -> None:
    """Print one-time links; they are told this once, and stored as hashes."""
    with book_of(folder, database) as book:
        for code in book.invite(count):
            click.echo(f"{address.rstrip('/')}/i/{code}")


@click.command("export")
@with_book
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option(
    "--platform-hashes", is_flag=True, help="Add keyed hashes of what a platform calls people."
)
@click.option(
    "--mturk",
    metavar="URL",
    default="",
    help="Write pages for Mechanical Turk instead, whose pictures you put below this address.",
)
def export(folder: Path, database: str, out: Path, platform_hashes: bool, mturk: str) -> None:
    """Write answers as CSV and Parquet, with a codebook; names of platforms are never in them.

    What a design collects stands beside them: ratings.csv, which similarity chl reads, or
    labels.csv, which dataset label-table reads. With --mturk no answers are written, but what asks
    for them there: a page and its rows for each condition.
    """
    from xbench.commands import print_lines

    if mturk:
        print_lines(*_for_turk(study_at(folder), out, mturk))
        return
    with book_of(folder, database) as book:
        from xbench_study.answers.export import write_export
        from xbench_study.protocol.answers_file import write_facts

        paths = write_export(book, out, platform_hashes=platform_hashes)
        paths.append(write_facts(book, out, time.time()))
        paths += _collected(book, out)
    print_lines(f"wrote {', '.join(path.name for path in paths)} to {out}")


def _for_turk(study: "Study", out: Path, address: str) -> list[str]:
    """Write the pages of Mechanical Turk; what to do with them."""
    check_packages("sqlalchemy", "starlette", "python_multipart")
    from xbench_study.pages.server import ready
    from xbench_study.platforms.mturk import Turk

    turk, missing = Turk(study, address), ready(study)
    if missing:
        raise UsageError(
            f"nobody may be recruited yet: {'; '.join(missing)}. Write it into "
            f"{study.folder / 'study.toml'}"
        )
    names = ", ".join(path.name for path in turk.write(out))
    assignments = study.description.assignment.answers
    return [
        f"wrote {names} and assets/ to {out}",
        f"put the pictures of assets/ below {address}, and ask for {assignments} assignments a HIT",
    ]


def _collected(book: "AnswerBook", out: Path) -> list[Path]:
    """What the study's design collects, where that is installed."""
    from xbench import Registry
    from xbench_study.analysis.collected_files import write_collected
    from xbench_study.analysis.exported_answers import answers_of
    from xbench_study.answers.export import exported

    design = Registry().get("design", book.study.description.design)
    answers = answers_of(exported(book).answers)
    return write_collected(book.study, design.collects, answers, out)


@click.command("import")
@with_book
@click.argument("file", type=click.Path(path_type=Path))
def import_(folder: Path, database: str, file: Path) -> None:
    """Store answers from a CSV of results, as Mechanical Turk gives them; all of them or none."""
    from xbench.commands import print_lines

    with book_of(folder, database) as book:
        from xbench_study.answers.imported import import_answers

        count = import_answers(book, file, time.time())
    print_lines(f"stored {count} answers of {file}")


@click.command("backup")
@with_book
def backup(folder: Path, database: str) -> None:
    """Copy the answers into STUDY/backups, where erasing reaches them as well."""
    from xbench.commands import print_lines

    with book_of(folder, database) as book:
        from xbench_study.answers.backups import backup as copied

        path = copied(book, time.time())
    print_lines(f"wrote {path}")


@click.command("erase")
@with_book
@click.option("--participant", default="", help="What an export calls the person.")
@click.option("--platform", default="", help="What a platform calls the person.")
def erase(folder: Path, database: str, participant: str, platform: str) -> None:
    """Erase all answers of one person, in the database, its log and the study's backups.

    Files that were exported before are not reached: export again, and delete them.
    """
    from xbench.commands import print_lines

    with book_of(folder, database) as book:
        from xbench_study.answers.erasing import erase as erased

        if not erased(book, platform=platform, participant=participant):
            raise UsageError(f"nobody is called {platform or participant!r} in this study")
    print_lines("erased; files that were exported before still have the answers: delete them")


@click.command("expire")
@with_book
@click.option(
    "--days",
    type=click.FloatRange(0),
    required=True,
    help="How long ago participants began whose platform names go.",
)
def expire(folder: Path, database: str, days: float) -> None:
    """Delete what platforms call participants; their answers stay, and lead to nobody."""
    from xbench.commands import print_lines

    with book_of(folder, database) as book:
        from xbench_study.answers.erasing import expire as expired

        count = expired(book, time.time(), days)
    print_lines(f"deleted what a platform calls {count} participants")
