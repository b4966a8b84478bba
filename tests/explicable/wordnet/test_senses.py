"""Which noun a class is."""

from functools import partial

import pytest

from xbench import DatasetError, MismatchError
from xbench_explicable.losses.hierarchical import HierarchicalCrossEntropy, SoftHierarchicalLabels
from xbench_explicable.losses.weighted import WeightedLoss
from xbench_explicable.protocol.explicability import Explicability
from xbench_explicable.similarities.existing_knowledge import ExistingKnowledge
from xbench_explicable.similarities.hierarchy import HierarchyPaths
from xbench_explicable.wordnet import senses as senses_module
from xbench_explicable.wordnet.files import DATA
from xbench_explicable.wordnet.nouns import nouns, steps_up, synset_of
from xbench_explicable.wordnet.senses import LISTS, exceptions, imagenet, lists_digest, synsets

SUPERCLASSES = {
    "mammal.n.01": "beaver dolphin otter seal whale bear leopard lion tiger wolf camel cattle "
    "chimpanzee elephant kangaroo fox porcupine possum raccoon skunk hamster mouse rabbit shrew "
    "squirrel",
    "fish.n.01": "aquarium_fish flatfish ray shark trout",
    "flower.n.01": "orchid poppy sunflower",
    "vascular_plant.n.01": "rose tulip",
    "container.n.01": "bottle bowl can cup",
    "tableware.n.01": "plate",
    "produce.n.01": "apple orange pear sweet_pepper",
    "fungus.n.01": "mushroom",
    "instrumentality.n.03": "clock keyboard lamp telephone television",
    "furniture.n.01": "bed chair couch table wardrobe",
    "insect.n.01": "bee beetle butterfly cockroach",
    "larva.n.01": "caterpillar",
    "structure.n.01": "bridge castle house skyscraper",
    "way.n.06": "road",
    "geological_formation.n.01": "mountain",
    "land.n.04": "plain",
    "body_of_water.n.01": "sea",
    "physical_phenomenon.n.01": "cloud",
    "vegetation.n.01": "forest",
    "invertebrate.n.01": "crab lobster snail spider worm",
    "person.n.01": "baby boy girl man woman",
    "reptile.n.01": "crocodile dinosaur lizard snake turtle",
    "tree.n.01": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "conveyance.n.03": "bicycle bus motorcycle pickup_truck train rocket streetcar tank tractor",
    "garden_tool.n.01": "lawn_mower",
}
"""What the classes of CIFAR-100 are, by what its superclasses say."""
WRONG = {
    "otter": "fur",
    "whale": "person",
    "table": "data",
    "ray": "light",
    "skunk": "person",
    "turtle": "sweater",
    "trout": "flesh",
}


def _one(named, name, senses="corrected"):
    return synsets(named(name), senses)[0]


@pytest.mark.parametrize(
    ("above", "name"), [(k, n) for k, names in SUPERCLASSES.items() for n in names.split()]
)
def test_corrected_senses_of_cifar100_are_what_its_superclasses_say(named, above, name):
    assert above in {synset.name() for synset, _ in steps_up(_one(named, name))}


def test_the_superclasses_name_a_hundred_classes():
    assert len({name for names in SUPERCLASSES.values() for name in names.split()}) == 100


@pytest.mark.parametrize(("name", "word"), WRONG.items())
def test_official_senses_are_wrong_where_the_paper_took_the_first(named, name, word):
    assert word in _one(named, name, "official").definition()
    assert _one(named, name, "corrected").lexname() in ("noun.animal", "noun.artifact")


def test_official_senses_are_the_first_of_the_name():
    reader = nouns()
    compounds = {"aquarium_fish", "maple_tree"}
    for name, sense in exceptions().items():
        if name not in compounds:
            assert sense.official == f"{name}.n.01"
            assert sense.official != sense.corrected
        assert synset_of(reader, sense.official)
        assert synset_of(reader, sense.corrected)


@pytest.mark.parametrize(
    ("name", "synset"),
    [
        ("dog", "dog.n.01"),
        ("Dog", "dog.n.01"),
        ("dogs", "dog.n.01"),
        ("mice", "mouse.n.01"),
        ("lawn mower", "lawn_mower.n.01"),
        ("lawn-mower", "lawn_mower.n.01"),
        ("Carassius auratus", "goldfish.n.01"),
        ("tench, Tinca tinca", "tench.n.01"),
        ("no such thing, goldfish", "goldfish.n.01"),
        ("n01443537", "goldfish.n.01"),
        ("n01443537_goldfish", "goldfish.n.01"),
    ],
)
def test_names_are_found_as_people_write_them(named, name, synset):
    assert _one(named, name).name() == synset


def test_names_of_imagenets_classes_mean_what_imagenet_means(named):
    class_synsets = dict(zip(imagenet(), synsets(named(*imagenet()), "official"), strict=True))
    kinds = {
        name: class_synsets[name].lexname() for name in ("crane bird", "crane", "mouse", "otter")
    }
    assert list(kinds.values()) == ["noun.animal", "noun.artifact", "noun.artifact", "noun.animal"]
    assert synsets(named("mouse", "otter"), "corrected")[0].lexname() == "noun.animal"


def test_all_names_that_wordnet_does_not_know_are_listed_with_suggestions(named):
    with pytest.raises(MismatchError) as raised:
        synsets(named("dog", "goldfih", "rubra-prima"), "corrected")
    assert str(raised.value) == (
        "The bundled part of WordNet has no noun for 2 of the 3 classes of dataset 'named': "
        "'goldfih' (did you mean 'goldfish'?), 'rubra-prima'. Give each class its synset with "
        "synsets=FILE (columns class,synset), or name the folder of a full WordNet 3.0 with "
        "wordnet=FOLDER."
    )


def test_ids_that_are_not_bundled_are_all_listed_beside_names(named):
    with pytest.raises(MismatchError, match="no noun for 3 of the 4 classes") as raised:
        synsets(named("n01443537", "n00000001", "n00000002_x", "xyzzy"), "corrected")
    assert "'n00000001', 'n00000002_x', 'xyzzy'. Give each" in str(raised.value)


def test_every_one_of_many_unknown_names_is_listed(named):
    names = [f"xyzzy{index}" for index in range(60)]
    with pytest.raises(MismatchError) as raised:
        synsets(named(*names), "corrected")
    assert all(repr(name) in str(raised.value) for name in names)


def test_a_table_of_synsets_is_matched_by_class_name(named, tmp_path):
    file = tmp_path / "synsets.csv"
    file.write_text("\ufeffclass,synset\nB,n02084071\n\nA, cat.n.01\n", encoding="utf-8")
    class_synsets = synsets(named("A", "B"), "corrected", str(file))
    assert [synset.name() for synset in class_synsets] == ["cat.n.01", "dog.n.01"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("class,synset\nA,cat.n.01\n", MismatchError, "names no synset for 'B'"),
        ("class,synset\nA,catt.n.01\nB,n1\n", MismatchError, "'catt.n.01' of 'A', 'n1' of 'B'"),
        ("class,synset\nA,n1\nA,n2\nB,n3\n", DatasetError, "has classes twice: 'A'"),
        ("class,synset\nA," + "x" * 200_000, DatasetError, "it cannot be read"),
        ("n02084071\n", DatasetError, "write the columns class,synset in its first line"),
        ("class,synset\nA\n", DatasetError, "write the columns class,synset in its first line"),
        ("", DatasetError, "write the columns class,synset in its first line"),
        (None, DatasetError, "it cannot be read"),
    ],
)
def test_a_wrong_table_of_synsets_is_refused(named, tmp_path, text, error, message):
    file = tmp_path / "synsets.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(error, match=message):
        synsets(named("A", "B"), "corrected", str(file))


def test_what_a_similarity_reads_is_in_its_tree(tmp_path):
    file = tmp_path / "synsets.csv"
    file.write_text("class,synset\nA,cat.n.01\n")
    similarity = ExistingKnowledge(synsets=str(file))
    before = similarity.tree()
    file.write_text("class,synset\nA,truck.n.01\n")
    assert similarity.tree() != before


def test_what_a_similarity_reads_may_change(named, tmp_path):
    file = tmp_path / "synsets.csv"
    file.write_text("class,synset\nA,cat.n.01\nB,dog.n.01\n")
    similarity = ExistingKnowledge(synsets=str(file))
    assert similarity.matrix(named("A", "B"))[0, 1] == 1 / 5
    file.write_text("class,synset\nA,cat.n.01\nB,cat.n.01\n\n")
    assert similarity.matrix(named("A", "B"))[0, 1] == 1


@pytest.fixture
def release(tmp_path, monkeypatch):
    """Puts copies of the bundled lists in place of them, one of which has another line."""

    def changed(name):
        for own in LISTS:
            more = b"\n" if own == name else b""
            (tmp_path / own).write_bytes((DATA / own).read_bytes() + more)
        monkeypatch.setattr(senses_module, "DATA", tmp_path)
        lists_digest.cache_clear()

    yield changed
    lists_digest.cache_clear()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "component",
    [
        ExistingKnowledge(),
        HierarchicalCrossEntropy(hierarchy="wordnet"),
        SoftHierarchicalLabels(hierarchy="wordnet"),
        WeightedLoss(ExistingKnowledge()),
        Explicability(HierarchyPaths(), hierarchy="wordnet"),
    ],
    ids=lambda component: component.name,
)
def test_another_content_of_a_bundled_list_is_another_tree(release, component, name):
    before = component.tree()
    release(name)
    assert component.tree() != before


@pytest.mark.parametrize(
    "component",
    [HierarchicalCrossEntropy(), SoftHierarchicalLabels(), Explicability(HierarchyPaths())],
    ids=lambda component: component.name,
)
def test_what_does_not_ask_wordnet_does_not_depend_on_its_files(component):
    assert not {"nouns", "lists", "table"} & component.parameters().keys()


@pytest.mark.parametrize(
    "make",
    [
        HierarchicalCrossEntropy,
        SoftHierarchicalLabels,
        partial(Explicability, HierarchyPaths()),
    ],
)
def test_files_of_wordnet_are_refused_where_nothing_reads_them(make):
    with pytest.raises(ValueError, match=r"synsets is 'a.csv'; only hierarchy = .wordnet. reads"):
        make(synsets="a.csv")
    with pytest.raises(ValueError, match="wordnet is 'folder'; only"):
        make(hierarchy="dataset", wordnet="folder")
