"""Our own loops give what Captum gives: SmoothGrad at equal noise, integrated gradients, occlusion.

And guided backpropagation, which is Captum's, what a rule for ReLUs written by hand gives.
"""

import captum.attr
import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet18

from xbench import Batch, MismatchError, generator, per_image
from xbench.networks import whole_module
from xbench.testing import tiny_batch
from xbench_saliency.gradients.gradient import Gradient, InputXGradient
from xbench_saliency.gradients.guided_backprop import GuidedBackprop
from xbench_saliency.gradients.integrated_gradients import IntegratedGradients
from xbench_saliency.gradients.smooth_grad import SmoothGrad
from xbench_saliency.maps.baselines import baseline_images
from xbench_saliency.occlusion.explainer import Occlusion

SEED, SIZE = 4, (16, 20)


def network():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 4, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 5),
        )
    return whole_module(module.eval(), classes=5, size=16)


@pytest.fixture
def batch():
    return Batch(torch.rand(3, 3, *SIZE, generator=generator("captum")), (7, 8, 9))


def found(explainer, given, batch):
    maps = explainer.explain(given, batch, {}, generator(SEED), {})
    return torch.stack([one.values for one in maps])


def targets(given, batch):
    return given.logits(batch.images).argmax(1)


def test_the_gradient_and_its_product_with_the_input_are_captums(batch):
    given = network()
    chosen = {"target": targets(given, batch)}
    images = batch.images.clone().requires_grad_()
    of_captum = captum.attr.Saliency(given.module).attribute(images, abs=False, **chosen)
    torch.testing.assert_close(found(Gradient(), given, batch), of_captum.sum(1))
    of_captum = captum.attr.InputXGradient(given.module).attribute(images, **chosen)
    torch.testing.assert_close(found(InputXGradient(), given, batch), of_captum.detach().sum(1))


@pytest.mark.parametrize("samples", [1, 5])
def test_smooth_grad_is_captums_noise_tunnel_at_equal_noise(batch, samples, monkeypatch):
    given, chosen, expected = network(), targets(network(), batch), []
    for place, image in enumerate(batch.ids):
        source, alone = per_image(generator(SEED), image), batch.images[place : place + 1]
        noise = torch.stack([torch.randn(alone[0].shape, generator=source) for _ in range(samples)])
        monkeypatch.setattr(torch, "normal", lambda mean, std, noise=noise: mean + std * noise)
        tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(given.module))
        expected.append(
            tunnel.attribute(
                alone.clone().requires_grad_(),
                nt_samples=samples,
                stdevs=0.15 * float(alone.max() - alone.min()),
                target=int(chosen[place]),
                abs=False,
            )
        )
    of_captum = torch.cat(expected).detach().sum(1)
    torch.testing.assert_close(found(SmoothGrad(samples=samples), given, batch), of_captum)


@pytest.mark.parametrize("steps", [1, 4, 50])
@pytest.mark.parametrize("baseline", ["mean", "black", "blur"])
def test_integrated_gradients_are_captums_with_its_default_quadrature(batch, steps, baseline):
    given = network()
    starts = baseline_images(baseline, batch.images)
    of_captum = captum.attr.IntegratedGradients(given.module).attribute(
        batch.images, starts, target=targets(given, batch), n_steps=steps
    )
    made = found(IntegratedGradients(steps=steps, baseline=baseline), given, batch)
    torch.testing.assert_close(made, of_captum.float().sum(1), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("window", "stride"), [(4, 2), (5, 3), (7, 7), (16, 1), (1, 1), (3, 2)])
@pytest.mark.parametrize("baseline", ["mean", "black"])
def test_occlusion_is_captums(batch, window, stride, baseline):
    given = network()
    of_captum = captum.attr.Occlusion(given.module).attribute(
        batch.images,
        (3, window, window),
        (3, stride, stride),
        baseline_images(baseline, batch.images),
        target=targets(given, batch),
        perturbations_per_eval=8,
    )
    made = found(Occlusion(window=window, stride=stride, baseline=baseline), given, batch)
    torch.testing.assert_close(made, of_captum[:, 0], rtol=1e-4, atol=1e-6)


def test_windows_are_an_eighth_of_the_shorter_side_every_half_of_that(batch):
    given = network()
    made = found(Occlusion(), given, batch)
    assert torch.equal(made, found(Occlusion(window=2, stride=1), given, batch))
    assert made.shape == (3, *SIZE)


@pytest.mark.parametrize("explainer", [Occlusion(window=17), Occlusion(stride=3)])
def test_windows_that_do_not_cover_the_image_are_refused(batch, explainer):
    with pytest.raises(MismatchError, match="does not cover images of 16 × 20; take window = 0"):
        found(explainer, network(), batch)


class _Guided(torch.autograd.Function):
    """A ReLU that passes back what is positive, where it passed something on."""

    @staticmethod
    def forward(context, values):
        context.save_for_backward(values)
        return values.clamp(min=0)

    @staticmethod
    def backward(context, slopes):
        (values,) = context.saved_tensors
        return slopes.clamp(min=0) * (values > 0)


class GuidedReLU(nn.Module):
    def forward(self, values):
        return _Guided.apply(values)


def with_guided(module):
    for name, one in module.named_children():
        if isinstance(one, nn.ReLU):
            setattr(module, name, GuidedReLU())
        else:
            with_guided(one)
    return module


def residual():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return resnet18(num_classes=5).eval()


@pytest.mark.parametrize("against", [None, 2])
def test_guided_backprop_is_captums_and_that_of_a_rule_by_hand_where_relus_are_used_twice(against):
    images = torch.rand(2, 3, 32, 32, generator=generator("guided"))
    given = whole_module(residual(), classes=5, size=32)
    batch, target = Batch(images, (0, 1)), {"target": 1}
    contrast = {} if against is None else {"against": against}
    made = found(GuidedBackprop(**target, **contrast), given, batch)
    by_hand = whole_module(with_guided(residual()), classes=5, size=32)
    pixels = images.clone().requires_grad_()
    logits = by_hand.module(pixels)
    explained = logits[:, 1] - (0 if against is None else logits[:, against])
    (slopes,) = torch.autograd.grad(explained.sum(), pixels)
    torch.testing.assert_close(made, slopes.sum(1), rtol=1e-4, atol=1e-6)
    if against is None:
        from xbench_saliency.by_captum.explainer import CaptumExplainer

        other = found(CaptumExplainer("GuidedBackprop", **target), given, batch)
        torch.testing.assert_close(made, other)


class Functional(nn.Module):
    """A network with one ReLU that is a module, and one that is a function."""

    def __init__(self, *, module):
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)
        self.relu = nn.ReLU() if module else nn.GELU()

    def forward(self, images):
        made = self.relu(self.body(images))
        return self.head(
            (torch.relu(made) if isinstance(self.relu, nn.ReLU) else made).mean((2, 3))
        )


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: Functional(module=True), "1 of the 2 ReLUs in a pass through .* are functions"),
        (lambda: Functional(module=False), "has none; take gradient"),
        (lambda: mobilenet_v2(num_classes=5), "or ReLU6, which cannot be hooked"),
    ],
)
def test_guided_backprop_is_refused_where_a_relu_cannot_be_hooked(module, message):
    given = whole_module(module().eval(), classes=5, size=32)
    batch = Batch(torch.rand(1, 3, 32, 32), (0,))
    with pytest.raises(MismatchError, match=message) as caught:
        found(GuidedBackprop(), given, batch)
    assert "\n" not in str(caught.value)


def test_memory_is_flat_in_the_number_of_samples(batch):
    given, sizes = network(), []
    given.module.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    found(SmoothGrad(samples=50, per_pass=8), given, batch)
    assert max(sizes) == 8
    assert sizes[1:] == ([8] + [7] * 6) * 3


def test_the_network_is_asked_as_often_as_the_docs_say():
    given, batch = network(), tiny_batch(2)
    counts = {
        Gradient(): 2,
        SmoothGrad(samples=7): 8,
        IntegratedGradients(steps=7): 8,
        GuidedBackprop(): 2,
        Occlusion(): 1 + 15 * 15,
    }
    for explainer, count in counts.items():
        before = given.passes.forward
        found(explainer, given, batch)
        probed = isinstance(explainer, GuidedBackprop)  # one image, to see its ReLUs
        assert given.passes.forward - before == count * 2 + probed
