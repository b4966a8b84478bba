"""Downloads arrive whole and checked, or not at all."""

import hashlib
import ssl
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

import bad_web as web
from xbench.errors import DownloadError, UnwritableStoreError
from xbench.files.download import Retries, fetch
from xbench.interfaces.data.download import Download

CONTENT = bytes(range(256)) * 4096
LENGTH = len(CONTENT)


class Seen:
    """Progress that is remembered."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Remember how far it came."""
        assert task == "download thing.tgz"
        assert total == LENGTH
        self.done.append(done)


def described(url: str, content: bytes = CONTENT, algorithm: str = "sha256") -> Download:
    digest = hashlib.new(algorithm, content).hexdigest()
    return Download(
        url, len(content), f"{algorithm}:{digest}", "thing", "free", "https://example.org/thing"
    )


def patient(pauses: list[float] | None = None) -> Retries:
    return Retries(sleep=([] if pauses is None else pauses).append)


def fetched(site: Any, folder: Path, **kwargs: Any) -> Path:
    return fetch(described(site.url), folder, Seen(), patient(**kwargs))


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_honest_server_gives_the_file_and_progress(tmp_path: Path, algorithm: str) -> None:
    seen = Seen()
    with web.serve(CONTENT, web.honest) as site:
        file = fetch(described(site.url, algorithm=algorithm), tmp_path / "new", seen, patient())
    assert file == tmp_path / "new" / "thing.tgz"
    assert file.read_bytes() == CONTENT
    assert list((tmp_path / "new").iterdir()) == [file]
    assert seen.done == sorted(seen.done)
    assert seen.done[-1] == LENGTH


def test_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with web.serve(CONTENT, web.honest) as site:
        fetched(site, tmp_path)
        fetched(site, tmp_path)
    assert len(site.ranges) == 1


def test_damaged_file_that_is_there_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "thing.tgz").write_bytes(CONTENT[:-1] + b"?")
    with web.serve(CONTENT, web.honest) as site:
        assert fetched(site, tmp_path).read_bytes() == CONTENT


def test_broken_transfers_go_on_where_they_ended(tmp_path: Path) -> None:
    pauses: list[float] = []
    with web.serve(CONTENT, web.breaking(1000), web.breaking(500), web.honest) as site:
        assert fetched(site, tmp_path, pauses=pauses).read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1000-", "bytes=1500-"]
    assert pauses == [1.0, 1.0]


def test_next_call_goes_on_where_the_last_gave_up(tmp_path: Path) -> None:
    with (
        web.serve(CONTENT, web.breaking(1000), web.breaking(0)) as site,
        pytest.raises(DownloadError) as caught,
    ):
        fetched(site, tmp_path)
    part = next(tmp_path.iterdir())
    assert str(caught.value) == (
        f"{site.url}: the transfer keeps breaking off (the connection ended after 1000 of {LENGTH}"
        f" bytes); 1000 of {LENGTH} bytes are in {part}. The same command continues there."
    )
    with web.serve(CONTENT, web.honest) as again:
        assert fetched(again, tmp_path).read_bytes() == CONTENT
    assert again.ranges == ["bytes=1000-"]


def test_pauses_double_and_attempts_without_progress_are_bounded(tmp_path: Path) -> None:
    pauses: list[float] = []
    with web.serve(CONTENT, web.refusing(503)) as site, pytest.raises(DownloadError) as caught:
        fetched(site, tmp_path, pauses=pauses)
    assert "the server answers 503 Service Unavailable" in str(caught.value)
    assert pauses == [2.0, 4.0, 8.0, 16.0]
    assert len(site.ranges) == 5


def test_attempts_are_bounded_even_if_each_adds_a_little(tmp_path: Path) -> None:
    with web.serve(CONTENT, web.breaking(1)) as site, pytest.raises(DownloadError):
        fetch(described(site.url), tmp_path, Seen(), Retries(altogether=7, sleep=[].append))
    assert len(site.ranges) == 7


def test_server_that_ignores_range_is_read_from_the_start(tmp_path: Path) -> None:
    with web.serve(CONTENT, web.deaf(1000), web.deaf(LENGTH)) as site:
        assert fetched(site, tmp_path).read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1000-"]


def test_server_that_sends_another_range_is_refused(tmp_path: Path) -> None:
    with (
        web.serve(CONTENT, web.breaking(1000), web.misplaced) as site,
        pytest.raises(
            DownloadError, match="asked for bytes from 1000 on, the server sends 'bytes 1-"
        ),
    ):
        fetched(site, tmp_path)


@pytest.mark.parametrize("length", [LENGTH - 1, LENGTH + 1, 7])
def test_another_announced_length_is_refused_at_once(tmp_path: Path, length: int) -> None:
    with web.serve(CONTENT, web.announcing(length)) as site, pytest.raises(DownloadError) as caught:
        fetched(site, tmp_path)
    assert str(caught.value) == (
        f"{site.url}: the server announces {length} bytes, expected are {LENGTH}; nothing was"
        " kept of it. See https://example.org/thing for the state of the data."
    )
    assert len(site.ranges) == 1
    assert list(tmp_path.iterdir()) == []


def test_more_bytes_than_expected_are_not_kept(tmp_path: Path) -> None:
    with (
        web.serve(CONTENT + b"more", web.announcing(None)) as site,
        pytest.raises(DownloadError, match=f"sends more than the expected {LENGTH} bytes"),
    ):
        fetched(site, tmp_path)
    assert all(file.stat().st_size == 0 for file in tmp_path.iterdir())


def test_wrong_checksum_is_refused_and_the_file_deleted(tmp_path: Path) -> None:
    other = CONTENT[::-1]
    with web.serve(other, web.honest) as site, pytest.raises(DownloadError) as caught:
        fetched(site, tmp_path)
    assert str(caught.value) == (
        f"{site.url}: the checksum is wrong: expected sha256:{hashlib.sha256(CONTENT).hexdigest()},"
        f" found {hashlib.sha256(other).hexdigest()}. The file was deleted and nothing was"
        " unpacked. See https://example.org/thing for the state of the data."
    )
    assert list(tmp_path.iterdir()) == []


def test_page_that_is_gone_is_not_asked_for_twice(tmp_path: Path) -> None:
    with (
        web.serve(CONTENT, web.refusing(404)) as site,
        pytest.raises(DownloadError, match=r"answers 404 Not Found. See https://example.org/thing"),
    ):
        fetched(site, tmp_path)
    assert len(site.ranges) == 1


def test_server_that_cannot_continue_is_asked_for_the_whole(tmp_path: Path) -> None:
    with web.serve(CONTENT, web.breaking(1000), web.refusing(416), web.honest) as site:
        assert fetched(site, tmp_path).read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1000-", None]


def test_part_that_is_too_long_is_thrown_away(tmp_path: Path) -> None:
    with (
        web.serve(CONTENT, web.breaking(10), web.refusing(404)) as site,
        pytest.raises(DownloadError),
    ):
        fetched(site, tmp_path)
    next(tmp_path.iterdir()).write_bytes(CONTENT * 2)
    with web.serve(CONTENT, web.honest) as site:
        assert fetched(site, tmp_path).read_bytes() == CONTENT


def test_nobody_answers(tmp_path: Path) -> None:
    with web.serve(CONTENT, web.honest) as site:
        pass
    with pytest.raises(DownloadError, match=f"0 of {LENGTH} bytes"):
        fetched(site, tmp_path)


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="file:///etc/hosts: only http and https"):
        fetch(described("file:///etc/hosts"), tmp_path, Seen())


def test_connection_that_breaks_in_another_way_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, faults = HTTPResponse.read1, [ssl.SSLEOFError(8, "EOF occurred"), OSError(113, "no way")]

    def faulty(response: HTTPResponse, size: int) -> bytes:
        if faults:
            raise faults.pop()
        return read(response, size)

    monkeypatch.setattr(HTTPResponse, "read1", faulty)
    with web.serve(CONTENT, web.honest) as site:
        assert fetched(site, tmp_path).read_bytes() == CONTENT
    assert not faults


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with web.serve(CONTENT, web.honest) as site, pytest.raises(UnwritableStoreError) as caught:
        fetched(site, tmp_path / "file" / "data")
    assert str(caught.value) == (
        f"{tmp_path / 'file' / 'data'} cannot be written (Not a directory); data lies below"
        " XBENCH_HOME, or where dataset.root says"
    )


def test_full_disk_is_told_before_the_transfer(tmp_path: Path) -> None:
    vast = Download("http://127.0.0.1:9/vast.tgz", 1 << 60, "md5:00", "vast", "free")
    with pytest.raises(DownloadError, match=f"{1 << 60} more bytes are needed in {tmp_path}"):
        fetch(vast, tmp_path, Seen())
