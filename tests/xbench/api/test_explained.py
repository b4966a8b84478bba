"""What comes back of explaining: files, pages, words."""

import json
import re

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from awkward_networks import plain
from browser import SCHEMES, WIDTHS, browser, seen
from xbench.api.photos.explained import Explained, unique
from xbench.api.photos.explaining import explain
from xbench.errors import UsageError
from xbench.interfaces.explanation import load_explanations
from xbench_saliency.maps.saliency_map import SaliencyMap


@pytest.fixture(scope="module")
def result() -> Explained:
    torch.manual_seed(0)
    names = ("<b>ant</b>", "bee & wasp", "cat", "$dog$")
    return explain(plain(4), torch.rand(2, 3, 16, 16), classes=names)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "json", "safetensors"])
def test_each_image_gets_a_file_of_the_kind_that_the_ending_says(result, tmp_path, kind):
    written = result.save(tmp_path / "new" / f"a.{kind}")
    again = result[0].save(tmp_path / "new" / f"a.{kind}")
    count = 1 if kind == "json" else 2
    assert [path.name for path in written] == [f"a.{kind}", f"a-2.{kind}"][:count]
    assert [path.name for path in again] == [f"a-{count + 1}.{kind}"]
    assert all(path.stat().st_size for path in (*written, *again))


def test_values_are_read_again_as_they_were(result, tmp_path):
    (path,) = result[0].save(tmp_path / "a.safetensors")
    (read,) = load_explanations(path, SaliencyMap)
    assert torch.equal(read.values, result[0].explanation.values)


def test_an_unknown_ending_is_refused(result, tmp_path):
    with pytest.raises(UsageError, match=r"unknown ending; known are \.png, \.svg"):
        result.save(tmp_path / "a.gif")
    with pytest.raises(UsageError, match="format is 'gif'"):
        result.save(tmp_path, "gif")


def test_a_folder_gets_everything_and_a_page_and_nothing_is_overwritten(result, tmp_path):
    first, second = result.save(tmp_path), result.save(tmp_path)
    assert not set(first) & set(second)
    assert [path.name for path in first] == [
        "image-1.png",
        "image-1.safetensors",
        "image-2.png",
        "image-2.safetensors",
        "explanations.json",
        "index.html",
    ]
    facts = json.loads((tmp_path / "explanations-2.json").read_text())
    assert facts["images"][1]["files"] == ["image-2-2.png", "image-2-2.safetensors"]


@pytest.mark.parametrize("format_", ["svg", "pdf"])
def test_a_page_shows_other_formats(result, tmp_path, format_):
    written = {path.name for path in result.save(tmp_path, format_)}
    page = (tmp_path / "index.html").read_text()
    shown = re.findall(r'<img src="([^"]+)"', page)
    assert len(shown) == 2
    assert set(shown) <= written
    assert f"image-1.{format_}" in written


def test_a_page_escapes_names_and_has_words_for_pictures(result, tmp_path):
    result.save(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<b>ant</b>" not in page
    assert "&lt;b&gt;ant&lt;/b&gt;" in page
    assert "prefers-color-scheme: dark" in page
    assert page.count('alt="grad-cam of image') == 2
    assert "http" not in page  # it needs nothing from elsewhere


@pytest.mark.parametrize("format_", ["png", "svg", "pdf"])
def test_a_page_says_how_large_its_pictures_are(result, tmp_path, format_):
    result.save(tmp_path, format_)
    sizes = re.findall(r'width="(\d+)" height="(\d+)"', (tmp_path / "index.html").read_text())
    inches = result[0].figure().get_size_inches()
    assert len(sizes) == 2
    assert int(sizes[0][0]) == pytest.approx(96 * inches[0], rel=0.1)
    assert int(sizes[0][1]) == pytest.approx(96 * inches[1], rel=0.1)


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_its_window_and_has_no_serious_fault(chromium, tmp_path, width, scheme):
    photo = tmp_path / "odd name #1, 100 %.png"
    Image.effect_noise((60, 40), 90).convert("RGB").save(photo)
    made = explain(plain(4), photo, ["grad-cam", "deliberative"], size=16)
    page = made.save(tmp_path / "out")[-1]
    assert seen(chromium, page, width, scheme) == ([], width, [])


def test_photos_of_one_name_get_names_of_their_own(tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "apple.png")
        Image.new("RGB", (20, 20), "green").save(paths[-1])
    written = explain(plain(4), paths, size=16).save(tmp_path / "out")
    assert {"apple.png", "apple-2.png", "apple-2.safetensors"} <= {path.name for path in written}


def test_a_free_name_is_found_beside_all_kinds_of_files(tmp_path):
    (tmp_path / "apple.safetensors").touch()
    (tmp_path / "apple-2.png").touch()
    kinds = ("png", "safetensors")
    assert unique(tmp_path / "apple.png", kinds) == tmp_path / "apple-3.png"
    assert unique(tmp_path / "pear.png", kinds) == tmp_path / "pear.png"


def texts(figure):
    return [text.get_text() for text in figure.texts]


def test_a_picture_names_the_image_and_its_classes(result):
    figure = result[0].figure()
    assert texts(figure)[-2] == "image 1"
    assert texts(figure)[-1].replace("\xa0", " ") == f"Seen by Sequential: {result[0].summary}"
    assert all(not text.get_parse_math() for text in figure.texts)


def test_several_are_one_picture_below_each_other(result):
    single, both = result[:1].figure(), result.figure()
    assert isinstance(both, Figure)
    assert len(both.axes) == 2
    assert both.get_figheight() > 1.5 * single.get_figheight()


def test_a_notebook_shows_pictures_and_remarks(result):
    html = result._repr_html_()
    assert html.count("data:image/png;base64,") == 2
    assert "<p>assumed: " in html
    assert "<b>ant" not in html


def test_it_is_a_sequence_with_a_short_repr(result):
    assert len(result) == 2
    assert isinstance(result[:1], Explained)
    assert repr(result).count("grad-cam of image") == 2
    assert len(repr(Explained(result.items * 20)).splitlines()) == 6
    assert isinstance(result[0].image, Tensor)
    assert [line.partition(":")[0] for line in result.lines()] == ["image 1", "image 2"]
