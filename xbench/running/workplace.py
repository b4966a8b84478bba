"""The workplace of a process: a device, progress, networks, and what work costs."""

import contextlib
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from xbench.interfaces.artefact import Artefact
from xbench.interfaces.classifier import Classifier, Network
from xbench.interfaces.workplace import Progress, Silent, Workplace
from xbench.networks.loading import load_network


@dataclass(eq=False)
class LocalWorkplace(Workplace):
    """This process: counts time, passes and memory, and holds one network at a time."""

    device: torch.device
    batch_size: int
    scratch: Path
    progress: Progress = field(default_factory=Silent)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Wall seconds by stage, of everything done here so far."""
    _networks: dict[str, Network] = field(default_factory=dict, repr=False)
    _passes: Counter[str] = field(default_factory=Counter, repr=False)

    def network(self, classifier: Classifier, weights: Artefact) -> Network:
        """The classifier with these weights; loaded at first use, kept until the next."""
        key = f"{weights.key}/{classifier.place}"
        if key not in self._networks:
            self.forget()  # one at a time: a big network fills a small device
            self._networks[key] = load_network(classifier, weights, self.device)
        return self._networks[key]

    def passes(self) -> Counter[str]:
        """Images that went forward and backward through networks here so far, by part."""
        total = Counter(self._passes)
        for network in self._networks.values():
            total.update(network.passes.snapshot())
        return total

    def forget(self) -> None:
        """Drop the networks that are loaded."""
        self._passes = self.passes()
        self._networks.clear()

    def threads(self) -> int:
        """How many threads a computation on the CPU has."""
        return torch.get_num_threads()

    @contextlib.contextmanager
    def costing(self, *, apart: bool = False) -> Iterator[dict[str, Any]]:
        """What the block costs, complete when it ends: seconds, passes, peak memory, and how.

        What is told `apart` is no part of what a block around it costs.
        """
        seconds, passes = dict(self.seconds), self.passes()
        cost: dict[str, Any] = {}
        yield cost
        cost |= {
            "seconds": _increase(seconds, self.seconds),
            "passes": dict(self.passes() - passes),
            "peak_memory_mib": self.peak_memory_mib(),
            "threads": self.threads(),
            "batch_size": self.batch_size,
        }
        if apart:
            self._passes.subtract(cost["passes"])
            for stage, added in cost["seconds"].items():
                self.seconds[stage] -= added

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the wall seconds of a block towards a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def peak_memory_mib(self) -> float:
        """Most memory held so far: of the device where it has its own, else of this process."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _increase(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    added = {stage: seconds - before.get(stage, 0.0) for stage, seconds in now.items()}
    return {stage: seconds for stage, seconds in added.items() if seconds}
