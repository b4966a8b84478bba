import numpy as np
import pytest

from xbench import Draws, ParameterError, Resampling
from xbench_datasets.annotators.label_table import LabelTable
from xbench_datasets.cifar.cifar10h import Cifar10h
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed.dataset import PackedImages
from xbench_explicable.similarities.class_labels import ClassLevelLabels
from xbench_study.analysis.analysis import analysed
from xbench_study.analysis.collected import (
    degrees_of,
    write_counts,
    write_labels,
    write_ratings,
)
from xbench_study.analysis.preregistration import preregistration
from xbench_study.analysis.tables.agreement_tables import agreement_table, time_table
from xbench_study.analysis.tables.pair_tables import pair_conclusion, pair_table
from xbench_study.analysis.tables.rating_tables import (
    mistakes,
    paired_rating_table,
    rank_table,
    rating_table,
)
from xbench_toybirds.dataset import Toybirds

FEW = Draws(Resampling(resamples=200))
SCALE = ["Highly Unreasonable", "Unreasonable", "Neutral", "Reasonable", "Highly Reasonable"]
ONE = {"maps": "With maps"}


def test_pairs_are_named_alike_by_people_items_and_the_algorithm(study):
    named = [("ab", True), ("ba", True), ("ac", False), (None, False), ("bc", False), ("bc", False)]
    rows = [
        {
            "participant": f"p{place}",
            "item": study.key(place // 4),
            "chosen": list(pair or ""),
            "unsure": pair is None,
            "right": right,
        }
        for place, (pair, right) in enumerate(named)
    ]
    # item 0: 1 of 6 pairs of people agree, no majority; item 1: 1 of 1, and not the algorithm's
    with_unsure, without = (
        pair_table(study.answers(rows), ONE, 5, FEW, unsure=unsure).rows[0].cells
        for unsure in (True, False)
    )
    assert [cell.split()[0] for cell in with_unsure] == ["28.6", "50.0", "33.3", "0.0", "16.7"]
    # without "don't know": 1 of 3 and 1 of 1; two of three in item 0 name the algorithm's
    assert [cell.split()[0] for cell in without] == ["50.0", "100.0", "40.0", "50.0"]


def named_pairs(study, conditions, images=8):
    """Five people a condition; in the first three of them name the algorithm's pair "ab"."""
    words = {
        conditions[0]: ["ab", "ba", "ab", "ac", ""],
        conditions[1]: ["ab", "cd", "ae", "bd", ""],
    }
    return [
        {
            "participant": f"{condition} {person}",
            "condition": condition,
            "item": study.key(image),
            "image": image,
            "chosen": list(pair),
            "unsure": not pair,
            "right": set(pair) == {"a", "b"},
        }
        for image in range(images)
        for condition in conditions
        for person, pair in enumerate(words[condition])
    ]


def test_an_analysis_of_pairs_says_what_the_region_gives(study):
    rows = named_pairs(study, ("maps", "none"))
    options = {study.key(100 + place): place for place in range(5)}
    secrets = {
        study.key(image): study.Secret(item=study.key(image), image=image, classes=options)
        for image in range(8)
    }
    question = {"text": "Which two?", "pick": 2, "unsure": "I don't know"}
    of = analysed(
        study.answers(rows),
        study.description(question=question),
        secrets,
        resampling=FEW.resampling,
    )
    with_unsure, without = (table for table in of.tables if table.title.startswith("Agreement on"))
    assert [cell.split()[0] for cell in with_unsure.rows[0].cells] == [
        *("30.0", "100.0", "60.0", "100.0", "20.0")  # 3 of 10 pairs of people, 3 of 5 answers
    ]
    assert [cell.split()[0] for cell in without.rows[0].cells] == ["50.0", "100.0", "75.0", "100.0"]
    assert with_unsure.rows[2].label == "With maps − Without maps (points)"
    assert [cell.split()[0] for cell in with_unsure.rows[2].cells] == [
        *("+30.0", "–", "+40.0", "–", "+0.0")
    ]
    assert "by chance 10" in with_unsure.title
    assert "Participants: 10" not in of.conclusion
    assert "+40.0 [" in of.conclusion
    assert "+30.0 [" in of.conclusion


@pytest.mark.parametrize(("first", "word"), [("maps", "more"), ("none", "less")])
def test_the_conclusion_of_pairs_says_which_way_it_is(study, first, word):
    conditions = {"maps": "region", "none": "crop"}
    rows = named_pairs(study, (first, "none" if first == "maps" else "maps"), images=30)
    for row in rows:  # people are alike: only chance among images is left
        row["participant"] += str(row["image"])
    said = pair_conclusion(study.answers(rows), conditions, FEW, "Participants")
    assert said.startswith(f"Participants name the algorithm's pair {word} often under “region”")


def test_choices_agree_nominally_and_ratings_by_degree(study):
    rows, secrets = study.wrong_label()
    nominal = agreement_table(study.answers(rows), ONE, secrets)
    assert "nominal" in nominal.columns[1]
    assert nominal.rows[0].cells[1] != "–"  # each image has four answers in a condition
    fewer = agreement_table(study.answers(rows[1:]), ONE, secrets)
    assert fewer.rows[0].cells[1] == "–"
    ratings = [
        {"participant": f"p{p}", "item": study.key(i), "ratings": [{"option": "a", "degree": i}]}
        for p in range(2)
        for i in range(4)
    ]
    ordinal = agreement_table(study.answers(ratings), ONE, {})
    assert "ordinal" in ordinal.columns[1]
    assert ordinal.rows[0].cells[:2] == ("1.000", "–")


def test_times_are_medians_of_their_condition(study):
    rows = [{"participant": f"p{s}", "image": s, "seconds": s} for s in (3.0, 4.0, 50.0)]
    assert time_table(study.answers(rows), ONE, FEW).rows[0].cells[0].startswith("4.00 [")


def rated(study):
    """Two classifiers' mistakes on three images; on the last they predict the same class."""
    rows, secrets = [], {}
    degrees = {0: (4, 1), 1: (3, 2), 2: (2, 2)}
    for image, (first, second) in degrees.items():
        options = {study.key(10 * image + 100): 1}
        options[study.key(10 * image + 101 if image < 2 else 120)] = 2 if image < 2 else 1
        labels = (1, 2 if image < 2 else 1)
        facts = {"predicted by a": labels[0], "predicted by b": labels[1]}
        facts |= {"hard a": first > 2, "hard b": 0, "soft a": first / 4, "soft b": second / 4}
        secrets[study.key(image)] = study.Secret(
            item=study.key(image),
            image=image,
            classes=options,
            facts={name: float(v) if name[0] in "hs" else v for name, v in facts.items()},
        )
        for person, unsure in (("p0", False), ("p1", False), ("p2", True)):
            values = zip(options, (first, second), strict=False)
            rows.append(
                {
                    "participant": person,
                    "item": study.key(image),
                    "image": image,
                    "ratings": [
                        {"option": option, "degree": None if unsure else degree}
                        for option, degree in values
                    ],
                }
            )
    return rows, secrets


def test_mistakes_have_means_without_cannot_tell_and_are_paired_over_images(study):
    rows, secrets = rated(study)
    of = mistakes(study.answers(rows), secrets)
    assert of.classifiers == ("a", "b")
    np.testing.assert_allclose(of.rated.degrees, [[4, 1], [3, 2], [2, 2]])
    assert of.cannot_tell == 5
    means = rating_table(of, FEW)
    assert [row.cells[0].split()[0] for row in means.rows] == ["3.00", "1.67"]
    (pair,) = paired_rating_table(of, FEW).rows
    assert pair.cells[0].startswith("1.33 [")
    assert pair.cells[1] == "3"
    ranks = {row.label: row.cells for row in rank_table(of, secrets).rows}
    assert ranks["soft score"] == ("1.00", "1.00")


def test_an_analysis_of_ratings_has_their_tables(study):
    rows, secrets = rated(study)
    question = {"text": "How reasonable?", "kind": "rate", "scale": SCALE, "unsure": "cannot tell"}
    of = analysed(
        study.answers(rows),
        study.description(question=question),
        secrets,
        resampling=FEW.resampling,
    )
    titles = [one.title for one in of.tables]
    assert titles[:3] == [
        "How reasonable mistakes are",
        "Differences in mean degree, paired over images; p of the paired t-test over images",
        "Spearman's rank correlation with people's degrees",
    ]
    assert of.drawings == ()


@pytest.fixture
def toybirds():
    return Toybirds()


def directed(study, names, people=3):
    """Everybody rates every class for every other one; one question is a bait."""
    rows, secrets, rng = [], {}, np.random.default_rng(0)
    for true in range(len(names)):
        classes = {study.key(1000 + 100 * true + of): of for of in range(len(names))}
        secret = study.Secret(
            item=study.key(true), image=true, classes=classes, facts={"true": true}
        )
        secrets[secret.item] = secret
        for person in range(people):
            degrees = [
                {"option": option, "degree": int(rng.integers(0, 5))}
                for option, of in classes.items()
                if of != true
            ]
            rows.append({"participant": f"p{person}", "item": secret.item, "ratings": degrees})
    return rows, secrets


def test_directed_degrees_are_what_similarity_chl_reads(study, toybirds, tmp_path):
    names = toybirds.class_names()
    rows, secrets = directed(study, names)
    answers = study.answers(rows)
    bait = study.Secret(
        item="e" * 16, image=0, classes={"e" * 16: 1}, facts={"true": 0, "expected": 0}
    )
    checks = [
        {
            "participant": "p0",
            "kind": "check",
            "item": bait.item,
            "ratings": [{"option": "e" * 16, "degree": 0}],
        },
        {
            "participant": "p1",
            "item": study.key(0),
            "ratings": [{"option": study.key(1001), "degree": None}],
        },
    ]
    every = study.answers(rows + checks)
    path = tmp_path / "ratings.csv"
    count = write_ratings(path, every, {**secrets, bait.item: bait}, names)
    assert count == 3 * len(names) * (len(names) - 1) + 1
    similarity = ClassLevelLabels(str(path))
    means = degrees_of(answers, secrets, classes=len(names), highest=4).means
    np.testing.assert_allclose(similarity.matrix(toybirds).numpy(), means)


def categorised(study, dataset, ids):
    rng, rows, secrets = np.random.default_rng(0), [], {}
    labels = dataset.labels(ids).tolist()
    classes = {study.key(100 + of): of for of in range(len(dataset.class_names()))}
    for image, label in zip(ids, labels, strict=True):
        secrets[study.key(image)] = study.Secret(
            item=study.key(image), image=image, right=[study.key(100 + label)], classes=classes
        )
        for person in range(3):
            chosen = label if rng.random() < 0.9 else int(rng.integers(0, len(classes)))
            rows.append(
                {
                    "participant": f"p{person}",
                    "item": study.key(image),
                    "image": image,
                    "chosen": [study.key(100 + chosen)],
                    "right": chosen == label,
                }
            )
    return rows, secrets


def test_categorisations_are_what_dataset_label_table_reads(study, toybirds, tmp_path):
    ids = list(toybirds.ids("test"))[:12]
    rows, secrets = categorised(study, toybirds, ids)
    path, names = tmp_path / "labels.csv", toybirds.class_names()
    answers = study.answers([*rows, {**rows[0], "chosen": [], "unsure": True}])
    assert write_labels(path, answers, secrets, names) == 36
    labelled = LabelTable(toybirds, str(path))
    counts = write_counts(tmp_path / "counts.npy", answers, secrets, ids, len(names))
    assert list(labelled.ids("test")) == ids
    np.testing.assert_array_equal(labelled.label_counts(ids).numpy(), counts)


def test_counts_are_what_dataset_cifar10h_reads(study, tmp_path):
    labels = np.random.default_rng(0).permutation(np.arange(10_000) % 10)
    pixels = np.zeros((10_000, 1, 1, 3), np.uint8)
    np.savez(tmp_path / "test.npz", labels=labels, images=pixels, class_names=CIFAR10)
    images = PackedImages(root=str(tmp_path))
    keys = {study.key(label): label for label in range(10)}
    ids = list(images.ids("test"))
    item = study.Secret(item="a" * 16, image=0, classes=keys)
    rows = [
        {"item": item.item, "image": image, "chosen": [study.key(label)]}
        for image, label in zip(ids, labels.tolist(), strict=True)
    ]
    path = tmp_path / "counts.npy"
    counts = write_counts(path, study.answers(rows), {item.item: item}, ids, 10)
    np.testing.assert_array_equal(Cifar10h(images, str(path)).label_counts(ids).numpy(), counts)


def test_images_that_nobody_labelled_make_no_table_of_counts(study, toybirds, tmp_path):
    ids = list(toybirds.ids("test"))[:4]
    rows, secrets = categorised(study, toybirds, ids)
    with pytest.raises(ParameterError, match="nobody labelled image"):
        write_counts(tmp_path / "counts.npy", study.answers(rows[3:]), secrets, ids, 20)
    assert not (tmp_path / "counts.npy").exists()


def test_a_preregistration_says_what_decides(study):
    description = study.description(
        checks={
            "every": 20,
            "right": 0.75,
            "fastest_seconds": 2.0,
            "comprehension": [{"text": "What?", "options": ["a", "b"], "right": 0}],
        }
    )
    text = preregistration(description, 200, "paired")
    for words in (
        "“What did the model take it for?”",
        "1 option is chosen of each item's.",
        "- With maps: image and grad-cam",
        "one condition alone (between subjects)",
        "200 items, 5 answers to each in each of 2 conditions: 2000 answers in all",
        "100 participants are needed at least",
        "- Who answers less than 75 % of the checks rightly; one comes after every 20 trials.",
        "- Who takes less than 2 seconds in the median.",
        "- Who fails the 1 question about the instructions 2 times: the study ends there.",
        "two-sided paired t-test over images",
        "95 %, percentiles of 2000 resamples",
    ):
        assert words in text


def test_a_preregistration_of_pairs_says_what_agreement_is(study):
    question = {"text": "Which two?", "pick": 2, "unsure": "I don't know"}
    text = preregistration(study.description(question=question), 9, "paired")
    assert "2 options are chosen of each item's." in text
    assert "name the same two options, in either order" in text
    assert "t-test" not in text


def test_a_preregistration_of_ratings_says_their_scale(study):
    question = {"text": "How reasonable?", "kind": "rate", "scale": SCALE, "unsure": "cannot tell"}
    within = {"trials": 20, "answers": 5, "conditions": "within"}
    text = preregistration(study.description(question=question, assignment=within), 9, "paired")
    assert "0 “Highly Unreasonable”, 1 “Unreasonable”" in text
    assert "ordinal metric" in text
    assert "(within subjects)" in text
    assert "t-test" not in text
