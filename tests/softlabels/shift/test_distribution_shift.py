"""The shift protocol: which networks see which images, and what becomes of their scores."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from shards import check_shards
from shift_rows import rows_of
from small_entries import entry_of
from xbench import ImageSet, MismatchError, ParameterError, Training, scores_by_name
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss, tiny_bench
from xbench_softlabels.folds.fold_networks import fold_networks
from xbench_softlabels.shift.protocol import DistributionShift
from xbench_softlabels.shift.rows import answers_of, averaged
from xbench_softlabels.shift.summary import AFAR, RISE

SETS = {role: ImageSet(TinyDataset(), role) for role in ("train", "test")}
SETS["elsewhere"] = ImageSet(TinyDataset(), "validation")
FOLDED = DistributionShift(folds=3, first_folds=2)


def entry(epochs=1, **fields):
    return entry_of(TinyClassifier(), SETS, loss=TinyLoss(), training=Training(epochs), **fields)


def built(protocol, of, bench):
    recipes = protocol.artefacts(of)
    return {name: bench.provider.one(recipe) for name, recipe in recipes.items()}


def evaluated(protocol, of, folder):
    bench = tiny_bench(folder)
    artefacts = built(protocol, of, bench)
    cases = protocol.cases(of, artefacts)
    return protocol.evaluate(of, cases, artefacts, bench), bench


def slow_answers(bench, subject, images, image):
    """Cross-entropy, correctness and confidence of one network about one image, step by step."""
    logits = bench.predictions(subject, images, [image])[0].double()
    probabilities = logits.exp() / logits.exp().sum()
    label = int(images.dataset.labels([image]))
    right = float(int(probabilities.argmax()) == label)
    return -float(probabilities[label].log()), right, float(probabilities.max())


def test_known_images_meet_the_network_that_did_not_see_them_and_others_all_of_them(tmp_path):
    of = entry()
    rows, bench = evaluated(FOLDED, of, tmp_path)
    folds = fold_networks(of, 3, 0, 2)
    expected = {}
    for fold in folds:
        for image in fold.images.ids():
            subject = fold.networks[0].subject
            expected[f"test/{image}"] = slow_answers(bench, subject, SETS["test"], image)
    for image in SETS["elsewhere"].ids():
        every = [
            slow_answers(bench, fold.networks[0].subject, SETS["elsewhere"], image)
            for fold in folds
        ]
        expected[f"elsewhere/{image}"] = tuple(np.mean(every, axis=0))
    seen = {
        row["case"]: (row["cross_entropy"], row["correct"], row["confidence"])
        for row in rows.to_pylist()
    }
    assert seen.keys() == expected.keys()
    for case, values in expected.items():
        assert seen[case] == pytest.approx(values, abs=1e-6)


def test_what_networks_score_is_averaged_and_not_what_they_say():
    sure, wrong = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    label = torch.tensor([0])
    both = averaged([answers_of(sure, label), answers_of(wrong, label)])
    losses = [float(functional.cross_entropy(z.double(), label)) for z in (sure, wrong)]
    assert float(both.cross_entropy) == pytest.approx(sum(losses) / 2)
    assert float(both.correct) == 0.5


def test_an_ensemble_answers_with_its_mean_probabilities(tmp_path):
    members = tuple(entry(0, label=label, seed=seed) for seed, label in enumerate("ab"))
    protocol = DistributionShift()
    rows, bench = evaluated(protocol, entry(0, members=members), tmp_path)
    image = SETS["test"].ids()[0]
    (networks,) = (fold.networks for fold in fold_networks(entry(0, members=members), 0, 0, 0))
    logits = [bench.predictions(n.subject, SETS["test"], [image])[0] for n in networks]
    mean = torch.stack([z.double().softmax(0) for z in logits]).mean(0)
    label = int(TinyDataset().labels([image]))
    first = next(row for row in rows.to_pylist() if row["case"] == f"test/{image}")
    assert first["cross_entropy"] == pytest.approx(-float(mean[label].log()), abs=1e-6)


def test_rows_do_not_hang_on_shards_or_batches(tmp_path):
    check_shards(FOLDED, entry(), 7, 30, tmp_path)


def test_a_limit_takes_of_each_set_as_many():
    cases = FOLDED.cases(entry(), {})
    some = FOLDED.limited(entry(), cases, 6)
    assert [case.role for case in some] == ["test"] * 3 + ["elsewhere"] * 3


def means(rows, known="test"):
    scores = scores_by_name(DistributionShift(known=known).summarise({"x": rows})["x"])
    return {name: float(np.nanmean(score.values)) for name, score in scores.items()}


def test_sets_count_alike_and_rises_are_differences_of_means():
    found = means(rows_of({"test": [0.5, 0.7], "far": [2.0, 4.0, 6.0], "near": [1.0]}))
    assert found["accuracy@test"] == 1.0
    assert found["cross-entropy@far"] == pytest.approx(4.0)
    assert found[AFAR] == pytest.approx((4.0 + 1.0) / 2)
    assert found[f"{RISE}@far"] == pytest.approx(4.0 - 0.6)
    assert found[f"{RISE}@near"] == pytest.approx(1.0 - 0.6)


def test_rises_count_from_the_known_set_and_neither_it_nor_test_shifts():
    rows = rows_of({"test": [0.5, 0.7], "far": [2.0, 4.0], "near": [1.0, 1.2]})
    values = means(rows, "near")
    assert values[AFAR] == pytest.approx(3.0)
    assert values[f"{RISE}@far"] == pytest.approx(3.0 - 1.1)
    assert values["cross-entropy@test"] == pytest.approx(0.6)
    assert f"{RISE}@test" not in values
    scores = DistributionShift(known="near").summarise({"x": rows})["x"]
    assert [score.name for score in scores if score.headline] == [
        "accuracy@near",
        "cross-entropy@near",
        AFAR,
    ]


def test_a_known_set_that_is_not_there_is_refused_before_anything_is_trained():
    with pytest.raises(MismatchError) as caught:
        DistributionShift(known="cifar10").artefacts(entry())
    assert str(caught.value) == (
        "protocol.known: there is no test set 'cifar10'; there are test, elsewhere. The images of "
        "`test` are those with -p protocol.known=test"
    )


def test_an_ensemble_that_trains_one_member_has_another_one_in_each_fold(tmp_path):
    plain, trained = entry(0, label="a"), entry(1, label="b", seed=1)
    rows, bench = evaluated(FOLDED, entry(1, members=(plain, trained)), tmp_path)
    image = SETS["elsewhere"].ids()[0]
    losses = []
    for fold in fold_networks(entry(1, members=(plain, trained)), 3, 0, 2):
        said = [bench.predictions(n.subject, SETS["elsewhere"], [image])[0] for n in fold.networks]
        mean = torch.stack([z.double().softmax(0) for z in said]).mean(0)
        losses.append(-float(mean[int(TinyDataset().labels([image]))].log()))
    first = next(row for row in rows.to_pylist() if row["case"] == f"elsewhere/{image}")
    assert losses[0] != losses[1]
    assert first["cross_entropy"] == pytest.approx(sum(losses) / 2, abs=1e-6)


def test_a_rise_scatters_as_the_difference_of_two_means_does():
    draws = np.random.default_rng(0)
    sets = {"test": draws.normal(3, 0.5, 40).tolist(), "far": draws.normal(5, 1, 80).tolist()}
    scores = scores_by_name(DistributionShift().summarise({"x": rows_of(sets)})["x"])
    values = scores[f"{RISE}@far"].values
    expected = sum(np.var(own) / len(own) for own in sets.values())
    assert np.var(values) / len(values) == pytest.approx(expected)


def test_the_difference_of_two_rises_is_the_interaction():
    one, other = {"test": [0.5, 0.7], "far": [2.0, 4.0]}, {"test": [0.4, 0.6], "far": [1.0, 2.0]}
    gains = {name: np.mean(one[name]) - np.mean(other[name]) for name in one}
    rises = [means(rows_of(of))[f"{RISE}@far"] for of in (one, other)]
    assert rises[0] - rises[1] == pytest.approx(gains["far"] - gains["test"])


def test_one_score_ranks_and_it_is_that_of_what_shifts():
    scores = DistributionShift().summarise({"x": rows_of({"test": [0.5], "far": [2.0]})})["x"]
    assert [score.name for score in scores if score.ranking] == [AFAR]
    assert {score.name for score in scores if score.headline} == {
        "accuracy@test",
        "cross-entropy@test",
        AFAR,
    }


def test_without_a_shift_nothing_ranks_but_the_known_set_is_scored():
    scores = DistributionShift().summarise({"x": rows_of({"test": [0.5]})})["x"]
    assert [score.name for score in scores] == ["accuracy@test", "cross-entropy@test"]


def test_notes_tell_how_sure_networks_are_and_the_ideal_observer(tmp_path):
    rows, _ = evaluated(DistributionShift(), entry(0), tmp_path)
    told = DistributionShift().notes({"x": rows})["x"]["sets"]
    values = rows.to_pydict()
    of_test = [place for place, name in enumerate(values["set"]) if name == "test"]
    confidence = np.mean([values["confidence"][place] for place in of_test])
    assert told["test"]["confidence"] == pytest.approx(confidence, abs=1e-6)
    assert 0 <= told["test"]["ideal_observer_accuracy"] <= 1


@pytest.mark.parametrize(("fields", "text"), [({"folds": 1}, "1 is no"), ({"first_folds": 2}, "2")])
def test_numbers_of_folds_that_cannot_be_are_refused(fields, text):
    with pytest.raises(ParameterError, match=text):
        dataclasses.replace(DistributionShift(), **fields)
