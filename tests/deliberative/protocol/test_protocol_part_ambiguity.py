"""The part-ambiguity protocol from artefacts to scores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from named_cases import ids_of, named
from shards import check_shards
from small_entries import entry_of
from small_networks import Small
from xbench import (
    Artefacts,
    Case,
    ClassAttributes,
    Entry,
    Explainer,
    IdealObserver,
    ImageSet,
    LocalBench,
    MismatchError,
    PartMasks,
    PartPoints,
    Recipe,
)
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.kernels import regions
from xbench_deliberative.protocol.ceiling import KnownParts
from xbench_deliberative.protocol.floors import MostProbable, RandomPair, RandomRegion
from xbench_deliberative.protocol.part_ambiguity import PartAmbiguity
from xbench_deliberative.protocol.rows import COVERAGES, curve
from xbench_deliberative.protocol.selection import hardest_first
from xbench_deliberative.protocol.summary import Scoring, per_image
from xbench_zoo.small import SmallCnn

SUBJECT = Deliberative(Entropy(), Gradient(), "official")


@dataclass(frozen=True)
class Tiny(Small):
    """A network small enough for a test."""

    name: ClassVar[str] = "tiny"
    side: ClassVar[int] = 20

    def module(self, classes: int) -> nn.Module:
        pooled = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, classes))
        return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), *pooled)


@pytest.fixture
def entry(images: ImageSet) -> Entry:
    return made(images, SUBJECT)


def made(images: ImageSet, explainer: Explainer) -> Entry:
    sets = {"train": ImageSet(images.dataset, "train"), "test": images}
    return entry_of(Tiny(), sets, explainer=explainer, seed=3)


def built(recipes: Mapping[str, Recipe], bench: LocalBench) -> Artefacts:
    return bench.provider.all(recipes)


def evaluated(
    protocol: PartAmbiguity, entry: Entry, bench: LocalBench
) -> tuple[pa.Table, Artefacts]:
    artefacts = built(protocol.artefacts(entry), bench)
    cases = protocol.cases(entry, artefacts)
    return protocol.evaluate(entry, cases, artefacts, bench), artefacts


def explained(
    protocol: PartAmbiguity, entry: Entry, artefacts: Artefacts, bench: LocalBench
) -> Iterator[tuple[int, Insecurities]]:
    """Each image and its insecurities, explained in the protocol's batches.

    In batches of another size maps are rounded otherwise, and pixels that are almost alike
    may change places.
    """
    network = bench.network(entry.classifier, artefacts["weights"])
    cases = protocol.cases(entry, artefacts)
    for start in range(0, len(cases), bench.batch_size):
        some = [case.id for case in cases[start : start + bench.batch_size]]
        batch = entry.datasets["test"].batch(some)
        yield from zip(
            some, SUBJECT.explain(network, batch, {}, torch.Generator(), {}), strict=True
        )


def slow_rows(
    protocol: PartAmbiguity, entry: Entry, artefacts: Artefacts, bench: LocalBench
) -> list[tuple[int, int, list[float], list[float]]]:
    """One image, one pair, one mask after the other; parts as sets."""
    test, found = entry.datasets["test"], []
    for image, given in explained(protocol, entry, artefacts, bench):
        points = test.part_points([image])[0].tolist()
        visible = {k for k, (_, _, seen) in enumerate(points) if seen}
        for pair in range(len(given)):
            truth = protocol.truth().ambiguous(
                test.dataset, artefacts, image, given.pairs[pair : pair + 1]
            )[0]
            shared = {k for k in visible if truth[k]}
            precision, recall = [], []
            for coverage in COVERAGES:
                mask = given.masks(coverage)[pair]
                inside = {k for k in visible if mask[int(points[k][1]), int(points[k][0])]}
                hits = len(inside & shared)
                precision.append(hits / len(inside) if inside else float("nan"))
                recall.append(hits / len(shared) if shared else float("nan"))
            found.append((image, pair, precision, recall))
    return found


@pytest.mark.parametrize("ground_truth", ["paper", "official", "ideal"])
def test_rows_equal_those_of_a_slow_evaluation(
    entry: Entry, bench: LocalBench, ground_truth: str
) -> None:
    protocol = PartAmbiguity(Entropy(), ground_truth=ground_truth, images=3)
    table, artefacts = evaluated(protocol, entry, bench)
    slow = slow_rows(protocol, entry, artefacts, bench)
    assert list(zip(ids_of(table["case"].to_pylist()), table["rank"].to_pylist(), strict=True)) == [
        (image, rank) for image, rank, _, _ in slow
    ]
    for name, column in (("precision", 2), ("recall", 3)):
        expected = np.array([row[column] for row in slow]).astype(np.float32)
        np.testing.assert_array_equal(curve(table, name).astype(np.float32), expected)


def test_rows_have_the_stated_columns_and_types(entry: Entry, bench: LocalBench) -> None:
    table, _ = evaluated(PartAmbiguity(Entropy(), images=4), entry, bench)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "case": "dictionary<values=string, indices=int32, ordered=0>",
        "rank": "int32",
        "class_a": "int32",
        "class_b": "int32",
        "strength": "double",
        "ambiguous_parts": "int32",
        "visible_parts": "int32",
        "precision": "list<item: float>",
        "recall": "list<item: float>",
    }
    assert all(len(row) == 90 for row in table["precision"].to_pylist())


@pytest.mark.parametrize("explainer", [SUBJECT, RandomRegion(SUBJECT), RandomPair()])
def test_rows_do_not_depend_on_how_cases_are_split(
    images: ImageSet, explainer: Explainer, tmp_path: Path
) -> None:
    protocol = PartAmbiguity(Entropy(), images=8)
    check_shards(protocol, made(images, explainer), 3, 8, tmp_path)


@pytest.mark.parametrize("overlap", ["largest", "union"])
def test_mask_parts_give_iou(entry: Entry, bench: LocalBench, overlap: str) -> None:
    protocol = PartAmbiguity(Entropy(), parts="masks", overlap=overlap, images=4)
    table, artefacts = evaluated(protocol, entry, bench)
    assert "precision" not in table.column_names
    test = entry.datasets["test"]
    row = 0
    for image, found in explained(protocol, entry, artefacts, bench):
        mask = test.part_masks([image])[0]
        truth = protocol.truth().ambiguous(test.dataset, artefacts, image, found.pairs)
        for pair, region in enumerate(found.masks(0.25)):
            shown = [mask == k + 1 for k in range(4) if truth[pair, k] and (mask == k + 1).any()]
            if overlap == "union" and shown:
                shown = [torch.stack(shown).any(0)]
            best = max(
                (
                    (int((region & p).sum()), float((region & p).sum() / (region | p).sum()))
                    for p in shown
                ),
                default=(0, float("nan")),
            )[1]
            assert curve(table, "iou")[row, 24] == pytest.approx(best, nan_ok=True)
            row += 1
    scores = {score.name: score for score in protocol.summarise({"x": table})["x"]}
    assert scores["average iou"].headline
    assert set(scores) == {"average iou", *(f"iou@{p}%" for p in (10, 20, 30, 40, 50))}


def test_entries_share_their_cases_under_reference(images: ImageSet, bench: LocalBench) -> None:
    protocol = PartAmbiguity(Entropy(), images=7)
    entries = [
        made(images, e) for e in (SUBJECT, Deliberative(Hesitancy(), Gradient()), MostProbable())
    ]
    keys = {protocol.artefacts(entry)["selection"].key for entry in entries}
    assert len(keys) == 1
    artefacts = built(protocol.artefacts(entries[0]), bench)
    assert len(protocol.cases(entries[0], artefacts)) == 7


def test_the_selection_holds_the_hardest_images(entry: Entry, bench: LocalBench) -> None:
    artefacts = built(PartAmbiguity(Entropy(), images=5).artefacts(entry), bench)
    network = bench.network(entry.classifier, artefacts["weights"])
    test = entry.datasets["test"]
    scores = Entropy().readout(network, {}).predictions(test.batch(test.ids()).images)[:, 0]
    chosen = artefacts["selection"].tensors["ids"].tolist()
    order = sorted(zip(scores.tolist(), test.ids(), strict=True), key=lambda t: (-t[0], t[1]))
    assert chosen == [image for _, image in order[:5]]
    assert (artefacts["selection"].tensors["difficulties"].diff() <= 0).all()


def test_equally_hard_images_come_in_the_order_of_their_ids() -> None:
    scores = torch.tensor([0.5, 0.9, 0.5, 0.5], dtype=torch.float64)
    assert hardest_first(scores, torch.tensor([7, 3, 2, 5])).tolist() == [1, 2, 3, 0]


def test_own_selection_follows_the_explainers_difficulty(images: ImageSet) -> None:
    protocol = PartAmbiguity(Entropy(), selection="own")
    hesitant = Deliberative(Hesitancy(), Gradient())
    for explainer in (hesitant, RandomRegion(hesitant), KnownParts(RandomRegion(hesitant))):
        recipe = protocol.artefacts(made(images, explainer))["selection"]
        assert recipe.tree()["difficulty"]["name"] == "hesitancy"


def test_own_selection_needs_a_difficulty(images: ImageSet) -> None:
    protocol = PartAmbiguity(Entropy(), selection="own")
    message = (
        "explainer 'random-pair' has no difficulty score of its own to select images by; "
        'use selection = "reference" or "all"'
    )
    with pytest.raises(MismatchError, match=message):
        protocol.artefacts(made(images, RandomPair()))


def test_floors_without_a_difficulty_get_the_references_images(images: ImageSet) -> None:
    protocol = PartAmbiguity(Entropy(), selection="own")
    floor = replace(made(images, RandomPair()), role="floor")
    recipe = protocol.artefacts(floor)["selection"]
    assert recipe.tree()["difficulty"]["name"] == "entropy"


def test_entries_with_other_classifiers_share_the_images_of_the_benchmarks_own(
    images: ImageSet,
) -> None:
    common = made(images, Deliberative(Entropy(), Gradient()))
    other = replace(common, classifier=SmallCnn(widths=(4, 4, 4, 4, 4)), common=common)
    protocol = PartAmbiguity(Entropy())
    ours, theirs = (protocol.artefacts(entry) for entry in (common, other))
    assert ours["weights"].key != theirs["weights"].key
    assert ours["selection"].key == theirs["selection"].key
    own = PartAmbiguity(Entropy(), selection="own").artefacts(other)
    assert own["selection"].key != ours["selection"].key


def test_all_explains_every_test_image(entry: Entry) -> None:
    protocol = PartAmbiguity(Entropy(), selection="all")
    assert "selection" not in protocol.artefacts(entry)
    assert protocol.cases(entry, {}) == [Case("test", n) for n in entry.datasets["test"].ids()]


def test_only_the_strongest_are_scored_where_so_asked(entry: Entry, bench: LocalBench) -> None:
    every, _ = evaluated(PartAmbiguity(Entropy(), images=5), entry, bench)
    some, _ = evaluated(PartAmbiguity(Entropy(), images=5, insecurities=2), entry, bench)
    assert max(some["rank"].to_pylist()) == 1
    kept = every.filter(pa.array([rank < 2 for rank in every["rank"].to_pylist()]))
    assert some["class_a"].to_pylist() == kept["class_a"].to_pylist()
    np.testing.assert_array_equal(curve(some, "recall"), curve(kept, "recall"))


@dataclass(frozen=True)
class Mute(Explainer):
    """Finds nothing in images of even id."""

    name: ClassVar[str] = "mute"
    makes: ClassVar[type[Insecurities]] = Insecurities

    def explain(self, network, batch, artefacts, generator, given):
        found = SUBJECT.explain(network, batch, artefacts, generator, {})
        return [
            one.strongest(0 if i % 2 == 0 else 10) for i, one in zip(batch.ids, found, strict=True)
        ]


def test_images_without_insecurities_have_one_row_of_nan_and_are_counted(
    images: ImageSet, bench: LocalBench
) -> None:
    protocol = PartAmbiguity(Entropy(), selection="all")
    table, _ = evaluated(protocol, made(images, Mute()), bench)
    ids = images.ids()
    silent = [row for row in table.to_pylist() if row["rank"] == -1]
    assert ids_of(row["case"] for row in silent) == [i for i in ids if i % 2 == 0]
    assert all(row["class_a"] == row["class_b"] == -1 for row in silent)
    assert np.isnan([row["precision"] for row in silent]).all()
    average = next(s for s in protocol.summarise({"x": table})["x"] if s.headline)
    assert ids_of(average.cases) == list(ids)
    assert np.isnan(average.values[[i % 2 == 0 for i in ids]]).all()
    notes = protocol.notes({"x": table})["x"]
    assert notes["images"] == len(ids)
    assert notes["images_without_insecurities"] == len(silent)


def rows_of(cases: list[int], ambiguous: list[int], precision: list[list[float]]) -> pa.Table:
    values = pa.array([p * 18 for p in precision], pa.list_(pa.float32()))
    zeros = [0] * len(cases)
    return pa.table({
        "case": named(cases), "rank": zeros, "class_a": zeros, "class_b": zeros,
        "strength": [1.0] * len(cases), "ambiguous_parts": ambiguous,
        "visible_parts": [3] * len(cases), "precision": values, "recall": values,
    })  # fmt: skip


NAN = float("nan")
TABLE = rows_of(
    [9, 9, 9, 4, 4],
    [1, 2, 0, 1, 0],
    [
        [1.0, NAN, 0, 0, 0],
        [0.5, NAN, 0, 0, 1],
        [0.0, 0.0, 0, 0, 0],
        [0.25, 1, 1, 1, 1],
        [0.0, 0, 0, 0, 0],
    ],
)


def test_averages_go_over_pairs_without_those_that_are_empty_or_nan() -> None:
    found = per_image(TABLE, Scoring(("precision",), "left-out", "points"), "precision")
    assert ids_of(found.cases) == [9, 4]
    np.testing.assert_array_equal(found.values[0, :5], [0.75, NAN, 0, 0, 0.5])
    np.testing.assert_array_equal(found.values[1, :5], [0.25, 1, 1, 1, 1])


def test_empty_pairs_count_as_zero_where_so_asked() -> None:
    found = per_image(TABLE, Scoring(("precision",), "zero", "points"), "precision")
    np.testing.assert_array_equal(found.values[0, :2], [0.5, 0.0])
    np.testing.assert_array_equal(found.values[1, :2], [0.125, 0.5])


def test_scores_are_those_of_the_papers_table_and_both_averages_decide() -> None:
    scores = PartAmbiguity(Entropy()).summarise({"x": TABLE})["x"]
    columns = [f"@{p}%" for p in (10, 20, 30, 40, 50)]
    assert {s.name for s in scores} == {
        "average precision", "average recall",
        *("precision" + c for c in columns), *("recall" + c for c in columns),
    }  # fmt: skip
    assert [s.name for s in scores if s.headline] == ["average precision", "average recall"]
    by_name = {s.name: s for s in scores}
    mean = np.nanmean([by_name["precision" + c].values for c in columns], axis=0)
    np.testing.assert_array_equal(by_name["average precision"].values, mean)


def test_notes_say_what_was_left_out() -> None:
    notes = PartAmbiguity(Entropy()).notes({"x": TABLE})["x"]
    assert notes["pairs"] == 5
    assert notes["pairs_without_ambiguous_visible_part"] == 2
    assert notes["empty_pairs"] == "left-out"
    assert notes["pairs_without_value"]["precision"] == {
        "10": 0,
        "20": 0,
        "30": 0,
        "40": 0,
        "50": 0,
    }


def test_the_annotation_that_is_needed_follows_parts_and_ground_truth() -> None:
    assert PartAmbiguity(Entropy()).needs() == (PartPoints, ClassAttributes)
    masks = PartAmbiguity(Entropy(), parts="masks", ground_truth="ideal")
    assert masks.needs() == (PartMasks, IdealObserver)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"smoothing": 0.0}, "smoothing must be above 0 percentage points, not 0.0"),
        ({"share": 1.5}, "share must lie above 0 and not above 1, got 1.5"),
        ({"likelihood_ratio": 0.0}, "likelihood_ratio must lie above 0 and not above 1, got 0.0"),
        ({"images": 0}, "images must be at least 1 and insecurities at least 0, not 0 and 0"),
        ({"insecurities": -1}, "images must be at least 1 and insecurities at least 0"),
    ],
)
def test_impossible_parameters_are_refused(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PartAmbiguity(Entropy(), **parameters)  # type: ignore[arg-type]


def test_the_ground_truth_is_keyed_by_data_set_and_parameters(images: ImageSet) -> None:
    def key(**parameters: object) -> str:
        protocol = PartAmbiguity(Entropy(), **parameters)  # type: ignore[arg-type]
        return protocol.truth().recipes(images.dataset)["ambiguous-parts"].key

    assert key() == key(images=7)
    assert len({key(), key(smoothing=2.0), key(share=0.3), key(ground_truth="official")}) == 4
    assert key(ground_truth="official") == key(ground_truth="official", smoothing=5.0)
    ideal = PartAmbiguity(Entropy(), ground_truth="ideal")
    assert ideal.truth().recipes(images.dataset) == {}


def test_the_tables_facts_describe_it(entry: Entry, bench: LocalBench) -> None:
    artefacts = built(PartAmbiguity(Entropy()).artefacts(entry), bench)
    made = artefacts["ambiguous-parts"]
    table = made.tensors["ambiguous"]
    pairs = [(a, b) for a in range(6) for b in range(a)]
    assert made.facts["parts_per_pair"] == pytest.approx(
        sum(int(table[:, a, b].sum()) for a, b in pairs) / 15
    )
    assert made.facts["empty_pairs"] == pytest.approx(
        sum(not table[:, a, b].any() for a, b in pairs) / 15
    )


def test_coverages_are_whole_per_cents_of_the_pixels() -> None:
    assert len(COVERAGES) == 90
    assert regions.region_sizes(COVERAGES, 10_000).tolist() == [100 * p for p in range(1, 91)]
