"""The zoo: classifiers of torchvision, of timm and of your own, and the usual loss."""

from typing import TYPE_CHECKING

from xbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from xbench.classifier import Classifier
    from xbench.loss import Loss


@hookimpl
def register_classifiers() -> "list[type[Classifier]]":
    """Return the classifiers."""
    from xbench_zoo.small import SmallCnn
    from xbench_zoo.small_resnet import SmallResnet
    from xbench_zoo.small_vgg import SmallVgg
    from xbench_zoo.timm_models import Timm
    from xbench_zoo.torchvision_models import Torchvision
    from xbench_zoo.user import UserModule

    return [Torchvision, Timm, UserModule, SmallCnn, SmallVgg, SmallResnet]


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_zoo.losses import CrossEntropy

    return [CrossEntropy]
