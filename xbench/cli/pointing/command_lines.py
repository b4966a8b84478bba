"""Command lines: one that works, made from one that does not."""

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence

Arguments = Sequence[str]


def spoken(arguments: Arguments) -> str:
    """The command as it is typed, in back quotes."""
    return f"`xbench {shlex.join(arguments)}`"


def with_options(arguments: Arguments, options: Sequence[str]) -> list[str]:
    """The arguments with options and their values, in the place of what they said of the same.

    What is no option is another verb, with what it takes; an option without a value is left out.
    """
    changed = list(arguments)
    for option, value in zip(options[::2], options[1::2], strict=True):
        if not option.startswith("-"):
            changed = [option, value, *changed[1:]]
            continue
        if not value:
            changed = [argument for argument in changed if argument != option]
            continue
        changed = [*_without(changed, option, value.partition("=")[0]), option, value]
    return changed


def renamed(arguments: Arguments, name: str, other: str) -> list[str] | None:
    """The arguments with one name for another; None where it does not stand there just once."""
    whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    if not name or sum(len(whole.findall(argument)) for argument in arguments) != 1:
        return None
    return [whole.sub(lambda _: other, argument) for argument in arguments]


def replaced(arguments: Arguments, option: str, meant: Sequence[str]) -> list[str]:
    """The arguments with what is meant in the place of an option, whose value it may take."""
    changed: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name != option:
            changed.append(argument)
            continue
        takes = any("{}" in part for part in meant)
        given = value if equals else next(rest, "VALUE") if takes else ""
        changed += [part.replace("{}", given) for part in meant]
    return changed


def without_option(arguments: Arguments, names: Sequence[str]) -> list[str]:
    """The arguments without an option of one of these names, and without its value."""
    changed = list(arguments)
    for name in names:
        changed = list(_without(changed, name, ""))
    return changed


def without_parameter(arguments: Arguments, message: str) -> list[str] | None:
    """The arguments without the one `-p` that a message speaks of; None if that is not clear."""
    pairs = list(itertools.pairwise(arguments))
    given = [value for option, value in pairs if option == "-p"]
    paths = {value: value.partition("=")[0] for value in given}
    meant = [value for value, path in paths.items() if _stands_in(path, message)]
    meant = meant or [v for v, path in paths.items() if _stands_in(path.split(".")[-1], message)]
    if len(meant) != 1:
        return None
    return list(_without(arguments, "-p", paths[meant[0]]))


def _stands_in(name: str, message: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", message) is not None


def _without(arguments: Arguments, option: str, path: str) -> Iterator[str]:
    """The arguments without an option; of parameters, without the one of this path."""
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name != option or (option == "-p" and equals):
            yield argument
        elif not equals:
            value = next(rest, "")
            if option == "-p" and value.partition("=")[0] != path:
                yield from (argument, value)
