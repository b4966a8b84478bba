"""`xbench study analyse`, `power` and `preregister`."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from xbench import ParameterError, UsageError
from xbench_study.commands.places import book_of, check_packages, study_at, with_book

if TYPE_CHECKING:
    from xbench_study.analysis.analysis import Analysis
    from xbench_study.kernels.effects import Effects
    from xbench_study.kernels.power import Plan

VARIED: "tuple[Literal['images'], Literal['people']]" = ("images", "people")
MARKDOWN, LATEX = "analysis.md", "analysis.tex"
ANSWERS = "answers.sqlite"


@click.command("analyse")
@with_book
@click.option(
    "--out", type=click.Path(path_type=Path), help="A folder for tables, pictures and a text."
)
@click.option("--simulated", is_flag=True, help="Say everywhere that no people answered.")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True)
def analyse(folder: Path, database: str, out: Path | None, simulated: bool, level: float) -> None:
    """What answers say: the conclusion, then tables; interval first, p second.

    Intervals resample images and participants. Of pilots nothing is analysed.
    """
    check_packages("sqlalchemy", "statsmodels")
    from xbench import Resampling
    from xbench.commands import print_lines
    from xbench_study.analysis.analysis import analysed

    with book_of(folder, database) as book:
        from xbench_study.analysis.exported_answers import answers_of
        from xbench_study.answers.export import exported
        from xbench_study.categories.annotating import counts_of

        study, answers, counts = book.study, answers_of(exported(book).answers), counts_of(book)
    plan = Resampling(level=level)
    made = analysed(
        answers,
        study.description,
        study.secrets,
        simulated=simulated,
        annotated=counts.sentence() if counts else "",
        resampling=plan,
    )
    _print(made)
    if out is not None:
        print_lines(f"wrote {', '.join(_write(made, out))} to {out}")


def _print(made: "Analysis") -> None:
    from xbench.commands import print_lines, rendered

    print_lines(made.title, "", made.conclusion, *made.remarks)
    for table in made.tables:
        print_lines("", rendered(table, "text"))


def _write(made: "Analysis", out: Path) -> list[str]:
    from xbench.figures import save_figure

    out.mkdir(parents=True, exist_ok=True)
    (out / MARKDOWN).write_text(made.markdown(), encoding="utf-8")
    (out / LATEX).write_text(made.latex(), encoding="utf-8")
    names = [MARKDOWN, LATEX]
    for place, drawing in enumerate(made.drawings):
        name = f"figure-{place + 1}.svg"
        save_figure(drawing.figure, out / name, title=drawing.title)
        names.append(name)
    return names


@click.command("preregister")
@with_book
def preregister(folder: Path, database: str) -> None:
    """Print what is decided before anybody answers, as a text to be registered."""
    from xbench_study.analysis.preregistration import preregistration

    study = study_at(folder)
    trials = study.of_kind("trial")
    apart = any(item.conditions for item in trials)
    test: Literal["paired", "unpaired"] = "unpaired" if apart else "paired"
    annotated = _annotated(folder, database)
    text = preregistration(study.description, len(trials), test, annotated)
    click.echo(text, nl=False)


def _annotated(folder: Path, database: str) -> str:
    """How far errors are annotated; "" where there is no database yet."""
    if not database and not (folder / ANSWERS).is_file():
        return ""
    with book_of(folder, database) as book:
        from xbench_study.categories.annotating import counts_of

        counts = counts_of(book)
    return counts.sentence() if counts else ""


@click.command("power")
@click.option(
    "--accuracies",
    type=click.FloatRange(0, 1),
    nargs=2,
    default=(0.73, 0.63),
    show_default=True,
    help="The shares of right answers in two conditions.",
)
@click.option("--images", type=click.IntRange(2), default=200, show_default=True)
@click.option("--people", type=click.IntRange(1), default=40, show_default=True)
@click.option(
    "--answers", type=click.IntRange(1), default=5, show_default=True, help="To each image."
)
@click.option("--test", type=click.Choice(["paired", "unpaired"]), default="paired")
@click.option(
    "--image-deviation",
    type=click.FloatRange(0),
    default=1.2,
    show_default=True,
    help="How far images vary in difficulty: a standard deviation, in logits.",
)
@click.option(
    "--people-deviation",
    type=click.FloatRange(0),
    default=0.5,
    show_default=True,
    help="How far people vary, likewise.",
)
@click.option("--studies", type=click.IntRange(100), default=1000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--wanted", type=click.FloatRange(0.05, 0.99), help="Also find how many images and people."
)
def power(  # noqa: PLR0913, PLR0917 - what a person may choose, by name
    accuracies: tuple[float, float],
    images: int,
    people: int,
    answers: int,
    test: str,
    image_deviation: float,
    people_deviation: float,
    studies: int,
    seed: int,
    wanted: float | None,
) -> None:
    """How often a study would find a difference that is there, by simulation.

    The papers' t test over images at .05, in studies with as many images, people in each
    condition, and answers to each image in each condition.
    """
    import numpy as np

    from xbench.commands import print_lines
    from xbench_study.kernels.effects import Effects
    from xbench_study.kernels.power import Plan, check, simulated_power

    effects = Effects(accuracies, image_deviation, people_deviation)
    plan = Plan("paired" if test == "paired" else "unpaired", images, people, answers)
    try:
        check(effects, plan)
    except ValueError as error:
        raise ParameterError(str(error)) from error
    result = simulated_power(effects, plan, studies, np.random.default_rng(seed))
    print_lines(
        f"{images} images, {people} people and {answers} answers to an image in each condition: "
        f"{accuracies[0]:.0%} against {accuracies[1]:.0%} is found in {result.value:.0%} of "
        f"{studies} simulated studies ({result.low:.0%} to {result.high:.0%})"
    )
    if wanted is not None:
        print_lines(*_sizes(effects, plan, wanted, studies, seed))


def _sizes(effects: "Effects", plan: "Plan", wanted: float, studies: int, seed: int) -> list[str]:
    from xbench_study.kernels.power import needed

    if effects.accuracies[0] == effects.accuracies[1]:
        raise UsageError(
            "equal accuracies are found at the size of the test; --wanted needs others"
        )
    lines = []
    for vary in VARIED:
        size = needed(effects, plan, wanted, vary, studies=studies, seed=seed)
        lines.append(
            f"for {wanted:.0%}: {size} {vary}"
            if size is not None
            else f"for {wanted:.0%}: more {vary} than can be asked; change something else too"
        )
    return lines
