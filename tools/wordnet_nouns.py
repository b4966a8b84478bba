"""Build the bundled noun hierarchy from a full WordNet 3.0.

    python tools/wordnet_nouns.py /usr/share/wordnet --classes ids.txt --classes more.txt \
        --to plugins/xbench_explicable/data

Each file of `--classes` holds one class a line: a WordNet id (`n01440764`), which is kept, or
a noun, all senses of which are kept. Kept besides: all their hypernyms, and the first sense of
every word for any of these, so that "the first sense" means the same as in the full WordNet.
Lines stay as they are but for their pointers, of which those to synsets that were kept and that
lead up or down remain, and for examples in glosses.

With `--verify` the path similarities of all pairs of the ids are then compared with those that
the full WordNet gives, and a sample is printed for the tests.
"""

import gzip
import re
import sys
from pathlib import Path
from typing import NamedTuple

import click

UP, DOWN = {"@", "@i"}, {"~", "~i"}


class Line(NamedTuple):
    """A line of data.noun."""

    head: tuple[str, ...]
    """From the offset to the last word."""
    pointers: tuple[tuple[str, int, str, str], ...]
    gloss: str

    @property
    def words(self) -> list[str]:
        """The words of the synset, as the index writes them."""
        return [word.lower() for word in self.head[4::2]]

    @property
    def hypernyms(self) -> list[int]:
        """Offsets of what stands directly above."""
        return [offset for symbol, offset, _, _ in self.pointers if symbol in UP]

    def text(self, kept: set[int]) -> str:
        """The line with the pointers that lead to `kept`, and the definition alone."""
        left = [p for p in self.pointers if p[0] in UP | DOWN and p[1] in kept]
        fields = [f"{symbol} {offset:08d} {kind} {words}" for symbol, offset, kind, words in left]
        definition = self.gloss.split('; "')[0].strip()
        return " ".join([*self.head, f"{len(left):03d}", *fields, "|", definition]) + "\n"


def line_of(text: str) -> Line:
    """A parsed line of data.noun."""
    fields, _, gloss = text.partition("|")
    parts = fields.split()
    at = 4 + 2 * int(parts[3], 16)
    quads = [parts[k : k + 4] for k in range(at + 1, at + 1 + 4 * int(parts[at]), 4)]
    pointers = tuple((q[0], int(q[1]), q[2], q[3]) for q in quads)
    return Line(tuple(parts[:at]), pointers, gloss.strip())


def _rows(file: Path) -> list[str]:
    """The lines of a file of WordNet after its licence."""
    text = file.read_text(encoding="latin-1")
    return [row for row in text.splitlines() if row and not row.startswith(" ")]


def senses_of(row: str) -> tuple[str, list[int]]:
    """A word and the offsets of its senses, from a line of index.noun."""
    parts = row.split()
    return parts[0], [int(part) for part in parts[-int(parts[2]) :]]


def above(found: set[int], lines: dict[int, Line]) -> set[int]:
    """These synsets and all their hypernyms."""
    done, todo = set(found), list(found)
    while todo:
        new = set(lines[todo.pop()].hypernyms) - done
        done |= new
        todo += new
    return done


def chosen(wanted: list[str], lines: dict[int, Line], senses: dict[str, list[int]]) -> set[int]:
    """Offsets of all synsets that the bundled hierarchy holds."""
    ids = {int(name[1:]) for name in wanted if name[1:].isdigit()}
    named = {offset for name in wanted for offset in senses.get(name, [])}
    core = above(ids, lines)
    first = {senses[word][0] for offset in core for word in lines[offset].words}
    return above(core | named | first, lines)


def write(to: Path, name: str, text: str) -> None:
    """A compressed file that is the same for the same text."""
    data = gzip.compress(text.encode("ascii"), 9, mtime=0)
    (to / f"{name}.gz").write_bytes(data)
    sys.stdout.write(f"{name}.gz: {len(text)} bytes, compressed {len(data)}\n")


def licence(file: Path) -> str:
    """The licence at the head of a file of WordNet, without its line numbers."""
    text = file.read_text(encoding="latin-1")
    rows = re.findall(r"^ +\d+ ?(.*?) *$", text, re.MULTILINE)
    return "\n".join(rows).strip() + "\n"


def verify(to: Path, full: Path, ids: list[str]) -> None:
    """Compare all pairs with the full WordNet, and print some of them."""
    import torch

    from xbench_explicable.wordnet.nouns import nouns, path_similarities, synset_of

    assert to.samefile(Path(__file__).parent.parent / "plugins/xbench_explicable/data")  # noqa: S101
    small, large = nouns(), nouns(str(full))
    ours = path_similarities([synset_of(small, name) for name in ids])
    theirs = path_similarities([synset_of(large, name) for name in ids])
    worst = float((ours - theirs).abs().max())
    sys.stdout.write(f"{len(ids)} ids, {len(ids) ** 2} pairs: largest difference {worst}\n")
    generator = torch.Generator().manual_seed(0)
    for one, other in torch.randint(len(ids), (12, 2), generator=generator).tolist():
        steps = round(1 / float(theirs[one, other])) - 1
        direct = synset_of(large, ids[one]).shortest_path_distance(synset_of(large, ids[other]))
        sys.stdout.write(f'    ("{ids[one]}", "{ids[other]}", {steps}),  # {direct}\n')


@click.command()
@click.argument("wordnet", type=click.Path(exists=True, path_type=Path))
@click.option("--classes", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--to", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--verify", "verified", is_flag=True)
def main(wordnet: Path, classes: tuple[Path, ...], to: Path, *, verified: bool) -> None:
    """Build the bundled noun hierarchy from a full WordNet 3.0."""
    lines = {int(row[:8]): line_of(row) for row in _rows(wordnet / "data.noun")}
    senses = dict(senses_of(row) for row in _rows(wordnet / "index.noun"))
    wanted = [name for file in classes for name in file.read_text().split()]
    kept = chosen(wanted, lines, senses)
    words = sorted({word for offset in kept for word in lines[offset].words})
    rows = [
        f"{word} n {len(senses[word])} 0 {len(senses[word])} 0 "
        f"{' '.join(f'{offset:08d}' for offset in senses[word])}\n"
        for word in words
    ]
    plurals = [row + "\n" for row in _rows(wordnet / "noun.exc") if row.split()[1] in set(words)]
    write(to, "data.noun", "".join(lines[offset].text(kept) for offset in sorted(kept)))
    write(to, "index.noun", "".join(rows))
    write(to, "noun.exc", "".join(plurals))
    (to / "LICENSE.wordnet").write_text(licence(wordnet / "data.noun"))
    sys.stdout.write(f"{len(kept)} synsets, {len(words)} words\n")
    if verified:
        ids = [name for name in wanted if name[1:].isdigit()]
        verify(to, wordnet, list(dict.fromkeys(ids)))


if __name__ == "__main__":
    main()
