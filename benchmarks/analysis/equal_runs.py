"""Whether two folders of records say the same: in every score, difference and note.

python benchmarks/analysis/equal_runs.py STORE OTHER

compares the records of two stores, of whichever schema, benchmark by benchmark and label by label,
keys, versions and times aside; prints what differs and exits with 1 if anything does.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xbench import read_record_file

COMPARED = ("scores", "differences", "notes", "cases", "seeds", "role", "intervals", "limited_to")
ASIDE = ("minus_key", "interval")
"""Keys, and how a method is called."""


def main(store: str, other: str) -> int:
    """Print what differs; 0 where nothing does."""
    one, two = records(Path(store)), records(Path(other))
    lines = [f"only in {store}: {name}" for name in sorted(one.keys() - two.keys())]
    lines += [f"only in {other}: {name}" for name in sorted(two.keys() - one.keys())]
    for name in sorted(one.keys() & two.keys()):
        lines += [f"{name}: {line}" for line in differences(one[name], two[name], "")]
    print("\n".join(lines[:50]) or f"{len(one)} records, all equal")
    return 1 if lines or not one else 0


def records(store: Path) -> dict[str, Any]:
    """What is compared of each record of a store, by benchmark and label."""
    found: dict[str, Any] = {}
    for path in sorted((store / "records").rglob("*.json")):
        record = read_record_file(path)
        name = f"{record.benchmark}/{record.label}"
        if name in found:
            raise SystemExit(f"{store} has several records of {name}; compare fresh stores")
        found[name] = record.model_dump(include={*COMPARED})
    return found


def differences(one: Any, two: Any, place: str) -> Iterator[str]:
    """Where two nested values are not equal."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted({*one, *two} - {*ASIDE}):
            yield from differences(one.get(key), two.get(key), f"{place}.{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from differences(a, b, f"{place}[{number}]")
    elif one != two:
        yield f"{place}: {one!r} is {two!r}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
