"""Downloads: files from elsewhere, fetched whole or not at all, and checked before use."""

import errno
import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from xbench.errors import DownloadError, UnwritableStoreError
from xbench.interfaces.data.download import Download
from xbench.interfaces.workplace import Progress

CHUNK = 1 << 18
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""


class Retries(NamedTuple):
    """How patient a transfer is with a connection that breaks."""

    without_progress: int = 5
    """Attempts in a row that add nothing."""
    altogether: int = 50
    first_pause: float = 1.0
    """Seconds before the first new attempt; doubled for each that adds nothing."""
    sleep: Callable[[float], None] = time.sleep


class _BrokenOffError(Exception):
    """A transfer that may go better next time."""


def fetch(
    download: Download, folder: Path, progress: Progress, retries: Retries | None = None
) -> Path:
    """The path of the complete, checked file in `folder`; at once if it is there already.

    What an interrupted call left behind is continued. `DownloadError` if the transfer
    breaks off too often, or if the file's length or checksum is not the declared one;
    `UnwritableStoreError` where nothing can be written to `folder`.
    """
    _require_web_address(download)
    file = folder / download.filename
    if file.is_file() and _digest(file, download.checksum) == _expected(download):
        return file
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    part = folder / f"{download.filename}.{_expected(download)[:8]}.part"
    _transfer(download, part, progress, retries or Retries())
    _check_digest(download, part)
    part.replace(file)
    return file


def _transfer(download: Download, part: Path, progress: Progress, retries: Retries) -> None:
    best, idle, last = _length(part), 0, "nothing was received"
    for _ in range(retries.altogether):
        if _length(part) == download.size:
            return
        try:
            _attempt(download, part, progress)
            continue
        except _BrokenOffError as error:
            last = str(error)
        idle = 0 if _length(part) > best else idle + 1
        best = max(best, _length(part))
        if idle == retries.without_progress:
            break
        retries.sleep(retries.first_pause * 2**idle)
    if _length(part) != download.size:
        raise _broken_for_good(download, part, last)


def _broken_for_good(download: Download, part: Path, last: str) -> DownloadError:
    return DownloadError(
        f"{download.url}: the transfer keeps breaking off ({last}); {_length(part)} of"
        f" {download.size} bytes are in {part}. The same command continues there."
    )


def _attempt(download: Download, part: Path, progress: Progress) -> None:
    """Append what the server sends; `_BrokenOffError` where another attempt may help."""
    offset = _length(part)
    if offset > download.size:
        part.unlink()
        offset = 0
    _require_space(download, part, download.size - offset)
    try:
        with _opened(download, part, offset) as response:
            offset = _agreed_offset(download, response, offset)
            with part.open("r+b" if offset else "wb") as file:
                file.seek(offset)
                _copy(download, response, file, progress, offset)
    except OSError as error:  # of the file: those of the connection are another error by now
        if error.errno == errno.ENOSPC:
            raise DownloadError(f"no space left for {part}") from error
        raise _unwritable(part, error) from error


def _opened(download: Download, part: Path, offset: int) -> http.client.HTTPResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "xbench"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(download.url, headers=headers)  # noqa: S310
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)  # ask for the whole, to learn what the server has
            raise _BrokenOffError(
                "the server cannot continue where the last transfer ended"
            ) from error
        if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR or error.code in (408, 429):
            raise _BrokenOffError(f"the server answers {error.code} {error.reason}") from error
        raise DownloadError(
            f"{download.url}: the server answers {error.code} {error.reason}. {_by_hand(download)}"
        ) from error
    except urllib.error.URLError as error:
        raise _BrokenOffError(str(error.reason)) from error
    except (http.client.HTTPException, OSError) as error:
        raise _BrokenOffError(str(error) or type(error).__name__) from error


def _agreed_offset(download: Download, response: http.client.HTTPResponse, offset: int) -> int:
    """Where the body belongs; `DownloadError` if the server has a file of another length."""
    total, start = response.headers.get("Content-Length", ""), 0
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        stated = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", stated)
        if match is None or int(match[1]) != offset:
            raise DownloadError(
                f"{download.url}: asked for bytes from {offset} on, the server sends {stated!r}"
            )
        start, total = offset, match[2]
    if total.isdigit() and int(total) != download.size:
        raise DownloadError(
            f"{download.url}: the server announces {total} bytes, expected are"
            f" {download.size}; nothing was kept of it. {_by_hand(download)}"
        )
    return start


def _copy(
    download: Download,
    response: http.client.HTTPResponse,
    file: IO[bytes],
    progress: Progress,
    done: int,
) -> None:
    for chunk in _received(response):
        if done + len(chunk) > download.size:
            file.truncate(0)
            raise DownloadError(
                f"{download.url}: the server sends more than the expected {download.size}"
                f" bytes; nothing was kept. {_by_hand(download)}"
            )
        file.write(chunk)
        done += len(chunk)
        progress.update(f"download {download.filename}", done, download.size)
    if done < download.size:
        raise _BrokenOffError(f"the connection ended after {done} of {download.size} bytes")


def _received(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What the server sends; `_BrokenOffError` where the connection breaks, TLS included."""
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (http.client.HTTPException, OSError) as error:
        raise _BrokenOffError(str(error) or type(error).__name__) from error


def _check_digest(download: Download, part: Path) -> None:
    digest = _digest(part, download.checksum)
    if digest != _expected(download):
        part.unlink()
        raise DownloadError(
            f"{download.url}: the checksum is wrong: expected {download.checksum}, found"
            f" {digest}. The file was deleted and nothing was unpacked. {_by_hand(download)}"
        )


def _digest(file: Path, checksum: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, checksum.partition(":")[0]).hexdigest()


def _expected(download: Download) -> str:
    return download.checksum.partition(":")[2].lower()


def _require_web_address(download: Download) -> None:
    if urlsplit(download.url).scheme not in ("http", "https"):
        raise DownloadError(f"{download.url}: only http and https addresses are fetched")


def _require_space(download: Download, part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise DownloadError(
            f"{download.url}: {needed} more bytes are needed in {part.parent}, {free} are free"
        )


def _unwritable(place: Path, error: OSError) -> UnwritableStoreError:
    return UnwritableStoreError(
        f"{place} cannot be written ({error.strerror}); data lies below XBENCH_HOME, or where"
        " dataset.root says"
    )


def _by_hand(download: Download) -> str:
    home = download.homepage or download.url
    return f"See {home} for the state of the data."


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
