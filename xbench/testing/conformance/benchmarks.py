"""What files of benchmarks and of suites must do."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from xbench.benchmark.assembly import assemble
from xbench.benchmark.declaration import declared, read
from xbench.benchmark.suite import is_suite, load_suite
from xbench.components.registry import installed
from xbench.testing.conformance.rules import Beside, Rule


def rules(path: Path, beside: Beside) -> Iterator[Rule]:
    """The file, with each of its variants, describes benchmarks of installed components."""
    if is_suite(path):
        yield Rule("assembled", partial(_suite, path))
        return
    yield Rule("named", partial(_named, path))
    yield Rule("assembled", partial(_assembled, path, ()))
    yield Rule("variants", partial(_variants, path))


def _suite(path: Path) -> Iterator[str]:
    load_suite(str(path), installed())
    yield from ()


def _named(path: Path) -> Iterator[str]:
    name = read(path)["name"]
    if name != path.stem:
        yield f"calls itself {name!r}, and lies in {path.name}"


def _assembled(path: Path, variants: tuple[str, ...]) -> Iterator[str]:
    assemble(declared(path, None, variants, None, [{}]), installed())
    yield from ()


def _variants(path: Path) -> Iterator[str]:
    for name in read(path).get("variants", {}):
        yield from _assembled(path, (name,))
