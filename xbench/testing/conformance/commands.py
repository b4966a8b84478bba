"""What commands must do."""

from collections.abc import Iterator
from functools import partial

import click

from xbench.testing.conformance.rules import Beside, Rule


def rules(command: click.Command, beside: Beside) -> Iterator[Rule]:
    """The command, and those below it, say what they do."""
    yield Rule("named", partial(_named, command))
    yield Rule("documented", partial(_documented, command))
    yield Rule("help", partial(_help, command))


def _every(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _every(below)


def _named(command: click.Command) -> Iterator[str]:
    if not command.name:
        yield "has no name"


def _documented(command: click.Command) -> Iterator[str]:
    for one in _every(command):
        if not (one.help or "").strip():
            yield f"has no help: {one.name!r} needs a docstring"


def _help(command: click.Command) -> Iterator[str]:
    for one in _every(command):
        if not one.get_help(click.Context(one, info_name=one.name)):
            yield f"shows no help for {one.name!r}"
