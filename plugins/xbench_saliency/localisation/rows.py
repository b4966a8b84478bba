"""Rows of the pointing game: one per image."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from xbench import Case, case_column
from xbench_saliency.kernels.pointing import areas, energies, hits, pointless, widened
from xbench_saliency.maps.saliency_map import SaliencyMap


def rows_table(
    cases: Sequence[Case],
    maps: Sequence[SaliencyMap],
    masks: Bool[np.ndarray, "n h w"],
    tolerance: int,
) -> pa.Table:
    """Whether each map's maximum hits, its energy inside, and what chance gives for both."""
    values = np.stack([one.at_image_size().double().numpy() for one in maps])
    wide = widened(masks, tolerance)
    return pa.table(
        {
            "case": case_column(cases),
            "hit": hits(values, wide),
            "energy": energies(values, masks),
            "area": areas(masks),
            "area_of_hits": areas(wide),
            "empty_map": pointless(values),
        }
    )
