"""Image sets by role: further test sets that are left out, and all that is wrong with datasets."""

from dataclasses import dataclass

import pytest

from small_datasets import Greys
from xbench import DatasetError, ImageSet
from xbench.benchmark.assembly import assemble
from xbench.benchmark.declaration import benchmark_folder, declared
from xbench.benchmark.image_sets import check_datasets
from xbench.components.registry import installed

OWN = ["train", "validation", "test"]
SHIFTS = ["cifar10.1 v4", "cifar10.1 v6", "cinic10", "imagenet-far"]


@dataclass(frozen=True)
class Absent(Greys):
    """Images that are not there."""

    number: int = 0

    def check(self) -> None:
        raise DatasetError(f"dataset 'absent': folder {self.number} is not there.")


def assembled(variants=(), changes=()):
    path = benchmark_folder() / "softlabels-shift.toml"
    return assemble(declared(path, variants=variants, changes=changes), installed())


def test_networks_of_people_meet_the_papers_sets_and_count_from_the_training_images():
    benchmark = assembled()
    assert set(benchmark.datasets) == {*OWN, "cifar10", *SHIFTS}
    known = benchmark.datasets[benchmark.protocol.known]
    assert (known.dataset.name, known.split) == ("cifar10", "train")
    assert benchmark.datasets["cinic10"].dataset.part == "imagenet"
    assert benchmark.datasets["test"].dataset.name == "cifar10h"


def test_networks_that_have_seen_the_training_images_are_not_asked_about_them():
    benchmark = assembled(variants=["fine-tuned", "without-imagenet"])
    assert set(benchmark.datasets) == {*OWN, *SHIFTS[:-1]}
    assert benchmark.protocol.known == "test"


def test_a_further_test_set_with_no_split_is_left_out():
    benchmark = assembled(changes=[{"splits": {"cifar10.1 v4": ""}}])
    assert set(benchmark.datasets) == {*OWN, "cifar10", *SHIFTS[1:]}


@pytest.mark.parametrize("role", ["test", "validation"])
def test_the_benchmarks_own_splits_are_not_left_out(role):
    benchmark = assembled(changes=[{"splits": {role: ""}}])
    assert benchmark.datasets[role].split == ""


def test_all_datasets_that_are_not_there_are_named_with_the_way_round_them():
    absent = {"test": Absent(), "far": Absent(number=1), "1.5 far": Absent(number=2)}
    datasets = {"train": Greys(), **absent, "same": Absent(number=1)}
    with pytest.raises(DatasetError) as caught:
        check_datasets({role: ImageSet(of, "train") for role, of in datasets.items()})
    assert str(caught.value) == (
        "dataset 'absent': folder 0 is not there. Test set 'far': dataset 'absent': folder 1 is "
        "not there. -p 'splits.far=\"\"' leaves it out. Test set '1.5 far': dataset 'absent': "
        'folder 2 is not there. -p \'splits."1.5 far"=""\' leaves it out.'
    )


def test_datasets_that_are_there_pass():
    check_datasets({"train": ImageSet(Greys(), "train")})
