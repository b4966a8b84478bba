"""Tasks that executors are tried with, and work that does them in any process."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from xbench import Done


@dataclass(frozen=True)
class SmallTask:
    """Sleeps, and leaves a file that says where."""

    key: str
    folder: str
    seconds: float = 0.0
    affinity: str = ""
    dies: int = 0
    """How often the process that begins it is killed."""


class SmallWork:
    """Does small tasks."""

    def __call__(self, task: SmallTask) -> Done:
        """Its process, and how often it was begun."""
        place = Path(task.folder)
        begun = len(list(place.glob(f"{task.key}.*")))
        (place / f"{task.key}.{os.getpid()}.{begun}").touch()
        if begun < task.dies:
            os.kill(os.getpid(), 9)
        time.sleep(task.seconds)
        if task.key.startswith("bad"):
            return Done(task.key, {}, ValueError(f"{task.key} went wrong"))
        return Done(task.key, {"process": os.getpid(), "begun": begun + 1})
