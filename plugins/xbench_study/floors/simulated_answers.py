"""Answers of stand-ins for people to the questions that people were asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
from jaxtyping import Float
from torch import Tensor

from xbench import Bench, Case, Entry, ImageSet, MismatchError, Request, subject_of
from xbench_study.designs.drafts import Draft
from xbench_study.floors.guessing import SimulatedGuessing
from xbench_study.floors.observation import Observation
from xbench_study.floors.simulated_observer import SimulatedObserver

PARTICIPANT = "simulated"
"""Who answers: nobody."""
OFFERED, RIGHT = "order_classes", "fact_predicted"
"""Columns of exported answers: the classes to choose from, and the one that is right."""


def is_simulated(entry: Entry) -> bool:
    """Whether the entry stands for no people."""
    return isinstance(entry.explainer, SimulatedObserver | SimulatedGuessing)


def is_of_nobody(rows: pa.Table) -> bool:
    """Whether the rows are answers of stand-ins."""
    return bool(set(rows["participant"].to_pylist()) == {PARTICIPANT})


def most_probable(logits: Float[Tensor, " classes"], options: Sequence[int]) -> int:
    """The most probable of these classes, of equals the one with the lowest number."""
    return max(sorted(options), key=lambda label: float(logits[label]))


def observed(
    entry: Entry, images: ImageSet, ids: Sequence[int], bench: Bench
) -> Mapping[int, Float[Tensor, " classes"]]:
    """What an entry's simulated observer says of these images."""
    seen = bench.explanations(entry.required_explainer, subject_of(entry), images, ids)
    logits = [one.logits for one in seen if isinstance(one, Observation)]
    return dict(zip(ids, logits, strict=True))


def asked_for(entry: Entry, images: ImageSet, ids: Sequence[int]) -> list[Request]:
    """What the bench will be asked for."""
    if not isinstance(entry.explainer, SimulatedObserver):
        return []
    return [Request(entry.explainer, subject_of(entry), images, tuple(ids))]


def simulated_rows(
    entry: Entry, answers: pa.Table, role: str, ids: Sequence[int], bench: Bench
) -> pa.Table:
    """A row for each image that people answered about: whether the stand-in is right.

    Of guessing it is how often. `MismatchError` for answers to questions without a right class.
    """
    items = _items(answers)
    if isinstance(entry.explainer, SimulatedGuessing):
        right = [1 / len(items[image][0]) for image in ids]
    else:
        logits = observed(entry, entry.datasets[role], ids, bench)
        right = [
            float(most_probable(logits[image], items[image][0]) == items[image][1]) for image in ids
        ]
    nothing = pa.nulls(len(ids), pa.float64())
    return pa.table(
        {
            "case": [str(Case(role, image)) for image in ids],
            "participant": [PARTICIPANT] * len(ids),
            "right": pa.array(right, pa.float64()),
            "degree": nothing,
            "seconds": nothing,
            "category": [items[image][2] for image in ids],
        }
    )


def _items(answers: pa.Table) -> dict[int, tuple[list[int], int, str]]:
    """Options, the right one and the category, by image."""
    missing = [name for name in (OFFERED, RIGHT) if name not in answers.column_names]
    if missing:
        raise MismatchError(
            "simulated observers answer which label was predicted, and answers have no "
            f"{missing[0]}; leave these floors out of benchmarks of other designs"
        )
    columns = (answers[name].to_pylist() for name in ("image", OFFERED, RIGHT, "category"))
    rows = zip(*columns, strict=True)
    return {
        image: ([int(label) for label in offered.split()], right, category)
        for image, offered, right, category in rows
    }


def with_simulated(
    drafts: Sequence[Draft], observers: Sequence[Entry], images: ImageSet, bench: Bench
) -> list[Draft]:
    """The drafts with what each entry's simulated observer chooses, where it would be asked."""
    every = list(drafts)
    for entry in observers:
        explainer = entry.explainer
        if isinstance(explainer, SimulatedObserver):
            asked = [k for k, one in enumerate(every) if _asks(one, explainer.condition)]
            ids = sorted({every[k].image for k in asked})
            logits = observed(entry, images, ids, bench)
            for k in asked:
                every[k] = _answered(every[k], entry.label, logits[every[k].image])
    return every


def _asks(draft: Draft, condition: str) -> bool:
    """Whether an item asks for one of several classes in the condition."""
    shown = not draft.conditions or condition in draft.conditions
    known = any(option.right for option in draft.options)
    return draft.kind == "trial" and shown and known and all(o.label >= 0 for o in draft.options)


def _answered(draft: Draft, label: str, logits: Float[Tensor, " classes"]) -> Draft:
    chosen = most_probable(logits, [option.label for option in draft.options])
    return replace(draft, simulated={**draft.simulated, label: chosen})
