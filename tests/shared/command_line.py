"""What tests of the command line ask of what it printed, and calls of scripts."""

import subprocess
import sys
from types import ModuleType
from typing import Any

from xbench import Record, read_record


def records(called: Any) -> dict[str, Record]:
    """The records by their labels that a call printed as JSON, if it went well."""
    assert called.code == 0, called.err
    return {record.label: record for record in map(read_record, called.json())}


def score(record: Record, name: str) -> Any:
    """The first score of this name."""
    return next(score for score in record.scores if score.name == name)


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    """A printed record without its times, and without how much memory it took."""
    kept = {key: value for key, value in record.items() if key != "times"}
    return {**kept, "cost": record["cost"]["passes"]}


def call_script(script: ModuleType, *options: object) -> None:
    """Run a module as a script, with these options."""
    command = [sys.executable, str(script.__file__), *map(str, options)]
    subprocess.run(command, check=True, capture_output=True)
