"""`xbench doctor`: what is installed, what works, and what does not."""

from typing import TYPE_CHECKING

import click

from xbench.cli.options import STORE, Session, session_options

if TYPE_CHECKING:
    from xbench.api.diagnosis import Fact, Section

JSON = (click.option("--json", is_flag=True, help="Print JSON."),)


@click.command("doctor")
@session_options(STORE, JSON)
def command(session: Session) -> None:
    """Say what a report of a fault needs: versions, devices, plugins, store, free disk.

    What is wrong stands below, with a way out. Nothing is changed, and nothing of it is sent
    anywhere; look through it before you paste it, for it names folders of yours.
    """
    from xbench.api.diagnosis import diagnosis, problems
    from xbench.cli.output import print_json, print_lines

    sections = diagnosis(session.store)
    wrong = problems(sections)
    if session.json:
        print_json({**{section.title: _facts(section) for section in sections}, "problems": wrong})
        return
    for section in sections:
        print_lines(section.title, *(f"  {_line(fact)}" for fact in section.facts if fact.name))
    print_lines("", _verdict(len(wrong)))
    print_lines(*(f"- {problem}" for problem in wrong))


def _verdict(count: int) -> str:
    if not count:
        return "no problem was found"
    return f"{count} problem{'' if count == 1 else 's'}, marked (!) above:"


def _line(fact: "Fact") -> str:
    return f"{fact.name:<16} {fact.value}{' (!)' if fact.problem else ''}"


def _facts(section: "Section") -> dict[str, str]:
    return {fact.name: fact.value for fact in section.facts if fact.name}
