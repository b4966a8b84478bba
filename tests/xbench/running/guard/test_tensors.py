"""Sums of bits see every change of a tensor, and nothing but changes."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from xbench.running.guard.tensors import (
    LINE,
    ROW,
    SMALL,
    Contents,
    _slab_products,
    bit_sums,
    same_bits,
)

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.complex64,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.uint8,
    torch.bool,
    torch.float8_e4m3fn,
]
SIZES = [1, 2, 7, 8, 9, 2 * LINE - 1, 2 * LINE, 4 * LINE + 3, 2 * LINE * ROW + 1, 10 * ROW * ROW]


def bits(tensor):
    return bit_sums([tensor])[0]


def noise(size, dtype=torch.float32):
    raw = torch.randint(2, (size,)) if dtype is torch.bool else torch.randn(size) * 9
    return raw.to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_a_change_of_the_lowest_or_the_highest_bit_of_any_element_is_seen(dtype, size):
    tensor = noise(size, dtype)
    before = bits(tensor)
    raw = tensor.view(torch.uint8)
    for place in {0, len(raw) // 2, len(raw) - 1}:
        for mask in (1, 128):
            raw[place] ^= mask
            assert bits(tensor) != before
            raw[place] ^= mask
    assert bits(tensor) == before


@pytest.mark.parametrize("word", [0, 1, -17, 1 << 40])
@pytest.mark.parametrize("size", [1, 2, LINE, 3 * LINE])
def test_a_word_and_its_complement_are_told_apart(word, size):
    tensor = torch.zeros(size, dtype=torch.int64)
    tensor[0] = word
    before = bits(tensor)
    tensor[0] = ~word
    assert bits(tensor) != before


@given(st.data(), st.sampled_from(SIZES[6:9]))
def test_a_swap_of_two_elements_is_seen_unless_whole_words_of_a_line_change_places(data, size):
    tensor = torch.arange(size, dtype=torch.float32)
    place = st.integers(0, size - 1)
    one, other = data.draw(st.lists(place, min_size=2, max_size=2, unique=True))
    line, half = 2 * LINE, 2
    assume(one // line != other // line or one % half != other % half)
    before = bits(tensor)
    tensor[[one, other]] = tensor[[other, one]]
    assert bits(tensor) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.neg_(),
        lambda t: t[:, ::2].neg_(),
        lambda t: t[:, 1::2].neg_(),
        lambda t: t[0].neg_(),
        lambda t: t.copy_(t.flip(0)),
        lambda t: t.copy_(t.roll(2, 1)),
        lambda t: t.copy_(t.flip(1)),
        lambda t: t.copy_(t.sort(1).values),
        lambda t: t.mul_(1 + 1e-7),
        lambda t: t.clamp_(min=0),
    ],
)
def test_changes_of_many_elements_do_not_cancel(change):
    tensor = noise(64 * 1024).view(64, 1024)
    before = bits(tensor)
    change(tensor)
    assert bits(tensor) != before


def test_tensors_without_elements_and_without_dimensions_have_sums():
    assert bits(torch.zeros(0)) == bits(torch.zeros(3, 0, 2))
    assert bits(torch.tensor(1.0)) != bits(torch.tensor(2.0))


def test_the_memory_format_makes_no_difference():
    tensor = torch.randn(4, 3, 5, 5)
    assert bits(tensor) == bits(tensor.to(memory_format=torch.channels_last))
    assert bits(tensor[:, :, ::2]) == bits(tensor[:, :, ::2].contiguous())
    assert bits(tensor.transpose(0, 1)) != bits(tensor)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_it_makes_no_difference_where_a_tensor_begins(offset):
    tensor = torch.randn(1000)
    assert bits(tensor[offset:]) == bits(tensor[offset:].clone())
    halves = tensor.half()
    assert bits(halves[offset:]) == bits(halves[offset:].clone())


def test_what_is_to_be_conjugated_counts_as_if_it_were():
    tensor = torch.randn(9, dtype=torch.complex64)
    assert bits(tensor.conj()) == bits(tensor.conj().resolve_conj())
    assert bits(tensor.conj()) != bits(tensor)


def test_several_sums_come_in_the_order_of_their_tensors():
    tensors = [torch.randn(n) for n in (5, 0, 700)]
    assert bit_sums(tensors) == [bits(one) for one in tensors]
    assert bit_sums([]) == []


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3, device="meta"),
        torch.eye(3).to_sparse(),
        nn.LazyLinear(2).weight,
    ],
    ids=["meta", "sparse", "uninitialised"],
)
def test_what_does_not_lie_there_has_no_sum(tensor):
    assert bits(tensor) == 0


def test_the_number_of_threads_makes_no_difference():
    tensor, threads = torch.randn(3, 200_001), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = bits(tensor)
    finally:
        torch.set_num_threads(threads)
    assert bits(tensor) == two


@pytest.mark.parametrize("rows", [0, 1, 3, (1 << 15) + 2])
def test_devices_without_integer_products_get_the_same_sums(rows):
    words = torch.randint(-(2**62), 2**62, (rows, 5))
    weights = torch.randint(2**62, (5,))
    assert torch.equal(_slab_products(words, weights), words.mv(weights))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is here")
@pytest.mark.parametrize("size", SIZES)
def test_a_gpu_gives_the_same_sums(size):
    tensor = noise(size)
    assert bits(tensor.cuda()) == bits(tensor)


@pytest.mark.parametrize("size", [3, SMALL // 4, SMALL // 4 + 1], ids=["tiny", "small", "large"])
@pytest.mark.parametrize(
    ("before", "after"),
    [(1.0, 2.0), (0.0, -0.0), (float("nan"), 1.0), (1.0, float("nan"))],
    ids=["value", "sign of zero", "from NaN", "to NaN"],
)
def test_contents_that_changed_are_told_from_those_that_did_not(size, before, after):
    tensors = [torch.full((size,), before) for _ in range(3)]
    contents = Contents.of(tensors)
    assert contents.changed() == [False, False, False]
    tensors[1][-1] = after
    assert contents.changed() == [False, True, False]
    tensors[1][-1] = before
    assert contents.changed() == [False, False, False]


def test_contents_are_looked_at_whatever_became_of_the_tensor():
    tensors = [torch.zeros(6), torch.zeros(6), torch.zeros(6), torch.zeros(2, 3)]
    contents = Contents.of(tensors)
    tensors[0].data = torch.zeros(7)
    tensors[1].data = torch.zeros(6, dtype=torch.float64)
    tensors[2].resize_(5)
    tensors[3].data = torch.zeros(3, 2).t()
    assert contents.changed() == [True, True, True, False]


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(1.0, 6).to(torch.complex64),
        torch.arange(1.0, 6).to(torch.complex128),
        torch.arange(1.0, 6).to(torch.complex64).conj(),
        torch.arange(1.0, 6).to(torch.bfloat16),
        torch.tensor([True, False]),
        torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last),
        torch.eye(3).to_sparse(),
    ],
    ids=["complex", "wide complex", "conjugated", "bfloat16", "bool", "channels last", "sparse"],
)
def test_contents_of_all_sorts_of_tensors(tensor):
    contents = Contents.of([tensor])
    assert contents.changed() == [False]
    assert same_bits(tensor, tensor.clone())
    if tensor.layout is torch.strided:
        assert not same_bits(tensor, tensor[:1])
        with torch.no_grad():
            tensor.copy_(~tensor if tensor.dtype is torch.bool else 2 * tensor)
        assert contents.changed() == [True]
