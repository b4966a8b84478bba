"""`xbench study`: the verbs."""

import click

from xbench_study.commands import analysing, categorising, new, serving, stored


@click.group("study")
def command() -> None:
    """Make, serve and analyse studies with people."""


for verb in (
    new.command,
    categorising.categorise,
    serving.preview,
    serving.serve,
    stored.status,
    stored.invite,
    stored.export,
    stored.import_,
    stored.backup,
    stored.erase,
    stored.expire,
    analysing.analyse,
    analysing.power,
    analysing.preregister,
):
    command.add_command(verb)
