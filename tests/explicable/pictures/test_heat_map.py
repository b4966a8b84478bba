"""Heat maps over classes."""

import io

import pytest
import torch
from matplotlib.figure import Figure

from xbench import MismatchError
from xbench_explicable.pictures.heat_map import heat_map

TEN = tuple(f"class {index}" for index in range(10))


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def _drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_every_class_is_named_on_both_axes() -> None:
    axes = heat_map(torch.eye(10, dtype=torch.float64), TEN, "a title").axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(TEN)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(TEN)


def test_rows_are_true_classes_and_columns_predicted_ones() -> None:
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[0, 2] = 5
    axes = heat_map(matrix, TEN[:3], "").axes[0]
    assert axes.images[0].get_array()[0, 2] == 5
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")


def test_cells_of_few_classes_show_their_numbers() -> None:
    matrix = torch.tensor([[1.0, 0.25], [0.0, 12.5]])
    assert _texts(heat_map(matrix, TEN[:2], "")) == ["1", ".25", "0", "12"]


def test_cells_of_many_classes_show_no_numbers() -> None:
    names = tuple(map(str, range(21)))
    assert _texts(heat_map(torch.eye(21), names, "")) == []


def test_a_thousand_classes_are_drawn_without_names() -> None:
    names = tuple(map(str, range(1000)))
    figure = heat_map(torch.rand(1000, 1000, dtype=torch.float64), names, "many")
    assert len(figure.axes[0].get_xticklabels()) < 20
    assert _drawn(figure).startswith(b"\x89PNG")


def test_long_names_are_cut() -> None:
    ticks = heat_map(torch.eye(2), ("a" * 40, "b"), "").axes[0].get_yticklabels()
    assert ticks[0].get_text() == "a" * 25 + "…"


def test_names_with_dollars_are_no_formulas() -> None:
    assert _drawn(heat_map(torch.eye(2), (r"$\nonsense$", "$5"), r"$\also$"))


def test_logarithmic_shades_leave_zeros_out() -> None:
    image = heat_map(torch.tensor([[90.0, 3.0], [0.0, 100.0]]), TEN[:2], "", log=True)
    mask = image.axes[0].images[0].get_array().mask
    assert mask.tolist() == [[False, False], [True, False]]
    assert _drawn(image)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_matrices_of_one_value_are_drawn(value: float, log: bool) -> None:
    assert _drawn(heat_map(torch.full((3, 3), value), TEN[:3], "", log=log))


def test_names_of_another_number_are_refused() -> None:
    with pytest.raises(MismatchError, match="ihl: 2 × 2 numbers, but 3 class names"):
        heat_map(torch.eye(2), TEN[:3], "ihl")
