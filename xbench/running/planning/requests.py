"""Requests of several entries, and the tasks that answer them together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xbench.interfaces.bench import Request
from xbench.interfaces.component import fingerprint
from xbench.interfaces.data.case import Case
from xbench.interfaces.explanation import Explainer
from xbench.interfaces.protocol import Entry, Protocol
from xbench.running.bench import LocalBench, Question, in_order
from xbench.running.blocks import blocks
from xbench.running.planning.tasks import Explain


@dataclass(eq=False)
class Wanted:
    """What all entries want of the images of one subject."""

    asked: Question
    ids: dict[int, None] = field(default_factory=dict)
    """In the order in which they were asked for."""
    explainers: list[Explainer | None] = field(default_factory=list)


class Requests:
    """Puts together what is asked for of the same images of the same subject."""

    def __init__(self, bench: LocalBench) -> None:
        self.bench = bench
        self._wanted: dict[str, Wanted] = {}
        self._tasks: dict[str, list[Explain]] = {}

    def add(self, protocol: Protocol, entry: Entry, cases: Sequence[Case]) -> None:
        """Add what the protocol will ask for, if anything is kept at all."""
        if not self.bench.kept.keep:
            return
        for request in protocol.requests(entry, cases):
            asked = _question(request)
            wanted = self._wanted.setdefault(self._key(asked), Wanted(asked))
            wanted.ids |= dict.fromkeys(request.ids)
            for explainer in in_order([request.explainer]):
                kept = explainer is None or explainer.kept
                if kept and explainer not in wanted.explainers:
                    wanted.explainers.append(explainer)

    def tasks(self) -> Iterator[Explain]:
        """A task for each block of images of which something is not kept yet."""
        for key, wanted in self._wanted.items():
            tasks = self._tasks.setdefault(key, [])
            for block in blocks(wanted.asked.images, list(wanted.ids), self.bench.batch_size):
                missing = [e for e in wanted.explainers if not self._kept(wanted.asked, e, block)]
                needed = in_order(missing)
                lacking = [
                    e for e in needed if e in missing or not self._kept(wanted.asked, e, block)
                ]
                if lacking:
                    tasks.append(self._task(wanted.asked, block, lacking))
        for tasks in self._tasks.values():
            yield from tasks

    def needed(self, protocol: Protocol, entry: Entry, cases: Sequence[Case]) -> list[str]:
        """Keys of the tasks that have to end before these cases are evaluated."""
        if not self.bench.kept.keep:
            return []
        keys: dict[str, None] = {}
        for request in protocol.requests(entry, cases):
            ids = set(request.ids)
            tasks = self._tasks[self._key(_question(request))]
            keys |= dict.fromkeys(task.key for task in tasks if ids.intersection(task.ids))
        return list(keys)

    def _key(self, asked: Question) -> str:
        """The same for questions about one image set, whatever explains: blocks are a set's."""
        part = asked.images.part
        chosen = fingerprint([asked.images.split, part and part.tree()])
        return f"{self.bench.folder(asked, None)} {asked.subject.seed} {chosen}"

    def _task(
        self, asked: Question, ids: tuple[int, ...], explainers: Sequence[Explainer | None]
    ) -> Explain:
        folders = [self.bench.folder(asked, explainer) for explainer in explainers]
        affinity = self.bench.provider.key(asked.subject.weights)
        key = fingerprint([folders, list(ids)])
        return Explain(key, "explain", affinity, asked, ids, tuple(explainers))

    def _kept(self, asked: Question, explainer: Explainer | None, ids: Sequence[int]) -> bool:
        return self.bench.kept.has(self.bench.folder(asked, explainer), ids)


def _question(request: Request) -> Question:
    return Question(request.subject, request.images, request.derivation)
