"""Components are built from nested plain values."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from xbench.components.registry import Registry
from xbench.components.specification import (
    Builder,
    as_table,
    assign,
    checked_defaults,
    overlay,
    parsed,
    plain_table,
)
from xbench.errors import ParameterError, UnknownNameError, UsageError
from xbench.interfaces.component import Component


class Fruit(Component):
    kind: ClassVar[str] = "fruit"


@dataclass(frozen=True)
class Apple(Fruit):
    """An apple."""

    name: ClassVar[str] = "apple"
    variety: str = "cox"
    weight: float = 1.0
    count: int = 1
    ripe: bool = True
    taste: Literal["sweet", "sour"] = "sweet"
    sizes: tuple[float, ...] = ()
    corner: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Pie(Fruit):
    """A pie of another fruit."""

    name: ClassVar[str] = "pie"
    of: Fruit

    def __post_init__(self):
        if self.of.name == "pie":
            raise ValueError("a pie of pies cannot be baked")


@dataclass(frozen=True)
class Plum(Fruit):
    """A plum."""

    name: ClassVar[str] = "plum"
    stones: int = 1


class Basket:
    """A registry of three fruits."""

    def spelled(self, kind, name):
        return name

    def names(self, kind):
        return ("apple", "pie", "plum")

    def get(self, kind, name):
        if name not in self.names(kind):
            raise UnknownNameError(kind, name, self.names(kind))
        return {"apple": Apple, "pie": Pie, "plum": Plum}[name]


@pytest.fixture
def builder():
    return Builder(Basket())


def test_a_name_is_a_component_with_its_defaults(builder):
    assert builder.build("fruit", "apple") == Apple()


def test_an_argument_fills_the_first_field(builder):
    assert builder.build("fruit", "apple:gala") == Apple(variety="gala")


def test_an_argument_fills_a_first_field_that_is_a_number(builder):
    assert builder.build("fruit", "plum:3") == Plum(3)
    with pytest.raises(ParameterError, match=r"fruit\.stones: expected int, got 'many'"):
        builder.build("fruit", "plum:many")


def test_a_table_gives_parameters_and_whole_numbers_serve_as_floats(builder):
    tree = {"name": "apple", "weight": 2, "sizes": [1, 2.5], "corner": [1, 2], "ripe": False}
    made = builder.build("fruit", tree)
    assert made == Apple(weight=2.0, sizes=(1.0, 2.5), corner=(1, 2), ripe=False)
    assert isinstance(made.weight, float)


def test_components_nest(builder):
    assert builder.build("fruit", {"name": "pie", "of": "apple:gala"}) == Pie(Apple("gala"))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (1, ParameterError, "defaults is 1; write defaults.KIND.NAME.PARAMETER=…"),
        ({"loss": 1}, ParameterError, "defaults.loss is 1; write"),
        ({"loss": {"weighted": 1}}, ParameterError, "defaults.loss.weighted is 1; write"),
        ({"los": {}}, UnknownNameError, "unknown kind of component in defaults 'los'; did you"),
        ({"loss": {"wieghted": {}}}, UnknownNameError, "unknown loss in defaults 'wieghted'"),
    ],
)
def test_defaults_of_what_there_is_not_are_an_error(given, error, message):
    with pytest.raises(error) as caught:
        checked_defaults(given, Registry(third_party=False))
    assert message in str(caught.value)


def test_defaults_lie_below_what_is_said():
    builder = Builder(Basket(), {"fruit": {"pie": {"of": {"name": "apple", "count": 3}}}})
    assert builder.build("fruit", "pie") == Pie(Apple(count=3))
    tree = {"name": "pie", "of": {"ripe": False}}
    assert builder.build("fruit", tree) == Pie(Apple(count=3, ripe=False))


@pytest.mark.parametrize(
    ("tree", "error", "message"),
    [
        (
            {"name": "apple", "wieght": 1},
            UnknownNameError,
            "unknown parameter of fruit (apple) 'wieght'; did you mean 'weight'?",
        ),
        (
            {"name": "apple", "count": 1.5},
            ParameterError,
            "fruit.count: expected int, got 1.5 (float)",
        ),
        (
            {"name": "apple", "count": True},
            ParameterError,
            "fruit.count: expected int, got True (bool)",
        ),
        ({"name": "apple", "ripe": "yes"}, ParameterError, "fruit.ripe: expected bool"),
        ({"name": "apple", "sizes": 1}, ParameterError, "fruit.sizes: expected a list, got 1"),
        ({"name": "apple", "sizes": ["a"]}, ParameterError, "fruit.sizes[0]: expected float"),
        ({"name": "apple", "corner": [1]}, ParameterError, "expected 2 values, got 1"),
        (
            {"name": "apple", "taste": "swet"},
            UnknownNameError,
            "unknown value of fruit.taste 'swet'; did you mean 'sweet'? Known: sour, sweet.",
        ),
        ({"name": "pie"}, ParameterError, "fruit needs the parameter 'of': -p fruit.of=…"),
        ({"name": "pie", "of": {"weight": 1}}, ParameterError, "needs a `name`"),
        (
            {"name": "pie", "of": {"name": "pie", "of": "apple"}},
            ParameterError,
            "fruit: a pie of pies cannot be baked",
        ),
        ("aple", UnknownNameError, "unknown fruit 'aple'; did you mean 'apple'?"),
        (3, ParameterError, "fruit: expected the name of a fruit, got 3"),
    ],
)
def test_mistakes_are_named_with_their_place(builder, tree, error, message):
    with pytest.raises(error) as caught:
        builder.build("fruit", tree)
    assert message in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_tables_merge_unless_they_name_different_components():
    base = {"a": {"name": "x", "one": 1, "two": {"deep": 1}}, "b": 1}
    assert overlay(base, {"a": {"two": {"more": 2}}})["a"] == {
        "name": "x",
        "one": 1,
        "two": {"deep": 1, "more": 2},
    }
    assert overlay(base, {"a": {"name": "y"}})["a"] == {"name": "y"}
    assert overlay(base, {"a": "y"})["a"] == "y"
    assert overlay("x", {"one": 2}) == {"name": "x", "one": 2}


def test_parameters_are_read_as_toml_else_as_text():
    assert parsed("0.5") == 0.5
    assert parsed("true") is True
    assert parsed("[1, 2]") == [1, 2]
    assert parsed("entropy") == "entropy"
    assert parsed("/some/folder") == "/some/folder"


def test_a_parameter_path_becomes_nested_tables():
    assert assign({}, "explainer.difficulty", "entropy") == {"explainer": {"difficulty": "entropy"}}
    dotted = assign({}, 'defaults.dataset."a.1".root', "there")
    assert dotted == {"defaults": {"dataset": {"a.1": {"root": "there"}}}}
    with pytest.raises(ParameterError, match="empty part"):
        assign({}, "explainer..x", "1")


def test_plain_dataclasses_are_checked_the_same_way():
    @dataclass(frozen=True)
    class Plain:
        epochs: int = 1

    assert plain_table(Plain, {"epochs": 3}, "training") == Plain(3)
    with pytest.raises(ParameterError, match=r"training\.epochs: expected int"):
        plain_table(Plain, {"epochs": "many"}, "training")
    with pytest.raises(UnknownNameError, match="unknown parameter of training 'epoch'"):
        plain_table(Plain, {"epoch": 3}, "training")


def test_a_name_stands_for_a_table():
    assert as_table("x") == {"name": "x"}


@dataclass(frozen=True)
class Stop:
    """A place, and how long to stay."""

    place: str
    minutes: int = 5


@dataclass(frozen=True)
class Tour(Fruit):
    """A component with a list of tables."""

    name: ClassVar[str] = "tour"

    stops: tuple[Stop, ...] = ()


def _tour(stops):
    return Builder(Registry(()))._make(Tour, {"stops": stops}, "tour")


def test_a_list_of_tables_becomes_plain_dataclasses():
    tour = _tour([{"place": "sea", "minutes": 3}, {"place": "wood"}])
    assert tour.stops == (Stop("sea", 3), Stop("wood", 5))
    assert tour.parameters() == {
        "stops": [{"place": "sea", "minutes": 3}, {"place": "wood", "minutes": 5}]
    }


def test_a_mistake_in_a_table_of_a_list_names_its_place():
    with pytest.raises(ParameterError, match=r"tour.stops\[1\].minutes: expected int, got 'x'"):
        _tour([{"place": "sea"}, {"place": "wood", "minutes": "x"}])
    with pytest.raises(ParameterError, match=r"tour.stops\[0\] needs 'place'"):
        _tour([{"minutes": 1}])
    with pytest.raises(UnknownNameError, match=r"parameter of tour.stops\[0\] 'plaice'"):
        _tour([{"plaice": "sea"}])
    with pytest.raises(ParameterError, match=r"tour.stops\[0\]: expected a table, got 'sea'"):
        _tour(["sea"])
