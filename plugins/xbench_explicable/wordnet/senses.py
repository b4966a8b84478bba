"""Which of WordNet's nouns the classes of a dataset are."""

import difflib
import functools
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from xbench import (
    Dataset,
    DatasetError,
    MismatchError,
    Tree,
    content_hash,
    read_rows,
    read_spreadsheet,
)
from xbench_explicable.similarities.matching import quoted
from xbench_explicable.wordnet.files import DATA, digest
from xbench_explicable.wordnet.nouns import WNID, nouns, synset_known, synset_named, synset_of

Senses = Literal["official", "corrected"]
COLUMNS = ["class", "synset"]
LISTS = ("senses.csv", "imagenet.csv")
"""Bundled lists of names and their synsets."""
MOST_SUGGESTIONS = 40
"""For how many unknown names a suggestion is looked for."""


class SensePair(NamedTuple):
    """Two senses of a class's name."""

    official: str
    """The first, which need not be what the images show."""
    corrected: str


def source_digests(file: str = "", folder: str = "") -> Tree:
    """A hash of each of the files that `synsets` reads, for what depends on them."""
    return {"nouns": digest(folder), "lists": lists_digest(), "table": content_hash(file)}


@functools.cache
def lists_digest() -> str:
    """A hash of the bundled lists, which stay as they are while they are used."""
    content = b"".join((DATA / name).read_bytes() for name in LISTS)
    return hashlib.sha256(content).hexdigest()[:32]


def synsets(dataset: Dataset, senses: Senses, file: str = "", folder: str = "") -> list[Any]:
    """The synset of each class of a dataset, in order.

    From `file` where it is given; where the classes are those of ImageNet, by its ids; else
    an id that the name begins with, or the name's first sense, which `corrected` replaces
    where it is known to be wrong. `MismatchError` names all classes of which no noun is known.
    """
    names, reader = dataset.class_names(), nouns(folder)
    if file:
        return _table_synsets(names, reader, file, folder)
    known = imagenet()
    if set(names) == set(known):
        return [synset_of(reader, known[name]) for name in names]
    class_synsets = [_synset(reader, name, senses) for name in names]
    unknown = [name for name, synset in zip(names, class_synsets, strict=True) if synset is None]
    if unknown:
        raise MismatchError(
            f"{_unknown_message(reader, dataset, unknown, folder)} {_advice(folder)}"
        )
    return class_synsets


def _table_synsets(names: tuple[str, ...], reader: Any, file: str, folder: str) -> list[Any]:
    """The synsets that a table names, by class."""
    table = _synset_names(file)
    missing = [name for name in names if name not in table]
    if missing:
        raise MismatchError(f"synsets={file} names no synset for {quoted(missing)}")
    class_synsets = [synset_known(reader, table[name]) for name in names]
    unknown = [name for name, synset in zip(names, class_synsets, strict=True) if synset is None]
    if unknown:
        faults = ", ".join(f"{table[name]!r} of {name!r}" for name in unknown)
        raise MismatchError(
            f"synsets={file} names what is no synset of {_wordnet_name(folder)}: {faults}. Write "
            f"n02084071 or dog.n.01{_full_advice(folder)}."
        )
    return class_synsets


def _synset_names(file: str) -> dict[str, str]:
    rows = [row for _, row in read_spreadsheet(file, f"synsets={file}")]
    if not rows or rows[0] != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise DatasetError(
            f"synsets={file}: write the columns {','.join(COLUMNS)} in its first line, then "
            "one line for each class, such as dog,n02084071 or dog,dog.n.01"
        )
    repeated = [name for name, times in Counter(name for name, _ in rows[1:]).items() if times > 1]
    if repeated:
        raise DatasetError(f"synsets={file} has classes twice: {quoted(repeated)}")
    return dict(rows[1:])


def _synset(reader: Any, name: str, senses: Senses) -> Any:
    """The synset of one name, or None."""
    if WNID.match(name):
        return synset_known(reader, name)
    word = next(iter(spellings(name)), "")
    if word in exceptions():
        return synset_of(reader, getattr(exceptions()[word], senses))
    words = [
        *spellings(name),
        *filter(None, (reader.morphy(spelling, "n") for spelling in spellings(name))),
    ]
    return next(filter(None, (synset_named(reader, f"{word}.n.01") for word in words)), None)


def spellings(name: str) -> Iterator[str]:
    """How WordNet may write a name: of several that commas part, each; joined by _, -, nothing."""
    for part in name.split(","):
        words = part.strip().lower().replace("_", " ").replace("-", " ").split()
        yield from dict.fromkeys(joint.join(words) for joint in ("_", "-", "") if words)


@functools.cache
def exceptions() -> dict[str, SensePair]:
    """Names whose first sense is not what images of them show, or that WordNet lacks."""
    rows = read_rows(DATA / "senses.csv", ",")[1:]
    return {name: SensePair(official, corrected) for _, (name, official, corrected) in rows}


@functools.cache
def imagenet() -> dict[str, str]:
    """The ids of ImageNet's classes by the names that networks of torchvision carry."""
    return dict(row.cells for row in read_rows(DATA / "imagenet.csv", ",")[1:])


def _unknown_message(reader: Any, dataset: Dataset, unknown: list[str], folder: str) -> str:
    known = list(reader.all_lemma_names(pos="n"))
    descriptions = [_suggestion(name, known) for name in unknown[:MOST_SUGGESTIONS]]
    descriptions += [repr(name) for name in unknown[MOST_SUGGESTIONS:]]
    names = ", ".join(descriptions)
    return (
        f"T{_wordnet_name(folder)[1:]} has no noun for {len(unknown)} of the "
        f"{len(dataset.class_names())} classes of dataset {dataset.name!r}: {names}."
    )


def _advice(folder: str) -> str:
    columns = ",".join(COLUMNS)
    return (
        f"Give each class its synset with synsets=FILE (columns {columns}){_full_advice(folder)}."
    )


def _wordnet_name(folder: str) -> str:
    return f"the WordNet in {folder}" if folder else "the bundled part of WordNet"


def _full_advice(folder: str) -> str:
    """The way out where the bundled part is used."""
    return "" if folder else ", or name the folder of a full WordNet 3.0 with wordnet=FOLDER"


def _suggestion(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(next(iter(spellings(name)), ""), known, n=1, cutoff=0.75)
    return f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name)
