"""Archives: unpacked inside one folder, whole or not at all."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from xbench.errors import DownloadError

CHUNK = 1 << 20
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
"""What the standard library raises on archives it cannot read."""


class Limits(NamedTuple):
    """How much an archive may unpack to."""

    members: int = 100_000
    size: int = 1 << 34
    """Bytes of all files together."""


class Member(NamedTuple):
    """One file of an archive; `content` is None for a folder."""

    name: str
    content: IO[bytes] | None


def extract(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpack a tar (plain or compressed) or zip file so that `folder` holds its members.

    `folder` must not exist or be empty. It appears complete or not at all: members go to
    a sibling that is renamed at the end. `DownloadError` for paths that lead outside,
    links, devices, more than `limits`, or damage.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DownloadError(f"{folder} exists already; move it away to unpack {archive} there")
    scratch = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed call left behind
    try:
        scratch.mkdir(parents=True)
        _unpack(archive, scratch, limits or Limits())
        scratch.replace(folder)
    except DAMAGE as error:
        raise DownloadError(f"{archive} cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack(archive: Path, scratch: Path, limits: Limits) -> None:
    written = 0
    with closing(_members(archive)) as members:
        for count, member in enumerate(members, start=1):
            if count > limits.members:
                raise DownloadError(f"{archive} holds more than {limits.members} members")
            target = scratch / _inside(archive, member.name)
            written += _write(member, target, limits.size - written, archive, limits)


def _inside(archive: Path, name: str) -> PurePosixPath:
    """The member's name as a relative path that stays inside its folder."""
    path = PurePosixPath(name)
    foreign = "\\" in name or "\0" in name or (len(name) > 1 and name[1] == ":")
    if path.is_absolute() or ".." in path.parts or foreign:
        raise DownloadError(f"{archive} holds {name!r}, which leads outside; nothing was unpacked")
    return path


def _write(member: Member, target: Path, room: int, archive: Path, limits: Limits) -> int:
    if member.content is None:
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with member.content, target.open("xb") as file:
        while chunk := member.content.read(CHUNK):
            written += len(chunk)
            if written > room:
                raise DownloadError(f"{archive} unpacks to more than {limits.size} bytes")
            file.write(chunk)
    return written


def _members(archive: Path) -> Generator[Member, None, None]:
    if tarfile.is_tarfile(archive):
        return _tar_members(archive)
    if zipfile.is_zipfile(archive):
        return _zip_members(archive)
    raise DownloadError(f"{archive} is neither a tar nor a zip file")


def _tar_members(archive: Path) -> Generator[Member, None, None]:
    with tarfile.open(archive, "r|*") as tar:  # a stream: one pass, little memory
        for info in tar:
            if info.isdir():
                yield Member(info.name, None)
            elif info.isreg():
                yield Member(info.name, tar.extractfile(info))
            else:
                raise _neither(archive, info.name)


def _zip_members(archive: Path) -> Generator[Member, None, None]:
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                yield Member(info.filename, None)
            elif kind in (0, stat.S_IFREG):
                yield Member(info.filename, bundle.open(info))
            else:
                raise _neither(archive, info.filename)


def _neither(archive: Path, name: str) -> DownloadError:
    return DownloadError(
        f"{archive} holds {name!r}, a link or device; only files and folders are unpacked"
    )
