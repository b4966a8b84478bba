"""Explanations of libraries' transformers and their kin, against slow loops over the grid."""

import pytest
import timm
import torch
import torchvision

from xbench import Batch, Concept, explained, generator
from xbench.networks import cut_module
from xbench_ces.banks.bank import ConceptBank, bottom_hash
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Hesitancy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_saliency.cams.grad_cam import GradCam

CLASSES, CONCEPTS = 7, 2
SWIN = {"embed_dim": 24, "depths": [2, 1, 1, 1], "num_heads": [3, 3, 6, 6]}
VIT = {"num_layers": 3, "num_heads": 3, "hidden_dim": 48, "mlp_dim": 96}
"""Fewer and narrower layers than those of the networks with names."""
NETWORKS = {
    "swin": lambda: timm.create_model("swin_tiny_patch4_window7_224", num_classes=CLASSES, **SWIN),
    "vit": lambda: timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, depth=3),
    "vit without class token": lambda: timm.create_model(
        "vit_tiny_patch16_224", num_classes=CLASSES, class_token=False, global_pool="avg", depth=3
    ),
    "mixer": lambda: timm.create_model("mixer_s32_224", num_classes=CLASSES),
    "mambaout": lambda: timm.create_model(
        "mambaout_femto", num_classes=CLASSES, depths=(1, 1, 2, 1)
    ),
    "levit": lambda: timm.create_model("levit_128s", num_classes=CLASSES),
    "torchvision's vit": lambda: torchvision.models.VisionTransformer(
        224, 16, num_classes=CLASSES, **VIT
    ),
    "torchvision's swin": lambda: torchvision.models.SwinTransformer(
        [4, 4], window_size=[7, 7], num_classes=CLASSES, **SWIN
    ),
}


@pytest.fixture(params=NETWORKS, scope="module")
def network(request):
    """In double precision, with random weights that are nowhere zero."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = NETWORKS[request.param]().eval()
        for parameter in module.parameters():
            values = parameter.detach()
            if values.std() == 0 or values.dim() == 1:
                torch.nn.init.normal_(parameter, mean=float(values.mean()), std=0.3)
    network = cut_module(module, classes=CLASSES, size=224)
    for part in network.parts:
        part.double()
    return network


@pytest.fixture(scope="module")
def batch():
    images = torch.rand(2, 3, 224, 224, generator=generator("photographs")).double()
    return Batch(images, (0, 1), torch.tensor([3, 1]))


def slopes(network, activations, score):
    """The gradient of a number that is made of the logits' shares."""
    point = activations.clone().requires_grad_()
    (slope,) = torch.autograd.grad(score(network.top(point)[0]), point)
    return slope[0]


def over_the_grid(network, value):
    """A map of what `value` gives for a row and a column."""
    rows, columns = network.grid
    found = [[float(value(i, j)) for j in range(columns)] for i in range(rows)]
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.slow
def test_grad_cam_is_that_of_a_loop_and_not_constant(network, batch):
    maps = explained(GradCam(relu=False), network, batch, {}, generator(0))
    rows, columns = network.grid
    for n, one in enumerate(maps):
        activations = network.activations(batch.images[n : n + 1])
        slope = slopes(network, activations, lambda logits, one=one: logits[one.label])
        weights = slope[:, :rows, :columns].mean((1, 2))
        own = activations[0]
        expected = over_the_grid(network, lambda i, j, w=weights, a=own: w @ a[:, i, j])
        assert expected.std() > 0
        torch.testing.assert_close(one.values.double(), expected, rtol=1e-4, atol=1e-9)


@pytest.mark.slow
def test_deliberative_explanations_are_those_of_a_loop_and_not_constant(network, batch):
    explainer = Deliberative(Hesitancy(), Gradient(), top=3)
    for n, insecurities in enumerate(explained(explainer, network, batch, {}, generator(0))):
        activations = network.activations(batch.images[n : n + 1])
        shares = network.top(activations).softmax(1)[0]

        def attribution(score, a=activations):
            slope = slopes(network, a, lambda logits: score(logits.softmax(0)))
            return over_the_grid(
                network, lambda i, j: max(0.0, float(slope[:, i, j] @ a[0, :, i, j]))
            )

        hesitancy = attribution(lambda own: 1 - own.max())
        assert len(shares) == CLASSES
        for pair, ambiguity in zip(
            insecurities.pairs.tolist(), insecurities.ambiguity_maps.double(), strict=True
        ):
            first, second = (attribution(lambda own, c=label: own[c]) for label in pair)
            expected = first * second * hesitancy
            assert expected.std() > 0
            torch.testing.assert_close(ambiguity, expected / expected.max(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_concept_scores_are_those_of_a_loop_and_not_constant(network, batch):
    shape = tuple(network.activations(batch.images).shape[1:])
    normals = torch.randn(CONCEPTS, shape[0] * shape[1] * shape[2], generator=generator("bank"))
    bank = ConceptBank(
        concepts=tuple(Concept(f"concept {place}", "settings") for place in range(CONCEPTS)),
        normals=normals,
        accuracies=torch.ones(CONCEPTS, dtype=torch.float64),
        margins=torch.full((CONCEPTS,), 30.0, dtype=torch.float64),
        layer=network.layer,
        shape=shape,
        bottom=bottom_hash(network),
    )
    ces = ConceptualExplanationScores(step="margin", threshold=0.0)
    made = explained(ces, network, batch, {"bank": bank.artefact("bank")}, generator(0))
    activations = network.activations(batch.images)
    for n, scores in enumerate(made):
        own, label = activations[n : n + 1], int(batch.labels[n])
        before = network.top(own).softmax(1)[0, label]
        for c, normal in enumerate(normals.double()):
            moved = own + (30 * normal / normal.norm()).reshape(1, *shape)
            after = network.top(moved).softmax(1)[0, label]
            assert float(scores.raw[c]) == pytest.approx(float(after - before), rel=1e-3, abs=1e-6)
        assert scores.raw.std() > 0
