"""Whether tensors changed: looked at cheaply enough for every block of foreign code.

Small ones are copied. Of large ones there are sums of their bits, which take about twice as long as
plain sums over them. What sums do not see: changes that leave no trace in 64 bits, by chance once
in 2⁶⁴ or so; words of one line of `LINE` that changed places among themselves alone; and an even
number of elements in one line whose sign alone changed and that all lie in upper halves of words.
"""

import functools
from collections.abc import Collection, Sequence
from typing import NamedTuple, Self

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.nn.parameter import is_lazy

from xbench.randomness import generator

LINE = 33
"""Words that are plainly summed; odd, so that signs of all of them that change do not cancel."""
ROW = 255
"""Sums of lines, and sums of these, that are weighted at once."""
_SLAB = 1 << 15
"""Rows whose products are held at once, where there is no integer matrix product."""
_ODD = -7046029254386353131
_LOW_32, _LOW_35 = (1 << 32) - 1, (1 << 35) - 1
_WORD = 8
SMALL = 1 << 20
"""Bytes of a tensor on the CPU that is copied: its copy is made and compared in the cache."""
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Types whose values are equal where their bits are, by the bytes of an element."""


class Contents(NamedTuple):
    """Tensors, and what was in them."""

    tensors: Sequence[Tensor]
    copies: dict[int, Tensor]
    """Of small ones, by their places."""
    sums: dict[int, int]
    """Of the others."""

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> Self:
        """What is in the tensors now."""
        copies = {place: one.detach().clone() for place, one in enumerate(tensors) if _small(one)}
        return cls(tensors, copies, _sums(tensors, copies.keys()))

    def changed(self) -> list[bool]:
        """For each tensor whether any of its bits is another than it was."""
        now = _sums(self.tensors, self.copies.keys())
        return [
            now[place] != self.sums[place]
            if place in now
            else not same_bits(one, self.copies[place])
            for place, one in enumerate(self.tensors)
        ]


def _sums(tensors: Sequence[Tensor], but: Collection[int]) -> dict[int, int]:
    places = [place for place in range(len(tensors)) if place not in but]
    return dict(zip(places, bit_sums([tensors[place] for place in places]), strict=True))


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape, type, device and bits, in the order of indices."""
    if (one.shape, one.dtype, one.device) != (other.shape, other.dtype, other.device):
        return False
    if not (_comparable(one) and _comparable(other)):
        first, second = bit_sums([one, other])
        return first == second
    words = _WORDS[one.itemsize]
    return torch.equal(one.detach().view(words), other.detach().view(words))


def _comparable(tensor: Tensor) -> bool:
    plain = not tensor.is_conj() and not tensor.is_neg() and tensor.itemsize in _WORDS
    return plain and _dense(tensor)


def _small(tensor: Tensor) -> bool:
    there = tensor.device.type == "cpu" and _comparable(tensor)
    return there and tensor.nbytes <= SMALL


@torch.no_grad()
def bit_sums(tensors: Sequence[Tensor]) -> list[int]:
    """For each tensor a sum of the bits of its elements, that depends on their order.

    The order is that of the indices, so memory formats make no difference. 0 for tensors whose
    elements do not lie there: sparse ones, those of the device `meta`, uninitialised ones.
    """
    sums = [_bit_sum(tensor) if _dense(tensor) else _nothing() for tensor in tensors]
    values = dict[int, int]()
    for device in dict.fromkeys(one.device for one in sums):
        places = [place for place, one in enumerate(sums) if one.device == device]
        there = torch.cat([sums[place] for place in places])  # one transfer for all
        values |= dict(zip(places, there.tolist(), strict=True))
    return [values[place] for place in range(len(tensors))]


def _flat(tensor: Tensor) -> Tensor:
    return tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)


def _nothing() -> Tensor:
    return torch.zeros(1, dtype=torch.int64, device="cpu")


def _dense(tensor: Tensor) -> bool:
    there = tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_quantized
    return there and not is_lazy(tensor)


def _bit_sum(tensor: Tensor) -> Int64[Tensor, " 1"]:
    raw = _flat(tensor).view(torch.uint8)
    if (raw.storage_offset() | raw.data_ptr()) % _WORD:
        raw = raw.clone()
    whole = len(raw) // _WORD * _WORD
    tail = raw.new_zeros(_WORD)
    tail[: len(raw) - whole] = raw[whole:]
    return _folded(torch.cat([_folded(_mixed(_line_sums(_words(raw[:whole])))), _words(tail)]))


def _words(raw: UInt8[Tensor, " bytes"]) -> Int64[Tensor, " words"]:
    return raw.view(torch.int64)


def _folded(words: Int64[Tensor, " words"]) -> Int64[Tensor, " one"]:
    """One word of many, none of none: rows are summed until one is left."""
    while len(words) > 1:
        words = _mixed(_row_sums(words))
    return words


def _mixed(sums: Int64[Tensor, " sums"]) -> Int64[Tensor, " sums"]:
    """Other words for other sums, of which high bits, too, count in the next sum."""
    # masked, because a shift repeats the sign: x and ~x would become one word
    mixed = (sums ^ ((sums >> 32) & _LOW_32)) * _ODD
    return mixed ^ ((mixed >> 29) & _LOW_35)


def _line_sums(words: Int64[Tensor, " words"]) -> Int64[Tensor, " lines"]:
    whole = len(words) // LINE * LINE
    sums, rest = words[:whole].view(-1, LINE).sum(1), words[whole:]
    return torch.cat([sums, rest.sum()[None]]) if len(rest) else sums


def _row_sums(words: Int64[Tensor, " words"]) -> Int64[Tensor, " rows"]:
    weights = _weights(words.device)
    whole = len(words) // ROW * ROW
    rows, rest = words[:whole].view(-1, ROW), words[whole:]
    sums = rows.mv(weights) if words.device.type == "cpu" else _slab_products(rows, weights)
    return torch.cat([sums, (rest * weights[: len(rest)]).sum()[None]])


def _slab_products(
    rows: Int64[Tensor, "rows row"], weights: Int64[Tensor, " row"]
) -> Int64[Tensor, " rows"]:
    return torch.cat([(slab * weights).sum(1) for slab in torch.split(rows, _SLAB)])


@functools.cache
def _weights(device: torch.device) -> Int64[Tensor, " row"]:
    """Odd, so that a change of a single word is never missed."""
    drawn = torch.randint(
        1 << 62, (ROW,), generator=generator("bit sums"), dtype=torch.int64, device="cpu"
    )
    return (2 * drawn + 1).to(device)
