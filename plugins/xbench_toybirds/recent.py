"""Arrays of images that were made last: whatever is scored on images asks for them again."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

MOST = 2048
"""Images of a dataset whose arrays are kept; their pixels are 57 MB."""


class Recent:
    """Keeps an array for each image that was asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def of(self, ids: Sequence[int], make: Callable[[list[int]], np.ndarray]) -> np.ndarray:
        """A new array with a row for each image; `make` gives the rows of those not kept."""
        wanted = [int(image) for image in ids]
        missing = [image for image in dict.fromkeys(wanted) if image not in self._kept]
        if missing or not wanted:
            made = make(missing)
            if not wanted:
                return made
            self._kept.update(zip(missing, made.copy(), strict=True))
        found = np.stack([self._kept[image] for image in wanted])
        for image in wanted:
            self._kept.move_to_end(image)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found
