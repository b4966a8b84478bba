"""The benchmarks of low-level perturbations, from the command line to their records."""

import pytest

from command_line import records, score
from drawn_concepts import bank_of, drawn

pytestmark = pytest.mark.slow


BANK = ("orange bird", "red bird", "sky bird", "violet bird", "lime bird", "yellow bird", "snow")
TARGETS = """[
    { class_name = "rubra-prima", concept = "orange bird", alike = ["red bird"] },
    { class_name = "cerula-secunda", concept = "sky bird", alike = ["violet bird"] },
    { class_name = "verda-tertia", concept = "lime bird", alike = ["yellow bird"] },
]"""


def test_drawn_birds_turn_grey_without_a_download(xbench, tmp_path):
    bank = bank_of(drawn(tmp_path / "bank", BANK))
    called = xbench(
        *("run", "--benchmark", "ces-low-level-toybirds", "--variant", "smoke", "-q", "--json"),
        *("-p", f"explainer.concepts={bank}", "-p", f"protocol.targets={TARGETS}"),
        *("-p", "dataset.train=200", "--store", tmp_path),
    )
    found = records(called)
    assert list(found) == ["largest margin", "random concepts"]
    assert score(found["largest margin"], "explained@log").headline
    assert found["largest margin"].cases == 6


@pytest.mark.realdata
def test_a_green_apple_that_turns_grey_is_explained_by_greenness(xbench, realdata, tmp_path):
    """Figure 2a of the paper, with changes of log P."""
    weights = realdata / "squeezenet1_1" / "squeezenet1_1_torchvision_keys.npz"
    target = '{ class_name = "Granny Smith", concept = "greenness" }'
    called = xbench(
        *("run", "--benchmark", "ces-low-level-imagenet", "-q", "--json", "--store", tmp_path),
        *("-p", f"dataset.of.root={realdata / 'imagenet_sample'}"),
        *("-p", f"classifier.weights={weights}", "-p", f"protocol.targets=[{target}]"),
        *("-p", 'dataset.qualities=["redness", "greenness", "blur"]'),
        *("-p", "explainer.examples=16"),
        # nearly all are for concepts, so that few are asked about
        *("-p", 'dataset.keep=["Granny Smith"]', "-p", "dataset.share=0.97"),
    )
    apple = records(called)["largest margin"]
    assert score(apple, "probability falls").value == 1
    for name in ("positive at the end@log", "rises@log", "explained@log"):
        assert score(apple, name).value == 1, name
    assert score(apple, "size of the rise@log").value > 1
