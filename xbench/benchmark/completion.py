"""Completion: names for a shell, from metadata and benchmark files alone.

A shell waits for these: nothing heavy is imported, no component is, and where something is
broken there are no names.
"""

import contextlib
from collections.abc import Callable, Iterable

import click

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def of_kind(kind: str, *, files: str = "") -> Completer:
    """Completes the names of a kind; with `files` also those of files that end so."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        return [*_beginning(incomplete, _names(kind)), *_files(incomplete, files)]

    return complete


def of_kinds(*more: str) -> Completer:
    """Completes kinds of components, and these words."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from xbench.components.registry import installed

        return _beginning(incomplete, (*installed().kinds, *more))

    return complete


def of_shown_kind(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the names of the kind that stands before."""
    kind = str(context.params.get("kind") or "")
    if kind == "record":
        return _files(incomplete, ".json")
    return _beginning(incomplete, _names(kind))


def of_variants(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Completes the variants of the benchmark that is chosen."""
    return _beginning(incomplete, _variants(str(context.params.get("benchmark") or "default")))


def _names(kind: str) -> Iterable[str]:
    from xbench.components.registry import installed

    return installed().names(kind)


def _variants(benchmark: str) -> Iterable[str]:
    """The variants of a benchmark; those of files that it extends are not its own."""
    from xbench.benchmark.declaration import benchmark_file, parsed_file
    from xbench.components.registry import installed

    with contextlib.suppress(Exception):  # a broken file is no reason to disturb a prompt
        return tuple(parsed_file(benchmark_file(benchmark, installed())).get("variants", {}))
    return ()


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete.lower())]


def _files(incomplete: str, suffix: str) -> list[str]:
    """Folders, and files that end so, which begin as the word does; none before it is begun."""
    from glob import escape, glob

    if not (suffix and incomplete):
        return []
    paths = glob(f"{escape(incomplete)}*/") + glob(f"{escape(incomplete)}*{suffix}")  # noqa: PTH207 - paths stay as they were typed
    return sorted(paths)
