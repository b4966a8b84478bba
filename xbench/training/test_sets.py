"""Test sets: images that no network of an entry was trained on, and their cases."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from xbench.errors import MismatchError
from xbench.interfaces.data.case import Case
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.protocol import Entry
from xbench.kernels.shares import fair_shares

TRAINING_ROLES = ("train", "validation")
"""Roles of image sets that networks have seen."""


class EvaluatedSet(NamedTuple):
    """Images that are classified."""

    name: str
    images: ImageSet
    ids: tuple[int, ...]
    labels: Int64[Tensor, " own_classes"]
    """The training dataset's label of each of the set's own classes."""


def evaluated_sets(entry: Entry) -> tuple[EvaluatedSet, ...]:
    """All sets that no network was trained on, `test` first; `MismatchError` for other classes."""
    names = entry.datasets["train"].dataset.class_names()
    roles = [role for role in entry.datasets if role not in TRAINING_ROLES]
    sets: list[EvaluatedSet] = []
    # by name, as keys do not tell in which order roles were given
    for role in sorted(roles, key=lambda role: (role != "test", role)):
        images = entry.datasets[role]
        labels = torch.tensor(_class_places(images.dataset, role, names), dtype=torch.int64)
        sets.append(EvaluatedSet(role, images, images.ids(), labels))
    return tuple(sets)


def _class_places(dataset: Dataset, role: str, names: Sequence[str]) -> list[int]:
    """The place of each of the dataset's classes among `names`."""
    own_names = dataset.class_names()
    places = {name: place for place, name in enumerate(names)}
    unknown = [name for name in own_names if name not in places]
    if unknown:
        raise MismatchError(
            f"test set {role!r} (dataset {dataset.name!r}) has classes that networks are not "
            f"trained for: {', '.join(unknown[:20])}{', …' if len(unknown) > 20 else ''}; classes "
            f"are matched by name with {', '.join(names[:20])}{', …' if len(names) > 20 else ''}"
        )
    return [places[name] for name in own_names]


def cases_by_role(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases of each test set, in their order."""
    by_role: dict[str, list[Case]] = {}
    for case in cases:
        by_role.setdefault(case.role, []).append(case)
    return by_role


def shared_cases(cases: Sequence[Case], limit: int) -> list[Case]:
    """The first cases of each test set, of each as many where it has so many, `limit` in all."""
    sets = list(cases_by_role(cases).values())
    shares = fair_shares([len(own_cases) for own_cases in sets], limit)
    pairs = zip(sets, shares, strict=True)
    return [case for own_cases, share in pairs for case in own_cases[:share]]
