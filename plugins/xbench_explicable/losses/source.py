"""The dataset of a batch, for losses that ask it about its classes."""

from xbench import Batch, Dataset, MismatchError


def batch_dataset(batch: Batch, classes: int, loss: str) -> Dataset:
    """The dataset that the batch is of, or `MismatchError` where it cannot be asked."""
    if batch.source is None:
        message = f"loss {loss!r} asks a dataset about its classes, and these images are of none; "
        raise MismatchError(message + "give the batch its `source`")
    dataset = batch.source.dataset
    count = len(dataset.class_names())
    if count != classes:
        message = f"loss {loss!r}: dataset {dataset.name!r} has {count} classes, "
        raise MismatchError(f"{message}but targets of {classes} are asked for")
    return dataset
