"""The attack protocol: rows, ensembles, scores, shards and bad input."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from shards import bench_in, check_shards, plain, rows_of
from small_datasets import Made
from small_entries import entry_of
from xbench import ImageSet, MismatchError, Resampling, Training, generator
from xbench.testing import TinyClassifier, check_component, tiny_images
from xbench_softlabels.attack.outcome import Strength, attacked
from xbench_softlabels.attack.passes import MOST_IMAGES, passes
from xbench_softlabels.attack.protocol import Attack
from xbench_softlabels.attack.rows import courses, numbers
from xbench_softlabels.attack.summary import case_scores, table_notes
from xbench_softlabels.folds.fold_networks import fold_networks
from xbench_softlabels.kernels.attacks import Ascent, climbed, sign_attacked, slope, standing

PROTOCOL = Attack(images=6, radii=(1.0, 8.0), steps=2, restarts=2)


def made_entry(**fields):
    return entry_of(
        TinyClassifier(), {"train": tiny_images("train"), "test": tiny_images()}, **fields
    )


def ensemble():
    members = tuple(made_entry(label=f"{seed}", seed=seed) for seed in (1, 2))
    return made_entry(members=members)


def loaded(protocol, entry, bench):
    artefacts = bench.provider.all(protocol.artefacts(entry))
    members = entry.members or (entry,)
    return [
        bench.network(of.classifier, weights)
        for of, weights in zip(members, artefacts.values(), strict=True)
    ]


@pytest.mark.parametrize("entry", [made_entry(), ensemble()], ids=["network", "ensemble"])
def test_rows_are_what_the_attacks_come_to_image_by_image(entry, bench):
    table = rows_of(PROTOCOL, entry, bench, 6, 6)
    networks = loaded(PROTOCOL, entry, bench)

    def answers(images):
        shares = [network.module(images).double().softmax(1) for network in networks]
        return torch.stack(shares).mean(0).log()

    test = entry.datasets["test"]
    for row, image in enumerate(case.id for case in PROTOCOL.cases(entry, {})):
        (one,) = passes(test, networks[0].classes, [image], torch.device("cpu"))
        images, labels = one.images[:1], one.labels[:1]
        clean = slope(answers, images, labels)
        assert numbers(table, "clean loss")[row] == pytest.approx(float(clean.standing.losses))
        for radius in PROTOCOL.radii:
            signs = sign_attacked(images, clean.gradients, radius / 255)
            under = standing(answers, signs, labels)
            assert numbers(table, f"FGSM {radius:g} loss")[row] == pytest.approx(
                float(under.losses)
            )
            assert numbers(table, f"FGSM {radius:g} right")[row] == float(under.right)
            ascent = Ascent(radius / 255, 2)
            runs = [
                climbed(answers, images, labels, ascent, noise[:1]) for noise in one.noise(0, 2)
            ]
            highest = max(float(run.losses.max()) for run in runs)
            expected = max(highest, float(clean.standing.losses))
            assert numbers(table, f"PGD {radius:g} loss")[row] == pytest.approx(expected)
            right = all(bool(run.right) for run in runs) and bool(clean.standing.right)
            assert numbers(table, f"PGD {radius:g} right")[row] == right
            means = torch.cat([run.losses for run in runs]).mean(0)
            np.testing.assert_allclose(courses(table, radius)[row], means, rtol=1e-5)


@pytest.mark.parametrize("entry", [made_entry(), ensemble()], ids=["network", "ensemble"])
def test_rows_depend_neither_on_shards_nor_on_what_is_kept(entry, tmp_path):
    check_shards(PROTOCOL, entry, 2, 6, tmp_path)


def test_rows_are_the_same_bits_whatever_the_batch_size(tmp_path):
    rows = [
        plain(rows_of(PROTOCOL, made_entry(), bench_in(tmp_path / str(size), size), 6, 6))
        for size in (1, 100)
    ]
    assert rows[0] == rows[1]


def test_the_random_start_hangs_on_seed_and_image_alone():
    test = tiny_images()
    classes = len(test.dataset.class_names())
    (all_six,) = passes(test, classes, test.ids()[:6], torch.device("cpu"))
    (last,) = passes(test, classes, test.ids()[5:6], torch.device("cpu"))
    assert all_six.images.shape[0] == last.images.shape[0] == MOST_IMAGES
    first, second = all_six.noise(7, 2)
    assert torch.equal(next(last.noise(7, 1))[0], first[5])
    assert not torch.equal(first, second)
    assert not torch.equal(next(last.noise(8, 1))[0], first[5])


def test_the_steps_of_other_radii_change_nothing():
    few = dataclasses.replace(PROTOCOL, pgd_radii=(8.0,))
    assert few.strength.climbed == [8.0]
    test = tiny_images()
    (images,) = passes(test, 4, test.ids()[:4], torch.device("cpu"))  # labels 0 to 3

    def answers(pixels):
        return torch.cat([pixels.mean((2, 3)), pixels.amax((1, 2, 3))[:, None]], 1)

    both, one = (attacked(answers, images, of.strength, 0) for of in (PROTOCOL, few))
    assert torch.equal(both.climbs[1].losses, one.climbs[0].losses)
    assert torch.equal(both.signs[0].losses, one.signs[0].losses)


def test_accuracy_under_pgd_over_the_radii_ranks_and_every_radius_is_told(bench):
    table = rows_of(PROTOCOL, made_entry(), bench, 6, 6)
    scores = {score.name: score for score in case_scores(table, PROTOCOL.strength)}
    assert list(scores) == [
        "accuracy@PGD mean",
        "accuracy@clean",
        "cross-entropy@clean",
        *(
            f"{measure}@{attack} {radius}"
            for attack in ("FGSM", "PGD")
            for radius in (1, 8)
            for measure in ("accuracy", "cross-entropy")
        ),
    ]
    assert [name for name, score in scores.items() if score.headline] == ["accuracy@PGD mean"]
    mean = (scores["accuracy@PGD 1"].values + scores["accuracy@PGD 8"].values) / 2
    np.testing.assert_array_equal(scores["accuracy@PGD mean"].values, mean)
    assert scores["cross-entropy@FGSM 8"].direction == "lower"
    assert (scores["accuracy@PGD 8"].values <= scores["accuracy@clean"].values).all()
    assert (scores["cross-entropy@PGD 8"].values >= scores["cross-entropy@clean"].values).all()
    assert table_notes(table) == {
        "images": 6,
        "images_with_vanished_gradient": int(numbers(table, "saturated").sum()),
        "images_without_gradient": 0,
    }


def test_figures_say_what_they_show_and_draw_what_was_attacked(bench):
    table = rows_of(PROTOCOL, made_entry(), bench, 6, 6)
    figures = PROTOCOL.figures({"x": [table]}, {"x": "entry"}, Resampling(resamples=20))
    assert list(figures) == ["attack-accuracy", "attack-loss", "attack-steps"]
    words = [
        f"{attack}: x: "
        + ", ".join(
            f"{100 * numbers(table, f'{name} right').mean():.2f}"
            for name in ("clean", f"{attack} 1", f"{attack} 8")
        )
        for attack in ("FGSM", "PGD")
    ]
    assert figures["attack-accuracy"].text == f"{words[0]}. {words[1]}."
    labels = [text.get_text() for text in figures["attack-loss"].figure.axes[0].get_xticklabels()]
    assert labels == ["0", "1", "8"]
    last = courses(table, 8.0).mean(0)[-1]
    assert figures["attack-steps"].text.endswith(f", {last:.2f}.")
    assert "temperature was fitted" in figures["attack-loss"].caption


def test_images_are_evenly_spread_and_all_where_none_are_asked_for():
    entry = made_entry()
    ids = entry.datasets["test"].ids()
    assert [case.id for case in Attack(images=0).cases(entry, {})] == list(ids)
    assert [case.id for case in Attack(images=2).cases(entry, {})] == [ids[0], ids[len(ids) // 2]]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"radii": ()}, "radii is empty; name at least one radius in 255ths, such as 4"),
        ({"radii": (0.0, 4.0)}, "radii should be above 0, got 0, 4; images without an attack"),
        ({"radii": (-4.0,)}, "radii should be above 0, got -4"),
        ({"radii": (float("nan"),)}, "radii should be above 0, got nan"),
        ({"radii": (4.0, 300.0)}, "radii should be below 127.5 of 255, got 4, 300: from there on"),
        (
            {"radii": (4 / 255, 8 / 255)},
            "0.0156863, 0.0313725 looks like the scale from 0 to 1, in which it would be 4, 8",
        ),
        ({"radii": (0.3,)}, "0.3 looks like the scale from 0 to 1, in which it would be 76.5"),
        ({"radii": (4.0, 4.0)}, "radii should rise, each once, got 4, 4"),
        ({"radii": (4.0,), "pgd_radii": (2.0,)}, r"pgd_radii should be among radii \(4\), got 2"),
        ({"steps": 0}, "steps from 1 to 1000, not 1000, 1 and 0"),
        ({"restarts": 0}, "restarts at least 1"),
        ({"images": -1}, "images must be at least 0"),
        ({"rate": 0.0}, "rate must be above 0, got 0"),
    ],
)
def test_what_is_no_attack_is_refused(fields, text):
    with pytest.raises(ValueError, match=text):
        Attack(**fields)


def test_a_small_radius_beside_a_larger_one_is_meant():
    assert Attack(radii=(0.1, 0.5)).radii == (0.1, 0.5)


@dataclass(frozen=True)
class Unlabelled(Made):
    """Noise, of which one image has no label."""

    name: ClassVar[str] = "unlabelled"
    classes: ClassVar[tuple[str, ...]] = ("a", "b")

    def splits(self):
        return "train", "test"

    def ids(self, split):
        return range(4) if split == "test" else range(10, 14)

    def labels(self, ids):
        return torch.tensor([-1 if image == 2 else image % 2 for image in ids])

    def image(self, image):
        return torch.randint(0, 255, (3, 16, 16), generator=generator("u", image)).byte()


def test_an_image_without_a_label_is_named(bench):
    datasets = {role: ImageSet(Unlabelled(), role) for role in ("train", "test")}
    text = r"image 2 has label -1, and the network has 2 classes; an attack needs the true class"
    with pytest.raises(MismatchError, match=text):
        rows_of(PROTOCOL, entry_of(TinyClassifier(), datasets), bench, 4, 4)


def test_a_test_set_of_other_classes_is_refused():
    datasets = {"train": tiny_images("train"), "test": ImageSet(Unlabelled(), "test")}
    with pytest.raises(MismatchError, match="the test set has the classes a, b, and networks"):
        PROTOCOL.artefacts(entry_of(TinyClassifier(), datasets))


def test_a_network_without_gradients_is_named(bench, monkeypatch):
    entry = made_entry()
    (network,) = loaded(PROTOCOL, entry, bench)
    forward = type(network.module).forward
    monkeypatch.setattr(
        type(network.module), "forward", lambda self, images: forward(self, images).detach()
    )
    with pytest.raises(
        MismatchError, match=r"has no gradients at the pixels .* cannot be attacked"
    ):
        rows_of(PROTOCOL, entry, bench, 6, 6)


def test_the_words_of_a_run_say_how_strong_the_attack_was():
    assert "10 smaller steps, from 1 random start;" in Attack().terms()["PGD"]
    assert "3 smaller steps, from 2 random starts;" in Attack(steps=3, restarts=2).terms()["PGD"]
    assert isinstance(Attack().strength, Strength)


def test_the_protocol_conforms():
    check_component(Attack)


def test_each_image_meets_a_network_that_did_not_see_it(bench):
    folded = dataclasses.replace(PROTOCOL, folds=2, images=4)
    entry = made_entry(training=Training(epochs=1))
    cases = folded.cases(entry, {})
    table = rows_of(folded, entry, bench, 4, 4)
    for fold in fold_networks(entry, 2, 0, 0):
        alone = dataclasses.replace(
            entry, weights=fold.networks[0].subject.weights, training=Training(epochs=0)
        )
        ids = set(fold.images.ids())
        artefacts = bench.provider.all(PROTOCOL.artefacts(alone))
        own = [case for case in cases if case.id in ids]
        expected = PROTOCOL.evaluate(alone, own, artefacts, bench)
        rows = [place for place, case in enumerate(cases) if case.id in ids]
        assert plain(table.take(rows)) == plain(expected)


def test_every_network_can_be_attacked_on_all_images_and_the_mean_is_scored(bench):
    every = dataclasses.replace(PROTOCOL, folds=2, images=4, meets="every")
    entry = made_entry(training=Training(epochs=1))
    cases = every.cases(entry, {})
    assert cases == dataclasses.replace(every, folds=0).cases(entry, {})
    table = rows_of(every, entry, bench, 4, 4)
    assert table.column("case").to_pylist() == [str(case) for case in cases for _ in range(2)]
    alone = []
    for place, fold in enumerate(fold_networks(entry, 2, 0, 0)):
        trained = dataclasses.replace(
            entry, weights=fold.networks[0].subject.weights, training=Training(epochs=0)
        )
        artefacts = bench.provider.all(PROTOCOL.artefacts(trained))
        alone.append(PROTOCOL.evaluate(trained, cases, artefacts, bench))
        assert plain(table.take(list(range(place, 8, 2)))) == plain(alone[-1])
    assert plain(rows_of(every, entry, bench, 3, 4)) == plain(table)
    for score, *own in zip(
        *(case_scores(t, PROTOCOL.strength) for t in [table, *alone]), strict=True
    ):
        assert score.values.mean() == pytest.approx(np.mean([of.values.mean() for of in own]))
    assert table_notes(table)["images"] == 4


def test_a_network_that_is_not_trained_is_met_once():
    every = dataclasses.replace(PROTOCOL, folds=2, meets="every")
    entry = made_entry()
    assert len(list(every._meetings(entry, every.cases(entry, {})))) == 1


def test_of_some_folds_only_their_images_are_attacked():
    some = dataclasses.replace(PROTOCOL, folds=4, first_folds=1, images=0)
    (fold,) = fold_networks(made_entry(), 4, 0, 1)
    assert [case.id for case in some.cases(made_entry(), {})] == list(fold.images.ids())
