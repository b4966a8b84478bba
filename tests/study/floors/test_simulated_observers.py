"""Stand-ins for people: what they see, what they answer, and that they are named simulated."""

import pyarrow as pa
import pytest
import torch
from safetensors.torch import save_file

from small_entries import entry_of
from xbench import ImageSet, MismatchError, subject_of
from xbench.testing import TinyClassifier, TinyDataset, tiny_bench
from xbench_saliency.floors.random_map import RandomMap
from xbench_study.designs.drafts import Draft, DraftOption
from xbench_study.floors.guessing import SimulatedGuessing
from xbench_study.floors.simulated_answers import (
    is_of_nobody,
    is_simulated,
    most_probable,
    observed,
    simulated_rows,
    with_simulated,
)
from xbench_study.floors.simulated_observer import SimulatedObserver
from xbench_study.shown.shown_maps import ShownMaps

IMAGES = ImageSet(TinyDataset(), "test")
IDS = IMAGES.ids()[:6]
WHOLE = ShownMaps("image")
MAPS = ShownMaps("maps", maps=(RandomMap(),))


@pytest.fixture
def bench(tmp_path):
    return tiny_bench(tmp_path)


def entry(explainer=None, label="simulated observer"):
    datasets = {"train": IMAGES, "test": IMAGES}
    return entry_of(
        TinyClassifier(), datasets, explainer=explainer or WHOLE, label=label, role="floor"
    )


@pytest.fixture
def itself(bench, tmp_path):
    """The network that is explained, as an observer."""
    weights = bench.provider.one(subject_of(entry()).weights)
    path = tmp_path / "itself.safetensors"
    save_file(dict(weights.tensors), path)
    return TinyClassifier(weights=str(path))


def test_the_same_network_says_of_the_whole_image_what_the_explained_one_says(bench, itself):
    own = bench.predictions(subject_of(entry()), IMAGES, IDS)
    seen = observed(entry(SimulatedObserver(WHOLE, itself)), IMAGES, IDS, bench)
    torch.testing.assert_close(torch.stack([seen[image] for image in IDS]), own)


def test_the_same_network_is_right_wherever_it_sees_the_whole_image(bench, itself):
    own = bench.predictions(subject_of(entry()), IMAGES, IDS).argmax(1).tolist()
    of = entry(SimulatedObserver(WHOLE, itself))
    rows = simulated_rows(of, answers(own), "test", IDS, bench)
    assert rows["right"].to_pylist() == [1.0] * len(IDS)
    assert set(rows["participant"].to_pylist()) == {"simulated"}
    assert is_of_nobody(rows)
    others = [(label + 1) % 4 for label in own]
    wrong = simulated_rows(of, answers(others, own), "test", IDS, bench)
    assert wrong["right"].to_pylist() == [0.0] * len(IDS)


def test_another_network_is_trained_from_another_start(bench):
    datasets = {"train": IMAGES, "test": IMAGES}
    weights = subject_of(entry()).weights
    own = SimulatedObserver(WHOLE, TinyClassifier()).artefacts(weights, datasets)["observer"]
    assert own.plan.training == weights.plan.training
    assert own.key != weights.key


def test_of_an_image_with_maps_only_what_they_mark_is_seen(bench, itself):
    explainer = SimulatedObserver(MAPS, itself, share=0.25)
    of = entry(explainer)
    (seen, *_) = bench.explanations(explainer, subject_of(of), IMAGES, IDS)
    image = IMAGES.batch(IDS[:1]).images[0].mul(255).round().to(torch.uint8)
    hidden = (seen.seen != image).any(0)
    assert hidden.float().mean() == pytest.approx(0.75, abs=0.02)
    assert len(seen.seen[:, hidden].unique(dim=1).T) == 1
    figure = seen.draw(IMAGES.batch(IDS[:1]), None, ())
    assert any("simulated observer" in axes.get_title() for axes in figure.axes)
    again = type(seen).from_tensors(seen.tensors())
    assert again.logits.equal(seen.logits)


def answers(right, others=None):
    """Answers of two people to a question about each image."""
    others = others or [(label + 1) % 4 for label in right]
    rows = [
        (image, f"{a} {b}", a, f"C{image % 2}")
        for image, a, b in zip(IDS, right, others, strict=True)
        for _ in range(2)
    ]
    names = ("image", "order_classes", "fact_predicted", "category")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_guessing_is_right_once_in_as_many_times_as_there_are_options(bench):
    of = entry(SimulatedGuessing())
    rows = simulated_rows(of, answers([0] * len(IDS)), "test", IDS, bench)
    assert rows["right"].to_pylist() == [0.5] * len(IDS)
    assert rows["case"].to_pylist() == [f"test/{image}" for image in IDS]
    assert is_simulated(of)
    assert not is_simulated(entry())


def test_the_most_probable_of_the_options_is_chosen_and_no_other_class():
    logits = torch.tensor([5.0, 1.0, 2.0, 2.0])
    assert most_probable(logits, [1, 2, 3]) == 2
    assert most_probable(logits, [3, 1]) == 3


def test_answers_without_a_right_class_have_no_such_floor(bench):
    table = answers([0] * len(IDS)).drop_columns(["fact_predicted"])
    with pytest.raises(MismatchError, match="answers have no fact_predicted; leave these floors"):
        simulated_rows(entry(SimulatedGuessing()), table, "test", IDS, bench)


def test_items_get_what_observers_choose_where_they_would_be_asked(bench, itself):
    own = bench.predictions(subject_of(entry()), IMAGES, IDS).argmax(1).tolist()
    options = [[DraftOption(k, str(k), right=k == label) for k in range(4)] for label in own]
    drafts = [
        Draft(IDS[0], {}, options[0], conditions=("image",)),
        Draft(IDS[1], {}, options[1], conditions=("maps",)),
        Draft(IDS[2], {}, options[2], kind="check"),
        Draft(IDS[3], {}, [DraftOption(k) for k in range(4)]),
    ]
    observer = entry(SimulatedObserver(WHOLE, itself), label="simulated observer: image")
    made = with_simulated(drafts, [observer, entry(SimulatedGuessing())], IMAGES, bench)
    assert [one.simulated for one in made] == [{"simulated observer: image": own[0]}, {}, {}, {}]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"of": RandomMap()}, "of is 'random-map'; it is what a condition shows: shown-maps"),
        ({"share": 0.0}, "share is 0.0; it lies between 0 and 1"),
        ({"share": 1.5}, "share is 1.5; it lies between 0 and 1"),
    ],
)
def test_what_no_observer_can_see_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        SimulatedObserver(**{"of": WHOLE, "observer": TinyClassifier(), **fields})
