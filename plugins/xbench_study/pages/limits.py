"""How much may be asked for in a time; what is counted names nobody."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

MOST_BUCKETS = 10_000


@dataclass(frozen=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    burst: float
    per_second: float


@dataclass(frozen=True)
class Limits:
    """What one process of the server lets through."""

    participant: Rate = Rate(burst=400, per_second=20)
    """Requests under one personal link, pictures included."""
    enrolment: Rate = Rate(burst=400, per_second=10)
    """Consents of everybody together."""
    visits: Rate = Rate(burst=1000, per_second=100)
    """Openings of the information sheet, of everybody together."""
    administration: Rate = Rate(burst=10, per_second=0.2)
    """Tries of the admin page's token."""


@dataclass(frozen=True)
class Buckets:
    """Token buckets of one rate, by key; the least recently used are forgotten first."""

    rate: Rate
    clock: Callable[[], float]
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, key: str = "") -> bool:
        """Whether one more is let through now."""
        now = self.clock()
        with self._lock:
            level, since = self._levels.pop(key, (self.rate.burst, now))
            level = min(self.rate.burst, level + max(0.0, now - since) * self.rate.per_second)
            self._levels[key] = (level - 1 if level >= 1 else level, now)
            if len(self._levels) > MOST_BUCKETS:
                self._levels.popitem(last=False)
            return level >= 1
