"""Runs that share a store, in any process."""

import pyarrow as pa
import torch

from xbench import Artefact, Store

ROWS = pa.table({"case": [1, 2], "value": [[0.5, float("nan")], [1.0, 2.0]]})


def write_and_read(url, number):
    """One of several runs that share a store: makes what is absent, in an order of its own."""
    store = Store(url)
    for turn in range(number, number + 30):
        key = f"{turn % 6}"
        store.put_rows(key, ROWS.replace_schema_metadata({"made by": str(number)}))
        assert store.rows(key, (1, 2)) is not None
        artefact = Artefact(key, {"w": torch.full((9,), int(key))}, {"made by": number})
        artefact = store.put_artefact("weights", artefact)
        assert artefact.tensors["w"].tolist() == [int(key)] * 9
        store.put_record(f"made-up/{key}.json", {"made by": number})
        assert set(store.record(f"made-up/{key}.json")) == {"made by"}
    return sorted(store.files.damaged)
