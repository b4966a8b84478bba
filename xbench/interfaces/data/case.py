"""Cases: what is scored and resampled, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from xbench.kernels.names import Places, name_places, natural_key

SLASH = "/"


@dataclass(frozen=True)
class Case:
    """The unit that is scored, usually an image; its name is the same wherever it is evaluated.

    The name is the role of its image set, what else it belongs to, and the id, with slashes
    between them: `test/2000003`, `test/bird-water at 0.9/out/2000003`. Cases are ordered as
    their names are naturally: part by part, digits as numbers, and at last by id.
    """

    role: str
    id: int
    within: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts from which no name could be read again."""
        for part in (self.role, *self.within):
            if not part or SLASH in part or part != part.strip():
                raise ValueError(
                    f"{part!r} cannot be a part of a case's name: it must not be empty, hold "
                    f"{SLASH!r}, or begin or end with a blank"
                )

    def __str__(self) -> str:
        """Return its name."""
        return SLASH.join((self.role, *self.within, str(self.id)))

    def __lt__(self, other: "Case") -> bool:
        """Whether its name comes before another's."""
        if (self.role, self.within) == (other.role, other.within):
            return self.id < other.id
        return natural_key(str(self)) < natural_key(str(other))

    @classmethod
    def parse(cls, name: str) -> Self:
        """The case with this name; `ValueError` for what is no name of a case."""
        *parts, last = name.split(SLASH)
        number = last.removeprefix("-")
        if not parts or not (number.isascii() and number.isdigit()):
            raise ValueError(f"{name!r} is no name of a case, such as 'test/2000003'")
        case = cls(parts[0], int(last), tuple(parts[1:]))
        if str(case) != name:
            raise ValueError(f"{name!r} is no name of a case; {str(case)!r} is")
        return case


def case_column(cases: Sequence[Case], counts: Sequence[int] | None = None) -> pa.Array:
    """The column `case` of rows: each case's name once, or in as many rows as `counts` says."""
    names = list(map(str, cases))
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    own = np.fromiter(map(places.__getitem__, names), np.int32, len(names))
    rows = own if counts is None else np.repeat(own, np.asarray(counts, np.int64))
    return pa.DictionaryArray.from_arrays(pa.array(rows), pa.array(places, pa.string()))


def case_places(rows: pa.Table) -> Places:
    """The cases of rows by name, in their order, and the place of each row's among them."""
    return name_places(rows.column("case"))
