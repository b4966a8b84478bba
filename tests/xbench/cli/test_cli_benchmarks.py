"""The benchmark files of the paper's ablations, each run to its end in its smoke variant."""

import pytest

import ade_tree
from command_line import call_script, records

pytestmark = pytest.mark.slow

ABLATIONS = ("difficulty", "attribution", "architecture")
ON_TOYBIRDS = {
    "deliberative-difficulty-toybirds": 3,
    "deliberative-attribution-toybirds": 4,
    "deliberative-architecture-toybirds": 3,
}
"""How many entries each has."""
TINY = ("-p", "training.epochs=1", "-p", "protocol.images=6", "-p", "protocol.reference=entropy")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store, so that classifiers are trained once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Four scenes of SceneParsing-150's layout."""
    out = tmp_path_factory.mktemp("scenes")
    call_script(ade_tree, "--out", out, "--images-per-scene", 12)
    return out


@pytest.fixture(scope="module")
def birds(drawn_birds):
    """Five classes with the official annotations and drawn images."""
    return drawn_birds(5, 12)


@pytest.mark.parametrize("name", ON_TOYBIRDS)
def test_on_toybirds_all_entries_share_images_and_differ_in_nothing_but_what_is_ablated(
    xbench, store, name
):
    small = ("-p", "dataset.train=160", "-p", "dataset.test=60", *TINY)
    called = xbench(
        "run", "--benchmark", name, "--variant", "smoke", *small, "--store", store, "--json"
    )
    found = records(called)
    entries = [record for record in found.values() if record.role == "entry"]
    assert len(entries) == ON_TOYBIRDS[name]
    assert all(d.paired for record in entries for d in record.differences)
    classifiers = {record.components["classifier"]["name"] for record in entries}
    assert len(classifiers) == (3 if "architecture" in name else 1)
    weights = {record.artefacts[0]["weights"] for record in entries}
    assert len(weights) == len(classifiers)
    assert {"ceiling", "floor"} < {record.role for record in found.values()}


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_on_birds_the_smoke_variant_runs(xbench, birds, store, ablation):
    data = ("-p", f"dataset.root={birds}", "-p", "training.augmentation=batched", *TINY)
    name = f"deliberative-{ablation}-cub200"
    called = xbench("run", "--benchmark", name, "--variant", "smoke", *data, "--store", store)
    assert called.code == 0, called.err
    assert "variant smoke" in called.out
    assert "- In average recall " in called.out


@pytest.mark.parametrize("ablation", ["difficulty", "attribution"])
def test_on_scenes_the_run_prints_ours_beside_the_papers(xbench, scenes, store, ablation):
    data = ("-p", f"dataset.root={scenes}", "-p", "training.augmentation=batched", *TINY)
    name = f"deliberative-{ablation}-ade20k"
    share = ("-p", "protocol.share=0.3")  # of six objects, one per cent would be no triplet
    called = xbench(
        *("run", "--benchmark", name, "--variant", "smoke", "--full"),
        *(*data, *share, "--store", store),
    )
    assert called.code == 0, called.err
    assert "Beside Wang and Vasconcelos 2019, Table 1" in called.out
    assert "not comparable: the smoke variant is scaled down" in called.out
    assert "- Not comparable with Wang and Vasconcelos 2019, Table 1: the smoke v" in called.out
    assert "23.80" in called.out
    assert "the claim" in called.out


def test_own_selection_compares_entries_unpaired(xbench, store):
    small = ("-p", "dataset.train=160", "-p", "dataset.test=60", *TINY)
    variants = ("--variant", "smoke", "--variant", "own")
    called = xbench(
        "run", "--benchmark", "deliberative-difficulty-toybirds", *variants, *small,
        "--store", store, "--json",
    )  # fmt: skip
    found = records(called)
    paired = {d.minus: d.paired for d in found["hardness"].differences}
    assert not paired["hesitancy"]
    assert paired["centre prior, same pairs"]
