"""Saliency maps of the images of a batch."""

from jaxtyping import Float
from torch import Tensor

from xbench import Batch
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Explained


def saliency_maps(
    values: Float[Tensor, "n h w"], what: Explained, batch: Batch
) -> list[SaliencyMap]:
    """One map for each image, of what is explained of it."""
    size = (batch.images.shape[-2], batch.images.shape[-1])
    against = [None] * len(values) if what.against is None else what.against.tolist()
    columns = what.classes.tolist(), what.probabilities.tolist(), against
    of_images = zip(values.detach().cpu(), *columns, strict=True)
    return [
        SaliencyMap(map_, label, share, size, against=other)
        for map_, label, share, other in of_images
    ]
