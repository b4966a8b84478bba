"""Saliency maps by our own loops, in the time that Captum takes for equal maps.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_saliency.py -s

Captum is tuned: it gets as many images in a pass as we take. Both find the class that they explain,
the most probable one, by a forward pass. Maps are compared before they are measured. Grad-CAM is
measured in one forward and backward pass from the layer up, which is what it cannot do without.
Memory is the process' own peak, after few and after many samples.
"""

import resource

import captum.attr
import pytest
import torch

from xbench import Batch, generator
from xbench.networks import blank_module, cut_classifier, whole_classifier
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.gradients.integrated_gradients import IntegratedGradients
from xbench_saliency.gradients.smooth_grad import SmoothGrad
from xbench_saliency.maps.baselines import baseline_images
from xbench_saliency.maps.passes import PIXELS
from xbench_saliency.occlusion.explainer import Occlusion
from xbench_zoo.small import SmallCnn
from xbench_zoo.torchvision_models import Torchvision

CASES = {
    "small-cnn, 96 px": (SmallCnn, 96, 4, 25),
    "ResNet-18, 224 px": (lambda: Torchvision("resnet18"), 224, 1, 9),
}
CLASSES, SAMPLES = 20, 25


@pytest.fixture(params=CASES, ids=str)
def task(request):
    make, side, count, rounds = CASES[request.param]
    classifier = make()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = blank_module(classifier, CLASSES).eval()
    images = torch.rand(count, 3, side, side, generator=generator("saliency", side))
    return whole_classifier(classifier, module, CLASSES), Batch(images, tuple(range(count))), rounds


def predicted_classes(network, batch):
    with torch.no_grad():
        return network.module(batch.images).argmax(1)


def maps(explainer, network, batch):
    found = explainer.explain(network, batch, {}, generator(0), {})
    return torch.stack([one.values for one in found])


def test_integrated_gradients_against_captum(task, ratio):
    network, batch, rounds = task
    starts = baseline_images("mean", batch.images)
    method = captum.attr.IntegratedGradients(network.module)
    per_pass = max(1, PIXELS // batch.images[0, 0].numel())

    def of_captum():
        classes = predicted_classes(network, batch)
        given = {"target": classes, "n_steps": SAMPLES, "internal_batch_size": per_pass}
        return method.attribute(batch.images, starts, **given).sum(1).float()

    explainer = IntegratedGradients(steps=SAMPLES)
    torch.testing.assert_close(maps(explainer, network, batch), of_captum(), rtol=1e-3, atol=1e-6)
    assert ratio(lambda: maps(explainer, network, batch), of_captum, rounds) <= 1.05


def test_smooth_grad_against_captum(task, ratio):
    network, batch, rounds = task
    method = captum.attr.NoiseTunnel(captum.attr.Saliency(network.module))
    sides = batch.images.amax((1, 2, 3)) - batch.images.amin((1, 2, 3))
    together = max(1, PIXELS // batch.images.shape[1:].numel() * 3 // len(batch.ids))

    def of_captum():
        return method.attribute(
            batch.images.clone().requires_grad_(),
            nt_samples=SAMPLES,
            nt_samples_batch_size=together,
            stdevs=0.15 * float(sides.mean()),
            target=predicted_classes(network, batch),
            abs=False,
        )

    explainer = SmoothGrad(samples=SAMPLES)
    assert ratio(lambda: maps(explainer, network, batch), of_captum, rounds) <= 1.05


def test_occlusion_against_captum(task, ratio):
    network, batch, rounds = task
    alone, side = Batch(batch.images[:1], batch.ids[:1]), batch.images.shape[-1] // 8
    method, starts = captum.attr.Occlusion(network.module), baseline_images("mean", alone.images)
    per_pass = max(1, PIXELS // alone.images[0, 0].numel())

    def of_captum():
        window, strides = (3, side, side), (3, side // 2, side // 2)
        classes = predicted_classes(network, alone)
        given = {"target": classes, "perturbations_per_eval": per_pass}
        return method.attribute(alone.images, window, strides, starts, **given)[:, 0]

    torch.testing.assert_close(maps(Occlusion(), network, alone), of_captum(), rtol=1e-3, atol=1e-5)
    assert ratio(lambda: maps(Occlusion(), network, alone), of_captum, rounds) <= 1.05


def test_grad_cam_in_passes_from_the_layer_up(ratio):
    """With what is below it remembered, as a bench does for all explainers of a network."""
    classifier = Torchvision("resnet18", layer="layer2")
    network = cut_classifier(classifier, blank_module(classifier, CLASSES).eval(), CLASSES)
    batch = Batch(torch.rand(4, 3, 224, 224, generator=generator("cam")), (0, 1, 2, 3))
    network.top.requires_grad_(requires_grad=False)
    point = network.activations(batch.images)

    def passes():
        leaf = point.detach().requires_grad_()
        logits = network.top(leaf)
        torch.autograd.grad(logits.amax(1).sum(), leaf)

    with network.remembering([batch.images]):
        cost = ratio(lambda: maps(GradCam(), network, batch), passes)
    assert cost <= 1.1


def test_memory_is_flat_in_the_number_of_samples(task):
    network, batch, _ = task
    peaks = []
    for samples in (SAMPLES, 4 * SAMPLES):
        maps(SmoothGrad(samples=samples), network, batch)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"\npeak after {SAMPLES} samples {peaks[0]:.0f} MiB, after {4 * SAMPLES} {peaks[1]:.0f}")
    assert peaks[1] <= 1.02 * peaks[0]
