"""Both terms of eq. (2) against dense Hessians, and what may be left out against its bound."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from timm.layers import Attention
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torchvision.models.convnext import LayerNorm2d
from torchvision.ops import SqueezeExcitation

from xbench import Batch, MismatchError, Network, Readout
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.kernels import second_order
from xbench_deliberative.readouts import (
    ClassLogits,
    ClassProbabilities,
    EvaluatedTop,
    Joined,
    hesitancy,
    normalised_entropy,
)

CLASSES, CHANNELS = 7, 5
LISTED = torch.tensor([[4, 0, 6], [1, 2, 5]])


def sigmoid_of_first(logits: Tensor) -> Tensor:
    """The link of a predictor with one logit."""
    return logits[:, :1].double().sigmoid()


LINKS = {
    "class": ClassProbabilities(LISTED),
    "hesitancy": hesitancy,
    "entropy": normalised_entropy,
    "sigmoid": sigmoid_of_first,
    "logit": ClassLogits(LISTED),
    "joined": Joined((ClassProbabilities(LISTED), normalised_entropy)),
}


def dense_map(readout: Readout, activations: Tensor, *, image: int, prediction: int) -> Tensor:
    """Eq. (2) as it is written, for one image: a dense Hessian, then one block after the other."""

    def score(point: Tensor) -> Tensor:
        together = torch.cat([activations[:image], point[None], activations[image + 1 :]])
        return readout.link(readout.top(together))[image, prediction]

    point = activations[image]
    d, h, w = point.shape
    gradient = torch.autograd.functional.jacobian(score, point)
    with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
        hessian = torch.autograd.functional.hessian(score, point).view(d, h, w, d, h, w)
    result = torch.zeros(h, w, dtype=torch.float64)
    for i in range(h):
        for j in range(w):
            a = point[:, i, j]
            result[i, j] = gradient[:, i, j] @ a + a @ hessian[:, i, j, :, i, j] @ a / 2
    return result


def dense_maps(readout: Readout, activations: Tensor) -> Tensor:
    """m of all images and predictions."""
    predictions = readout.link(readout.top(activations)).shape[1]
    rows = [
        [dense_map(readout, activations, image=n, prediction=p) for p in range(predictions)]
        for n in range(len(activations))
    ]
    return torch.stack([torch.stack(row) for row in rows])


def in_double(top: nn.Module) -> nn.Module:
    """A top in evaluation mode whose weights need no gradient, in double precision."""
    return top.double().eval().requires_grad_(requires_grad=False)


def piecewise_linear(seed: int, height: int = 4, width: int = 4) -> nn.Module:
    """Convolution, batch norm, pooling and two linear layers with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        norm = nn.BatchNorm2d(6)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        layers = [nn.Conv2d(CHANNELS, 6, 3, padding=1), norm, nn.ReLU()]
        layers += [nn.MaxPool2d(2, ceil_mode=True), nn.Flatten()]
        size = 6 * math.ceil(height / 2) * math.ceil(width / 2)
        layers += [nn.Linear(size, 16), nn.ReLU(), nn.Linear(16, CLASSES)]
        nn.init.normal_(layers[-1].weight)
    return in_double(nn.Sequential(*layers))


class Tokens(nn.Module):
    """Locations as tokens: layer norm, attention, GELU, then their mean."""

    def __init__(self, *, torch_attention: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS, 8, 1)
        self.norm = nn.LayerNorm(8)
        self.theirs = nn.MultiheadAttention(8, 2, batch_first=True)
        self.attention = Attention(8, 2)
        self.head = nn.Linear(8, CLASSES)
        self.torch_attention = torch_attention

    def forward(self, activations: Tensor) -> Tensor:
        tokens = self.norm(self.conv(activations).flatten(2).transpose(1, 2))
        if self.torch_attention:
            tokens = tokens + self.theirs(tokens, tokens, tokens, need_weights=False)[0]
        else:
            tokens = tokens + self.attention(tokens)
        return self.head(functional.gelu(tokens).mean(1))


SMOOTH_LAYERS = {
    "group norm": lambda: nn.GroupNorm(2, 6),
    "instance norm": lambda: nn.InstanceNorm2d(6, affine=True),
    "channel norm": lambda: LayerNorm2d(6),
    "gate of channels": lambda: SqueezeExcitation(6, 2, scale_activation=nn.Hardsigmoid),
    "SiLU": nn.SiLU,
    "Mish": nn.Mish,
    "Hardswish": nn.Hardswish,
    "ELU": nn.ELU,
    "Softplus": nn.Softplus,
    "LogSigmoid": nn.LogSigmoid,
    "tanh GELU": lambda: nn.GELU("tanh"),
}


def smooth(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        if name.endswith("attention"):
            return in_double(Tokens(torch_attention=name == "torch attention"))
        layers = [nn.Conv2d(CHANNELS, 6, 3, padding=1), SMOOTH_LAYERS[name](), nn.MaxPool2d(2)]
        return in_double(nn.Sequential(*layers, nn.Flatten(), nn.Linear(24, CLASSES)))


def rectified(seed: int, n: int = 2, h: int = 4, w: int = 4) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(n, CHANNELS, h, w, generator=source, dtype=torch.float64).relu()


def attributed(readout: Readout, activations: Tensor, **options: object) -> Tensor:
    images = torch.zeros(len(activations), 3, 2, 2)
    return GradientHessian(**options).attribute(readout, activations, images)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("curvature", ["auto", "closed-form", "general"])
def test_maps_of_piecewise_linear_tops_equal_the_dense_hessian(link: str, curvature: str) -> None:
    for seed in range(2):
        readout = Readout(nn.Identity(), piecewise_linear(seed), LINKS[link])
        activations = rectified(seed)
        found = attributed(readout, activations, curvature=curvature, left_out=0.0)
        wanted = dense_maps(readout, activations)
        assert (found - wanted).abs().max() < 1e-10
        assert wanted.abs().max() > 1e-3


@pytest.mark.parametrize("link", LINKS)
def test_the_second_term_is_not_zero(link: str) -> None:
    readout = Readout(nn.Identity(), piecewise_linear(0), LINKS[link])
    activations = rectified(0)
    first = Gradient().attribute(readout, activations, torch.zeros(2, 3, 2, 2))
    second = attributed(readout, activations, left_out=0.0) - first
    assert (second.abs().max() > 1e-2 * first.abs().max()) == (link != "logit")


@pytest.mark.parametrize("link", ["class", "hesitancy", "entropy", "sigmoid"])
@pytest.mark.parametrize("name", ["torch attention", "timm attention"])
def test_maps_of_tops_with_attention_equal_the_dense_hessian(link: str, name: str) -> None:
    readout = Readout(nn.Identity(), smooth(name), LINKS[link])
    activations = rectified(3)
    wanted = dense_maps(readout, activations)
    assert (attributed(readout, activations) - wanted).abs().max() < 1e-8
    assert wanted.abs().max() > 1e-6


@pytest.mark.parametrize("name", SMOOTH_LAYERS)
def test_maps_of_smooth_tops_equal_the_dense_hessian(name: str) -> None:
    link = Joined((LINKS["class"], normalised_entropy))
    readout = Readout(nn.Identity(), smooth(name), link)
    activations = rectified(3)
    wanted = dense_maps(twice_differentiable(readout), activations)
    assert (attributed(readout, activations) - wanted).abs().max() < 1e-8
    assert wanted.abs().max() > 1e-6


def twice_differentiable(readout: Readout) -> Readout:
    """torch has no second derivative of a hard sigmoid; this is one by its definition."""
    top = copy.deepcopy(readout.top)
    for part in top.modules():
        if isinstance(part, SqueezeExcitation):
            part.scale_activation = Ramp()
    return Readout(readout.bottom, top, readout.link)


class Ramp(nn.Module):
    """(x + 3)/6 between 0 and 1."""

    def forward(self, values: Tensor) -> Tensor:
        return (values + 3).relu().sub(6).neg().relu().sub(6).neg() / 6


@given(st.integers(0, 100), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_closed_form_equals_the_general_path_for_any_shape(
    seed: int, n: int, h: int, w: int
) -> None:
    link = Joined((ClassProbabilities(LISTED[:1].expand(n, -1)), hesitancy, normalised_entropy))
    readout = Readout(nn.Identity(), piecewise_linear(seed, h, w), link)
    activations = rectified(seed, n, h, w)
    closed = attributed(readout, activations, curvature="closed-form", left_out=0.0)
    general = attributed(readout, activations, curvature="general")
    assert closed.shape == (n, 5, h, w)
    assert torch.allclose(closed, general, atol=1e-12)


def test_a_softmax_class_has_the_formula_of_the_docstring() -> None:
    top, activations = piecewise_linear(5), rectified(5)
    moves = attributed(
        Readout(nn.Identity(), top, ClassLogits(torch.arange(CLASSES).expand(2, -1))), activations
    )
    shares = top(activations).softmax(1)
    found = attributed(Readout(nn.Identity(), top, LINKS["class"]), activations, left_out=0.0)
    for n in range(2):
        for place, p in enumerate(LISTED[n].tolist()):
            mean = sum(shares[n, k] * moves[n, k] for k in range(CLASSES))
            spread = sum(shares[n, k] * (moves[n, k] - mean) ** 2 for k in range(CLASSES))
            first = shares[n, p] * (moves[n, p] - mean)
            second = shares[n, p] * ((moves[n, p] - mean) ** 2 - spread) / 2
            assert torch.allclose(found[n, place], first + second, atol=1e-13)


def peaked(seed: int, classes: int = 40) -> nn.Module:
    """A top with many classes, most of them improbable."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(CHANNELS * 4, classes)
        nn.init.normal_(head.weight, std=1.2)
        return in_double(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), head))


@given(st.integers(0, 200), st.sampled_from([0.3, 0.05, 1e-3]))
def test_what_is_left_out_keeps_within_its_bound(seed: int, left_out: float) -> None:
    top, activations = peaked(seed), rectified(seed)
    link = Joined((ClassProbabilities(LISTED), hesitancy, normalised_entropy))
    readout = Readout(nn.Identity(), top, link)
    exact = attributed(readout, activations, left_out=0.0)
    excess = attributed(readout, activations, left_out=left_out) - exact
    shares = top(activations).softmax(1)
    every = ClassLogits(torch.arange(40).expand(2, -1))
    moves = attributed(Readout(nn.Identity(), top, every), activations)
    span = moves.amax(1) - moves.amin(1)
    listed = shares.gather(1, LISTED)[:, :, None, None]
    of_class = listed * left_out * span[:, None].square() / 8
    assert (excess[:, :3] >= -1e-13).all()
    assert (excess[:, :3] <= of_class + 1e-13).all()
    top_share = shares.amax(1)[:, None, None]
    assert (excess[:, 3] <= 1e-13).all()
    assert (-excess[:, 3] <= top_share * left_out * span.square() / 8 + 1e-13).all()
    entropy = -(shares * shares.log()).sum(1)[:, None, None]
    logs = 1 + entropy + math.log(40 / left_out)
    of_entropy = left_out * span.square() / 2 * logs / math.log(40)
    assert (excess[:, 4].abs() <= of_entropy + 1e-13).all()


def test_leaving_out_much_changes_maps_and_leaving_out_little_hardly() -> None:
    readout = Readout(nn.Identity(), peaked(1), normalised_entropy)
    activations = rectified(1)
    exact = attributed(readout, activations, left_out=0.0)
    errors = [
        float((attributed(readout, activations, left_out=out) - exact).abs().max())
        for out in (0.5, 1e-2, 1e-6)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("left_out", [0.2, 0.0])
def test_maps_by_the_jacobian_s_columns_equal_those_by_its_rows(left_out: float) -> None:
    """Forty logits are more than the locations of 3×3, and fewer than those of 8×8."""
    for size in (3, 8):
        readout = Readout(nn.Identity(), peaked(2), LINKS["joined"])
        activations = rectified(2, h=size, w=size)
        found = attributed(readout, activations, left_out=left_out)
        if left_out == 0:
            general = attributed(readout, activations, curvature="general")
            assert torch.allclose(found, general, atol=1e-13)
        first = Gradient().attribute(readout, activations, torch.zeros(2, 3, 2, 2))
        alone = attributed(readout, activations, left_out=left_out, gradients="positive")
        positive = Gradient("positive").attribute(readout, activations, torch.zeros(2, 3, 2, 2))
        assert torch.allclose(found - first, alone - positive, atol=1e-13)


@pytest.mark.parametrize("left_out", [0.2, 0.0])
@pytest.mark.parametrize("size", [3, 8])
def test_several_images_are_attributed_as_one_by_one(left_out: float, size: int) -> None:
    activations = rectified(4, n=3, h=size, w=size)
    activations[1] *= 6  # a much more certain image among the others
    classes = torch.tensor([[1, 2], [3, 4], [0, 39]])
    together = attributed(
        Readout(nn.Identity(), peaked(4), Joined((ClassProbabilities(classes), hesitancy))),
        activations,
        left_out=left_out,
    )
    for n in range(3):
        link = Joined((ClassProbabilities(classes[n : n + 1]), hesitancy))
        one = Readout(nn.Identity(), peaked(4), link)
        alone = attributed(one, activations[n : n + 1], left_out=left_out)
        assert torch.allclose(together[n], alone[0], atol=1e-13)


@pytest.mark.parametrize("curvature", ["closed-form", "general"])
@pytest.mark.parametrize("link", LINKS)
def test_zero_activations_have_zero_maps(link: str, curvature: str) -> None:
    readout = Readout(nn.Identity(), piecewise_linear(0), LINKS[link])
    maps = attributed(readout, torch.zeros(2, CHANNELS, 4, 4).double(), curvature=curvature)
    assert not maps.any()


@pytest.mark.parametrize("curvature", ["closed-form", "general"])
@pytest.mark.parametrize("link", LINKS)
def test_a_constant_top_has_zero_maps(link: str, curvature: str) -> None:
    top = nn.Sequential(nn.Flatten(), nn.Linear(CHANNELS * 16, CLASSES))
    nn.init.zeros_(top[1].weight)
    readout = Readout(nn.Identity(), in_double(top), LINKS[link])
    maps = attributed(readout, rectified(0), curvature=curvature)
    assert torch.isfinite(maps).all()
    assert maps.abs().max() < 1e-15


def test_one_class_listed_at_one_location_equals_the_dense_hessian() -> None:
    link = ClassProbabilities(torch.tensor([[3]]))
    readout = Readout(nn.Identity(), piecewise_linear(6, 1, 1), link)
    activations = rectified(6, 1, 1, 1)
    found = attributed(readout, activations, left_out=0.0)
    assert found.shape == (1, 1, 1, 1)
    assert torch.allclose(found, dense_maps(readout, activations), atol=1e-12)


def test_positive_gradients_raise_the_first_term_only() -> None:
    readout = Readout(nn.Identity(), piecewise_linear(0), normalised_entropy)
    activations, images = rectified(0), torch.zeros(2, 3, 2, 2)
    every, positive = GradientHessian(), GradientHessian().with_positive_gradients()
    assert positive == GradientHessian(gradients="positive")
    second = every.attribute(readout, activations, images)
    second = second - Gradient().attribute(readout, activations, images)
    wanted = Gradient("positive").attribute(readout, activations, images) + second
    assert torch.allclose(positive.attribute(readout, activations, images), wanted, atol=1e-14)


def test_an_evaluated_top_is_not_run_again(network: Network, batch: Batch) -> None:
    top = EvaluatedTop(network.top, network.activations(batch.images))
    before = network.passes.top_forward
    readout = Readout(network.bottom, top, normalised_entropy)
    maps = GradientHessian().attribute(readout, top.point, batch.images)
    assert network.passes.top_forward == before
    again = Readout(network.bottom, network.top, normalised_entropy)
    other = GradientHessian().attribute(again, top.point.detach(), batch.images)
    assert torch.equal(maps, other)
    assert maps.dtype == torch.float64
    assert not maps.requires_grad


def test_closed_form_of_a_top_that_is_not_piecewise_linear_is_refused() -> None:
    readout = Readout(nn.Identity(), smooth("timm attention"), hesitancy)
    message = "needs a piecewise-linear top, but the top has LayerNorm .norm.; use 'auto'"
    with pytest.raises(MismatchError, match=message):
        attributed(readout, rectified(0), curvature="closed-form")


@pytest.mark.parametrize("left_out", [-0.1, 1.0, 2.0])
def test_what_is_left_out_is_a_probability(left_out: float) -> None:
    with pytest.raises(ValueError, match=f"must be a probability below 1, not {left_out}"):
        GradientHessian(left_out=left_out)


def slow_kept(shares: list[float], listed: set[int], left_out: float) -> set[int]:
    order = sorted(range(len(shares)), key=lambda k: -shares[k])
    kept = listed | {order[0]}
    for k in order:
        if sum(shares[j] for j in range(len(shares)) if j not in kept) <= left_out:
            break
        kept.add(k)
    return kept


@given(st.integers(0, 1000), st.sampled_from([0.0, 1e-3, 0.1, 0.6]), st.integers(0, 3))
def test_the_fewest_classes_are_kept_that_leave_little_out(
    seed: int, left_out: float, count: int
) -> None:
    source = torch.Generator().manual_seed(seed)
    shares = (3 * torch.randn(1, 9, generator=source, dtype=torch.float64)).softmax(1)
    chosen = torch.randperm(9, generator=source)[:count].tolist()
    listed = torch.zeros(1, 9, dtype=torch.bool)
    listed[0, chosen] = True
    kept = second_order.most_massive(shares, listed, left_out)
    assert set(kept[0].nonzero()[:, 0].tolist()) == slow_kept(
        shares[0].tolist(), set(chosen), left_out
    )


def test_directional_derivatives_equal_their_slow_twin() -> None:
    top, activations = smooth("group norm"), rectified(8)
    first = second_order.directional_derivatives(top, activations)
    for i in range(4):
        for j in range(4):
            ray = torch.zeros_like(activations)
            ray[:, :, i, j] = activations[:, :, i, j]
            step = 1e-5
            slope = (top(activations + step * ray) - top(activations - step * ray)) / (2 * step)
            assert torch.allclose(first[:, :, i, j], slope, atol=1e-8)


def test_rows_in_many_batches_equal_rows_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    readout = Readout(nn.Identity(), piecewise_linear(0), LINKS["joined"])
    options = [{"curvature": "closed-form"}, {"curvature": "general"}]
    whole = [attributed(readout, rectified(0), **option) for option in options]
    monkeypatch.setattr(second_order, "NUMBERS_AT_ONCE", 1)
    parts = [attributed(readout, rectified(0), **option) for option in options]
    for one, other in zip(whole, parts, strict=True):
        assert torch.allclose(one, other, atol=1e-14)
