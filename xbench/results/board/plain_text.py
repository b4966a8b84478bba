"""Plain text: strings that show what they are, wherever they are shown."""

import unicodedata
from collections.abc import Iterable

LETTERS = ("L", "M", "N", "P", "S")
"""Classes of characters, by the first letter of their Unicode category; and blanks."""
INVISIBLE = frozenset(
    map(
        chr,
        [
            *[0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0],
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ],
    )
)
"""Characters of these classes that nobody sees: fillers, joiners, selectors of variants."""
FORMULA = "=+-@"
"""With what a cell begins that a spreadsheet computes."""
STACKED = 4
"""So many marks may follow each other on a letter."""


def text_fault(text: str, longest: int) -> str:
    """What of a string is not plain text, or that it is too long; "" where nothing is.

    Plain are letters of all scripts, digits, punctuation, symbols and blanks. Control
    characters, marks of direction, what has no width, and `<`, which opens HTML, are not.
    """
    if len(text) > longest:
        return f"has {len(text)} characters, and at most {longest} are allowed"
    if text.isascii() and text.isprintable() and "<" not in text:
        return ""
    tower = "has a letter with a tower of marks" if _is_stacked(text) else ""
    return strange_character(text) or tower


def shown_text(text: str, longest: int) -> str:
    """Plain text of strangers on one line that has its place in a table of any form."""
    line = " ".join(text.split()) or "?"
    line = f"'{line}" if line[0] in FORMULA else line
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def strange_character(characters: Iterable[str]) -> str:
    """Which of these characters has no place in plain text; "" where all have."""
    strange = sorted(character for character in set(characters) if not _is_plain(character))
    return f"holds {_named(strange[0])}, which is no plain text" if strange else ""


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    shown = category[0] in LETTERS or category == "Zs"
    return shown and character not in INVISIBLE and character != "<"


def _named(character: str) -> str:
    code, name = f"U+{ord(character):04X}", unicodedata.name(character, "")
    shown = f" {character!r}" if character == "<" else ""
    return f"the character {code}{shown}" + f" ({name})" * bool(name)


def _is_stacked(text: str) -> bool:
    height = 0
    for character in text:
        height = height + 1 if unicodedata.category(character)[0] == "M" else 0
        if height > STACKED:
            return True
    return False
