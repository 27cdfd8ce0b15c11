"""Columns of Arrow, by pyarrow: Parquet, DuckDB and whatever else speaks Arrow come in through here."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from cxkit.errors import DataError
from cxkit.model import columns
from cxkit.model.columns import Column

__all__ = ["from_arrow"]


def from_arrow(name: str, array: Any) -> Column:
    """A column from a pyarrow Array or ChunkedArray."""
    import pyarrow as pa

    types, kind = pa.types, array.type
    shown = str(kind)
    if types.is_dictionary(kind):
        return _dictionary(name, shown, array)
    if isinstance(kind, pa.BaseExtensionType):
        chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
        storage = pa.chunked_array([c.storage for c in chunks], type=kind.storage_type)
        return attrs.evolve(from_arrow(name, storage), dtype=shown)
    if types.is_run_end_encoded(kind):
        array = pa.chunked_array([array]) if isinstance(array, pa.Array) else array
        array = pa.chunked_array([pa.compute.run_end_decode(c) for c in array.chunks], kind.value_type)
        return attrs.evolve(from_arrow(name, array), dtype=shown)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        # Large offsets, so that the chunks of any table fit into one array.
        return _dictionary(name, shown, array.cast(pa.large_string()).dictionary_encode())
    if types.is_null(kind):
        return Column(name, "empty", shown, array, np.ones(len(array), dtype=bool))
    null = np.asarray(array.is_null()) if array.null_count else None
    if types.is_boolean(kind):
        return Column(name, "truth", shown, np.asarray(array.fill_null(False)).astype(bool), null)  # noqa: FBT003
    if types.is_integer(kind):
        return Column(name, "whole", shown, np.asarray(array.fill_null(0)), null)
    if types.is_decimal(kind):
        array = _undecimal(array)
        if types.is_integer(array.type):
            return attrs.evolve(from_arrow(name, array), dtype=shown)
    elif types.is_float16(kind):
        array = array.cast(pa.float32())
    if types.is_floating(kind) or types.is_decimal(kind):
        values = np.asarray(array.fill_null(0.0)).astype(np.float64, copy=False)
        return Column(name, "decimal", shown, values, null)
    if types.is_timestamp(kind):
        raw = np.asarray(array.cast(pa.int64()).fill_null(0)).view(f"M8[{kind.unit}]")
        return Column(name, "instant", shown, raw, null, aware=kind.tz is not None)
    if types.is_date(kind):
        unit, bits = ("D", pa.int32()) if types.is_date32(kind) else ("ms", pa.int64())
        raw = np.asarray(array.cast(bits).fill_null(0)).astype(np.int64).view(f"M8[{unit}]")
        return Column(name, "instant", shown, raw, null)
    return Column(name, "other", shown, np.empty(len(array), object), null)


def _undecimal(array: Any) -> Any:
    """Decimals as floats; whole ones (the way of DuckDB to hold large integers) as integers."""
    import pyarrow as pa

    if array.type.scale <= 0:
        try:
            return array.cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # beyond 64 bits
    return array.cast(pa.float64())


def _dictionary(name: str, dtype: str, array: Any) -> Column:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        # Each chunk may have a dictionary of its own.
        array = array.unify_dictionaries().combine_chunks() if array.num_chunks else None
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0) if array.num_chunks else None
    if array is None:
        return columns.from_objects(name, [], dtype=dtype)
    null = np.asarray(array.indices.is_null()) if array.indices.null_count else None
    codes = np.asarray(array.indices.fill_null(0)).astype(np.int64, copy=False)
    labels = array.dictionary
    kind = labels.type
    text = (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
    if not text or labels.null_count:
        inner = from_arrow(name, labels)
        return inner.take(np.where(null, -1, codes) if null is not None else codes, dtype)
    try:
        texts = labels.to_numpy(zero_copy_only=False).tolist()
    except UnicodeDecodeError as error:
        raise DataError(f"column {name!r} holds text that is not UTF-8: {error}") from None
    return Column(name, "text", dtype, texts, null, codes)
