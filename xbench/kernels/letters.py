"""Compact letter displays: who is told apart from whom, in few letters.

Piepho (2004), An algorithm for a letter-based representation of all-pairwise comparisons,
Journal of Computational and Graphical Statistics 13, inserts and absorbs columns until every
largest set of entries that are alike has one. There can be 2^(k/2) such sets (variants of k/2
methods, each told apart from its sister alone). The columns here are grown until they cover all
pairs that are alike, which is the same display in fewer letters (Gramm, Guo, Hüffner, Niedermeier,
Piepho and Schmid 2007, Computational Statistics and Data Analysis 52).
"""

import string

import numpy as np
from jaxtyping import Bool, Int64


def compact_letters(
    distinguished: Bool[np.ndarray, "k k"], order: Int64[np.ndarray, " k"]
) -> tuple[tuple[str, ...], ...]:
    """The letters of each entry: two share one if and only if they are not distinguished.

    `order` names the entries from the best on; `a` is the letter of the best. After `z` comes
    `a1`, so that letters can be written without gaps.
    """
    place = {int(entry): number for number, entry in enumerate(order)}
    ordered = distinguished[np.ix_(order, order)]
    columns = sorted(sorted(_members(column)) for column in _columns(ordered))
    of_places: list[list[str]] = [[] for _ in place]
    for number, members in enumerate(columns):
        for member in members:
            of_places[member].append(letter(number))
    return tuple(tuple(of_places[place[entry]]) for entry in range(len(place)))


def letter(number: int) -> str:
    """The letter of a column: a … z, then a1 … z1, and so on."""
    turn, place = divmod(number, len(string.ascii_lowercase))
    return string.ascii_lowercase[place] + (str(turn) if turn else "")


def _columns(distinguished: Bool[np.ndarray, "k k"]) -> list[int]:
    """Sets of entries, as bits, in which no two are distinguished and every other pair is."""
    k = len(distinguished)
    alike = [_bits(~row) & ~(1 << place) for place, row in enumerate(distinguished)]
    missing, columns = list(alike), []
    for first in range(k):
        alone = not alike[first]
        while missing[first] or alone:
            column, alone = _grown(first, alike, missing), False
            columns.append(column)
            for member in _members(column):
                missing[member] &= ~column
    return columns


def _grown(first: int, alike: list[int], missing: list[int]) -> int:
    """A column about an entry, joined one by one by who adds most pairs, the better one first."""
    column, candidates = 1 << first, alike[first]
    while candidates:
        added = {other: (missing[other] & column).bit_count() for other in _members(candidates)}
        chosen = max(added, key=lambda other: added[other])
        column |= 1 << chosen
        candidates &= alike[chosen]
    return column


def _bits(row: Bool[np.ndarray, " k"]) -> int:
    return sum(1 << place for place in np.flatnonzero(row).tolist())


def _members(column: int) -> list[int]:
    return [place for place in range(column.bit_length()) if column >> place & 1]
