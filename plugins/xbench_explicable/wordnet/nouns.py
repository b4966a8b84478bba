"""WordNet's nouns, read through nltk."""

import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import UnknownNameError
from xbench_explicable.kernels.paths import path_lengths
from xbench_explicable.wordnet import files as wordnet_files

WNID = re.compile(r"n(\d{8})(?!\d)")
SENSE = re.compile(r"[^\s,]+\.n\.\d+")


def nouns(folder: str = "") -> Any:
    """A reader of the bundled nouns, or of the WordNet 3.0 in a folder (nltk's interface)."""
    return _nouns(folder, wordnet_files.state(folder))


@functools.lru_cache(maxsize=4)
def _nouns(folder: str, state: wordnet_files.State) -> Any:
    from xbench_explicable.wordnet.reader import Nouns

    with warnings.catch_warnings():
        # nltk says that it has no other languages, which nobody asks for.
        warnings.simplefilter("ignore")
        return Nouns(folder)


def synset_of(reader: Any, text: str) -> Any:
    """The synset with an id (`n02084071`) or a name (`dog.n.01`), or `UnknownNameError`."""
    synset = synset_known(reader, text)
    if synset is None:
        raise UnknownNameError("synset of WordNet", text, (), "Write n02084071 or dog.n.01.")
    return synset


def synset_known(reader: Any, text: str) -> Any:
    """The same, but None for what is no synset, or not bundled."""
    wnid = WNID.match(text)
    return synset_at(reader, int(wnid[1])) if wnid else synset_named(reader, text)


def synset_named(reader: Any, name: str) -> Any:
    """The synset that is called `dog.n.01`; None where there is none, or it is not bundled."""
    from nltk.corpus.reader.wordnet import WordNetError

    if not SENSE.fullmatch(name):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return reader.synset(name)
        except (WordNetError, AttributeError):  # nltk looks into what it has not found
            return None


def synset_at(reader: Any, place: int) -> Any:
    """The synset at a place in data.noun; None where there is none."""
    with warnings.catch_warnings():
        # nltk warns of places where nothing begins, which is what is asked here.
        warnings.simplefilter("ignore")
        return reader.synset_from_pos_and_offset("n", place)


def parent_synsets(synset: Any) -> list[Any]:
    """What stands directly above a synset: kinds, and what it is an instance of."""
    return [*synset.hypernyms(), *synset.instance_hypernyms()]


def steps_up(synset: Any) -> Iterator[tuple[Any, int]]:
    """The synset itself and everything above it, with the least number of steps to each."""
    visited, layer, steps = {synset}, [synset], 0
    while layer:
        yield from ((node, steps) for node in layer)
        layer = list(
            dict.fromkeys(
                parent for node in layer for parent in parent_synsets(node) if parent not in visited
            )
        )
        visited.update(layer)
        steps += 1


def path_similarities(synsets: Sequence[Any]) -> Float64[Tensor, "classes classes"]:
    """1 / (1 + least number of steps up and down between two synsets); 1 for one and itself."""
    places: dict[Any, int] = {}
    cells = [
        (row, places.setdefault(node, len(places)), steps)
        for row, synset in enumerate(synsets)
        for node, steps in steps_up(synset)
    ]
    up = torch.full((len(synsets), len(places)), torch.inf, dtype=torch.float64)
    rows, columns, steps = torch.tensor(cells).T
    up[rows, columns] = steps.double()
    return 1 / (1 + path_lengths(up))
