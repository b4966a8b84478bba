"""Paths of a machine in what is about to leave it."""

import re
from collections.abc import Iterator
from typing import Any

from xbench.results.board.strict_json import Text, texts

PATH = re.compile(
    r"""^(/[^/\s]|~[^/\s]*/)          # the whole text is one
    |(^|[\s"'(=,;:])(/[^/\s]+){2,}    # one stands in it
    |(^|[\s"'(=,;:])~[\w.-]*/
    |\bfile:/
    |(^|[\s"'(=,;:])[A-Za-z]:[\\/](?!/)
    |(^|[\s"'(=,;:])\\\\[^\\\s]""",
    re.VERBOSE,
)
"""What begins at a root, a home, a drive or a server; keys of a store begin at none."""


def machine_paths(tree: Any, what: str) -> Iterator[Text]:
    """The strings that hold a path of a machine, with their places."""
    return (text for text in texts(tree, what) if PATH.search(text.text))
