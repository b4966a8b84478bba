"""Requests: what is asked for of the same images is answered together."""

from dataclasses import dataclass

from noted_calls import Brightest, Halves, Times
from small_datasets import Stripes
from small_entries import entry_of
from small_networks import Tiny
from xbench.interfaces.bench import Request
from xbench.interfaces.data.case import Case
from xbench.interfaces.data.dataset import ImageSet
from xbench.running.planning.requests import Requests
from xbench.training.recipe import subject_of

INNER = Brightest()


@dataclass(frozen=True)
class OfBothSplits(Halves):
    """Wants predictions of all cases, and explanations of those of the role `test`."""

    def requests(self, entry, cases):
        for role, images in entry.datasets.items():
            ids = tuple(case.id for case in cases if case.role == role)
            yield Request(None, subject_of(entry), images, ids)
            if role == "test":
                yield Request(entry.explainer, subject_of(entry), images, ids)


def entry(explainer):
    sets = {split: ImageSet(Stripes(), split) for split in ("train", "test")}
    return entry_of(Tiny(), sets, explainer=explainer)


def cases_of(some):
    return [Case(role, image) for role, images in some.datasets.items() for image in images.ids()]


def test_splits_of_one_dataset_are_asked_of_apart(bench):
    some, requests = entry(INNER), Requests(bench)
    requests.add(OfBothSplits(), some, cases_of(some))
    wanted = {(task.asked.images.split, task.explainers): task.ids for task in requests.tasks()}
    assert wanted == {
        ("train", (None,)): some.datasets["train"].ids(),
        ("test", (None, INNER)): some.datasets["test"].ids(),
    }


def test_a_shard_waits_for_the_blocks_of_its_own_images_alone(bench):
    some, requests = entry(INNER), Requests(bench)
    cases = cases_of(some)
    requests.add(OfBothSplits(), some, cases)
    tasks = {task.asked.images.split: task.key for task in requests.tasks()}
    assert requests.needed(OfBothSplits(), some, cases[:3]) == [tasks["train"]]
    assert requests.needed(OfBothSplits(), some, cases[-3:]) == [tasks["test"]]


def test_one_task_has_the_explainers_of_all_entries_after_those_they_build_on(bench):
    requests, twice = Requests(bench), Times(INNER)
    for explainer in (twice, INNER):
        requests.add(Halves(), entry(explainer), [Case("test", 100)])
    tasks = [task for task in requests.tasks() if task.asked.derivation is None]
    assert [task.explainers for task in tasks] == [(None, INNER, twice)]
