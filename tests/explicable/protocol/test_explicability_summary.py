"""Scores of classifiers on the images that all get wrong, against plain loops."""

from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench import Case, CaseScores, MismatchError, Resampling, summarised
from xbench_explicable.kernels.explicability import order, wrong_class_mean_and_max
from xbench_explicable.protocol.rows import Answers, answer_rows
from xbench_explicable.protocol.summary import answers_by_set, notes_by_label, scores_by_label
from xbench_explicable.protocol.yardstick import DistanceTree, Yardstick

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
CIFAR10 = ("airplane", "automobile", *ANIMALS, "ship", "truck")
SHAKE_SHAKE = "shake_shake_26_2x64d_SSI_cutout16"
OF_THE_PAPER = ("resnet_basic_110", "vgg_15_BN_64", "wrn_28_10", SHAKE_SHAKE)


def matrix_yardstick(matrix: np.ndarray, heights: np.ndarray | None = None) -> Yardstick:
    matrix = matrix / matrix.sum(1, keepdims=True)
    heights = np.full(matrix.shape, np.nan) if heights is None else heights
    names = tuple(f"class {n}" for n in range(len(matrix)))
    chance, best = wrong_class_mean_and_max(matrix)
    return Yardstick(
        names, matrix, chance, best, order(matrix), heights, wrong_class_mean_and_max(heights)[0]
    )


def table(yardstick, predicted, labels, name="test", repeat=0, first=0, losses=None) -> pa.Table:
    n, nothing = len(labels), np.full(len(labels), np.nan)
    cases, images = [Case(name, image) for image in range(first, first + n)], np.arange(n)
    given = (np.asarray(labels), np.asarray(predicted), nothing, nothing)
    return answer_rows(Answers(name, repeat, cases, images, *given, losses or {}, 7), yardstick)


def random_rows(seed: int, classifiers: int = 3, images: int = 60, classes: int = 5):
    """Two sets of different size, seen by classifiers that are mostly wrong."""
    source = np.random.default_rng(seed)
    matrix = source.integers(1, 4, (classes, classes)) + 5 * np.eye(classes)
    heights = source.integers(1, 4, (classes, classes)) * (1.0 - np.eye(classes))
    yardstick, rows = matrix_yardstick(matrix, heights), {}
    labels = {"test": source.integers(0, classes, images)}
    labels["further"] = source.integers(0, classes, images // 3)
    for place in range(classifiers):
        parts, first = [], 0
        for name, true in labels.items():
            lost = source.random(len(true)) < 0.8
            predicted = (true + lost * source.integers(1, classes, len(true))) % classes
            values = {"plain": source.random(len(true))}
            parts.append(table(yardstick, predicted, true, name, 0, first, values))
            first += len(true)
        rows[f"net {place}"] = pa.concat_tables(parts)
    return rows


def by_name(scores) -> dict[str, CaseScores]:
    return {score.name: score for score in scores}


def slow(rows: dict[str, pa.Table], name: str) -> dict[str, dict[str, list]]:
    """The paper's scores of one set, image by image."""
    answers = {
        label: {row["case"]: row for row in table.to_pylist() if row["set"] == name}
        for label, table in rows.items()
    }
    cases = list(next(iter(answers.values())))
    common = [
        case
        for case in cases
        if all(own[case]["label"] != own[case]["predicted"] for own in answers.values())
    ]
    scores = {
        label: {"cases": common, "hard": [], "soft": [], "similarity": []} for label in answers
    }
    for case in common:
        v = {label: own[case]["similarity"] for label, own in answers.items()}
        winners = [label for label in v if v[label] >= max(v.values()) * (1 - 1e-9)]
        for label in answers:
            scores[label]["hard"].append(float(winners == [label]))
            scores[label]["soft"].append(1 / len(winners) if label in winners else 0.0)
            scores[label]["similarity"].append(v[label])
    for label, own in answers.items():
        rows_ = list(own.values())
        scores[label]["accuracy"] = [float(row["label"] == row["predicted"]) for row in rows_]
        scores[label]["own"] = [r["similarity"] for r in rows_ if r["label"] != r["predicted"]]
    return scores


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_those_of_slow_loops(seed: int) -> None:
    rows = random_rows(seed)
    scores = scores_by_label(rows, ["plain"])
    for name in ("test", "further"):
        for label, expected in slow(rows, name).items():
            own = by_name(scores[label])
            for kind in ("hard", "soft"):
                score = own[f"{kind} score@{name}"]
                assert score.cases.tolist() == expected["cases"]
                np.testing.assert_allclose(score.values, expected[kind])
            common = own[f"similarity of common mistakes@{name}"]
            np.testing.assert_allclose(common.values, expected["similarity"])
            assert common.headline
            assert common.cases.tolist() == expected["cases"]
            assert own[f"accuracy@{name}"].values.tolist() == expected["accuracy"]
            np.testing.assert_allclose(
                own[f"similarity of own mistakes@{name}"].values, expected["own"]
            )


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_soft_points_sum_to_the_number_of_common_mistakes(seed: int, classifiers: int) -> None:
    rows = random_rows(seed, classifiers, 20)
    scores = {label: by_name(own) for label, own in scores_by_label(rows, []).items()}
    for name in ("test", "further"):
        common = next(iter(scores.values()))[f"soft score@{name}"]
        total = sum(own[f"soft score@{name}"].values.sum() for own in scores.values())
        assert total == pytest.approx(len(common.cases))


def test_the_order_of_entries_does_not_matter() -> None:
    rows = random_rows(4)
    expected = {label: by_name(own) for label, own in scores_by_label(rows, ["plain"]).items()}
    for turned in permutations(rows):
        scores = scores_by_label({label: rows[label] for label in turned}, ["plain"])
        for label, own in scores.items():
            for score in own:
                np.testing.assert_allclose(score.values, expected[label][score.name].values)
                assert score.chance == pytest.approx(expected[label][score.name].chance)


def test_a_copy_of_an_entry_takes_its_hard_points_and_halves_what_it_won_alone() -> None:
    rows = random_rows(5)
    before = by_name(scores_by_label(rows, [])["net 0"])
    scores = scores_by_label({**rows, "copy": rows["net 0"]}, [])
    after, copy = by_name(scores["net 0"]), by_name(scores["copy"])
    alone = before["hard score@test"].values == 1
    assert alone.any()
    assert not after["hard score@test"].values.any()
    np.testing.assert_array_equal(after["soft score@test"].values[alone], 0.5)
    np.testing.assert_array_equal(after["soft score@test"].values, copy["soft score@test"].values)


def test_scores_stand_measure_by_measure_and_set_by_set() -> None:
    names = [score.name for score in scores_by_label(random_rows(0), ["plain"])["net 1"]]
    assert names[:6] == [
        f"{measure}@{name}"
        for measure in ("accuracy", "hard score", "soft score")
        for name in ("test", "further")
    ]
    assert names[-2:] == ["loss plain@test", "loss plain@further"]
    assert len(names) == len(set(names)) == 20


def test_chance_is_that_of_wrong_classes_at_random() -> None:
    yardstick = matrix_yardstick(
        np.array([[5.0, 3, 1, 1], [1, 5, 1, 1], [1, 1, 5, 1], [1, 1, 1, 5]])
    )
    rows = {
        "near": table(yardstick, [1, 1], [0, 0]),
        "far": table(yardstick, [2, 1], [0, 0]),
    }
    near, far = (by_name(scores) for scores in scores_by_label(rows, []).values())
    assert near["similarity of common mistakes@test"].chance == pytest.approx(0.5 / 3)
    assert near["closeness of common mistakes@test"].chance == pytest.approx((1 + 2 / 3) / 3)
    assert near["closeness of common mistakes@test"].values.tolist() == [1, 1]
    np.testing.assert_allclose(far["closeness of common mistakes@test"].values, [1 / 3, 1])
    # beside a far one: 1 of 3 classes is nearer, 2 are as near; beside a near one: 1 is as near
    assert near["hard score@test"].chance == pytest.approx((1 / 3 + 0) / 2)
    assert near["soft score@test"].chance == pytest.approx((1 / 3 + 2 / 3 / 2 + 1 / 3 / 2) / 2)
    assert far["hard score@test"].chance == 0
    assert far["soft score@test"].chance == pytest.approx(1 / 3 / 2)


def test_distances_are_left_out_where_there_is_no_tree() -> None:
    yardstick = matrix_yardstick(np.ones((3, 3)))
    names = [score.name for score in scores_by_label({"a": table(yardstick, [1], [0])}, [])["a"]]
    assert not [name for name in names if name.startswith("distance")]
    names = [score.name for score in scores_by_label(random_rows(0), [])["net 0"]]
    assert [name for name in names if name.startswith("distance")]


def test_a_tree_is_measured_in_even_where_one_repeat_has_no_mistake() -> None:
    yardstick = matrix_yardstick(np.ones((3, 3)), 1 - np.eye(3))
    none, single = (
        scores_by_label({"a": table(yardstick, [predicted], [0])}, [])["a"] for predicted in (0, 1)
    )
    assert [score.name for score in none] == [score.name for score in single]
    pooled = summarised(
        [by_name(scores)["distance of common mistakes@test"] for scores in (none, single)],
        Resampling(),
    )
    assert (pooled.value, pooled.n) == (1, 1)


def test_one_entry_alone_has_no_hard_and_soft_scores_and_is_told_why() -> None:
    rows = {"net 0": random_rows(1)["net 0"]}
    names = [score.name for score in scores_by_label(rows, [])["net 0"]]
    assert not [name for name in names if name.startswith(("hard", "soft"))]
    assert "similarity of common mistakes@test" in names
    notes = notes_by_label(rows)["net 0"]["sets"]["test"]
    assert notes["scores"] == "hard and soft need a second classifier to compare with"
    assert notes["pairs"] == {}


def test_without_common_mistakes_nothing_is_scored_and_none_are_counted() -> None:
    yardstick = matrix_yardstick(np.ones((3, 3)))
    rows = {"a": table(yardstick, [0, 1], [0, 2]), "b": table(yardstick, [1, 2], [0, 2])}
    scores = {label: by_name(own) for label, own in scores_by_label(rows, []).items()}
    for name in ("hard score", "soft score", "similarity of common mistakes"):
        score = summarised([scores["a"][f"{name}@test"]], Resampling(resamples=10))
        assert np.isnan([score.value, score.low, score.high]).all()
        assert (score.n, score.n_unscored, score.chance) == (0, 0, None)
    notes = notes_by_label(rows)["a"]["sets"]["test"]
    assert (notes["common_mistakes"], notes["hard"], notes["soft"]) == ([0], [0], [0])
    assert notes["pairs"]["b"]["images"] == 0
    assert notes["pairs"]["b"]["same"] is None


def test_no_mistakes_at_all_are_no_mistakes_that_could_be_near() -> None:
    yardstick = matrix_yardstick(np.ones((3, 3)))
    scores = by_name(scores_by_label({"a": table(yardstick, [0, 1], [0, 1])}, [])["a"])
    assert scores["accuracy@test"].values.tolist() == [1, 1]
    assert len(scores["similarity of own mistakes@test"].values) == 0


def test_classes_unlike_all_others_have_mistakes_that_are_equally_near() -> None:
    yardstick = matrix_yardstick(np.eye(3))
    rows = {"a": table(yardstick, [1], [0]), "b": table(yardstick, [2], [0])}
    scores = by_name(scores_by_label(rows, [])["a"])
    assert scores["closeness of common mistakes@test"].values.tolist() == [1]
    assert scores["closeness of common mistakes@test"].chance == 1
    assert scores["soft score@test"].values.tolist() == [0.5]


def test_rows_of_shards_may_come_in_any_order() -> None:
    rows = random_rows(6)
    turn = np.random.default_rng(0).permutation(len(rows["net 0"]))
    turned = {label: of.take(turn) for label, of in rows.items()}
    for label, of in scores_by_label(turned, ["plain"]).items():
        for score, expected in zip(of, scores_by_label(rows, ["plain"])[label], strict=True):
            np.testing.assert_array_equal(score.values, expected.values)
            np.testing.assert_array_equal(score.cases, expected.cases)


def test_entries_that_saw_other_images_cannot_be_compared() -> None:
    yardstick = matrix_yardstick(np.ones((3, 3)))
    rows = {"a": table(yardstick, [1, 1], [0, 0]), "b": table(yardstick, [1, 1], [0, 2])}
    with pytest.raises(MismatchError) as caught:
        answers_by_set(rows)
    with pytest.raises(MismatchError, match="different images of set 'further'"):
        answers_by_set({"a": random_rows(0)["net 0"], "b": random_rows(0)["net 0"].slice(0, 60)})
    assert str(caught.value) == (
        "'b' and 'a' were evaluated on different images of set 'test'; mistakes are compared on "
        "the same images"
    )


def test_counts_are_kept_for_each_repeat_and_pairs_over_all() -> None:
    yardstick = matrix_yardstick(np.array([[5.0, 3, 1], [3, 5, 1], [1, 1, 5]]))
    first = {"a": [1, 1, 2], "b": [2, 1, 0]}
    second = {"a": [2, 0, 1], "b": [1, 0, 1]}
    rows = {
        label: pa.concat_tables(
            [
                table(yardstick, first[label], [0, 0, 0]),
                table(yardstick, second[label], [0, 0, 0], repeat=1),
            ]
        )
        for label in first
    }
    notes = {
        label: entry_notes["sets"]["test"] for label, entry_notes in notes_by_label(rows).items()
    }
    assert notes["a"]["common_mistakes"] == notes["b"]["common_mistakes"] == [2, 2]
    assert (notes["a"]["hard"], notes["b"]["hard"]) == ([1, 0], [0, 1])
    assert (notes["a"]["soft"], notes["b"]["soft"]) == ([1.5, 0.5], [0.5, 1.5])
    assert notes["a"]["same_class"] == [1, 1]
    assert notes["a"]["pairs"]["b"] == {
        "images": 4,
        "same": 0.5,
        "closer": 0.25,
        "farther": 0.25,
        "level": 0,
    }
    assert notes_by_label(rows)["a"]["compared"] == ["a", "b"]
    assert notes_by_label(rows)["a"]["labels_needed"] == 7
    assert "1e-09" in notes_by_label(rows)["a"]["ties"]


@pytest.mark.realdata
def test_eight_real_networks_score_as_in_a_slow_loop(realdata) -> None:
    yardstick, rows = real_rows(realdata)
    for labels in (tuple(rows), OF_THE_PAPER):
        chosen = {label: rows[label] for label in labels}
        predicted = {label: real(realdata, label) for label in labels}
        counts = slow_counts(yardstick.matrix, real_labels(realdata), predicted)
        for label, (common, hard, soft) in counts.items():
            notes = notes_by_label(chosen)[label]["sets"]["test"]
            assert notes["common_mistakes"] == [common]
            assert notes["hard"] == [hard]
            assert notes["soft"] == [pytest.approx(soft, abs=1e-6)]
        assert sum(soft for _, _, soft in counts.values()) == pytest.approx(common)
    assert common == 116


def real(realdata, label: str) -> np.ndarray:
    return np.load(realdata / "cifar10_predictions" / f"{label}.npy").astype(np.int64)


def real_labels(realdata) -> np.ndarray:
    with np.load(realdata / "cifar10" / "test_jpeg.npz", allow_pickle=False) as file:
        return file["labels"].astype(np.int64)


def real_rows(realdata) -> tuple[Yardstick, dict[str, pa.Table]]:
    """The public predictions, with D the mean of normalised human labels and WordNet's paths."""
    from xbench_datasets.cifar.cifar10h import Cifar10h
    from xbench_datasets.packed.dataset import PackedImages
    from xbench_explicable.protocol.yardstick import yardstick as dataset_yardstick
    from xbench_explicable.similarities.existing_knowledge import ExistingKnowledge
    from xbench_explicable.similarities.human_labels import InstanceLevelLabels
    from xbench_explicable.similarities.mean import MeanSimilarity

    images = PackedImages(str(realdata / "cifar10"), ("test=test_jpeg.npz",), CIFAR10)
    people = Cifar10h(images, str(realdata / "cifar10h" / "cifar10h-counts.npy"))
    similarity = MeanSimilarity((InstanceLevelLabels(people), ExistingKnowledge()))
    yardstick, labels = dataset_yardstick(similarity, DistanceTree(), images), real_labels(realdata)
    files = sorted((realdata / "cifar10_predictions").glob("*.npy"))
    assert len(files) == 8
    return yardstick, {
        file.stem: table(yardstick, real(realdata, file.stem), labels) for file in files
    }


def slow_counts(matrix, labels, predicted) -> dict[str, tuple[int, int, float]]:
    """Common mistakes, hard and soft points, as the authors count them."""
    realised = list(predicted.values())
    common, hard, soft = 0, dict.fromkeys(predicted, 0), dict.fromkeys(predicted, 0.0)
    for image, true in enumerate(labels):
        if any(of[image] == true for of in realised):
            continue
        common += 1
        v = {label: matrix[true, of[image]] for label, of in predicted.items()}
        winners = [label for label, value in v.items() if value == max(v.values())]
        for label in winners:
            soft[label] += 1 / len(winners)
        if len(winners) == 1:
            hard[winners[0]] += 1
    return {label: (common, hard[label], soft[label]) for label in predicted}
