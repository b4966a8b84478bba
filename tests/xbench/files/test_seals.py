"""A seal is right for one path and one content, and leaves the format what it is."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load

from xbench.files.seals import (
    DTYPES,
    header,
    seal,
    sealed_record,
    sealed_table,
    sealed_tensors,
    tensor_bytes,
)

TABLE = pa.table(
    {
        "case": pa.array(["a", "b", "a"]).dictionary_encode(),
        "value": pa.array([[0.5, float("nan")], [], None], pa.large_list(pa.float32())),
    }
).replace_schema_metadata({"xbench": "facts"})

SEALED = {
    "a/b.safetensors": lambda path: sealed_tensors(path, {"w": torch.arange(3)}, {"facts": "{}"}),
    "a/b.parquet": lambda path: sealed_table(path, TABLE),
    "a/b.json": lambda path: sealed_record(path, {"checksum": "old", "a": {"checksum": "x"}}),
}


@pytest.mark.parametrize("path", SEALED)
def test_a_seal_is_right_for_its_path_alone(path):
    data = SEALED[path](path)
    assert len(seal(path, data)) == 64
    assert seal(path.replace("b.", "c."), data) == ""
    assert seal(path, SEALED[path](path.replace("b.", "c."))) == ""


@pytest.mark.parametrize("path", SEALED)
def test_equal_content_has_an_equal_seal(path):
    assert SEALED[path](path) == SEALED[path](path)


@pytest.mark.parametrize("path", SEALED)
@pytest.mark.parametrize(
    "data", [b"", b"x", b"\xff" * 9, bytes(200), b'"checksum": "', b'{"checksum":"', b"PAR1" * 30]
)
def test_what_is_no_sealed_file_has_no_seal(path, data):
    assert seal(path, data) == ""


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (3, 2), (1,)])
@pytest.mark.parametrize("name", DTYPES)
def test_tensors_of_every_type_come_back_bit_by_bit(name, shape):
    dtype = getattr(torch, name)
    tensor = (torch.randn(shape) * 5).to(dtype)
    tensors = {"a": torch.zeros(3, dtype=torch.uint8), "b": tensor, "c": torch.zeros(1)}
    data = sealed_tensors("x.safetensors", tensors, {"said": '"checksum":"no"'})
    back = load(data)
    assert back["b"].dtype == dtype
    assert back["b"].shape == shape
    assert all(tensor_bytes(back[key]) == tensor_bytes(of) for key, of in tensors.items())
    assert header(data)["said"] == '"checksum":"no"'


def test_tensors_are_written_in_row_major_order_whatever_view_they_are():
    base = torch.complex(torch.randn(3, 4), torch.randn(3, 4))
    views = {"t": base.T, "conj": base.conj(), "neg": base.conj().imag, "some": base[:, ::2]}
    back = load(sealed_tensors("x.safetensors", {"w": base.requires_grad_(), **views}, {}))
    assert all(torch.equal(back[name], view) for name, view in views.items())
    assert torch.equal(back["w"], base)


def test_types_that_safetensors_has_not_are_refused():
    with pytest.raises(ValueError, match="tensors of type complex128 cannot be kept"):
        sealed_tensors("x.safetensors", {"w": torch.zeros(1, dtype=torch.complex128)}, {})


@pytest.mark.parametrize("table", [TABLE, TABLE[:0]])
def test_a_sealed_table_is_what_plain_parquet_holds(table):
    plain = io.BytesIO()
    pq.write_table(table, plain, compression="zstd")
    back = pq.read_table(io.BytesIO(sealed_table("x.parquet", table)))
    assert back.schema.equals(pq.read_table(plain).schema, check_metadata=True)
    assert str(back.to_pydict()) == str(table.to_pydict())
