"""Which protocol scores what is made, and which floors and ceilings stand beside it."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest

from small_datasets import Greys
from xbench.benchmark.assembly import assemble, load_benchmark
from xbench.benchmark.declaration import benchmark_folder, choose, declared, read
from xbench.benchmark.fit import Wanted, check_splits, fitting_protocol
from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import MismatchError, ParameterError, UnknownNameError
from xbench.interfaces.data.annotation import Contexts, HumanLabels, ObjectBoxes, PartMasks
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.protocol import Protocol

DEFAULT = benchmark_folder() / "default.toml"


class Spot(Explanation):
    """What no protocol of the first party scores."""

    name: ClassVar[str] = "spot"


class BrightSpot(Spot):
    """A kind of spot."""

    name: ClassVar[str] = "bright-spot"


@dataclass(frozen=True)
class Spots(Explainer):
    """Makes spots."""

    name: ClassVar[str] = "spots"
    makes: ClassVar[type[Explanation]] = Spot

    def explain(self, network, batch, artefacts, generator):
        return []


@dataclass(frozen=True)
class BrightSpots(Explainer):
    """Makes bright spots, perhaps of another explainer's."""

    name: ClassVar[str] = "bright-spots"
    makes: ClassVar[type[Explanation]] = BrightSpot
    of: Explainer | None = None
    share: float = 0.5

    def explain(self, network, batch, artefacts, generator):
        return []


@dataclass(frozen=True)
class ScoresSpots(Protocol):
    """Scores spots on whatever dataset."""

    name: ClassVar[str] = "scores-spots"
    scores: ClassVar[type[Explanation]] = Spot
    share: float = 0.1

    def needs(self):
        return ()

    def artefacts(self, entry):
        return {}

    def cases(self, entry, artefacts):
        return ()

    def evaluate(self, entry, cases, artefacts, workplace):
        raise NotImplementedError

    def summarise(self, rows):
        return {}


@dataclass(frozen=True)
class AlsoScoresSpots(ScoresSpots):
    """Scores spots, and has no share."""

    name: ClassVar[str] = "also-scores-spots"


OWN = {
    ("explainer", "spots"): Spots,
    ("explainer", "bright-spots"): BrightSpots,
    ("protocol", "scores-spots"): ScoresSpots,
}


class WithSpots(Registry):
    """The first party's components and these."""

    own = OWN

    def names(self, kind):
        return (*super().names(kind), *(name for k, name in self.own if k == kind))

    def get(self, kind, name):
        return self.own.get((kind, name)) or super().get(kind, name)


@pytest.fixture
def registry():
    return WithSpots(third_party=False)


def spots(path=DEFAULT, changes=(), **chosen):
    """The tree of the file with another explainer."""
    return declared(path, explainer="spots", changes=list(changes), **chosen)


FLOOR = {"label": "floor", "role": "floor"}
OF_SPOTS = {
    **read(DEFAULT),
    "protocol": {"name": "scores-spots"},
    "contrasts": [],
    "entries": [
        {"label": "spots", "explainer": "spots"},
        {**FLOOR, "explainer": {"name": "bright-spots", "share": "@protocol.share"}},
    ],
}


def test_a_protocol_that_gives_way_to_what_was_chosen_is_named_with_the_reason(registry):
    benchmark = assemble(spots(), registry)
    assert benchmark.protocol == ScoresSpots()
    assert benchmark.remarks[0] == (
        "protocol 'scores-spots', with its defaults, in the place of 'part-ambiguity': protocol "
        "'part-ambiguity' scores insecurities, but the explainer makes spot"
    )


def test_floors_and_ceilings_that_do_not_fit_what_was_chosen_are_left_out_and_named(registry):
    benchmark = assemble(spots(), registry)
    assert [line.label for line in benchmark.lines] == ["spots"]
    assert benchmark.contrasts == ()
    left_out = [line["label"] for line in read(DEFAULT)["entries"][1:]]
    what = "left out, for they do not fit spot under protocol 'scores-spots': "
    assert benchmark.remarks[1:] == (what + "; ".join(left_out),)


def test_an_explainer_chosen_by_its_parameter_counts_as_chosen(registry):
    tree = declared(DEFAULT, changes=[{"explainer": {"name": "spots"}}])
    assert len(assemble(tree, registry).remarks) == 2
    tree = declared(DEFAULT, changes=[{"explainer": {"top": 4}}])
    assert assemble(tree, registry).remarks == ()


def test_nothing_is_left_out_where_the_chosen_explainer_fits(registry):
    benchmark = load_benchmark("default", registry, explainer="random-pair")
    assert len(benchmark.lines) == 7
    assert benchmark.remarks == ()


def test_a_protocol_that_the_file_names_is_never_replaced_if_nothing_else_was_chosen(registry):
    tree = {**read(DEFAULT), "entries": [{"label": "spots", "explainer": "spots"}]}
    with pytest.raises(MismatchError) as caught:
        assemble(tree, registry)
    assert str(caught.value) == (
        "protocol 'part-ambiguity' scores insecurities, but the explainer makes spot; protocols "
        "that score that: scores-spots"
    )


def test_where_no_protocol_takes_the_dataset_drawing_is_what_is_left(registry, monkeypatch):
    monkeypatch.setattr(ScoresSpots, "needs", lambda _: (HumanLabels, Contexts))
    tree = {**read(DEFAULT), "entries": [{"label": "spots", "explainer": "spots"}]}
    tree = {**tree, "dataset": "cifar10", "chosen": ["explainer"]}
    with pytest.raises(MismatchError, match=r"none takes dataset 'cifar10', but `xbench explain`"):
        assemble(tree, registry)


def test_a_protocol_that_was_chosen_with_the_explainer_is_not_replaced(registry):
    with pytest.raises(MismatchError, match="protocols that score that: scores-spots"):
        assemble(spots(changes=[{"protocol": "part-ambiguity"}]), registry)
    assert (
        assemble(spots(changes=[{"protocol": "scores-spots"}]), registry)
        .remarks[0]
        .startswith("left out")
    )


def test_another_dataset_does_not_excuse_an_explainer_that_does_not_fit(registry):
    tree = {**read(DEFAULT), "entries": [{"label": "spots", "explainer": "spots"}]}
    tree = choose(tree, "folder:here")
    assert tree["chosen"] == ["dataset"]
    with pytest.raises(MismatchError, match="the explainer makes spot"):
        fitting_protocol(
            Builder(registry, tree["defaults"]).build("protocol", tree["protocol"]),
            Wanted(Spot, Greys(6), {}),
            Builder(registry, tree["defaults"]),
            tree["chosen"],
        )


def test_a_dataset_and_an_explainer_may_bring_another_protocol_with_a_word(registry):
    @dataclass(frozen=True)
    class OfParts(ScoresSpots):
        name: ClassVar[str] = "of-parts"

        def needs(self):
            return registry.get("protocol", "part-ambiguity")("entropy").needs()

    wanted, builder = Wanted(Spot, Greys(6), {}), Builder(registry)
    found = fitting_protocol(OfParts(), wanted, builder, ["dataset", "explainer"])
    assert found.protocol == ScoresSpots()
    assert found.remark.endswith(
        "needs PartPoints, ClassAttributes, which dataset 'greys' does not have"
    )
    for chosen in ((), ("dataset",), ("dataset", "explainer", "protocol")):
        with pytest.raises(MismatchError, match="protocol 'of-parts' needs PartPoints"):
            fitting_protocol(OfParts(), wanted, builder, chosen)


def test_a_need_that_two_kinds_meet_is_named_with_both(registry):
    @dataclass(frozen=True)
    class OfObjects(ScoresSpots):
        name: ClassVar[str] = "of-objects"

        def needs(self):
            return (PartMasks | ObjectBoxes,)

    builder = Builder(registry)
    with pytest.raises(MismatchError) as caught:
        fitting_protocol(OfObjects(), Wanted(Spot, Greys(6), {}), builder, [])
    assert "needs PartMasks or ObjectBoxes, which dataset 'greys'" in str(caught.value)
    assert re.search("have all it needs: .*ade20k.*cub200.*toybirds", str(caught.value))


@dataclass(frozen=True)
class Unlabelled(Greys):
    """Squares of which nobody knows what they are."""

    has_labels: ClassVar[bool] = False


def test_a_protocol_that_reads_labels_is_not_for_a_dataset_without(registry, monkeypatch):
    monkeypatch.setattr(registry, "own", {**OWN, ("dataset", "unlabelled"): Unlabelled})
    asked = (ScoresSpots(), Wanted(Spot, Unlabelled(6), {}), Builder(registry))
    with pytest.raises(MismatchError) as caught:
        fitting_protocol(*asked)
    message = str(caught.value)
    assert "'scores-spots' needs labels, which dataset 'greys' does not have" in message
    assert "toybirds" in message
    assert "unlabelled" not in message
    monkeypatch.setattr(ScoresSpots, "needs_labels", False)
    assert fitting_protocol(*asked).protocol == ScoresSpots()


USUAL = """
extends = "default"
name = "spots-usually"
version = "1"
default_for = "spot"
protocol = { name = "scores-spots", share = 0.7 }

[[entries]]
label = "own"
explainer = "bright-spots"

[[entries]]
label = "floor"
role = "floor"
explainer = { name = "bright-spots", share = "@protocol.share" }
"""


@pytest.fixture
def usual(registry, tmp_path):
    """Two protocols that score spots, and a benchmark with one of them that is the default."""
    path = tmp_path / "spots-usually.toml"
    path.write_text(USUAL)
    own = {("protocol", "also-scores-spots"): AlsoScoresSpots, ("benchmark", path.stem): path}
    registry.own = {**OWN, **own}
    return registry


def test_of_several_protocols_that_of_the_default_for_the_explanations_is_taken(usual):
    benchmark = assemble(spots(), usual)
    assert benchmark.protocol == ScoresSpots(share=0.7)
    (remark,) = benchmark.remarks
    assert remark == (
        "protocol 'scores-spots', as in benchmark 'spots-usually', in the place of "
        "'part-ambiguity': protocol 'part-ambiguity' scores insecurities, but the explainer makes "
        "spot; protocols that fit as well: also-scores-spots"
    )


def test_its_floors_stand_beside_the_chosen_explainer(usual):
    entry, floor = assemble(spots(), usual).lines
    assert (entry.label, entry.explainer) == ("spots", Spots())
    assert (floor.role, floor.explainer) == ("floor", BrightSpots(share=0.7))


def test_a_default_for_a_kind_is_one_for_what_is_of_this_kind_too(usual):
    tree = declared(DEFAULT, explainer="bright-spots")
    assert assemble(tree, usual).protocol == ScoresSpots(share=0.7)


def test_a_default_whose_protocol_needs_another_dataset_is_passed_over(usual):
    @dataclass(frozen=True)
    class OfParts(ScoresSpots):
        def needs(self):
            return usual.get("protocol", "part-ambiguity")("entropy").needs()

    usual.own = {**usual.own, ("protocol", "scores-spots"): OfParts}
    builder = Builder(usual, read(DEFAULT)["defaults"])
    own = builder.build("protocol", read(DEFAULT)["protocol"])
    found = fitting_protocol(own, Wanted(Spot, Greys(6), {}), builder, ["explainer"])
    assert found.protocol == AlsoScoresSpots()


def test_a_file_that_extends_a_default_is_none(usual, tmp_path):
    path = tmp_path / "other.toml"
    path.write_text('extends = "spots-usually"\nname = "other"\nversion = "1"\n')
    assert "default_for" not in read(path)


def test_several_protocols_that_fit_are_named(registry):
    registry.own = {**OWN, ("protocol", "also-scores-spots"): AlsoScoresSpots}
    with pytest.raises(MismatchError, match="fit: scores-spots, also-scores-spots; choose with -p"):
        assemble(spots(), registry)


def test_a_protocol_that_compares_classifiers_gives_way_where_an_explainer_is_chosen(registry):
    path = benchmark_folder() / "explicable-toybirds.toml"
    benchmark = assemble(spots(path), registry)
    assert benchmark.protocol == ScoresSpots()
    (remark,) = benchmark.remarks
    assert remark.endswith("compares classifiers, but the explainer makes spot")
    builder = Builder(Registry(()))
    with pytest.raises(MismatchError, match="no protocol scores that, but `xbench explain` draws"):
        fitting_protocol(
            benchmark.protocol, Wanted(Explanation, Greys(6), {}), builder, ["explainer"]
        )


def test_a_floor_takes_the_parameters_of_the_protocol_that_is_used(registry):
    _, floor = assemble(OF_SPOTS, registry).lines
    assert floor.explainer.share == 0.1


def test_a_floor_that_asks_the_new_protocol_for_what_it_has_not_is_left_out(registry):
    tree = {**OF_SPOTS, "chosen": ["explainer"]}
    tree["entries"] = [
        *OF_SPOTS["entries"],
        {**FLOOR, "label": "odd", "explainer": {"name": "bright-spots", "share": "@protocol.size"}},
    ]
    benchmark = assemble(tree, registry)
    assert [line.label for line in benchmark.lines] == ["spots", "floor"]
    assert benchmark.remarks == (
        "left out, for they do not fit spot under protocol 'scores-spots': odd",
    )
    with pytest.raises(UnknownNameError, match=r"scores-spots 'size'.*Known: share"):
        assemble({**tree, "chosen": []}, registry)


def test_a_floor_that_builds_on_the_entry_needs_one_of_its_own_kind(registry):
    floor = {**FLOOR, "explainer": {"name": "bright-spots", "of": "@entry"}}
    entries = [OF_SPOTS["entries"][0], floor]
    tree = {**OF_SPOTS, "entries": entries, "chosen": ["explainer"]}
    assert len(assemble(tree, registry).lines) == 1
    entries = [{"label": "bright", "explainer": "bright-spots"}, floor]
    benchmark = assemble({**tree, "entries": entries}, registry)
    assert benchmark.lines[1].explainer.of == BrightSpots()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            {**FLOOR, "explainer": "random-pair"},
            "floor 'floor' does not fit: {}, but the explainer makes insecurities",
        ),
        (
            {"label": "bare"},
            "entry 'bare' does not fit: {}, but it has no explainer",
        ),
    ],
)
def test_an_entry_of_the_file_that_does_not_fit_is_named(line, said, registry):
    tree = {**OF_SPOTS, "entries": [*OF_SPOTS["entries"], line]}
    with pytest.raises(MismatchError) as caught:
        assemble(tree, registry)
    assert str(caught.value) == said.format("protocol 'scores-spots' scores spot")


def test_a_floor_that_builds_on_an_entry_without_an_explainer_is_refused(registry):
    floor = {**FLOOR, "explainer": {"name": "bright-spots", "of": "@entry"}}
    tree = {**OF_SPOTS, "entries": [{"label": "bare"}, floor]}
    with pytest.raises(
        ParameterError, match="'bright-spots' builds on that of entry 'bare', which"
    ):
        assemble(tree, registry, scored=False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"label": "a", "explaner": "spots"}, r"entries\[0\] 'explaner'; did you mean 'explainer'"),
        ({"label": "a", "role": "flor"}, r"role of .*entries\[0\] 'flor'; did you mean 'floor'"),
    ],
)
def test_what_an_entry_cannot_say_is_named(line, said, registry):
    with pytest.raises(UnknownNameError, match=said):
        assemble({**OF_SPOTS, "entries": [line]}, registry)


class ValidationOnly(Greys):
    def splits(self):
        return ("train", "val")


@pytest.mark.parametrize(
    ("role", "split", "option"),
    [("test", "test", "splits.test=val"), ("train", "all", "splits.train=train")],
)
def test_a_split_that_a_dataset_has_not_is_an_error_with_the_option_that_sets_it(
    role, split, option
):
    dataset = ValidationOnly(6)
    check_splits({"train": ImageSet(dataset, "train")})
    with pytest.raises(UnknownNameError, match=rf"val\. Choose with .*{role}=") as told:
        check_splits({role: ImageSet(dataset, split)})
    assert told.value.instead == ("-p", option)


def test_benchmarks_that_score_what_is_made_are_named_with_the_option_that_takes_one(registry):
    tree = choose(read(DEFAULT), explainer="ces")
    with pytest.raises(MismatchError, match=r"benchmarks that do: .*ces-low-level") as told:
        assemble(tree, registry)
    assert told.value.instead == ("--benchmark", "ces-low-level-toybirds")
