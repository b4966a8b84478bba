"""`xbench data` gets, verifies and lists."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

import bad_web as web
from xbench.cli.data import command
from xbench.cli.options import Session
from xbench.components.registry import Registry
from xbench.errors import DatasetError, DownloadError
from xbench.files.home import data_home
from xbench.interfaces.data.dataset import Dataset
from xbench.interfaces.data.download import Download
from xbench.interfaces.hookspecs import hookimpl


@dataclass(frozen=True)
class Remote(Dataset):
    """A dataset of one file that comes from elsewhere."""

    name: ClassVar[str] = "remote"
    url: ClassVar[str] = ""
    content: ClassVar[bytes] = b""
    archive: ClassVar[bool] = True

    root: str = ""

    def check(self) -> None:
        file = (Path(self.root) if self.root else data_home() / "remote") / "data.txt"
        if not file.exists():
            raise DatasetError(f"missing: {file}")

    def downloads(self) -> tuple[Download, ...]:
        checksum = "sha256:" + hashlib.sha256(self.content).hexdigest()
        target, size = self.root or "remote", len(self.content)
        return (Download(self.url, size, checksum, target, "free", archive=self.archive),)

    def fingerprint(self) -> str:
        return ""

    def class_names(self) -> tuple[str, ...]:
        return ()

    def splits(self) -> tuple[str, ...]:
        return ()

    def ids(self, split: str) -> Sequence[int]:
        return ()

    def labels(self, ids: Sequence[int]) -> Any:
        raise NotImplementedError

    def images(self, ids: Sequence[int]) -> Any:
        raise NotImplementedError


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [Remote]


def archive(name: str = "data.txt") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    return buffer.getvalue()


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch):
    """Runs `xbench data` with `remote` as the only dataset."""
    import sys

    monkeypatch.setitem(sys.modules, "remote_plugin", sys.modules[__name__])
    points = [
        EntryPoint("dataset.remote", "remote_plugin", "xbench"),
        EntryPoint("benchmark.default", "xbench.benchmark.declaration", "xbench"),
    ]
    monkeypatch.setattr(Session, "registry", Registry(points))

    def run(*words: str) -> Result:
        return CliRunner().invoke(command, list(words))

    return run


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch):
    """Serves the dataset's archive, after breaking off once."""
    monkeypatch.setattr(Remote, "content", archive())
    with web.serve(Remote.content, web.breaking(50), web.honest) as running:
        monkeypatch.setattr(Remote, "url", running.url)
        monkeypatch.setattr(
            "xbench.files.download.Retries.__new__.__defaults__", (5, 50, 0.0, lambda _: None)
        )
        yield running


def test_get_downloads_unpacks_and_verifies(call, site) -> None:
    result = call("get", "remote")
    assert result.exit_code == 0, result.output
    assert "Licence: free" in result.output
    assert "remote: complete" in result.output
    assert (data_home() / "remote/data.txt").read_text() == "hello"
    assert list((data_home() / "archives").iterdir()) == []
    assert site.ranges == [None, "bytes=50-"]


def test_second_get_downloads_nothing(call, site) -> None:
    call("get", "remote", "--quiet")
    result = call("get", "remote", "--json")
    assert json.loads(result.stdout) == {
        "dataset": "remote",
        "downloads": [site.url],
        "problems": [],
    }
    assert len(site.ranges) == 2


def test_get_can_keep_the_archive_and_unpack_elsewhere(call, site, tmp_path: Path) -> None:
    result = call("get", "remote", "--keep", "-p", f"dataset.root={tmp_path / 'here'}")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "here/data.txt").exists()
    assert (data_home() / "archives/thing.tgz").exists()


def test_get_puts_a_file_that_is_no_archive_into_its_folder(call, monkeypatch) -> None:
    monkeypatch.setattr(Remote, "content", b"hello")
    monkeypatch.setattr(Remote, "archive", False)
    (data_home() / "remote").mkdir(parents=True)
    (data_home() / "remote/other.txt").write_text("another file of the dataset")
    with web.serve(Remote.content, web.honest) as site:
        monkeypatch.setattr(Remote, "url", site.url.replace("thing.tgz", "data.txt"))
        for _ in range(2):
            result = call("get", "remote")
            assert result.exit_code == 0, result.output
        assert len(site.ranges) == 1
    assert (data_home() / "remote/data.txt").read_bytes() == b"hello"
    assert sorted(path.name for path in data_home().iterdir()) == ["remote"]


def test_get_of_an_archive_that_leads_outside_leaves_nothing(call, monkeypatch) -> None:
    monkeypatch.setattr(Remote, "content", archive("../../evil.txt"))
    with web.serve(Remote.content, web.honest) as site:
        monkeypatch.setattr(Remote, "url", site.url)
        result = call("get", "remote")
    assert isinstance(result.exception, DownloadError)
    assert "'../../evil.txt', which leads outside" in str(result.exception)
    assert [path.name for path in data_home().iterdir()] == ["archives"]


def test_verify_names_what_is_missing(call, site) -> None:
    result = call("verify", "remote")
    assert result.exit_code == 2
    assert f"missing: {data_home() / 'remote/data.txt'}" in result.stdout
    assert "remote: 1 missing or damaged." in result.stderr
    assert "`xbench data get remote` fetches the data where there is none" in result.stderr
    assert json.loads(call("verify", "remote", "--json").stdout)["problems"] != []
    call("get", "remote")
    assert call("verify", "remote").stdout == "remote: complete\n"


def test_list_shows_state_and_licence(call, site) -> None:
    (row,) = json.loads(call("list", "--json").stdout)
    assert row == {"dataset": "remote", "state": "not here", "size": "0 MB", "licence": "free"}
    call("get", "remote")
    assert "remote\there\t0 MB\tfree" in call("list").stdout
