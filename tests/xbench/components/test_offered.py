"""Names that libraries offer, read from their sources, are those that the libraries list."""

from pathlib import Path

import pytest

from xbench.components.registry import installed
from xbench_zoo import offered
from xbench_zoo.timm_models import Timm
from xbench_zoo.torchvision_models import Torchvision


@pytest.mark.parametrize("family", [Timm, Torchvision])
def test_the_names_are_those_of_the_library(family) -> None:
    assert sorted(installed().offered(family.name) or ()) == sorted(family.offers())


def test_every_classifier_of_ours_that_offers_networks_says_so_without_being_imported() -> None:
    registry = installed()
    ours = [name for name in registry.names("classifier") if registry.is_own("classifier", name)]
    offering = {name for name in ours if registry.get("classifier", name).offers()}
    assert {name for name in ours if registry.offered(name)} == offering


def test_nothing_is_said_of_sources_that_are_not_understood(tmp_path: Path, monkeypatch) -> None:
    models = tmp_path / "strange_library" / "models"
    models.mkdir(parents=True)
    models.with_name("__init__.py").touch()
    (models / "one.py").write_text("@register_model\ndef one():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert offered._registered("strange_library") == ["one"]
    (models / "two.py").write_text("@register_model\nclass Two:\n    pass\n")
    assert offered._registered("strange_library") == []
    assert offered._registered("no_such_library") == []
