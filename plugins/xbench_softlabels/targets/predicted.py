"""The probabilities of a predictions file, for the images of a set."""

from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import ImageSet, MismatchError, read_predictions
from xbench_softlabels.targets.judgements import set_places


def predicted(file: str, images: ImageSet) -> Float64[Tensor, "n classes"]:
    """The probabilities that a file holds for the set's images, in the order of its ids.

    The file is one of predictions for the whole split (`xbench.read_predictions`), with
    probabilities or logits. `UsageError` where it cannot be read, `MismatchError` where it does
    not fit.
    """
    path, dataset, split = Path(file).expanduser(), images.dataset, images.split
    rows = read_predictions(path, dataset, split).probabilities
    if rows is None:
        message = f"{path} holds predicted classes alone; targets need probabilities or logits: "
        raise MismatchError(f"{message}numpy.savez(path, probabilities=…, labels=…)")
    places = {image: place for place, image in enumerate(dataset.ids(split))}
    return torch.from_numpy(rows)[[places[image] for image in set_places(images)]]
