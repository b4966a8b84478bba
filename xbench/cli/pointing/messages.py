"""Messages: what is wrong with a command, in one line that ends with one that works."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

import click

from xbench.cli.pointing.command_lines import (
    renamed,
    replaced,
    spoken,
    with_options,
    without_option,
    without_parameter,
)
from xbench.cli.pointing.words import OPTIONS, VERBS
from xbench.components.matching import matched
from xbench.errors import DatasetError, UnknownNameError, UsageError, XbenchError

COMMAND = "`xbench "
"""In a message: it shows a command already."""
GROUPS = ("data", "store", "plugins")
"""Verbs with others below them."""


def told(error: XbenchError, arguments: Sequence[str]) -> str:
    """The error, and the command that works where one is known."""
    if not isinstance(error, UsageError):
        return str(error)
    message = str(error).replace("\n", " ")
    stop = "" if message.endswith((".", "?", "!", "`")) else "."
    if changed := _working(error, arguments):
        return f"{message}{stop} Try {spoken(changed)}."
    if changed := without_parameter(arguments, message):
        if isinstance(error, DatasetError):  # few datasets are anything without their files
            changed = without_option(changed, ("--dataset",))
        return f"{message}{stop} Without that: {spoken(changed)}."
    if COMMAND in message:
        return message
    return f"{message}{stop} `{_verbs(arguments)} --help` shows what it takes."


def _working(error: UsageError, arguments: Sequence[str]) -> list[str] | None:
    """The command that works, where the error knows one."""
    if error.instead:
        return with_options(arguments, error.instead)
    if isinstance(error, UnknownNameError) and error.near:
        return renamed(arguments, error.name, error.near)
    return None


def _verbs(arguments: Sequence[str]) -> str:
    """The program and the verb; of a verb that has others below it, both."""
    words = [word for word in arguments[:2] if re.fullmatch("[a-z-]+", word)]
    below = words and words[0] in GROUPS
    return " ".join(["xbench", *(words if below else words[:1])])


def told_usage(error: click.UsageError, arguments: Sequence[str]) -> str:
    """What click says of wrong usage, and the way out."""
    path = error.ctx.command_path if error.ctx else "xbench"
    if isinstance(error, click.NoSuchOption):
        return _no_option(error, path, arguments)
    message = error.format_message().replace("\n", " ").rstrip(".")
    param = error.param if isinstance(error, click.BadParameter) else None
    if isinstance(param, click.Option) and not isinstance(error, click.MissingParameter):
        changed = without_option(arguments, (*param.opts, *param.secondary_opts))
        return f"{message}. Without it: {spoken(changed)}."
    return f"{message}. `{path} --help` shows what it takes."


def verb(name: str, known: Iterable[str]) -> str:
    """The verb that is meant; `UnknownNameError` with the nearest where there is none."""
    verbs = list(known)
    found = matched(name, verbs)
    if found in verbs:
        return found
    near = VERBS.get(name.casefold(), "")
    raise UnknownNameError("command", name, verbs, "`xbench --help` shows them.", near=near)


def _no_option(error: click.NoSuchOption, path: str, arguments: Sequence[str]) -> str:
    name, own = error.option_name, _options(error.ctx)
    meant = _meant(name, own, difflib.get_close_matches(name, own, 1, 0.75))
    if not meant:
        return f"`{path}` has no option {name}. `{path} --help` shows those that it has."
    changed = replaced(arguments, name, meant)
    for other in [argument.partition("=")[0] for argument in changed if argument[:2] == "--"]:
        if other not in own and (also := _meant(other, own, ())):
            changed = replaced(changed, other, also)
    written = " ".join(part.replace("{}", "…") for part in meant)
    return f"`{path}` has no option {name}; write {written}. Try {spoken(changed)}."


def _meant(name: str, own: Mapping[str, bool], near: Sequence[str]) -> Sequence[str]:
    """What an unknown option stands for; nothing where nobody knows."""
    same = matched(name, own)
    ways = OPTIONS.get(name.lstrip("-").casefold().replace("_", "-"), ())
    known = [way for way in ways if way[0] in own]
    if same not in own and known:
        return known[0]
    other = same if same in own else next(iter(near), "")
    return (other, *(["{}"] if own.get(other) else [])) if other else ()


def _options(context: click.Context | None) -> dict[str, bool]:
    """The options that a command has, and whether each takes a value."""
    options = context.command.params if context else []
    return {
        name: not (of.is_flag or of.count)
        for of in options
        if isinstance(of, click.Option)
        for name in (*of.opts, *of.secondary_opts)
    }
