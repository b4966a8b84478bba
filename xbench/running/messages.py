"""Messages: what worker processes tell of their progress, by files that the driver reads.

Files, because a process that is killed while it holds the lock of a queue stops all others.
"""

import contextlib
import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xbench.interfaces.workplace import Progress

EVERY = 0.3
"""Seconds between two messages of a process, and between two looks at them."""
SAID = "said-"


class Messages:
    """The progress of a worker, written to a folder; where nobody made one, nobody listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = 0.0

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Tell how far a piece of work is, unless that was told a moment ago."""
        now = time.monotonic()
        if now - self._last >= EVERY or done >= total:
            self._last = now
            self._write(f"{os.getpid()}.json", [task, done, total, note])

    def say(self, line: str) -> None:
        """Tell a line that is to stay in sight."""
        self._write(f"{SAID}{uuid.uuid4().hex}.json", [line])

    def _write(self, name: str, values: Sequence[Any]) -> None:
        unfinished = self.folder / f"{uuid.uuid4().hex}.part"
        with contextlib.suppress(OSError):
            unfinished.write_text(json.dumps(values), encoding="utf-8")
            unfinished.replace(self.folder / name)


@contextlib.contextmanager
def heard(folder: Path, progress: Progress) -> Iterator[None]:
    """In this block messages of workers reach the progress of this process."""
    folder.mkdir(parents=True, exist_ok=True)
    end = threading.Event()
    listener = _Listener(folder, progress)
    thread = threading.Thread(target=listener.listen, args=(end,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


class _Listener:
    """Reads messages and passes on what is new."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self._known: dict[str, list[Any]] = {}
        self._said: set[str] = set()

    def listen(self, end: threading.Event) -> None:
        """Look for messages until the end, and once more then."""
        while not end.wait(EVERY):
            self._look()
        self._look()

    def _look(self) -> None:
        for path in sorted(self.folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                self._pass_on(path, json.loads(path.read_text(encoding="utf-8")))

    def _pass_on(self, path: Path, values: list[Any]) -> None:
        if path.name.startswith(SAID):
            path.unlink()
            if values[0] not in self._said:
                self._said.add(values[0])
                self.progress.say(values[0])
        elif self._known.get(path.name) != values:
            self._known[path.name] = values
            self.progress.update(*values)
