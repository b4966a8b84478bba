"""Linear imputation: missing pixels as weighted means of their neighbours, all at once.

Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy for Attribution Methods" (ROAD):
a missing pixel is the mean of its eight neighbours, of which those beside it weigh 1/6 and those
across 1/12; neighbours may be missing too, so the values solve a sparse linear system. At the
border the weights of those that exist are scaled to 1.
"""

from functools import lru_cache
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float64
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

WEIGHTS = {
    (down, right): 1 / 6 if 0 in (down, right) else 1 / 12
    for down, right in product((-1, 0, 1), repeat=2)
    if (down, right) != (0, 0)
}
"""What a neighbour counts, by how far down and right it lies."""


def linear_imputed(
    image: Float64[Tensor, "d h w"], missing: Bool[Tensor, "h w"]
) -> Float64[Tensor, "d h w"]:
    """The image with its missing pixels imputed; with all missing, the mean of each channel.

    One factorisation of the system of missing pixels alone serves all channels.
    """
    if not missing.any():
        return image
    if missing.all():
        return image.mean((1, 2), keepdim=True).expand_as(image)
    imputed = image.numpy().copy()
    places = missing.numpy()
    imputed[:, places] = _solved(imputed, places).T
    return torch.from_numpy(imputed)


def _solved(image: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The values of the missing pixels (pixels, channels), row by row."""
    order = _dissection(*missing.shape)
    order = order[missing.ravel()[order]]
    system, known = _equations(image, missing, order)
    # Symmetric and positive definite as long as one pixel is known: nothing needs pivoting.
    options = {"SymmetricMode": True}
    factors = splu(system, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=options)
    return factors.solve(known)[order.argsort()]


def _equations(
    image: np.ndarray, missing: np.ndarray, order: np.ndarray
) -> tuple[csc_matrix, np.ndarray]:
    """The system of the missing pixels in this order, and what known neighbours give them."""
    count, places = len(order), np.divmod(order, missing.shape[1])
    numbers = np.full(missing.shape, -1)  # of known pixels; the frame outside has −2
    numbers[places] = np.arange(count)
    numbers = np.pad(numbers, 1, constant_values=-2)
    framed = np.pad(np.where(missing, 0.0, image), ((0, 0), (1, 1), (1, 1)))
    totals, known = np.zeros(count), np.zeros((count, len(image)))
    entries = []
    for (down, right), weight in WEIGHTS.items():
        at = places[0] + 1 + down, places[1] + 1 + right
        totals += weight * (numbers[at] != -2)
        known += weight * framed[:, *at].T  # missing pixels and the frame are 0 there
        pairs = np.flatnonzero(numbers[at] >= 0)
        entries.append((np.full(len(pairs), -weight), pairs, numbers[at][pairs]))
    entries.append((totals, np.arange(count), np.arange(count)))
    values, rows, columns = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    return csc_matrix((values, (rows, columns)), shape=(count, count)), known


@lru_cache(maxsize=4)
def _dissection(height: int, width: int) -> np.ndarray:
    """All pixels by nested dissection: both halves before the line that parts them.

    Factors stay as sparse as with an order by minimum degree, which takes longer to find than
    the rest, and has to be found for every set of missing pixels.
    """
    return np.concatenate(_dissected(np.arange(height * width).reshape(height, width)))


def _dissected(places: np.ndarray) -> list[np.ndarray]:
    if not places.size:
        return []
    if places.shape[0] < places.shape[1]:
        places = places.T
    middle = len(places) // 2
    halves = places[:middle], places[middle + 1 :]
    return [*_dissected(halves[0]), *_dissected(halves[1]), places[middle]]
