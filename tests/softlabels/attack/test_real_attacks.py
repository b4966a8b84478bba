"""Attacks on a real network: a ResNet-20 trained on CIFAR-10, on lossless images."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from xbench.networks import load_state, read_state
from xbench_softlabels.kernels.attacks import sign_attacked, slope, standing
from xbench_zoo.cifar.resnet import CifarResnet

RADIUS = 4 / 255
COUNT = 50


@pytest.fixture
def resnet(realdata):
    """The network's answers in single and in double precision."""
    classifier = CifarResnet(depth=20)
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in classifier.normalisation())
    path = realdata / "cifar10_resnets" / "resnet20-12fca82f.th"

    def answers(dtype):
        module = classifier.module(10).eval().requires_grad_(requires_grad=False)
        load_state(module, read_state(path), str(path))
        module = module.to(dtype)
        return lambda images: module((images.to(dtype) - mean) / std)

    return answers


@pytest.fixture
def photos(realdata):
    """The first training images, and their labels."""
    with np.load(realdata / "cifar10" / "train_first4000_lossless.npz") as arrays:
        images, labels = arrays["images"][:COUNT], arrays["labels"][:COUNT]
    return torch.tensor(images).permute(0, 3, 1, 2).float() / 255, torch.tensor(labels).long()


def plain_sign(answers, images, labels):
    """FGSM as it is mostly written: the sign of the cross-entropy's own gradient."""
    pixels = images.clone().requires_grad_()
    loss = functional.cross_entropy(answers(pixels), labels, reduction="sum")
    return sign_attacked(images, torch.autograd.grad(loss, pixels)[0], RADIUS)


@pytest.mark.realdata
def test_the_margins_gradient_attacks_as_double_precision_does_and_the_plain_one_is_weaker(
    resnet, photos
):
    images, labels = photos
    single, double = resnet(torch.float32), resnet(torch.float64)
    clean = slope(single, images, labels)
    attacks = {
        "margin": sign_attacked(images, clean.gradients, RADIUS),
        "double": plain_sign(double, images, labels),
        "plain": plain_sign(single, images, labels),
    }
    reached = {name: standing(single, attack, labels) for name, attack in attacks.items()}
    right = {name: int(of.right.sum()) for name, of in reached.items()}
    assert clean.standing.right.all()
    assert right["margin"] == right["double"]
    assert reached["margin"].losses.mean() == pytest.approx(
        float(reached["double"].losses.mean()), rel=0.01
    )
    assert right["plain"] > right["margin"]
    # what hides is what is saturated: elsewhere both attacks are one
    sheltered = reached["plain"].right & ~reached["margin"].right
    assert clean.saturated[sheltered].all()
