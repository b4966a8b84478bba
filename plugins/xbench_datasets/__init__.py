"""Datasets of the field in their official layouts, and folders of images."""

from typing import TYPE_CHECKING

from xbench.interfaces.hookspecs import hookimpl

if TYPE_CHECKING:
    from xbench.interfaces.data.dataset import Dataset


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the datasets of this package."""
    from xbench_datasets.ade20k import Ade20k
    from xbench_datasets.broden import Broden
    from xbench_datasets.cifar import Cifar10, Cifar100
    from xbench_datasets.cifar10_1 import Cifar101
    from xbench_datasets.cifar10h import Cifar10h
    from xbench_datasets.cinic10 import Cinic10
    from xbench_datasets.context_folder import ContextFolder
    from xbench_datasets.cub200 import Cub200
    from xbench_datasets.folder import Folder
    from xbench_datasets.imagenet import Imagenet
    from xbench_datasets.metashift import Metashift
    from xbench_datasets.packed import PackedImages

    cifar: list[type[Dataset]] = [Cifar10, Cifar100, Cifar101, Cifar10h, Cinic10]
    folders: list[type[Dataset]] = [ContextFolder, Folder, PackedImages]
    return [Ade20k, Broden, Cub200, Imagenet, Metashift, *cifar, *folders]
