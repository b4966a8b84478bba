"""Networks by folds: each fold of the test images with networks that were trained on the others.

Section 5 of Peterson et al. (ICCV 2019): ten folds of the images that people labelled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from xbench import (
    Case,
    Entry,
    EntryNetwork,
    Folds,
    ImageSet,
    MismatchError,
    ParameterError,
    networks_of,
    subject_of,
)


class FoldNetworks(NamedTuple):
    """Images, and the networks of an entry that did not see them."""

    fold: int
    images: ImageSet
    networks: tuple[EntryNetwork, ...]
    """One, or those of an ensemble's members."""


def fold_networks(entry: Entry, count: int, seed: int, first: int) -> tuple[FoldNetworks, ...]:
    """Of each of the first `first` of `count` folds of the test images, its networks; 0 for all.

    Entries that train do so on the images of the other folds, with their own loss; those with no
    epochs have one network for all folds. With no folds, `count` = 0, all test images meet the
    entry's own networks. `MismatchError` for weights that are given and would have to be trained.
    """
    check_folds(count, first)
    test = entry.datasets["test"]
    if not count:
        return (FoldNetworks(0, test, networks_of(entry)),)
    folds = Folds(test, count, seed)
    return tuple(
        FoldNetworks(fold, folds.held_out(fold), _networks(entry, folds, fold))
        for fold in range(first or count)
    )


def cases_by_fold(
    folds: Sequence[FoldNetworks], cases: Sequence[Case]
) -> Iterator[tuple[FoldNetworks, list[Case]]]:
    """The folds that have some of the cases, with these in their order."""
    for fold in folds:
        ids = set(fold.images.ids())
        own = [case for case in cases if case.id in ids]
        if own:
            yield fold, own


def check_folds(count: int, first: int) -> None:
    """Raise `ParameterError` for numbers of folds that cannot be."""
    if count < 0 or count == 1:
        raise ParameterError(f"folds: {count} is no number of folds; 0 for none, or at least 2")
    if not 0 <= first <= count:
        raise ParameterError(f"first_folds: {first} of {count} folds; 0 for all of them")


def _networks(entry: Entry, folds: Folds, fold: int) -> tuple[EntryNetwork, ...]:
    members = entry.members or (entry,)
    networks = networks_of(entry)
    pairs = zip(networks, members, strict=True)
    return tuple(_of_fold(network, member, folds, fold) for network, member in pairs)


def _of_fold(network: EntryNetwork, member: Entry, folds: Folds, fold: int) -> EntryNetwork:
    """The network of one fold; that of all folds where nothing is trained."""
    if not member.training.epochs:
        return network
    if member.weights is not None:
        raise MismatchError(
            f"entry {member.label!r} has given weights, and would have to be trained in "
            f'{folds.count} folds here: -p weights="", or no folds: -p protocol.folds=0'
        )
    # without test images a training is not evaluated on them: the protocol does that
    others = {role: images for role, images in member.datasets.items() if role != "test"}
    trained = replace(member, datasets={**others, "train": folds.training(fold)})
    return EntryNetwork(f"fold-{fold}/{network.artefact}", subject_of(trained))
