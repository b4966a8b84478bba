"""The command line: one module per verb, imported when the verb is used."""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from xbench.cli.pointing.messages import told, told_usage, verb
from xbench.errors import XbenchError

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "run": "Run a benchmark: train, explain, score and record.",
        "results": "List the results in a store, and show stored runs again.",
        "compare": "Compare two stored entries, paired by case.",
        "submit": "Write a folder for each entry, as it travels to a leaderboard.",
        "leaderboard": "Check submissions, add them to a board, rank and withdraw its entries.",
        "export": "Write results as CSV, Parquet, JSON, Markdown or LaTeX.",
        "list": "List the components that are installed.",
        "show": "Show one component, dataset, classifier, benchmark or record.",
        "train": "Train a classifier, or find its trained weights.",
        "explain": "Explain images and draw the explanations.",
        "data": "Get, verify and list data of datasets.",
        "store": "List, verify and clean up what lies in a store.",
        "doctor": "Say what is installed, what works, and what does not.",
        "plugins": "List, make and check plugins.",
    }
)

PLACES: Mapping[str, str] = MappingProxyType(
    {"submit": "board.submit", "leaderboard": "board.leaderboard"}
)
"""Where the module of a verb lies, if not beside this one under the verb's name."""
LINE = 100
"""Characters of a command's own words that are shown; the help formatter wraps them."""


class Verbs(click.Group):
    """A group whose commands are modules of this package, and commands of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of our verbs, then those of plugins."""
        return [*VERBS, *_plugin_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name in VERBS:
            command: click.Command = import_module(
                f"xbench.cli.{PLACES.get(cmd_name, cmd_name)}"
            ).command
            return command
        if cmd_name in _plugin_commands():
            from xbench.components.registry import installed

            plugin_command: click.Command = installed().get("command", cmd_name)
            return plugin_command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant, whatever the case of its name."""
        if args and not args[0].startswith("-"):
            args = [verb(args[0], self.list_commands(ctx)), *args[1:]]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line per verb; only plugins that bring a command are imported."""
        with formatter.section("Commands"):
            others = [(name, _line(name)) for name in _plugin_commands()]
            formatter.write_dl([*VERBS.items(), *others])


def _plugin_commands() -> tuple[str, ...]:
    from xbench.components.registry import installed

    return tuple(name for name in installed().names("command") if name not in VERBS)


def _line(command: str) -> str:
    """What a plugin's command does, or why it is not available."""
    from xbench.components.registry import installed
    from xbench.errors import PluginError

    try:
        plugin_command: click.Command = installed().get("command", command)
        return plugin_command.get_short_help_str(limit=LINE)
    except PluginError as error:
        return f"Not available: {error}"


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xbench-xai")
def group() -> None:
    """A benchmark for explanations of image classifiers.

    `xbench run` without options explains, scores and records on an embedded dataset with
    networks that come along: nothing needs a download to be tried.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a part of the run failed, 2 wrong usage or input."""
    given = tuple(sys.argv[1:] if arguments is None else arguments)
    try:
        code = group.main(given, prog_name="xbench", standalone_mode=False, obj=given)
    except XbenchError as error:
        click.echo(f"error: {told(error, given)}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        click.echo(f"error: {told_usage(error, given)}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)
