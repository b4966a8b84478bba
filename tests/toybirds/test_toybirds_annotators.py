"""Simulated annotators."""

import numpy as np
import torch

from xbench import HumanLabels
from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.observing.annotators import label_counts

LIKELIHOODS = np.array([[[0.6, 0.3, 0.1], [0.5, 0.5, 0.5]], [[1.0, 1.0, 1.0], [0.2, 0.7, 0.1]]])


def counted(**parameters):
    usual = {"annotators": 20_000, "attention": 1.0, "lapses": 0.0}
    return label_counts(LIKELIHOODS, 0, np.arange(2), **(usual | parameters)) / 20_000


def test_attentive_annotators_answer_as_often_as_the_posterior_says():
    expected = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    assert np.abs(counted() - expected).max() < 0.015


def test_a_lapse_answers_with_any_class():
    assert np.abs(counted(lapses=1.0) - 1 / 3).max() < 0.015


def test_who_notices_nothing_knows_nothing():
    assert np.abs(counted(attention=0.0) - 1 / 3).max() < 0.015


def test_half_attention_mixes_what_subsets_of_parts_say():
    # The second part of the first image says nothing, so noticing the first decides.
    expected = 0.5 * np.array([0.6, 0.3, 0.1]) + 0.5 / 3
    assert np.abs(counted(attention=0.5)[0] - expected).max() < 0.015


def test_they_are_said_to_be_simulated(birds):
    assert isinstance(birds, HumanLabels)
    assert birds.simulated is True


def test_every_annotator_answers_once_and_mostly_right(birds):
    ids = birds.ids("test")[:200]
    counts = birds.label_counts(ids)
    assert (counts.sum(1) == 50).all()
    assert (counts.argmax(1) == birds.labels(ids)).double().mean() > 0.9
    genus = torch.arange(20) // 5 == (birds.labels(ids) // 5)[:, None]
    assert (counts * genus).sum() / counts.sum() > 0.9


def test_counts_do_not_depend_on_the_batch(birds):
    ids = birds.ids("test")[:70]
    assert torch.equal(birds.label_counts(ids)[66:], birds.label_counts(ids[66:]))


def test_the_number_of_annotators_is_a_field():
    assert (Toybirds(annotators=3).label_counts([0, 1]).sum(1) == 3).all()
