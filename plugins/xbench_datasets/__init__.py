"""Datasets of the field in their official layouts, and folders of images."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Dataset


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the datasets of this package."""
    from xbench_datasets.ade20k.dataset import Ade20k
    from xbench_datasets.annotators.label_table import LabelTable
    from xbench_datasets.broden.dataset import Broden
    from xbench_datasets.cifar.cifar import Cifar10, Cifar100
    from xbench_datasets.cifar.cifar10_1 import Cifar101
    from xbench_datasets.cifar.cifar10h import Cifar10h
    from xbench_datasets.cifar.cifar10n import Cifar10n
    from xbench_datasets.cifar.cinic10 import Cinic10
    from xbench_datasets.cifar.imagenet_far import ImagenetFar
    from xbench_datasets.cub200.dataset import Cub200
    from xbench_datasets.folders.context_folder import ContextFolder
    from xbench_datasets.folders.folder import Folder
    from xbench_datasets.folders.photographs import Photographs
    from xbench_datasets.funnybirds.dataset import FunnyBirds
    from xbench_datasets.imagenet.dataset import Imagenet
    from xbench_datasets.metashift.dataset import Metashift
    from xbench_datasets.packed.dataset import PackedImages

    small: list[type[Dataset]] = [Cifar10, Cifar100, Cifar101, Cifar10h, Cifar10n, Cinic10]
    folders: list[type[Dataset]] = [ContextFolder, Folder, PackedImages, Photographs]
    others: list[type[Dataset]] = [Ade20k, Broden, Cub200, FunnyBirds, Imagenet, Metashift]
    return [*others, *small, ImagenetFar, *folders, LabelTable]
