"""Searches: what is chosen by scores is chosen without the images that it is scored on."""

from dataclasses import replace

from xbench import Entry, Folds, ParameterError


def search_entry(entry: Entry, folds: int, seed: int) -> Entry:
    """The entry as if there were no images but those that networks of the first fold train on."""
    known = Folds(entry.datasets["test"], folds, seed).training(0)
    members = tuple(search_entry(member, folds, seed) for member in entry.members)
    return replace(entry, datasets={**entry.datasets, "test": known}, members=members)


def check_search(folds: int, search_folds: int) -> None:
    """Raise `ParameterError` where there is no fold to leave out, or are too few to search in."""
    if search_folds and folds < 2:
        raise ParameterError(
            f"search_folds: a search leaves the first of folds out, and there are {folds}; "
            "give at least 2 folds"
        )
    if search_folds < 0 or search_folds == 1:
        raise ParameterError(
            f"search_folds: {search_folds} is no number of folds; 0 for no search, or at least 2"
        )
