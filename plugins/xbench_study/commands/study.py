"""`xbench study`: the verbs."""

import click

from xbench_study.commands import new


@click.group("study")
def command() -> None:
    """Make, serve and analyse studies with people."""


command.add_command(new.command)
