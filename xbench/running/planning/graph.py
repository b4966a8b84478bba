"""Graphs of steps: each begins when those that it needs have ended, and fails where one failed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(eq=False)
class Step:
    """Something that waits for others."""

    key: str
    begin: Callable[[], None]
    """Called once, when nothing is waited for any more; `Graph.end` is told when it is done."""
    fail: Callable[[Exception], None] = lambda _: None
    """Called once, if it fails or one that it needs does."""
    waits: set[str] = field(default_factory=set)


class Graph:
    """Steps by their keys; it may grow while they run."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._ended: set[str] = set()
        self._failed: dict[str, Exception] = {}
        self._steps: dict[str, Step] = {}
        self._after: dict[str, list[Step]] = {}

    def add(self, step: Step, needs: Iterable[str]) -> None:
        """Add a step that needs others, which are known already; one that is known is left."""
        if step.key in self._known:
            return
        self._known.add(step.key)
        self._steps[step.key] = step
        step.waits = set(needs) - self._ended
        errors = [self._failed[need] for need in step.waits if need in self._failed]
        for need in step.waits:
            self._after.setdefault(need, []).append(step)
        if errors:
            self.fail(step.key, errors[0])
        elif not step.waits:
            step.begin()

    def end(self, key: str) -> None:
        """A step is done: what waits for it alone begins."""
        self._ended.add(key)
        self._steps.pop(key, None)
        for step in self._after.pop(key, ()):
            step.waits.discard(key)
            if not step.waits and step.key in self._steps:
                step.begin()

    def fail(self, key: str, error: Exception) -> None:
        """A step failed: so does what waits for it."""
        step = self._steps.pop(key, None)
        self._failed[key] = error
        if step is not None:
            step.fail(error)
        for after in self._after.pop(key, ()):
            if after.key in self._steps:
                self.fail(after.key, error)
