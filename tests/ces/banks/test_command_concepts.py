"""Banks are learned, imported, listed and shown on the command line."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from xbench import Store, UsageError
from xbench.commands import Session
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.command import command
from xbench_ces.banks.file import read_bank
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_toybirds.concepts import catalogue as birds

QUICK = ("dataset.train=160", "dataset.test=40", "training.epochs=0")


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def concepts(store, invoked):
    """Calls `xbench concepts` with these arguments, and the test's own store."""

    def call(*arguments):
        words = [*map(str, arguments), "--store", str(store)]
        return invoked(command, words)

    return call


@pytest.fixture
def few(monkeypatch):
    """toybirds with some of its concepts only."""
    chosen_concepts = [c for c in birds.concepts() if c.name in ("snow", "water", "bird", "dark")]
    monkeypatch.setattr(birds, "concepts", lambda: tuple(chosen_concepts))
    return tuple(chosen_concepts)


@pytest.fixture
def quick(few):
    changes = [part for change in QUICK for part in ("-p", change)]
    return "learn", "--quiet", "--device", "cpu", "--examples", "12", *changes


@pytest.fixture
def released(tmp_path):
    rows = {
        "snow": (np.ones((1, 8)), 0.9, 0.95, np.zeros(1), {"max": 2.5}),
        "knob": (np.ones((1, 8)), 0.9, 0.6, np.zeros(1), {"max": 1.0}),
    }
    path = tmp_path / "released.pkl"
    path.write_bytes(pickle.dumps(rows))
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_bank_is_learned_once_and_is_the_one_that_the_explainer_uses(
    concepts, quick, few, tmp_path
):
    out = tmp_path / "bank.safetensors"
    first = concepts(*quick, "--out", out, "--threshold", "0.6")
    assert first.error is None
    lines = first.out.splitlines()
    assert lines[0].startswith("4 concepts at stage5.relu, ")
    assert " of 4 reach 0.6" in lines[1]
    key = lines[2].removeprefix("concept bank ")
    assert lines[3] == f"written to {out}"
    again = concepts(*quick, "--json").json()
    assert again["key"] == key
    assert again["summary"] == [lines[0]]
    assert read_bank(out).concepts == few

    session = Session(parameters=QUICK)
    entry = next((b := session.assembled(scored=False)).entries(b.lines[0]))
    from xbench import weights_recipe

    explainer = ConceptualExplanationScores(examples=12)
    assert explainer.artefacts(weights_recipe(entry), entry.datasets)["bank"].key == key


def test_concepts_are_learned_from_other_datasets(concepts, quick):
    unseeded = concepts(*quick, "--concepts", "toybirds", "--json").json()
    seeded = concepts(*quick, "--concepts", '{name="toybirds", seed=3}', "--json").json()
    assert [len(bank["concepts"]) for bank in (unseeded, seeded)] == [4, 4]
    assert unseeded["key"] != seeded["key"]
    assert seeded["sources"][0]["name"] == "toybirds"


def test_concepts_are_learned_from_folders(concepts, quick, tmp_path, few):
    from PIL import Image

    noise = np.random.default_rng(0)
    for kind, level in (("positive", 200), ("negative", 60)):
        folder = tmp_path / "own" / "bright" / kind
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = noise.integers(level - 40, level + 40, (96, 96, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    spec = f'{{name="concept-folder", root="{tmp_path / "own"}", size=96}}'
    record = concepts(*quick, "--concepts", spec, "--concepts", "toybirds", "--json").json()
    assert [c["name"] for c in record["concepts"]] == ["bright", *(c.name for c in few)]
    assert record["concepts"][0]["accuracy"] == 1.0
    assert record["concepts"][0]["kept"]
    usual = concepts(*quick, "--concepts", f"concept-folder:{tmp_path / 'own'}")
    assert "give activations of shape" in str(usual.error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--examples", "9"), "examples is 9; at least 10 are needed"),
        (("--held-out", "1.5"), "held_out is 1.5; it needs 0 < held_out < 1"),
        (("--regularisation", "0"), "regularisation is 0.0; it needs to be above 0"),
        (("--concepts", "toyburds"), "unknown dataset 'toyburds'; did you mean 'toybirds'?"),
        (("--concepts", "folder:/nowhere"), "/nowhere is no folder"),
        (("--out", "bank.pkl"), "--out bank.pkl: a concept bank is written as .safetensors"),
        (("--out", "none/b.safetensors"), "--out none/b.safetensors: there is no folder 'none'"),
        (("-p", "classifier.layer=stage9"), "there is no layer 'stage9'"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    concepts, quick, store, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    ended = concepts(*quick, *arguments)
    assert message in str(ended.error)
    assert ended.error.exit_code == 2
    assert files(tmp_path) == []


def test_a_dataset_without_concepts_says_which_have_some(concepts, quick, tmp_path):
    from PIL import Image

    (tmp_path / "photos" / "a").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a" / "1.png")
    ended = concepts(*quick, "--concepts", f"folder:{tmp_path / 'photos'}")
    assert "dataset 'folder' has no examples of concepts" in str(ended.error)
    assert "toybirds" in str(ended.error)
    assert ended.error.exit_code == 2


def test_a_released_bank_is_imported_listed_and_shown(concepts, released, store, tmp_path):
    out = tmp_path / "bank.safetensors"
    lines = concepts("import", released, "--out", out).out.splitlines()
    assert lines[:2] == [
        "2 concepts at avgpool, imported; unverified: the weights it belongs to are not known",
        "1 of 2 reach 0.7; below: knob 0.60",
    ]
    key = lines[2].removeprefix("concept bank ")
    listing = concepts("list").out.splitlines()
    assert listing[0] == f"# Concept banks in {store}"
    assert listing[2].split("\t")[:5] == [key, "2", "avgpool", "8×1×1", "unverified"]
    assert concepts("list", "--json").json()[0]["bottom"] is None
    table = concepts("show", key[:6]).out.splitlines()
    assert table == [
        "# 2 concepts at avgpool, of unknown weights",
        "concept\tfamily\theld-out accuracy\tmargin\t",
        "snow\t\t0.950\t2.5\tkept",
        "knob\t\t0.600\t1\tleft out",
    ]
    for name in (released, out):
        assert concepts("show", name).out.splitlines() == table
    rows = concepts("show", out, "--threshold", "0.5", "--json").json()["concepts"]
    assert [concept["kept"] for concept in rows] == [True, True]
    assert concepts("import", out).out.splitlines()[0].startswith("2 concepts at avgpool, imported")


def test_layer_and_shape_are_imported_as_they_are_given(concepts, released):
    record = concepts("import", released, "--layer", "layer4", "--shape", "2×2×2", "--json").json()
    assert (record["layer"], record["shape"]) == ("layer4", [2, 2, 2])
    again = concepts("import", released, "--layer", "layer4", "--shape", "2x2x2", "--json").json()
    assert again["key"] == record["key"]
    assert len(concepts("list", "--json").json()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shape", "8"), "--shape 8: write channels, height and width as 512×7×7"),
        (("--shape", "a×1×1"), "--shape a×1×1: write channels, height and width as 512×7×7"),
        (("--shape", "0×1×1"), "--shape 0×1×1: write"),
        (("--shape", "9×1×1"), "normals has shape (2, 8) instead of (2, 9)"),
        (("--out", "bank.pkl"), "a concept bank is written as .safetensors"),
    ],
)
def test_bad_imports_are_refused_and_nothing_is_written(
    concepts, released, store, arguments, message
):
    ended = concepts("import", released, *arguments)
    assert message in str(ended.error)
    assert ended.error.exit_code == 2
    assert not store.exists()


@pytest.mark.parametrize("verb", ["import", "show"])
def test_files_that_are_no_bank_are_refused(concepts, tmp_path, store, verb):
    wrong = tmp_path / "wrong.safetensors"
    ended = concepts(verb, wrong)
    assert str(ended.error) == f"there is no concept bank {str(wrong)!r}"
    wrong.write_text("text")
    for name in (wrong, wrong.rename(tmp_path / "wrong.pkl")):
        name.write_text("text")
        ended = concepts(verb, name)
        assert isinstance(ended.error, UsageError)
        assert not store.exists()


def test_an_empty_store_lists_nothing(concepts):
    assert concepts("list", "--json").json() == []
    assert len(concepts("list").out.splitlines()) == 2


def test_an_unknown_key_is_said(concepts, store):
    bank = ConceptBank((("a", ""),), torch.ones(1, 2), torch.ones(1), torch.ones(1), "l", (2, 1, 1))
    for key in ("aa1", "aa2"):
        Store(str(store)).put_artefact("concept-bank", bank.artefact(key))
    ended = concepts("show", "bb")
    assert str(ended.error) == (
        "unknown concept bank 'bb'. Known: aa1, aa2. `xbench concepts list` shows all; a bank in a "
        "file is named by its path."
    )
    ended = concepts("show", "aa")
    assert str(ended.error) == "2 concept banks have keys that begin with 'aa'; write more"
    assert concepts("show", "aa2").error is None
