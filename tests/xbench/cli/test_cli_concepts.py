"""Concept scores from the command line: banks, benchmarks, scenarios of one's own."""

import json

import pytest
from PIL import Image

from command_line import records, score
from drawn_concepts import bank_of, drawn
from xbench_toybirds.dataset import Toybirds

pytestmark = pytest.mark.slow

SMOKE = ("--benchmark", "ces-spurious-toybirds", "--variant", "smoke", "-q")
DOZEN = (
    *("snow", "bird in snow", "water", "sand", "grass", "forest", "dark", "bright"),
    *("red bird", "orange head", "lime wing", "bird"),
)
"""Of the concepts that toybirds have."""
SMALL = ("-p", "dataset.train=160", "-p", "dataset.test=60", "-p", "training.epochs=1", "-q")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store, so that classifiers are trained and banks learned once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory, store):
    """The arguments of a small run with a bank of a dozen concepts."""
    root = drawn(tmp_path_factory.mktemp("dozen"), DOZEN)
    return (*SMOKE, "--store", store, "-p", f"explainer.concepts={bank_of(root)}")


@pytest.fixture
def first(xbench, smoke):
    """The records of that run, by label."""
    return records(xbench("run", *smoke, "--json"))


def test_a_spurious_correlation_is_trained_explained_scored_and_recorded(first):
    assert list(first) == ["ces", "control model", "random concepts"]
    ces, control = first["ces"], first["control model"]
    assert score(ces, "average recovery at 3").headline
    inside = score(ces, "accuracy in distribution@rubra-prima(snow)")
    outside = score(ces, "accuracy out of distribution@rubra-prima(snow)")
    assert inside.value > outside.value + 0.3
    assert outside.value < score(control, "average accuracy out of distribution").value
    chance = score(ces, "average recovery at 3").chance
    assert 3 / len(DOZEN) <= chance < 3 / 4
    weights = {record.artefacts[0]["rubra-prima(snow) at 1/weights"] for record in first.values()}
    assert len(weights) == 2  # the random concepts are asked about the confounded model


def test_a_second_run_finds_everything_and_gives_the_same_record(xbench, smoke, first):
    again = records(xbench("run", *smoke, "--json"))
    for label, record in first.items():
        assert record.key == again[label].key
        assert record.scores == again[label].scores


def test_a_report_draws_recovery_and_the_explanations_of_its_cases(xbench, smoke, tmp_path):
    page = tmp_path / "report"
    called = xbench("run", *smoke, "--report", page, "--pictures", 2)
    assert called.code == 0, called.err
    assert {"recovery.svg", "recovery-batches.svg", "recovery-ranks.svg"} <= {
        path.name for path in page.iterdir()
    }
    pictures = {path.stem: path for path in page.glob("image-*") if path.suffix != ".svg"}
    assert len(pictures) == 2
    with Image.open(next(iter(pictures.values()))) as picture:
        assert min(picture.size) > 100
    assert "rubra-prima, image" in (page / "index.html").read_text()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three classes in three contexts, as folders of pictures."""
    root, birds = tmp_path_factory.mktemp("photos"), Toybirds(train=8000)
    names, contexts = birds.class_names(), birds.context_names()
    ids = [i for i in birds.ids("train") if i % 20 in (0, 5, 10)]
    shown = birds.contexts(ids).int().argmax(dim=1).tolist()
    for image, context, label in zip(ids, shown, birds.labels(ids).tolist(), strict=True):
        folder = root / names[label] / contexts[context]
        if context < 3 and (not folder.exists() or len(list(folder.iterdir())) < 20):
            folder.mkdir(parents=True, exist_ok=True)
            pixels = birds.images([image])[0].permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(folder / f"{image}.png")
    return root


def own(photos, context):
    scenario = f'{{ class_name = "rubra-prima", context = "{context}" }}'
    return (
        *SMOKE,
        "--dataset",
        "context-folder",
        *("-p", f"dataset.root={photos}", "-p", "dataset.folds=3"),
        *("-p", 'protocol.classes=["rubra-prima", "cerula-prima", "verda-prima"]'),
        *("-p", f"protocol.scenarios=[{scenario}]", "-p", "training.epochs=1"),
        *("-p", "protocol.training_images=6", "-p", "protocol.validation_images=2"),
        *("-p", "protocol.images=3", "-p", "explainer.threshold=0.0"),
        *("-p", 'explainer.concepts=["concept-folder"]'),
    )


@pytest.fixture(scope="module")
def concepts(tmp_path_factory):
    """Pictures with and without each of two concepts."""
    return drawn(tmp_path_factory.mktemp("concepts"), ("snow", "dark"))


def with_concepts(arguments, concepts):
    return (*arguments[:-1], f"explainer.concepts={bank_of(concepts)}")


def test_a_scenario_and_concepts_of_ones_own_are_folders_of_pictures(
    xbench, photos, concepts, tmp_path
):
    given = with_concepts(own(photos, "snow"), concepts)
    found = records(xbench("run", *given, "--store", tmp_path, "--json"))
    ces = found["ces"]
    assert ces.datasets["test"]["dataset"]["name"] == "context-folder"
    assert score(ces, "average recovery at 3").value == 1.0  # there are but two concepts
    assert "rubra-prima(snow)" in json.dumps(ces.notes)


def test_a_context_that_the_class_does_not_have_is_refused_and_nothing_is_written(
    xbench, photos, concepts, tmp_path
):
    given = with_concepts(own(photos, "fence"), concepts)
    called = xbench("run", *given, "--store", tmp_path / "store")
    assert called.code == 2
    assert "fence" in called.err
    assert "snow" in called.err
    left = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert not left


def learned_bank(xbench, store, concepts, folder):
    """A file that `xbench concepts learn` wrote, of the network that is trained for SMALL."""
    spec = bank_of(concepts)[1:-1]
    bank = folder / "bank.safetensors"
    learn = ("--store", store, "--concepts", spec, "--examples", 12, "--out", bank)
    assert xbench("concepts", "learn", *SMALL, *learn).code == 0
    return bank


def test_a_bank_learned_by_the_verb_is_the_one_that_explains(xbench, store, concepts, tmp_path):
    bank = learned_bank(xbench, store, concepts, tmp_path)
    shown = json.loads(xbench("concepts", "show", bank, "--json").out)
    assert "snow" in json.dumps(shown)
    explained = xbench(
        *("explain", "--explainer", "ces", *SMALL, "--store", store, "--id", 2_000_003),
        *("-p", f"explainer.bank={bank}", "-p", "explainer.threshold=0", "--out", tmp_path / "out"),
    )
    assert explained.code == 0, explained.err
    assert (tmp_path / "out" / "toybirds-2000003.png").is_file()


def test_a_bank_is_refused_by_a_network_with_other_weights(xbench, store, concepts, tmp_path):
    bank = learned_bank(xbench, store, concepts, tmp_path)
    other = xbench(
        *("explain", "--explainer", "ces", *SMALL, "--seed", 1, "--store", store),
        *("--id", 2_000_003, "-p", f"explainer.bank={bank}", "--out", tmp_path / "out"),
    )
    assert other.code == 2
    assert "weights" in other.err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("verb", ["run", "explain"])
def test_a_bank_that_is_not_there_is_found_out_before_anything_is_trained(xbench, tmp_path, verb):
    given = ("-q", "--store", tmp_path / "store", "-p", "explainer.bank=/nowhere.safetensors")
    if verb == "run":
        called = xbench("run", "--benchmark", "ces-low-level-toybirds", *given)
    else:
        called = xbench("explain", "--explainer", "ces", "--id", 2_000_003, *given)
    assert called.code == 2
    assert "/nowhere.safetensors" in called.err
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
