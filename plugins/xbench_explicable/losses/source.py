"""The dataset of a batch, for losses that ask it about its classes."""

from xbench import Batch, Dataset, MismatchError


def dataset_of(batch: Batch, classes: int, loss: str) -> Dataset:
    """The dataset that the batch is of, or `MismatchError` where it cannot be asked."""
    if batch.source is None:
        message = f"loss {loss!r} asks a dataset about its classes, and these images are of none; "
        raise MismatchError(message + "give the batch its `source`")
    dataset = batch.source.dataset
    known = len(dataset.class_names())
    if known != classes:
        message = f"loss {loss!r}: dataset {dataset.name!r} has {known} classes, "
        raise MismatchError(f"{message}but targets of {classes} are asked for")
    return dataset
