"""The columns of the scores of an entry case by case."""

import pyarrow as pa

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "case": NAMES,
        "cluster": NAMES,
        "cluster_2": NAMES,
        "repeat": pa.int32(),
        "score": NAMES,
        "value": pa.float64(),
    }
)
"""`cluster_2` is left out where no score has two keys."""
