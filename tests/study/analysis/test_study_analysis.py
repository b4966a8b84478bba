import re

import numpy as np
import pytest
from scipy import stats

from xbench import ParameterError, Resampling
from xbench_study.analysis.analysis import analysed, primary_test
from xbench_study.analysis.answers import read_answers

FEW = Resampling(resamples=200)


def analysis(study, rows, secrets, **options):
    tables = {of: options.pop(of) for of in list(options) if of not in ("simulated", "resampling")}
    return analysed(
        study.answers(rows),
        study.description(**tables),
        secrets,
        **{"resampling": FEW, **options},
    )


def table(of, start):
    return next(one for one in of.tables if one.title.startswith(start))


def test_the_conclusion_says_the_interval_first_and_the_papers_test_second(study):
    rows, secrets = study.wrong_label()
    said = analysis(study, rows, secrets).conclusion
    means = [
        [
            np.mean([r["right"] for r in rows if (r["image"], r["condition"]) == (i, name)])
            for i in range(30)
        ]
        for name in ("maps", "none")
    ]
    oracle = stats.ttest_rel(*means)
    assert said.startswith("Participants are right less often under “With maps” than under")
    assert f"t(29) = {oracle.statistic:.2f}" in said
    assert said.index("95 % interval") < said.index("paired t-test over 30 images")
    difference = 100 * (np.mean(means[0]) - np.mean(means[1]))
    assert f"{difference:+.1f} [" in said


def test_no_difference_is_no_finding(study):
    rows, secrets = study.wrong_label(gap=0.0)
    said = analysis(study, rows, secrets).conclusion
    assert said.startswith("No difference is shown between “With maps” and “Without maps”")


def test_a_study_too_large_for_the_crossed_model_says_that_it_has_no_posterior(study, monkeypatch):
    rows, secrets = study.wrong_label()
    small = table(analysis(study, rows, secrets), "With maps minus")
    monkeypatch.setattr("xbench_study.analysis.tables.accuracy_tables.MOST_EFFECTS", 10)
    large = table(analysis(study, rows, secrets), "With maps minus")
    assert len(small.rows) == len(large.rows) + 2
    assert small.legend == ""
    assert large.legend.startswith("No posterior")


def test_tables_are_given_with_and_without_exclusions(study):
    rows, secrets = study.wrong_label()
    for row in rows:
        if row["participant"] == "p3":
            row["excluded"] = "too few checks right"
    of = analysis(study, rows, secrets)
    whole, kept = (
        one for one in of.tables if one.title.startswith("Right answers in per cent by con")
    )
    assert whole.title.endswith("all participants")
    assert kept.title.endswith("participants without exclusions")
    assert whole.rows[0].cells[1] == "30 / 120 / 6"
    assert kept.rows[0].cells[1].endswith(" / 5")
    assert any("too few checks right" in remark for remark in of.remarks)


def test_categories_have_their_sizes_and_both_p_values(study):
    rows, secrets = study.wrong_label()
    by_category = table(analysis(study, rows, secrets), "Right answers in per cent by category")
    assert [row.label for row in by_category.rows] == ["C1", "C2", "C3"]
    assert by_category.rows[0].cells[1].startswith("10 / 40 / ")
    ps = [[float(cell.replace("< ", "")) for cell in row.cells[-2:]] for row in by_category.rows]
    assert all(plain <= adjusted for plain, adjusted in ps)


def test_who_was_in_both_groups_of_a_study_between_subjects_is_remarked(study):
    rows, secrets = study.wrong_label()
    rows[0] = {**rows[0], "participant": rows[-1]["participant"]}
    both = analysis(study, rows, secrets).remarks
    assert both[0].startswith("1 of 12 participants answered in several conditions")
    within = {"trials": 20, "answers": 5, "conditions": "within"}
    assert analysis(study, rows, secrets, assignment=within).remarks == ()


def test_published_figures_stand_beside_ours(study):
    rows, secrets = study.wrong_label()
    beside = table(analysis(study, rows, secrets), "Beside Shen and Huang (2020), Table 2")
    cells = {row.label: row.cells for row in beside.rows}
    assert (cells["all"][0], cells["all"][2]) == ("63.0", "73.0**")
    assert (cells["C4"][0], cells["C4"][1], cells["C4"][2]) == ("41.0", "–", "59.0*")
    first = analysis(study, rows, secrets, design="wrong-label-1")
    legend = table(first, "Beside Shen and Huang (2020), Table 1").legend
    assert "-8.3 points" in legend
    assert "-6.3" in legend
    other = analysis(study, rows, secrets, design="something-else")
    assert not any(one.title.startswith("Beside") for one in other.tables)


def test_stand_ins_are_named_simulated_everywhere(study):
    rows, secrets = study.wrong_label()
    of = analysis(study, rows, secrets, simulated=True)
    assert "no result about people" in of.title
    assert of.conclusion.startswith("Simulated participants")
    own = [one for one in of.tables if not one.title.startswith("Beside")]
    assert all("simulated" in one.title for one in own)
    assert all("simulated" in drawing.title for drawing in of.drawings)


def test_how_errors_got_their_categories_is_remarked(study):
    rows, secrets = study.wrong_label()
    of = analysed(
        study.answers(rows),
        study.description(),
        secrets,
        annotated="Kappa is 0.5.",
        resampling=FEW,
    )
    assert of.remarks[-1] == "Kappa is 0.5."


def test_the_whole_reads_as_markdown_and_latex(study):
    rows, secrets = study.wrong_label()
    of = analysis(study, rows, secrets)
    text = of.markdown()
    assert text.startswith("# Wrong label: answers of people\n\nParticipants are right")
    assert text.count("\n| ---") == len(of.tables)
    assert of.latex().count(r"\begin{table}") == len(of.tables)
    assert "nan" not in re.findall(r"[a-z]+", text)


def test_the_same_answers_say_the_same(study):
    rows, secrets = study.wrong_label()
    first, second = (analysis(study, rows, secrets) for _ in range(2))
    assert first.markdown() == second.markdown()


def test_the_test_is_the_descriptions_or_follows_from_shared_images(study):
    rows, _ = study.wrong_label()
    answers = study.answers(rows)
    assert primary_test(study.description(), answers) == "paired"
    assert primary_test(study.description(parameters={"test": "unpaired"}), answers) == "unpaired"
    apart = answers.where((answers.conditions == "maps") == (answers.images < 15))
    assert primary_test(study.description(), apart) == "unpaired"


def test_images_of_their_own_in_each_condition_are_compared_unpaired(study):
    rows, secrets = study.wrong_label()
    rows = [row for row in rows if (row["condition"] == "maps") == (row["image"] < 15)]
    assert "unpaired t-test over 15 and 15 images" in analysis(study, rows, secrets).conclusion


def test_a_study_of_one_condition_has_accuracies_and_no_comparison(study):
    rows, secrets = study.wrong_label()
    rows = [row for row in rows if row["condition"] == "none"]
    of = analysis(study, rows, secrets)
    assert of.conclusion == "Participants: 6, who gave 120 answers that count."
    assert not any(" minus " in one.title for one in of.tables)


def test_checks_and_practice_are_no_answers(study):
    rows, secrets = study.wrong_label()
    more = [{**rows[0], "kind": kind, "right": False} for kind in ("check", "practice", "training")]
    assert analysis(study, rows + more, secrets).markdown() == (
        analysis(study, rows, secrets).markdown()
    )


def test_what_cannot_be_analysed_is_refused(study):
    rows, secrets = study.wrong_label()
    with pytest.raises(ParameterError, match="has no answers to analyse: 0 in all"):
        analysis(study, [], secrets)
    with pytest.raises(ParameterError, match="and none that counts"):
        analysis(study, [{**row, "excluded": "left"} for row in rows], secrets)
    with pytest.raises(ParameterError, match="are none of study 'Wrong label'"):
        analysis(study, [{**rows[0], "item": "f" * 16}], secrets)
    with pytest.raises(ParameterError, match="lacks the columns excluded"):
        read_answers(study.table(rows).drop_columns(["excluded"]))


def test_the_picture_says_in_words_what_it_shows(study, tmp_path):
    from xbench.figures import save_figure

    rows, secrets = study.wrong_label()
    (drawing,) = analysis(study, rows, secrets).drawings
    whole = table(analysis(study, rows, secrets), "Right answers in per cent by condition")
    for row in whole.rows:
        assert f"{row.label}: all {row.cells[0]}" in drawing.text
    assert "Simulated, no people: simulated guessing: all 20.0 [20.0, 20.0]" in drawing.text
    save_figure(drawing.figure, tmp_path / "accuracy.png")
    assert (tmp_path / "accuracy.png").stat().st_size > 5000


def test_a_skipped_question_is_no_answer_and_dont_know_is_not_right(study):
    rows, _ = study.wrong_label()
    rows[0].update(skipped=True, right=None, chosen=[])
    rows[1].update(unsure=True, right=None, chosen=[])
    right = study.answers(rows).right
    assert np.isnan(right[0])
    assert right[1] == 0
