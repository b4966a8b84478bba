"""The zoo: classifiers of torchvision, of timm and of your own, and the usual loss."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Classifier, Loss


@hookimpl
def register_classifiers() -> "list[type[Classifier]]":
    """Return the classifiers."""
    from xbench_zoo.cifar.dense_net import CifarDenseNet
    from xbench_zoo.cifar.pyramid_net import CifarPyramidNet
    from xbench_zoo.cifar.resnet import CifarResnet
    from xbench_zoo.cifar.resnet_v2 import CifarResnetV2
    from xbench_zoo.cifar.resnext import CifarResnext
    from xbench_zoo.cifar.shake_shake import CifarShakeShake
    from xbench_zoo.cifar.vgg import CifarVgg
    from xbench_zoo.cifar.wide_resnet import CifarWideResnet
    from xbench_zoo.small import SmallCnn
    from xbench_zoo.small_resnet import SmallResnet
    from xbench_zoo.small_vgg import SmallVgg
    from xbench_zoo.timm_models import Timm
    from xbench_zoo.torchvision_models import Torchvision
    from xbench_zoo.user import UserModule

    cifar: list[type[Classifier]] = [
        CifarResnet,
        CifarResnetV2,
        CifarVgg,
        CifarWideResnet,
        CifarResnext,
        CifarDenseNet,
        CifarPyramidNet,
        CifarShakeShake,
    ]
    small: list[type[Classifier]] = [SmallCnn, SmallVgg, SmallResnet]
    return [Torchvision, Timm, UserModule, *small, *cifar]


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_zoo.losses import CrossEntropy

    return [CrossEntropy]
