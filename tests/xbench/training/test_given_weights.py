"""Weights that come from elsewhere: pinned by content, of a live module, derived."""

import copy
import hashlib
from dataclasses import dataclass, replace

import cloudpickle
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from bad_web import breaking, honest, serve
from interrupted import equal
from small_datasets import Greys
from small_entries import entry_of
from small_networks import Linear, Tiny
from xbench.errors import DownloadError, MismatchError, WeightsError
from xbench.files.home import home
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Silent
from xbench.networks.loading import blank_module, load_network
from xbench.networks.weights import read_state
from xbench.training.derived_weights import AveragedWeights, DerivedWeights
from xbench.training.live_weights import LiveModuleWeights
from xbench.training.pinned_weights import PinnedWeights, WeightsDownload, WeightsFile
from xbench.training.recipe import TrainedWeights, weights_recipe
from xbench_zoo.losses import CrossEntropy

CLASSES = 3
TINY = Tiny()


def saved(path, seed=0):
    """A file with weights of this seed."""
    save_file(blank_module(TINY, CLASSES, seed).state_dict(), path)
    return path


def pinned(path, classifier=TINY, classes=CLASSES, **told):
    return PinnedWeights(classifier, classes, WeightsFile(str(path), **told))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def trained(classifier=TINY, seed=0, **fields):
    greys = ImageSet(Greys(), "train")
    plan = TrainingPlan(classifier, CrossEntropy(), Training(epochs=0), greys, None, seed, CLASSES)
    return TrainedWeights(replace(plan, **fields))


def test_pinned_weights_are_those_of_the_file_bit_for_bit(tmp_path, workplace):
    path = saved(tmp_path / "a.safetensors")
    made = pinned(path).build({}, workplace)
    assert equal(made.tensors, read_state(path))
    as_they_are = trained(Tiny(weights=str(path))).build({}, workplace)
    assert equal(made.tensors, as_they_are.tensors)
    assert made.facts["state"] == as_they_are.facts["state"]
    assert pinned(path).plan is None
    network = load_network(Tiny(), made, torch.device("cpu"))
    assert network.logits(torch.rand(2, 3, 12, 12)).shape == (2, CLASSES)


def test_the_key_has_the_content_and_never_the_path(tmp_path):
    a, b = saved(tmp_path / "a.safetensors"), saved(tmp_path / "b.safetensors")
    other = saved(tmp_path / "c.safetensors", seed=1)
    assert pinned(a).key == pinned(b).key == pinned(a, sha256=sha256(a).upper()).key
    assert pinned(a).key != pinned(other).key
    assert pinned(a).key != pinned(a, classes=4).key
    assert pinned(a).key == pinned(a, Tiny(layer="0.2")).key
    assert str(tmp_path) not in str(pinned(a).tree())


def test_facts_of_a_file_do_not_say_where_it_lies(tmp_path, workplace):
    path = saved(tmp_path / "a.safetensors")
    facts = pinned(path).build({}, workplace).facts
    assert facts["pinned"] == {"sha256": sha256(path)[:32]}
    assert str(tmp_path) not in str(facts)


def test_a_file_with_another_content_is_refused(tmp_path, workplace):
    path = saved(tmp_path / "a.safetensors")
    with pytest.raises(
        WeightsError, match=f"has the sha256 {sha256(path)}, expected is {'0' * 64}"
    ):
        pinned(path, sha256="0" * 64).build({}, workplace)
    recipe = pinned(path, sha256=sha256(path))
    saved(path, seed=1)
    with pytest.raises(WeightsError, match="give the file that was meant"):
        recipe.check(Silent())


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(WeightsError, match=r"no weights file 'nowhere\.safetensors'"):
        pinned("nowhere.safetensors").tree()
    with pytest.raises(WeightsError, match=r"no weights file 'nowhere\.safetensors'"):
        pinned("nowhere.safetensors", sha256="0" * 64).check(Silent())


def test_weights_of_another_network_or_number_of_classes_are_refused_before_anything_runs(tmp_path):
    path = saved(tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match=r"do not fit Sequential: .* missing"):
        pinned(path, Tiny(blocks=2)).check(Silent())
    with pytest.raises(WeightsError, match="of another shape"):
        pinned(path, classes=4).check(Silent())


def test_a_file_that_could_run_code_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"module": nn.Linear(2, 2)}, path)
    with pytest.raises(WeightsError, match="could run code"):
        pinned(path).check(Silent())


@pytest.mark.parametrize("text", ["abc", "x" * 64, "0" * 63])
def test_what_is_no_digest_is_refused(text):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        WeightsFile("a", text)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        WeightsDownload("http://here/a", 1, text)


def test_a_download_is_resumed_kept_and_has_the_key_of_the_same_file(tmp_path, workplace):
    path = saved(tmp_path / "thing.tgz")
    content = path.read_bytes()
    with serve(content, breaking(1000), honest) as site:
        source = WeightsDownload(site.url, len(content), sha256(path), "CC0")
        recipe = PinnedWeights(Tiny(), CLASSES, source)
        assert recipe.key == pinned(path).key
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            recipe.check(Silent())  # the address says it is an archive
        assert site.ranges == [None, "bytes=1000-"]
        renamed = replace(recipe, source=replace(source, url=f"{site.url}/a.safetensors"))
        made = renamed.build({}, workplace)
        asked = len(site.ranges)
        assert equal(renamed.build({}, workplace).tensors, made.tensors)
        assert len(site.ranges) == asked
    assert equal(made.tensors, read_state(saved(tmp_path / "same.safetensors")))
    assert made.facts["pinned"]["licence"] == "CC0"
    assert [f.name for f in (home() / "weights" / source.content).glob("*.part")] == []


def test_a_download_with_another_content_is_refused(tmp_path):
    content = saved(tmp_path / "a.safetensors").read_bytes()
    with serve(content, honest) as site:
        source = WeightsDownload(site.url, len(content), "0" * 64)
        with pytest.raises(DownloadError, match="the checksum is wrong"):
            PinnedWeights(Tiny(), CLASSES, source).check(Silent())


@pytest.fixture
def module():
    return blank_module(Tiny(), CLASSES, 5)


def test_a_live_module_is_left_as_it_was(module, workplace):
    module.train()
    module[0][0].weight.requires_grad_(requires_grad=False)
    module[-1].weight.grad = torch.ones_like(module[-1].weight)
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    before, hooks = copy.deepcopy(module.state_dict()), dict(module._forward_hooks)
    made = LiveModuleWeights(Tiny(), CLASSES, module).build({}, workplace)
    with torch.no_grad():
        made.tensors["0.0.weight"].zero_()
    assert equal(module.state_dict(), before)
    assert module.training
    assert [p.requires_grad for p in module.parameters()][:2] == [False, True]
    assert (module[-1].weight.grad == 1).all()
    assert module._forward_hooks == hooks
    assert not calls


def test_a_live_module_is_known_by_its_state_and_not_by_its_identity(module):
    recipe = LiveModuleWeights(Tiny(), CLASSES, module)
    again = LiveModuleWeights(Tiny(), CLASSES, copy.deepcopy(module))
    assert recipe == again
    assert (recipe.key, hash(recipe)) == (again.key, hash(again))
    assert recipe.key != LiveModuleWeights(Tiny(dropout=0.1), CLASSES, module).key
    key = recipe.key
    with torch.no_grad():
        module[-1].bias.add_(1)
    assert LiveModuleWeights(Tiny(), CLASSES, module).key != key == recipe.key


def test_what_a_live_module_learns_later_is_not_in_its_weights(module, workplace):
    recipe, before = LiveModuleWeights(Tiny(), CLASSES, module), copy.deepcopy(module.state_dict())
    with torch.no_grad():
        module[-1].bias.add_(1)
    assert equal(recipe.build({}, workplace).tensors, before)


def test_a_live_module_of_another_classifier_or_with_nan_is_refused(module):
    with pytest.raises(WeightsError, match="do not fit"):
        LiveModuleWeights(Linear(), CLASSES, module).check(Silent())
    with torch.no_grad():
        module[-1].bias[0] = torch.nan
    with pytest.raises(WeightsError, match="NaN or infinite values in 4"):
        LiveModuleWeights(Tiny(), CLASSES, module).check(Silent())


def test_a_live_module_travels_without_its_tensors_and_keeps_its_key(module, workplace):
    recipe = LiveModuleWeights(Tiny(), CLASSES, module)
    data = cloudpickle.dumps(recipe)
    sent = cloudpickle.loads(data)
    assert module[-1].bias.detach().numpy().tobytes() not in data
    assert (sent, sent.key, sent.tree()) == (recipe, recipe.key, recipe.tree())
    assert sent.state is None
    for ask in (lambda: sent.build({}, workplace), lambda: sent.check(Silent())):
        with pytest.raises(WeightsError, match="sent here from another process, which has them"):
            ask()


def test_a_copy_of_a_live_module_in_the_same_process_keeps_its_tensors(module, workplace):
    recipe = LiveModuleWeights(Tiny(), CLASSES, module)
    for same in (copy.copy(recipe), copy.deepcopy(recipe)):
        assert equal(same.build({}, workplace).tensors, module.state_dict())


def averaged(*seeds):
    return AveragedWeights(tuple(trained(seed=seed) for seed in seeds))


def built(recipe, workplace):
    needs = {name: built(need, workplace) for name, need in recipe.needs().items()}
    return recipe.build(needs, workplace)


def test_an_average_is_the_mean_of_each_tensor(workplace):
    states = [built(trained(seed=seed), workplace).tensors for seed in range(3)]
    made = built(averaged(0, 1, 2), workplace)
    for name, tensor in made.tensors.items():
        if tensor.is_floating_point():
            slow = sum(state[name].double() for state in states) / 3
            assert torch.equal(tensor, slow.to(tensor.dtype))
        else:
            assert torch.equal(tensor, states[0][name])
    assert made.facts["classes"] == CLASSES


def test_an_average_of_one_is_that_one(workplace):
    assert equal(built(averaged(4), workplace).tensors, built(trained(seed=4), workplace).tensors)


def test_the_key_of_an_average_has_its_sources_in_their_order():
    keys = {averaged(*seeds).key for seeds in ((0, 1), (1, 0), (0, 2), (0,), (0, 1, 1))}
    assert len(keys) == 5
    assert averaged(0, 1).key == averaged(0, 1).key


@dataclass(frozen=True)
class First(DerivedWeights):
    """The first of them, so many times as large."""

    name = "first"
    factor: float = 1.0

    def derived(self, states):
        return {name: self.factor * tensor for name, tensor in states[0].items()}


def test_another_step_is_another_key_and_so_are_its_fields():
    sources = averaged(0, 1).sources
    keys = {First(sources).key, First(sources, 2.0).key, averaged(0, 1).key}
    assert len(keys) == 3


def test_weights_of_different_networks_are_not_averaged(workplace):
    recipe = AveragedWeights((trained(), trained(Tiny(blocks=2))))
    with pytest.raises(WeightsError, match="those of source 1 differ from the first ones' in 1"):
        built(recipe, workplace)
    recipe = AveragedWeights((trained(), trained(classes=4)))
    with pytest.raises(WeightsError, match=r"differ from the first ones' in 4\.weight, 4\.bias"):
        built(recipe, workplace)


def test_an_average_of_nothing_is_refused():
    with pytest.raises(ValueError, match="give the weights that these are made of"):
        AveragedWeights(())


def test_an_average_checks_its_sources(tmp_path):
    sources = (pinned(saved(tmp_path / "a.safetensors")), pinned("nowhere", sha256="0" * 64))
    with pytest.raises(WeightsError, match="'nowhere'"):
        AveragedWeights(sources).check(Silent())


def test_an_average_is_stored_and_found_again(provider):
    made = provider.one(averaged(0, 1))
    assert made.facts["kind"] == "weights"
    assert equal(provider.store.artefact("weights", averaged(0, 1).key).tensors, made.tensors)


def test_weights_that_an_entry_is_given_take_the_place_of_its_training(module):
    greys = {role: ImageSet(Greys(), role) for role in ("train", "test")}
    plain, given = entry_of(Tiny(), greys), LiveModuleWeights(Tiny(), 2, module)
    assert "weights" not in plain.tree()
    entry = replace(plain, weights=given)
    assert weights_recipe(entry) is given
    assert entry.tree() == {**plain.tree(), "weights": given.tree()}


def test_given_weights_and_a_joint_training_are_refused_together(module):
    from xbench_deliberative.difficulties.hardness import Hardness

    greys = {role: ImageSet(Greys(), role) for role in ("train", "test")}
    given = LiveModuleWeights(Tiny(), 2, module)
    entry = entry_of(Tiny(), greys, weights=given, companion=Hardness())
    with pytest.raises(MismatchError, match="has to be trained jointly with 'hardness'"):
        weights_recipe(entry)
