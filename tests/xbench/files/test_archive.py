"""Archives are unpacked inside one folder, whole or not at all."""

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from xbench.errors import DownloadError
from xbench.files.archive import Limits, extract

FILES = {"a.txt": b"A", "deep/er/b.txt": b"B" * 3000, "./c.txt": b""}


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def made(path: Path) -> Path:
    if path.suffix == ".zip":
        return zipped(path, FILES)
    mode = {".tar": "w", ".tgz": "w:gz", ".xz": "w:xz"}[path.suffix]
    return tar(path, *((entry(name), content) for name, content in FILES.items()), mode=mode)


def nothing_left(folder: Path, archive: Path) -> bool:
    return sorted(folder.iterdir()) == [archive]


@pytest.mark.parametrize("name", ["t.tar", "t.tgz", "t.xz", "t.zip"])
def test_members_are_unpacked(tmp_path: Path, name: str) -> None:
    extract(made(tmp_path / name), tmp_path / "out")
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.txt")}
    assert found == {"a.txt", "deep/er/b.txt", "c.txt"}
    assert (tmp_path / "out/deep/er/b.txt").read_bytes() == b"B" * 3000
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["out", name])


def test_what_a_killed_call_left_behind_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".out.unpacking").mkdir()
    (tmp_path / ".out.unpacking/half.txt").write_text("half")
    extract(made(tmp_path / "t.tgz"), tmp_path / "out")
    assert not (tmp_path / "out/half.txt").exists()
    assert not (tmp_path / ".out.unpacking").exists()


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(DownloadError, match="out exists already; move it away"):
        extract(made(tmp_path / "t.tgz"), tmp_path / "out")
    assert (tmp_path / "out/mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "a\\..\\evil", "C:evil"]
)
def test_paths_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    archive = tar(tmp_path / "t.tgz", (entry("good.txt"), b"good"), (entry(name), b"evil"))
    with pytest.raises(DownloadError, match="which leads outside; nothing was unpacked"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_zip_paths_that_lead_outside_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "t.zip", {"../evil.txt": b"evil"})
    with pytest.raises(DownloadError, match=r"holds '\.\./evil\.txt', which leads outside"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE], ids=str
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = entry("door", kind, "/etc")
    archive = tar(tmp_path / "t.tgz", (link, b""), (entry("door/evil.txt"), b"evil"))
    with pytest.raises(DownloadError, match="holds 'door', a link or device"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("door")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as bundle:
        bundle.writestr(info, "/etc")
    with pytest.raises(DownloadError, match="holds 'door', a link or device"):
        extract(tmp_path / "t.zip", tmp_path / "out")


@pytest.mark.parametrize("suffix", [".tgz", ".zip"])
def test_bomb_is_stopped_at_the_limit(tmp_path: Path, suffix: str) -> None:
    zeros, archive = bytes(30_000_000), tmp_path / f"bomb{suffix}"
    if suffix == ".zip":
        zipped(archive, {"one": b"1", "zeros": zeros})
    else:
        tar(archive, (entry("one"), b"1"), (entry("zeros"), zeros))
    assert archive.stat().st_size < 100_000
    with pytest.raises(DownloadError, match="unpacks to more than 1000000 bytes"):
        extract(archive, tmp_path / "out", Limits(size=1_000_000))
    assert nothing_left(tmp_path, archive)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    archive = tar(tmp_path / "t.tgz", *((entry(f"{i}"), b"") for i in range(11)))
    with pytest.raises(DownloadError, match="holds more than 10 members"):
        extract(archive, tmp_path / "out", Limits(members=10))
    assert nothing_left(tmp_path, archive)


def test_member_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    archive = tar(tmp_path / "t.tgz", (entry("a"), b"1"), (entry("a"), b"2"))
    with pytest.raises(DownloadError, match=r"cannot be unpacked: .*File exists"):
        extract(archive, tmp_path / "out")


def test_cut_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = tar(tmp_path / "t.tgz", (entry("a"), os.urandom(100_000)))
    archive.write_bytes(archive.read_bytes()[:50_000])
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        extract(archive, tmp_path / "out")
    assert nothing_left(tmp_path, archive)


def test_something_else_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "page.tgz").write_text("<html>sorry</html>")
    with pytest.raises(DownloadError, match=r"page.tgz is neither a tar nor a zip file"):
        extract(tmp_path / "page.tgz", tmp_path / "out")
