"""Reports of a run of components that are made up here."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pytest
import torch
from markupsafe import escape
from matplotlib.figure import Figure
from torch import Generator, Tensor

from named_cases import ids_of
from small_datasets import Greys
from small_networks import Linear
from xbench import reports
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.contrasts import Contrast
from xbench.benchmark.lines import Line
from xbench.errors import RunError, UsageError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.classifier import Classifier, Network
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.data.dataset import Batch, ImageSet
from xbench.interfaces.explanation import Explainer, Explanation, Given
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import CaseScores, Drawing, Entry, Protocol, Role, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Workplace
from xbench.randomness import per_image
from xbench.reports.page import Page, columns_of, component_text, html, numeric_columns, page_of
from xbench.reports.report import MANIFEST, Run, check_folder, write_report
from xbench.reports.suite_page import write_suite_page
from xbench.results.tables import Row, Table
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.recipe import TrainedWeights, weights_recipe
from xbench_zoo.losses import CrossEntropy

EVIL = '<script>alert("&")</script>'
VOID = {"meta", "img", "br", "link", "hr"}


@dataclass(frozen=True)
class MarkedUp(Greys):
    """Grey squares; a class's name is markup."""

    name: ClassVar[str] = "marked-up"
    classes: ClassVar[tuple[str, ...]] = ("dark & dull", "<b>bright</b>")


@dataclass(frozen=True, eq=False)
class Number(Explanation):
    """A random number."""

    name: ClassVar[str] = "number"
    drawn: ClassVar[list[tuple[int, float]]] = []

    value: float

    def tensors(self) -> Mapping[str, Tensor]:
        return {"value": torch.tensor(self.value)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        return cls(float(tensors["value"]))

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Figure:
        self.drawn.append((batch.ids[0], self.value))
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, f"{self.value:.3f}")
        return figure


@dataclass(frozen=True)
class Dice(Explainer):
    """Explains by a random number between 0 and `sides`."""

    name: ClassVar[str] = "dice"
    makes: ClassVar[type[Number]] = Number

    sides: float = 1.0

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Number]:
        sources = [per_image(generator, image) for image in batch.ids]
        return [Number(self.sides * float(torch.rand(1, generator=s))) for s in sources]


@dataclass(frozen=True)
class High(Protocol):
    """Scores an explanation by its number; the last images come first."""

    name: ClassVar[str] = "high"
    scores: ClassVar[type[Number]] = Number

    role: str = "test"
    """That of the cases: they are no images where no set has it."""

    def needs(self) -> tuple[()]:
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        return {"weights": weights_recipe(entry)}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        return [Case(self.role, image) for image in entry.datasets["test"].ids()[::-1]]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, workplace: Workplace
    ) -> Rows:
        network = workplace.network(entry.classifier, artefacts["weights"])
        batch = entry.datasets["test"].batch([case.id for case in cases])
        made = entry.explainer.explain(network, batch, artefacts, entry.source(), {})
        return pa.table({"case": case_column(cases), "value": [m.value for m in made]})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table: Rows) -> CaseScores:
        names, values = case_places(table).rows, table.column("value").to_numpy()
        return CaseScores("height", "higher", names, values, headline=True)

    def figures(
        self, rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], resampling: Resampling
    ) -> Mapping[str, Drawing]:
        figure = Figure(figsize=(3, 2))
        ax = figure.add_subplot()
        for label, repeats in rows.items():
            for table in repeats:
                ax.plot(table.column("value").to_numpy(), label=f"{label} {roles[label]}")
        return {"heights": Drawing(figure, "Heights", EVIL, f"{len(rows)} lines {EVIL}")}


def made_benchmark(protocol: Protocol = High()) -> Benchmark:
    training, loss, classifier = Training(epochs=0), CrossEntropy(), Linear()
    common: tuple[Classifier, Loss, Training] = (classifier, loss, training)
    lines = (
        Line("bottom", "floor", Dice(0.1), *common),
        Line(f"ours {EVIL}", "entry", Dice(), *common),
        Line("top", "ceiling", Dice(2.0), *common),
    )
    return Benchmark(
        name="made-up",
        version="3",
        title=f"A test of {EVIL}",
        protocol=protocol,
        datasets={split: ImageSet(MarkedUp(), split) for split in ("train", "test")},
        classifier=classifier,
        loss=loss,
        training=training,
        lines=lines,
        contrasts=(Contrast(f"what it gives {EVIL}", lines[1].label, "bottom"),),
        seed=5,
        repeats=2,
    )


def made_run(tmp_path: Path, benchmark: Benchmark, command: str = "xbench run") -> Run:
    store = Store(str(tmp_path / "store"))
    workplace = tiny_workplace(tmp_path)
    plan = Resampling(resamples=50)
    records = run_benchmark(
        benchmark, store, LocalExecutor(), workplace, RunOptions(resampling=plan)
    )
    return Run(benchmark, records, store, workplace, command)


@pytest.fixture
def done(tmp_path: Path) -> Run:
    return made_run(tmp_path, made_benchmark(), f"xbench run --report {EVIL}")


class Checked(HTMLParser):
    """Reads a page and notes what a reader or a browser would stumble over."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data

    def named(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.tags if name == tag]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def linked(page: Checked) -> Iterator[str]:
    for _, attributes in page.tags:
        yield from (attributes[key] for key in ("src", "href") if key in attributes)


def test_a_report_holds_a_page_curves_and_pictures_in_both_formats(done: Run, tmp_path) -> None:
    page = write_report(done, tmp_path / "a" / "report", 2)
    stems = ("heights", "image-19", "image-18")
    expected = {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}
    assert files(page.parent) == {"index.html", MANIFEST, *expected}
    for stem in stems:
        assert (page.parent / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (page.parent / f"{stem}.svg").read_text()


def test_the_page_is_whole_and_links_to_nothing_but_the_files_beside_it(done, tmp_path) -> None:
    folder = tmp_path / "report"
    text = write_report(done, folder, 3).read_text()
    page = Checked(text)
    assert text.startswith("<!DOCTYPE html>")
    assert set(linked(page)) == files(folder) - {"index.html", MANIFEST}
    assert not re.search(r"https?:|@import|url\(", text)
    assert len(page.named("h1")) == 1
    assert page.named("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        assert attributes.get("aria-labelledby", ids[0]) in ids


def test_every_picture_has_a_text_a_size_and_a_caption(done, tmp_path) -> None:
    page = Checked(write_report(done, tmp_path / "report", 3).read_text())
    pictures = page.named("img")
    assert len(pictures) == len(page.named("figcaption")) == 4
    assert all(picture["alt"] and int(picture["width"]) > 50 for picture in pictures)
    assert pictures[0]["alt"] == f"3 lines {EVIL}"


def test_every_string_is_escaped(done, tmp_path) -> None:
    folder = tmp_path / "report"
    text = write_report(done, folder, 2).read_text()
    page = Checked(text)
    assert not page.named("script")
    assert not page.named("b")
    for said in (f"A test of {EVIL}", f"ours {EVIL}", f"what it gives {EVIL}", f"report {EVIL}"):
        assert said in page.words
    assert "<b>bright</b>" in page.words
    assert "dark & dull" in page.words
    assert all("<script>" not in path.read_text() for path in folder.glob("*.svg"))


def test_the_page_says_what_was_run_and_how_to_run_it_again(done, tmp_path) -> None:
    words = Checked(write_report(done, tmp_path / "report", 0).read_text()).words
    record = done.records[1]
    for said in (
        "made-up, version 3",
        "marked-up (train: train, test: test), fingerprint marked-up-12-0",
        'linear(weights="", layer="")',
        "none, the weights are taken as they are",
        "2, seed 5, 6",
        "95 %, percentile bootstrap over cases, 50 resamples, seed 0",
        "dice(sides=2.0)",
        "xbench run --report",
        f"torch {record.packages['torch']}",
        done.records[0].times.finished,
        *(each.key for each in done.records),
    ):
        assert said in words, said


def facts_of(done: Run, *trained: Mapping[str, Any], **changed: Any) -> tuple[dict[str, str], Page]:
    """The head of a page of entries that were trained so."""
    records = [
        each.model_copy(update={"components": {**each.components, **own}, **changed})
        for each, own in zip(done.records, trained, strict=True)
    ]
    page = page_of(done.benchmark, records, [], [], "")
    return dict(page.facts), page


def test_the_page_counts_cases_with_the_protocols_word(done) -> None:
    assert facts_of(done, {}, {}, {})[0]["Images"] == "12"
    protocol = replace(done.benchmark.protocol)
    object.__setattr__(protocol, "case", "prediction")
    run = done._replace(benchmark=replace(done.benchmark, protocol=protocol))
    assert facts_of(run, {}, {}, {})[0]["Predictions"] == "12"


def test_the_page_names_a_training_that_all_entries_share(done) -> None:
    told = {"training": Training(epochs=3).tree()}
    facts, page = facts_of(done, told, told, told)
    assert facts["Training"].startswith("cross-entropy(smoothing=0.0); epochs=3, batch_size=64,")
    assert columns_of(page) == ["explainer"]


def test_what_differs_between_trainings_is_said_to_and_told_of_each_entry(done) -> None:
    told = [
        {"training": Training(epochs=n).tree(), "loss": CrossEntropy(s).tree()}
        for n, s in ((3, 0.0), (3, 0.1), (4, 0.0))
    ]
    facts, page = facts_of(done, *told)
    start = "loss: each entry's own, named below; epochs=each entry's own, named below, batch_size="
    assert facts["Training"].startswith(start)
    assert columns_of(page) == ["explainer", "loss", "training"]
    assert [line.training for line in page.lines] == ["epochs=3", "epochs=3", "epochs=4"]
    assert page.lines[1].loss == "cross-entropy(smoothing=0.1)"


def test_classifiers_that_differ_are_not_said_to_be_one(done) -> None:
    facts, _ = facts_of(done, {}, {}, {"classifier": Linear(layer="0").tree()})
    assert facts["Classifier"] == "each entry's own, named below"


def test_an_ensemble_is_named_by_its_members_and_has_no_training_of_its_own(done) -> None:
    told = {"training": Training(epochs=3).tree()}
    *own, last = done.records
    alone = last.model_copy(update={"components": {"member a": {}, "member b": {}}})
    trained = [r.model_copy(update={"components": {**r.components, **told}}) for r in own]
    page = page_of(done.benchmark, [*trained, alone], [], [], "")
    assert dict(page.facts)["Training"].startswith("cross-entropy(smoothing=0.0); epochs=3,")
    assert page.lines[-1].classifier == "ensemble of a, b"
    assert columns_of(page) == ["explainer", "classifier", "loss"]
    assert "ensemble of a, b" in html(page)


def test_no_network_is_named_where_none_was_made(done) -> None:
    facts, _ = facts_of(done, {}, {}, {}, artefacts=[{}, {}])
    assert not {"Classifier", "Training"} & facts.keys()


def test_conclusions_come_first_and_how_they_were_made_is_folded_away(done, tmp_path) -> None:
    text = write_report(done, tmp_path / "report", 1).read_text()
    said = escape(page_of(done.benchmark, done.records, [], [], "").conclusions[0])
    assert "ours &lt;script&gt;" in said
    places = [text.index(part) for part in ("What came out", said, 'src="heights.svg"', "<table")]
    assert places == sorted(places)
    folded = re.findall(r"<details>\s*<summary><h2[^>]*>(.*?)</h2></summary>", text)
    assert "<summary><h3>Every score and difference</h3></summary>" in text
    assert folded == ["How it was measured", "What was compared", "Provenance"]
    assert text.count('src="heights.svg"') == 1


@pytest.mark.parametrize(("count", "folded"), [(6, False), (7, True)])
def test_many_trainings_are_folded_away(done, count, folded) -> None:
    page = facts_of(done, {}, {}, {})[1]
    text = html(page._replace(remarks=[f"training {place}" for place in range(count)]))
    assert (f"What was trained and fitted, in {count} lines" in text) is folded
    assert f"<li>training {count - 1}</li>" in text


def test_words_of_the_conclusions_are_explained_below_them(done) -> None:
    page = page_of(done.benchmark, done.records, [], [], "")
    text = html(page._replace(conclusions=["Who wins."], terms=[("floor", f"it knows {EVIL}")]))
    assert text.index("<p>Who wins.</p>") < text.index(f"<dd>it knows {escape(EVIL)}</dd>")
    assert Checked(text).named("dl")
    assert "terms" not in html(page._replace(terms=())).partition("</style>")[2]


def test_a_page_follows_the_readers_colours_and_tables_keep_their_labels_in_sight(done, tmp_path):
    text = write_report(done, tmp_path / "report", 0).read_text()
    assert "prefers-color-scheme: dark" in text
    assert "position: sticky; left: 0" in text
    assert text.count("The table goes on to the right: swipe") == 3  # one has two columns alone


def test_roles_are_told_apart_by_the_line_beside_their_label() -> None:
    style = (Path(str(reports.__file__)).parent / "templates" / "style.css").read_text()
    kinds = re.findall(r"tr\.(\w+) > th\.label \{ border-left: 4px (\w+)", style)
    assert kinds == [("entry", "solid"), ("floor", "dashed"), ("ceiling", "double")]


def test_nothing_is_cut_off_in_print(done, tmp_path) -> None:
    """What the style says; how it looks was looked at."""
    text = write_report(done, tmp_path / "report", 0).read_text()
    screen, printed = text.split("@media screen and (max-width: 40rem)")[1].split("@media print")
    assert "max-width: none" in screen  # pictures wider than a narrow window: on screens alone
    assert "thead th.number { white-space: normal; overflow-wrap: break-word; }" in printed
    assert "img { max-height: 80vh; width: auto; }" in printed
    assert "details::details-content { content-visibility: visible" in printed


def test_the_page_shows_scores_with_intervals_roles_and_differences(done, tmp_path) -> None:
    text = write_report(done, tmp_path / "report", 0).read_text()
    score = done.records[1].scores[0]
    cell = f"{100 * score.value:.1f}<small>{100 * score.low:.1f}–{100 * score.high:.1f}</small>"
    assert cell in re.sub(r"\n", "", text)
    assert '<tr class="floor">' in text
    assert '<span class="role">ceiling</span>' in text
    words = Checked(text).words
    assert "Differences in the headline score" in words
    assert {"better", "worse", "tie"} & set(words.split())


def test_pictures_show_the_explanations_that_were_scored(done, tmp_path) -> None:
    Number.drawn.clear()
    write_report(done, tmp_path / "report", 7)
    table = done.store.rows(done.records[1].rows[0][0])
    scored = zip(ids_of(table["case"].to_pylist()), table["value"].to_pylist(), strict=True)
    assert Number.drawn == list(scored)[:7]


@pytest.mark.parametrize(("count", "said"), [(1, "The first image of"), (3, "The first 3 images")])
def test_the_page_says_how_many_pictures_it_shows(done, tmp_path, count, said) -> None:
    assert said in write_report(done, tmp_path / "report", count).read_text()


def test_nothing_is_trained_again(done, tmp_path, monkeypatch) -> None:
    def build(*arguments: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(TrainedWeights, "build", build)
    fresh = done._replace(workplace=replace(done.workplace, _networks={}))
    assert write_report(fresh, tmp_path / "report", 1).exists()


def test_cases_that_are_no_images_have_no_pictures(tmp_path) -> None:
    done = made_run(tmp_path, made_benchmark(High(role="thought")))
    page = write_report(done, tmp_path / "report", 3)
    assert not list(page.parent.glob("image-*"))
    assert "Explanations by" not in page.read_text()


def test_the_same_run_gives_the_same_bytes(done, tmp_path) -> None:
    folders = [write_report(done, tmp_path / name, 2).parent for name in ("one", "two")]
    for name in files(folders[0]):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_report_takes_the_place_of_an_older_one_and_of_nothing_else(done, tmp_path) -> None:
    folder = tmp_path / "report"
    write_report(done, folder, 3)
    (folder / "notes.txt").write_text("mine")
    (folder / ".unfinished-left").mkdir()
    write_report(done, folder, 1)
    assert "image-19.png" in files(folder)
    assert "image-17.png" not in files(folder)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_manifest_cannot_name_files_elsewhere(done, tmp_path) -> None:
    folder, other = tmp_path / "report", tmp_path / "precious.txt"
    write_report(done, folder, 0)
    other.write_text("mine")
    names = ["../precious.txt", str(other), "..", "."]
    (folder / MANIFEST).write_text(json.dumps({"files": names}))
    write_report(done, folder, 0)
    assert other.read_text() == "mine"


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": 3}', '{"files": [1, null]}'])
def test_a_damaged_manifest_does_not_stop_a_report(done, tmp_path, manifest) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / MANIFEST).write_text(manifest)
    assert write_report(done, folder, 0).exists()


def test_a_failure_leaves_the_older_report_and_nothing_unfinished(
    done, tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "report"
    write_report(done, folder, 1)
    before = {name: (folder / name).read_bytes() for name in files(folder)}

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Number, "draw", full)
    with pytest.raises(RunError, match=r"could not be written to .*report.*No space left.*stored"):
        write_report(done, folder, 2)
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before
    with pytest.raises(RunError):
        write_report(done, tmp_path / "new", 2)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_other_files_is_refused(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"holds files that are no report \('thesis.tex'\)"):
        check_folder(tmp_path)


def test_folders_of_a_suites_benchmarks_are_not_foreign(tmp_path) -> None:
    (tmp_path / "first").mkdir()
    check_folder(tmp_path, ["first", "second"])
    with pytest.raises(UsageError, match=r"holds files that are no report \('first'\)"):
        check_folder(tmp_path, ["second"])


def test_the_page_of_a_suite_leads_to_those_of_its_benchmarks(done: Run, tmp_path: Path) -> None:
    folder, columns = tmp_path / "suite", ("", "made-up: height, 2 entries")
    ranks = Table(f"ranks {EVIL}", columns, (Row(f"ours {EVIL}", ("1\n1–2",)),), "1 the best")
    write_report(done, folder / "made-up", 1)
    for times in range(2):
        given = (f"Both {times} {EVIL}", [done], ranks, folder, f"xbench run {EVIL}")
        page = write_suite_page(*given)
        checked = Checked(page.read_text())
        assert [link["href"] for link in checked.named("a")] == ["made-up/index.html"]
        assert all((folder / name).is_file() for name in linked(checked))
        for words in (f"Both {times} {EVIL}", f"A test of {EVIL}", "1–2", f"xbench run {EVIL}"):
            assert words in checked.words
        assert files(folder) == {"index.html", MANIFEST, "made-up"}


def test_a_file_is_no_folder(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        check_folder(tmp_path / "file")


def test_a_folder_below_a_file_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written; name another"):
        check_folder(tmp_path / "file" / "report")


def test_a_new_or_empty_folder_is_fine(tmp_path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_rows_that_are_gone_are_an_error_that_says_what_to_do(done, tmp_path) -> None:
    for path in (tmp_path / "store" / "rows").iterdir():
        path.unlink()
    with pytest.raises(RunError, match=r"no longer in store .*; run the same command again"):
        write_report(done, tmp_path / "report", 0)
    assert not (tmp_path / "report").exists()


def test_columns_of_numbers_are_told_from_words() -> None:
    rows = (
        Row("a", ("precision", "-1.0", "[+1.0, –]", "58.1\n50.0–60.1", "tie")),
        Row("b", ("recall", "–", "[-1.0, +2.0]", "–", "worse")),
    )
    table = Table("t", ("", "score", "difference", "interval", "average", ""), rows)
    assert numeric_columns(table) == [False, True, True, True, False]
    assert numeric_columns(Table("t", ("", "a"), ())) == [False]


def test_a_component_is_described_as_it_might_be_written() -> None:
    assert component_text(Dice(2.0).tree()) == "dice(sides=2.0)"
    assert component_text(CrossEntropy().tree()) == "cross-entropy(smoothing=0.0)"
    assert component_text({"name": "plain", "parameters": {}}) == "plain"
    nested = {"name": "of", "parameters": {"of": Dice().tree(), "path": ""}}
    assert component_text(nested) == 'of(of=dice(sides=1.0), path="")'
    several = {"name": "of", "parameters": {"of": [Dice().tree(), Dice(2.0).tree()], "sizes": [1]}}
    assert component_text(several) == "of(of=[dice(sides=1.0), dice(sides=2.0)], sizes=[1])"


def test_of_a_long_list_the_first_item_is_described_and_how_many_more_there_are() -> None:
    targets = [{"class": f"bird {n}", "alike": [f"colour {m}" for m in range(30)]} for n in "abcde"]
    told = component_text({"name": "of", "parameters": {"targets": targets, "sizes": [1, 2]}})
    assert (
        told
        == "of(targets=[{class=bird a, alike=[colour 0 and 29 more]} and 4 more], sizes=[1, 2])"
    )
    assert (
        component_text({"name": "of", "parameters": {"of": ["x" * 200]}}) == f"of(of=[{'x' * 200}])"
    )
