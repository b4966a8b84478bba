"""Training is a function of its recipe: batched, interrupted or resumed."""

import errno
import os
import random
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from interrupted import PowerError, Recorder, equal
from small_datasets import Stripes
from small_networks import Tiny
from xbench.errors import (
    MismatchError,
    NumericalError,
    ParameterError,
    StoreFullError,
    UnwritableStoreError,
    WeightsError,
)
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.loss import Loss, Targets
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.training import Training
from xbench.networks.loading import load_network, original_names, predict, with_state
from xbench.randomness import seeded
from xbench.testing.workplace import tiny_workplace
from xbench.training.checkpoint import read_checkpoint, write_checkpoint
from xbench.training.fitting import _batches, _groups, _schedule, fit
from xbench.training.recipe import TrainedWeights, start_module
from xbench.training.validation import mistakes, mistakes_in, module_outputs

CLASSES = 3
BUILT_EPOCHS = 3


@dataclass(frozen=True)
class Noisy(Loss):
    """Cross-entropy with labels that are smoothed by a random amount."""

    name = "noisy"

    scale: float = 1.0

    def targets(self, batch, *, classes, epoch, generator):
        amount = 0.1 * torch.rand(len(batch.ids), 1, generator=generator)
        certain = nn.functional.one_hot(batch.labels, classes).float()
        return Targets(batch.images, certain * (1 - amount) + amount / classes)

    def score(self, logits, targets):
        return self.scale * nn.functional.cross_entropy(logits, targets.distribution)


TRAINING = Training(
    epochs=BUILT_EPOCHS,
    batch_size=8,
    learning_rate=0.01,
    weight_decay=0.01,
    warmup_epochs=1.0,
    shift=1,
    crop_scale=(0.6, 1.0),
)


def recipe(training=TRAINING, **changes):
    data = Stripes()
    given = {
        "classifier": Tiny(),
        "loss": Noisy(),
        "training": training,
        "images": ImageSet(data, "train"),
        "validation": ImageSet(data, "test"),
        "seed": 0,
        "classes": CLASSES,
    }
    return TrainedWeights(TrainingPlan(**{**given, **changes}))


@pytest.fixture
def place(tmp_path):
    return tiny_workplace(tmp_path)


def without_times(facts):
    return {name: value for name, value in facts.items() if name != "seconds"}


@pytest.mark.parametrize("updates", [1, 3, 4, 7, 8])
def test_an_interrupted_training_ends_at_the_same_weights(updates, place, tmp_path):
    whole = recipe().build({}, replace(place, scratch=tmp_path / "other"))
    with pytest.raises(PowerError):
        recipe().build({}, replace(place, progress=Recorder(updates)))
    resumed = Recorder()
    again = recipe().build({}, replace(place, progress=resumed))
    assert equal(again.tensors, whole.tensors)
    assert without_times(again.facts) == without_times(whole.facts)
    assert resumed.seen[0][1] == (updates - 1) // 3 * 3 + 1  # an epoch is three updates


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": "momentum", "schedule": "step", "decay_epochs": 1.0},
        {"augmentation": "timm", "shift": 0, "colour_jitter": 0.2, "erasing": 0.5},
        {"frozen_epochs": 2, "body_rate": 0.1, "schedule": "none"},
        {"augmentation": "timm", "shift": 0, "auto_augment": "rand-m5-mstd0.5", "optimiser": "sgd"},
    ],
    ids=["momentum and steps", "timm", "frozen body", "random augmentation"],
)
def test_other_trainings_are_resumed_exactly_too(changes, place, tmp_path):
    made = recipe(replace(TRAINING, **changes))
    whole = made.build({}, replace(place, scratch=tmp_path / "other"))
    with pytest.raises(PowerError):
        made.build({}, replace(place, progress=Recorder(5)))
    assert equal(made.build({}, place).tensors, whole.tensors)


def test_nothing_is_left_behind(place):
    with pytest.raises(PowerError):
        recipe().build({}, replace(place, progress=Recorder(5)))
    assert [path.name for path in place.scratch.iterdir()] == [f"{recipe().key}.pt"]
    recipe().build({}, place)
    assert not list(place.scratch.iterdir())


def test_a_damaged_checkpoint_costs_time_and_nothing_else(place):
    place.scratch.mkdir()
    (place.scratch / f"{recipe().key}.pt").write_bytes(b"not a checkpoint")
    made = recipe().build({}, place)
    assert equal(made.tensors, recipe().build({}, place).tensors)


def damaged(content, share):
    """The bytes with one bit flipped at a share of their length."""
    place = int(share * (len(content) - 1))
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


@pytest.fixture
def unfinished(place):
    """The checkpoint of a training that was interrupted in its third epoch."""
    with pytest.raises(PowerError):
        recipe().build({}, replace(place, progress=Recorder(8)))
    return place.scratch / f"{recipe().key}.pt"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0])
def test_a_flipped_bit_anywhere_makes_a_training_begin_anew_and_say_so(share, unfinished, place):
    unfinished.write_bytes(damaged(unfinished.read_bytes(), share))
    seen = Recorder()
    recipe(replace(TRAINING)).build({}, replace(place, progress=seen))
    assert seen.seen[0][1] == 1
    assert seen.lines == [
        f"the checkpoint {unfinished} is damaged: the training of tiny begins anew"
    ]


def test_a_checkpoint_of_another_training_is_not_taken_for_this_one(unfinished, place):
    other = recipe(seed=1)
    unfinished.rename(place.scratch / f"{other.key}.pt")
    seen = Recorder()
    other.build({}, replace(place, progress=seen))
    assert seen.seen[0][1] == 1


def test_a_checkpoint_that_lacks_something_or_was_cut_short_counts_as_absent(tmp_path):
    path, cpu = tmp_path / "a.pt", torch.device("cpu")
    write_checkpoint(path, {"curve": [], "seconds": 1.0})
    assert read_checkpoint(path, cpu, frozenset(("curve", "seconds"))) == {
        "curve": [],
        "seconds": 1.0,
    }
    assert read_checkpoint(path, cpu, frozenset(("curve", "seconds", "module"))) is None
    for length in (0, 10, 32, len(path.read_bytes()) - 1):
        cut = tmp_path / "cut" / "a.pt"
        cut.parent.mkdir(exist_ok=True)
        cut.write_bytes(path.read_bytes()[:length])
        assert read_checkpoint(cut, cpu, frozenset(("curve", "seconds"))) is None


def test_trainings_at_the_same_time_do_not_meet(tmp_path):
    path = tmp_path / "a.pt"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: write_checkpoint(path, {"seconds": n}), range(80)))
    content = read_checkpoint(path, torch.device("cpu"), frozenset(("seconds",)))
    assert content["seconds"] in range(80)
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


@pytest.mark.parametrize(
    ("number", "error", "text"),
    [
        (errno.ENOSPC, StoreFullError, "No space left on device; make room, then repeat"),
        (errno.EACCES, UnwritableStoreError, "Permission denied"),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_one_clear_error(
    number, error, text, place, monkeypatch
):
    def fail(path, data):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(error, match=f"the checkpoint .* cannot be written: {text}"):
        recipe().build({}, place)


def test_weights_depend_on_the_seed(place):
    first, second = (recipe(seed=seed).build({}, place).tensors for seed in (0, 1))
    assert not torch.equal(first["0.0.weight"], second["0.0.weight"])


@pytest.mark.parametrize("augmentation", ["batched", "timm"])
def test_no_global_generator_is_touched(augmentation, place):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    recipe(replace(TRAINING, shift=0, augmentation=augmentation)).build({}, place)
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


def test_global_generators_do_not_matter(place):
    torch.manual_seed(1)
    first = recipe().build({}, place).tensors
    torch.manual_seed(2)
    assert equal(recipe().build({}, place).tensors, first)


def test_training_learns(place):
    # no crops, whose height would be the class
    training = Training(epochs=15, batch_size=8, learning_rate=0.02)
    made = recipe(training).build({}, place)
    curve = made.facts["curve"]
    assert len(curve) == 15
    assert curve[-1][0] < curve[0][0]
    assert made.facts["accuracy"] > 0.9
    network = load_network(Tiny(), made, torch.device("cpu"))
    images = ImageSet(Stripes(), "test")
    ids = images.ids()
    probabilities = predict(network, images, ids, 7)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(len(ids)))
    right = (probabilities.argmax(dim=1) == images.dataset.labels(ids)).double().mean()
    assert float(right) == made.facts["accuracy"]


def test_progress_tells_loss_and_accuracy(place):
    seen = Recorder()
    recipe().build({}, replace(place, progress=seen))
    tasks, done, totals, notes = zip(*seen.seen, strict=True)
    assert set(tasks) == {"train tiny"}
    assert list(done) == list(range(1, 10))
    assert set(totals) == {9}
    assert re.fullmatch(r"epoch 3/3, loss \d\.\d{3}, accuracy \d+\.\d%", notes[-1])


def test_facts_describe_the_weights(place):
    facts = recipe().build({}, place).facts
    assert facts["classes"] == CLASSES
    assert facts["epochs"] == BUILT_EPOCHS
    assert facts["architecture"]["name"] == "tiny"
    assert facts["summary"][0].startswith("tiny: 3 epochs, loss ")


def test_a_loss_that_is_no_number_names_the_epoch_and_the_way_out(place):
    text = "training 'tiny': the loss became inf in epoch 1; try a smaller training.learning_rate"
    with pytest.raises(NumericalError, match=text):
        recipe(loss=Noisy(scale=float("inf"))).build({}, place)


def test_the_layer_is_no_part_of_the_key():
    assert recipe(classifier=Tiny(layer="0.0")).key == recipe().key
    assert recipe(classifier=Tiny(dropout=0.5)).key != recipe().key
    assert recipe(replace(TRAINING, epochs=4)).key != recipe().key
    assert recipe(seed=1).key != recipe().key


def saved(path, classes=CLASSES):
    torch.manual_seed(3)
    torch.save(Tiny().module(classes).state_dict(), path)
    return str(path)


def test_the_key_depends_on_the_content_of_the_weights_and_not_on_their_place(tmp_path):
    first = saved(tmp_path / "a.pt")
    second = str(shutil.copy(first, tmp_path / "b.pt"))
    assert recipe(classifier=Tiny(weights=first)).key == recipe(classifier=Tiny(weights=second)).key
    assert recipe(classifier=Tiny(weights=first)).key != recipe().key


def test_without_epochs_the_weights_stay_as_they_are(place, tmp_path):
    path = saved(tmp_path / "a.pt")
    made = recipe(Training(epochs=0), classifier=Tiny(weights=path)).build({}, place)
    assert equal(made.tensors, torch.load(path, weights_only=True))
    assert made.facts["curve"] == []


def test_without_epochs_a_head_of_another_size_is_an_error(place, tmp_path):
    path = saved(tmp_path / "a.pt", classes=7)
    with pytest.raises(WeightsError, match=r"4\.weight 7×54 instead of 3×54"):
        recipe(Training(epochs=0), classifier=Tiny(weights=path)).build({}, place)


def test_a_frozen_body_keeps_its_weights_and_statistics_and_the_head_is_new(place, tmp_path):
    path = saved(tmp_path / "a.pt", classes=7)
    for frozen in ({"body_rate": 0.0}, {"frozen_epochs": BUILT_EPOCHS}):
        training = replace(TRAINING, **frozen)
        made = recipe(training, classifier=Tiny(weights=path)).build({}, place)
        start = start_module(recipe(training, classifier=Tiny(weights=path)).plan).state_dict()
        given = torch.load(path, weights_only=True)
        assert all(torch.equal(made.tensors[n], given[n]) for n in given if n[0] == "0")
        assert not torch.equal(made.tensors["4.weight"], start["4.weight"])


def test_a_head_that_fits_is_renewed_where_that_is_asked_for(tmp_path):
    path = saved(tmp_path / "a.pt")
    given = torch.load(path, weights_only=True)
    kept = start_module(recipe(TRAINING, classifier=Tiny(weights=path)).plan).state_dict()
    assert equal(kept, given)
    asked = recipe(replace(TRAINING, new_head=True), classifier=Tiny(weights=path))
    renewed, again = start_module(asked.plan).state_dict(), start_module(asked.plan).state_dict()
    for name, tensor in renewed.items():
        assert torch.equal(tensor, given[name]) == (not name.startswith("4."))
    assert equal(renewed, again)
    plain = recipe(replace(TRAINING, new_head=True))
    assert equal(start_module(plain.plan).state_dict(), start_module(recipe().plan).state_dict())


def test_a_head_cannot_be_renewed_without_training(tmp_path):
    training = Training(epochs=0, new_head=True)
    untrained = recipe(training, classifier=Tiny(weights=saved(tmp_path / "a.pt")))
    with pytest.raises(WeightsError, match=r"training\.new_head: 'tiny' is not trained"):
        start_module(untrained.plan)


def test_the_library_head_for_another_number_of_classes_needs_training(place):
    text = r"the library's weights of 'tiny' are not for 3 classes \(0.0.weight is new\)"
    with pytest.raises(WeightsError, match=text):
        recipe(Training(epochs=0), classifier=Tiny(weights="library")).build({}, place)


def rates(training, updates=2):
    """The learning rate of every update: of the body, and of the head."""
    module = Tiny().module(CLASSES)
    groups = _groups(training, module, ("4",))
    optimiser = torch.optim.SGD(groups, lr=training.learning_rate)
    schedule = _schedule(training, optimiser, updates)
    found = []
    for number in range(training.epochs * updates):
        if schedule is not None:
            schedule.step_update(number)
        by_scale = {group["lr_scale"]: group["lr"] for group in optimiser.param_groups}
        found.append((by_scale[training.body_rate], by_scale[1.0]))
    return found


def test_the_step_schedule_multiplies_the_rate_at_the_epoch_that_was_asked_for():
    found = rates(Training(epochs=60, learning_rate=1e-3, schedule="step", decay_epochs=40.0))
    assert [head for _, head in found] == pytest.approx([1e-3] * 80 + [1e-4] * 40)


def test_the_cosine_schedule_warms_up_and_ends_near_nothing():
    found = [head for _, head in rates(Training(epochs=10, warmup_epochs=2.0), updates=5)]
    assert found[0] == pytest.approx(1e-5)
    assert found[:10] == sorted(found[:10])
    assert found[10:] == sorted(found[10:], reverse=True)
    assert found[-1] < 1e-5


@pytest.mark.parametrize("schedule", ["none", "cosine", "step"])
def test_the_body_learns_at_its_own_rate(schedule):
    for body, head in rates(Training(epochs=3, schedule=schedule, body_rate=0.1)):
        assert body == pytest.approx(0.1 * head)


def test_biases_and_norms_decay_only_where_asked():
    module = Tiny().module(CLASSES)
    decayed = {
        everything: sum(
            len(group["params"])
            for group in _groups(Training(weight_decay=0.1, decay_all=everything), module, ("4",))
            if group["weight_decay"]
        )
        for everything in (False, True)
    }
    assert decayed == {False: 2, True: 6}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"optimiser": "adamww"}, "training.optimiser: timm has no optimiser 'adamww'"),
        ({"schedule": "cosin"}, "training.schedule: timm has no schedule 'cosin'"),
        ({"schedule": "plateau"}, "'plateau' depends on the past"),
    ],
)
def test_unknown_optimisers_and_schedules_are_named(changes, text, place):
    with pytest.raises(ParameterError, match=text):
        recipe(replace(TRAINING, **changes)).build({}, place)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"epochs": -1}, "epochs is -1; it cannot be negative"),
        ({"batch_size": 1}, "batch_size is 1; training needs at least 2"),
        ({"crop_scale": (0.0, 1.0)}, "crop_scale is .* it needs 0 < low <= high <= 1"),
        ({"erasing": 0.5}, 'erasing needs augmentation = "timm"'),
    ],
)
def test_impossible_values_are_named(changes, text):
    with pytest.raises(ValueError, match=text):
        Training(**changes)


def test_a_label_outside_of_the_classes_is_named(place):
    text = "image 2 of dataset 'stripes' has label 2; the classifier has the classes 0 … 1"
    with pytest.raises(MismatchError, match=text):
        recipe(classes=2).build({}, place)


def test_an_empty_split_is_named(place):
    images = ImageSet(Stripes(count=0), "train")
    with pytest.raises(MismatchError, match="has 0 images in its split 'train'; training needs"):
        recipe(images=images).build({}, place)


def test_batches_hold_every_image_once_and_never_a_single_one():
    for count in range(2, 30):
        batches = _batches(list(range(count)), 4)
        assert [image for batch in batches for image in batch] == list(range(count))
        assert min(map(len, batches)) > 1


def test_trees_hold_plain_values_and_every_field():
    tree = TRAINING.tree()
    assert tree["crop_scale"] == [0.6, 1.0]
    assert (
        Training(**{k: tuple(v) if isinstance(v, list) else v for k, v in tree.items()}) == TRAINING
    )


def test_the_recipe_of_the_paper_can_be_written():
    training = Training(
        epochs=60,
        batch_size=64,
        optimiser="momentum",
        learning_rate=1e-3,
        momentum=0.9,
        weight_decay=1e-4,
        decay_all=True,
        schedule="step",
        decay_epochs=40.0,
        augmentation="timm",
        crop_scale=(0.08, 1.0),
    )
    images = ImageSet(Stripes(), "train", Transform(0, 10))
    made = start_module(recipe(replace(training, epochs=1), images=images, validation=None).plan)
    assert isinstance(made, nn.Module)


class Doubtful(nn.Module):
    """A classifier with an output beyond the classes, always the largest."""

    def __init__(self):
        super().__init__()
        self.classifier = Tiny().module(CLASSES)
        self.doubt = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 1))

    def forward(self, images):
        return torch.cat([self.classifier(images), 100 + self.doubt(images)], 1)


@dataclass(frozen=True)
class WithDoubt(Loss):
    """The loss of the classes, and what the output beyond them misses of 100."""

    name = "with-doubt"

    def targets(self, batch, **options):
        return Noisy().targets(batch, **options)

    def score(self, logits, targets):
        return Noisy().score(logits[:, :-1], targets) + (logits[:, -1] - 100).abs().mean()


def doubtful(seed=0):
    with seeded(seed):
        return Doubtful()


def test_outputs_beyond_the_classes_are_trained_but_not_counted(place):
    module = doubtful()
    training = Training(epochs=15, batch_size=8, learning_rate=0.02)
    curve, _ = fit(recipe(training, loss=WithDoubt()).plan, module, place, "key")
    assert curve[-1][1] > 0.8
    assert curve[-1][0] < curve[0][0]
    images = ImageSet(Stripes(), "test")
    made = module_outputs(recipe().plan, module, images, place)
    assert made.shape == (30, CLASSES + 1)
    assert (made[:, -1] > made[:, :-1].max(dim=1).values).all()
    assert mistakes_in(made[:, :-1], images) == mistakes(
        recipe().plan, module.classifier, images, place
    )
    assert mistakes_in(made[:, :-1], images).accuracy > 0.9


def test_named_heads_learn_while_the_body_is_frozen(place):
    module, start = doubtful(), doubtful().state_dict()
    training = replace(TRAINING, body_rate=0.0)
    fit(recipe(training, loss=WithDoubt()).plan, module, place, "key", ("classifier.4", "doubt"))
    changed = {name for name, t in module.state_dict().items() if not torch.equal(t, start[name])}
    layers = "classifier.4.weight", "classifier.4.bias", "doubt.1.weight", "doubt.1.bias"
    assert changed == set(layers)


def test_a_part_with_another_state_is_a_copy_that_counts_nothing(place):
    first, second = (recipe(seed=seed).build({}, place) for seed in (0, 1))
    network, other = (load_network(Tiny(), made, torch.device("cpu")) for made in (first, second))
    images = ImageSet(Stripes(), "test").batch(range(100, 104)).images
    before = network.logits(images)
    bottom, top = (with_state(p, second.tensors, "b") for p in (network.bottom, network.top))
    counted = network.passes.snapshot()
    assert torch.equal(top(bottom(images)), other.logits(images))
    assert network.passes.snapshot() == counted
    assert torch.equal(network.logits(images), before)
    assert not [p for p in (*bottom.parameters(), *top.parameters()) if p.requires_grad]
    assert {original_names(network.top)[n] for n in network.top.state_dict()} == {
        "4.weight",
        "4.bias",
    }
    with pytest.raises(WeightsError, match=r"the weights 'b' do not fit .* 2 missing"):
        with_state(network.top, {}, "b")


def test_parts_that_were_never_cut_keep_their_names():
    part = nn.Sequential(nn.Linear(2, 3))
    assert original_names(part) == {"0.weight": "0.weight", "0.bias": "0.bias"}
