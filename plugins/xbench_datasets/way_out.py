"""What messages say of a dataset's files: how to name them, and where to get them."""

from collections.abc import Iterator
from contextlib import contextmanager

from xbench import DatasetError


def option(name: str, parameter: str = "root", value: str = "FOLDER") -> str:
    """How a parameter of a dataset is given: of the main one, and of one in any other role."""
    key = f'"{name}"' if "." in name else name
    anywhere = f"-p defaults.dataset.{key}.{parameter}={value}"
    quoted = f"-p '{anywhere.removeprefix('-p ')}'" if "." in name else anywhere
    return f"`-p dataset.{parameter}={value}` (`{quoted}` where it is not the main dataset)"


@contextmanager
def explained(what: str, way_out: str) -> Iterator[None]:
    """Says of errors which dataset they concern, and where to get another copy."""
    try:
        yield
    except DatasetError as error:
        message = str(error).removeprefix(f"{what}: ")
        raise DatasetError(f"{what}: {message}. {way_out}") from error
