"""nltk's reader of WordNet, given nouns alone."""

from typing import Any

from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.data import PathPointer

from xbench_explicable.wordnet.files import VERSION, file_text, stream


class Folder(PathPointer):  # type: ignore[misc] # nltk has no types
    """Where nltk thinks that its files lie; they may be compressed, or not all there."""

    def __init__(self, folder: str, file: str = "") -> None:
        self.folder = folder
        self.file = file

    def open(self, encoding: str | None = None) -> Any:
        """The file to read from."""
        return stream(self.folder, self.file)

    def file_size(self) -> int:
        """How many bytes the file has when it is not compressed."""
        return len(file_text(self.folder, self.file).encode())

    def join(self, fileid: str) -> "Folder":
        """A file in the folder."""
        return Folder(self.folder, fileid)


class Nouns(WordNetCorpusReader):  # type: ignore[misc] # likewise
    """The bundled nouns, or those in a folder."""

    def __init__(self, folder: str) -> None:
        super().__init__(Folder(folder), None)

    def open(self, file: str) -> Any:
        """One of WordNet's files; nltk would look for it in its own folders alone."""
        return self._root.join(file).open()

    def map_wn(self, version: str = VERSION) -> None:
        """Nothing: nltk would look for another release to compare with."""
