"""Downloads: what must be true of files that are fetched from elsewhere."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Download:
    """An archive, or another file, at its official home, and what must be true of it."""

    url: str
    size: int
    """Exact number of bytes."""
    checksum: str
    """`sha256:` or `md5:` and the hexadecimal digest."""
    target: str
    """The folder it is unpacked to: relative to the data folder, or absolute."""
    licence: str
    homepage: str = ""
    most_members: int = 100_000
    """More files than this are refused."""
    most_bytes: int = 1 << 34
    """An archive that unpacks to more than this is refused."""
    archive: bool = True
    """False for a file that is put into the target folder as it is."""

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2] or "download"
