"""Concept scores of photos: a bank in a file is all they need besides the network."""

import torch
from matplotlib.figure import Figure

from awkward_networks import plain
from xbench import Concept, explain
from xbench.networks import whole_module
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.file import write_bank


def test_a_photo_is_explained_with_the_concepts_of_a_bank(tmp_path):
    torch.manual_seed(0)
    module = plain(5)
    network = whole_module(module, classes=5, size=16)
    shape = tuple(network.activations(torch.zeros(1, 3, 16, 16)).shape[1:])
    width = torch.Size(shape).numel()
    bank = ConceptBank(
        concepts=tuple(Concept(name, "parts") for name in ("stem", "leaf", "skin")),
        normals=torch.randn(3, width),
        accuracies=torch.ones(3, dtype=torch.float64),
        margins=torch.ones(3, dtype=torch.float64),
        layer=network.layer,
        shape=shape,
        bottom="",
        examples=None,
        facts={},
    )
    write_bank(tmp_path / "bank.safetensors", bank.artefact("key"))
    table = {"name": "ces", "bank": str(tmp_path / "bank.safetensors")}
    (result,) = explain(module, torch.rand(3, 16, 16), table, size=16)
    assert {concept.name for concept in result.explanation.concepts} == {"stem", "leaf", "skin"}
    assert isinstance(result.figure(), Figure)
