"""The order in which a participant meets items: training, practice, then trials with checks."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from xbench_study.answers.assignment import Slot, conditions_of
from xbench_study.answers.storage.keyed import drawn
from xbench_study.material.item import Item, Kind
from xbench_study.material.study import Study

BEFORE: tuple[Kind, ...] = ("training", "practice")
"""What comes before the trials, in this order."""


def sequence(study: Study, assigned: Sequence[Slot], seed: int) -> list[dict[str, Any]]:
    """The rows of a participant's trials, without whose they are; options in the order shown."""
    ordered = sorted(assigned, key=lambda slot: drawn(seed, "order", slot.item))
    condition = ordered[0].condition if _between(study) else ""
    before = [
        Slot(_condition(study, item, condition, seed), item.key)
        for kind in BEFORE
        for item in _shown(study, kind, condition)
    ]
    checked = _with_checks(study, ordered, condition, seed)
    return [_row(study, slot, place, seed) for place, slot in enumerate((*before, *checked))]


def _between(study: Study) -> bool:
    return study.description.assignment.conditions == "between"


def _with_checks(
    study: Study, ordered: Sequence[Slot], condition: str, seed: int
) -> Iterator[Slot]:
    every, checks = study.description.checks.every, _shown(study, "check", condition)
    shuffled = cycle(sorted(checks, key=lambda item: drawn(seed, "check", item.key)))
    for number, slot in enumerate(ordered, start=1):
        yield slot
        if every and checks and number % every == 0:
            check = next(shuffled)
            yield Slot(_condition(study, check, condition, seed), check.key)


def _shown(study: Study, kind: Kind, condition: str) -> list[Item]:
    """Items of a kind that a participant in this condition, or in all, can meet."""
    items = study.of_kind(kind)
    return [item for item in items if not condition or condition in conditions_of(study, item)]


def _condition(study: Study, item: Item, condition: str, seed: int) -> str:
    """The participant's condition, or one that is drawn where a participant meets all."""
    names = [condition] if condition else conditions_of(study, item)
    return min(names, key=lambda name: drawn(seed, "condition of", item.key, name))


def _row(study: Study, slot: Slot, position: int, seed: int) -> dict[str, Any]:
    item = study.items[slot.item]
    return {
        "position": position,
        "item": item.key,
        "kind": item.kind,
        "condition": slot.condition,
        "options": " ".join(option_order(study, item, seed)),
    }


def option_order(study: Study, item: Item, seed: int) -> list[str]:
    """Keys of the item's options as one participant sees them."""
    keys = [option.key for option in item.options]
    if not study.description.question.shuffled:
        return keys
    return sorted(keys, key=lambda key: drawn(seed, "option", item.key, key))
