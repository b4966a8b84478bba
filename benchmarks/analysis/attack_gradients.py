"""What of FGSM's strength hangs on how gradients are computed, and what of its loss on sureness.

    python benchmarks/analysis/attack_gradients.py WEIGHTS IMAGES.npz

WEIGHTS of a CIFAR ResNet-20 (option A), and a file with arrays `images` (n, 32, 32, 3) and
`labels`, of which the first 1 000 are attacked at 4/255. For logits divided by 1, 2, 3 and 5 the
table has accuracy and cross-entropy after the sign of the cross-entropy's gradient in single
precision, of the same in double precision, and of the margin's gradient in single precision,
which is xbench's.
"""

import sys

import numpy as np
import torch
from torch.nn import functional

from xbench.networks import load_state, read_state
from xbench_softlabels.kernels.attacks import sign_attacked, slope, standing
from xbench_zoo.cifar.resnet import CifarResnet

RADIUS, COUNT, PASS = 4 / 255, 1000, 50
TEMPERATURES = (1.0, 2.0, 3.0, 5.0)


def resnet(path, dtype):
    classifier = CifarResnet(depth=20)
    module = classifier.module(10).eval().requires_grad_(requires_grad=False)
    load_state(module, read_state(path), path)
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in classifier.normalisation())
    module = module.to(dtype)
    return lambda images: module((images.to(dtype) - mean) / std)


def plain_gradients(answers, images, labels):
    pixels = images.clone().requires_grad_()
    loss = functional.cross_entropy(answers(pixels), labels, reduction="sum")
    return torch.autograd.grad(loss, pixels)[0]


def tempered(answers, temperature):
    return lambda images: answers(images) / temperature


def main(weights, file):
    with np.load(file) as arrays:
        images, labels = (torch.tensor(arrays[name][:COUNT]) for name in ("images", "labels"))
    images, labels = images.permute(0, 3, 1, 2).float() / 255, labels.long()
    single, double = (resnet(weights, dtype) for dtype in (torch.float32, torch.float64))
    print(f"{len(images)} images at 4/255: accuracy and cross-entropy after FGSM")
    print(f"{'logits divided by':<18}{'saturated':>10}{'plain':>16}{'double':>16}{'margin':>16}")
    for temperature in TEMPERATURES:
        own, exact = (tempered(answers, temperature) for answers in (single, double))
        found, saturated = {"plain": [], "double": [], "margin": []}, 0
        for some, true in zip(images.split(PASS), labels.split(PASS), strict=True):
            clean = slope(own, some, true)
            saturated += int(clean.saturated.sum())
            for name, gradients in (
                ("plain", plain_gradients(own, some, true)),
                ("double", plain_gradients(exact, some, true)),
                ("margin", clean.gradients),
            ):
                found[name].append(standing(own, sign_attacked(some, gradients, RADIUS), true))
        cells = []
        for parts in found.values():
            right = torch.cat([part.right for part in parts]).double().mean()
            losses = torch.cat([part.losses for part in parts]).mean()
            cells.append(f"{right:>8.3f}{losses:>8.2f}")
        print(f"{temperature:<18g}{saturated:>10}{''.join(cells)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
