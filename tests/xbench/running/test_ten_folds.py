"""Ten folds, three classifiers, two losses: sixty trainings, and nothing that grows with them."""

import dataclasses
import gc
import weakref

import pytest

from noted_calls import Brightest, Times, made_up, noted
from ten_folds import TenFolds
from xbench.benchmark.assembly import load_benchmark
from xbench.components.registry import Registry
from xbench.interfaces.resampling import Resampling
from xbench.running import workplace as workplaces
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark, run_together
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.recipe import TrainedWeights

QUICK = RunOptions(resampling=Resampling(resamples=10))
GRID = """
extends = "explicable-toybirds"
name = "folds"
version = "1"
repeats = 1
dataset = { name = "toybirds", train = 40, test = 4, shifted = 4 }
training = { epochs = 0 }

[protocol]
losses = []

[grid]
label = "{loss} on {network}"

[grid.axes.network]
values = [2, 3, 4]
classifier = { name = "small-cnn", widths = [4, 4, 4, 4, "@value"] }

[[grid.axes.loss]]
name = "hard"

[[grid.axes.loss]]
name = "smooth"
loss = { name = "cross-entropy", smoothing = 0.1 }
"""


@pytest.fixture
def grid(tmp_path):
    """The grid, scored by ten networks each."""
    from xbench.benchmark.declaration import benchmark_folder

    base = (benchmark_folder() / "explicable-toybirds.toml").read_text()
    (tmp_path / "explicable-toybirds.toml").write_text(base)
    default = (benchmark_folder() / "default.toml").read_text()
    (tmp_path / "default.toml").write_text(default)
    file = tmp_path / "folds.toml"
    file.write_text(GRID)
    loaded = load_benchmark(str(file), Registry(third_party=False))
    return dataclasses.replace(loaded, protocol=TenFolds())


@pytest.fixture
def _only_new_objects():
    """Whatever was there before is not looked at by collections, which are then quick."""
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("_only_new_objects")
def test_each_network_is_trained_once_and_loaded_once_and_let_go(tmp_path, grid, monkeypatch):
    trained, loaded, alive = [], [], []
    build, load = TrainedWeights.build, workplaces.load_network

    def counted_build(recipe, needs, workplace):
        trained.append(recipe.key)
        return build(recipe, needs, workplace)

    def counted_load(classifier, weights, device):
        network = load(classifier, weights, device)
        loaded.append(weakref.ref(network.bottom))
        gc.collect()
        alive.append(sum(one() is not None for one in loaded))
        return network

    monkeypatch.setattr(TrainedWeights, "build", counted_build)
    monkeypatch.setattr(workplaces, "load_network", counted_load)
    assert len(grid.lines) == 6
    store = Store(str(tmp_path / "store"))
    records = run_benchmark(grid, store, LocalExecutor(), tiny_workplace(tmp_path), QUICK)
    assert [record.label for record in records] == [line.label for line in grid.lines]
    assert [record.cases for record in records] == [40] * 6
    assert len(trained) == len(set(trained)) == 60
    assert len(loaded) == 60
    assert max(alive) == 1
    assert records[0].grid == {"network": "2", "loss": "hard"}


def test_two_protocols_over_one_explainer_explain_each_image_once(tmp_path):
    place = tmp_path / "noted"
    place.mkdir()
    inner = Brightest(str(place))
    floors = {f"times {n}": Times(inner, str(place), float(n)) for n in range(2, 7)}
    first = made_up({"entry": inner, **floors})
    protocol = dataclasses.replace(first.protocol, ask_before=False)
    second = dataclasses.replace(first, name="other", protocol=protocol)
    store = Store(str(tmp_path / "store"))
    run_together([first, second], store, LocalExecutor(), tiny_workplace(tmp_path), QUICK)
    asked = [line.split()[1:] for line in noted(place) if line.startswith("brightest")]
    assert sorted(int(image) for ids in asked for image in ids) == sorted([*range(100, 130)] * 2)
