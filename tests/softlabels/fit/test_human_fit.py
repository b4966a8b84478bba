"""The human-fit protocol: folds, cases, what networks are asked, and its rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from shards import check_shards
from small_entries import entry_of
from xbench import ImageSet, Training
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss
from xbench_softlabels.fit.protocol import HumanFit
from xbench_softlabels.fit.rows import fit_columns

SETS = {split: ImageSet(TinyDataset(), split) for split in ("train", "test")}
TEST = SETS["test"].ids()


def entry(**fields):
    return entry_of(TinyClassifier(), SETS, **{"loss": TinyLoss(), **fields})


def evaluated(protocol, of, bench, cases=None):
    artefacts = bench.provider.all(protocol.artefacts(of))
    cases = protocol.cases(of, artefacts) if cases is None else cases
    return protocol.evaluate(of, list(cases), artefacts, bench)


def test_rows_hold_what_the_formulas_give_for_the_network(bench):
    of, protocol = entry(), HumanFit()
    columns = fit_columns(evaluated(protocol, of, bench))
    (request,) = protocol.requests(of, protocol.cases(of, {}))
    logits = bench.predictions(request.subject, request.images, request.ids)
    q = logits.double().softmax(1).numpy()
    counts = TinyDataset().label_counts(TEST).numpy()
    for place in range(len(TEST)):
        p, label = counts[place] / counts[place].sum(), int(columns.labels[place])
        chosen = p > 0
        assert columns.cases[place] == f"test/{TEST[place]}"
        assert columns.counts[place].tolist() == counts[place].tolist()
        entropy = -(p[chosen] * np.log(q[place][chosen])).sum()
        assert columns.cross_entropy[place] == pytest.approx(entropy)
        assert columns.label_cross_entropy[place] == pytest.approx(-np.log(q[place][label]))
        assert columns.brier[place] == pytest.approx(((p - q[place]) ** 2).sum())
        hard = np.eye(5)[label]
        assert columns.label_brier[place] == pytest.approx(((hard - q[place]) ** 2).sum())
        assert columns.entropy[place] == pytest.approx(-(q[place] * np.log(q[place])).sum())
        assert columns.confidence[place] == pytest.approx(q[place].max())
        assert columns.predicted[place] == q[place].argmax()
        assert columns.second[place] == np.argsort(-q[place])[1]
        assert columns.agreeing[place] == p[q[place].argmax()]
    assert columns.whom == "simulated annotators"


def test_each_image_meets_the_network_that_did_not_see_it(bench):
    of, protocol = entry(training=Training(epochs=1)), HumanFit(folds=4)
    cases = protocol.cases(of, {})
    assert sorted(case.id for case in cases) == sorted(TEST)
    assert len(protocol.artefacts(of)) == 4
    columns = fit_columns(evaluated(protocol, of, bench))
    assert np.bincount(columns.folds).tolist() == [5, 5, 5, 5]
    for request in protocol.requests(of, cases):
        seen = request.subject.weights.required_plan.images.ids()
        assert not set(request.ids) & set(seen)
    first = HumanFit(folds=4, first_folds=1)
    assert [case.id for case in first.cases(of, {})] == [case.id for case in cases[:5]]
    assert len(first.artefacts(of)) == 1


def test_a_limit_takes_images_of_every_fold():
    of, protocol = entry(training=Training(epochs=1)), HumanFit(folds=4)
    cases = protocol.cases(of, {})
    limited = protocol.limited(of, cases, 6)
    places = [cases.index(case) for case in limited]
    assert places == [0, 1, 5, 6, 10, 15]
    assert (
        list(HumanFit().limited(of, HumanFit().cases(of, {}), 3))
        == list(HumanFit().cases(of, {}))[:3]
    )


def test_an_ensemble_answers_with_the_mean_of_its_members_probabilities(bench):
    members = tuple(entry(label=label, seed=seed) for seed, label in enumerate("ab"))
    together = fit_columns(evaluated(HumanFit(), entry(members=members), bench))
    logits = []
    for member in members:
        (request,) = HumanFit().requests(member, HumanFit().cases(member, {}))
        logits.append(bench.predictions(request.subject, request.images, request.ids))
    mean = torch.stack(logits).double().softmax(2).mean(0).numpy()
    np.testing.assert_allclose(together.confidence, mean.max(1), rtol=1e-6)


def test_rows_do_not_depend_on_shards_and_batches(tmp_path):
    check_shards(HumanFit(), entry(), size=3, limit=10, folder=tmp_path, atol=1e-6)
    folded = replace(entry(), training=Training(epochs=0))
    check_shards(HumanFit(folds=2), folded, size=7, limit=20, folder=tmp_path / "f", atol=1e-6)


def test_a_probability_too_small_for_single_precision_has_a_logarithm():
    from xbench_softlabels.fit.protocol import _log_probabilities

    values = _log_probabilities([torch.tensor([[0.0, -300.0]])])
    np.testing.assert_allclose(values, [[0, -300]])


@pytest.mark.parametrize(("folds", "first"), [(1, 0), (-2, 0), (3, 4)])
def test_numbers_of_folds_that_cannot_be_are_refused(folds, first):
    with pytest.raises(ValueError, match="folds"):
        HumanFit(folds=folds, first_folds=first)
