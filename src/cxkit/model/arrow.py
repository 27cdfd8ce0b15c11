"""Columns of Arrow, by pyarrow: Parquet, DuckDB and whatever else speaks Arrow come in here."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.textcodes import factorize_texts
from cxkit.errors import DataError
from cxkit.model import columns
from cxkit.model.columns import Column, Kind, SortedTexts

__all__ = ["from_arrow"]

_MANY: Final = 50_000
"""So many rows are worth a look at how many distinct texts they hold."""
_SAMPLE: Final = 16_384
_SAMPLES: Final = 16
_LONGEST: Final = 128  # bytes: an id; every eight bytes of the longest are a pass over all rows


def from_arrow(name: str, array: Any) -> Column:
    """A column from a pyarrow Array or ChunkedArray."""
    import pyarrow as pa

    types, dtype = pa.types, str(array.type)
    array = _unwrapped(_without_empty_chunks(array))
    kind = array.type
    if types.is_dictionary(kind):
        return _dictionary(name, dtype, array)
    if _is_text(kind):
        return _text(name, dtype, array)
    if types.is_null(kind):
        return Column(name, "empty", dtype, array, np.ones(len(array), dtype=bool))
    null = np.asarray(array.is_null()) if array.null_count else None
    if types.is_temporal(kind):
        found = _instants(array)
        if found is not None:
            aware = types.is_timestamp(kind) and kind.tz is not None
            return Column(name, "instant", dtype, found, null, aware=aware)
    plain = _numbers(array)
    if plain is None:
        return Column(name, "other", dtype, array, null)
    return Column(name, plain[0], dtype, plain[1], null)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _text(name: str, dtype: str, array: Any) -> Column:
    """Text: few distinct ones by a dictionary, many by their bytes, without Python strings."""
    import pyarrow as pa

    # Large offsets, so that the chunks of any table fit into one array.
    array = array.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray) and len(array) >= _MANY:
        array = pa.concat_arrays(array.chunks) if array.num_chunks > 1 else array.chunk(0)
    if len(array) < _MANY or not _many_distinct(array):
        return _dictionary(name, dtype, array.dictionary_encode())
    null = np.asarray(array.is_null()) if array.null_count else None
    there = array.drop_null() if array.null_count else array
    _, offsets, data = there.buffers()
    begin = there.offset
    try:
        vocabulary, codes = factorize_texts(
            np.frombuffer(data or b"", np.uint8),
            np.frombuffer(offsets, np.int64)[begin : begin + len(there) + 1],
        )
    except UnicodeDecodeError as error:
        raise DataError(f"column {name!r} holds text that is not UTF-8: {error}") from None
    if null is not None:
        found = codes
        codes = np.zeros(len(array), codes.dtype)
        codes[~null] = found
    return Column(name, "text", dtype, SortedTexts(vocabulary), null, codes)


def _many_distinct(array: Any) -> bool:
    """Whether a sample is mostly of different texts, none of them long."""
    import pyarrow as pa
    from pyarrow import compute

    functions: Any = compute  # made at run time, unseen by type checkers
    step = len(array) // _SAMPLES
    sample = pa.concat_arrays(
        [array.slice(at * step, _SAMPLE // _SAMPLES) for at in range(_SAMPLES)]
    )
    if len(functions.unique(sample)) < len(sample) / 4:
        return False
    longest = functions.max(functions.binary_length(array)).as_py() or 0
    return int(longest) <= _LONGEST


def _without_empty_chunks(array: Any) -> Any:
    """The same rows: pyarrow reads past the end of an empty part of a dictionary with nulls."""
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray) or all(map(len, array.chunks)):
        return array
    return pa.chunked_array([chunk for chunk in array.chunks if len(chunk)], type=array.type)


def _unwrapped(array: Any) -> Any:
    """What lies under an extension type (such as UUID or JSON) or run ends."""
    import pyarrow as pa
    from pyarrow import compute

    kind = array.type
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if isinstance(kind, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in chunks], type=kind.storage_type)
    if pa.types.is_run_end_encoded(kind):
        functions: Any = compute  # made at run time, unseen by type checkers
        decoded = [functions.run_end_decode(chunk) for chunk in chunks]
        return pa.chunked_array(decoded, type=kind.value_type)
    return array


def _instants(array: Any) -> NDArray[np.datetime64] | None:
    """Timestamps and dates; ``None`` for durations and times of day."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_timestamp(kind):
        unit, bits = kind.unit, pa.int64()
    elif pa.types.is_date32(kind):
        unit, bits = "D", pa.int32()
    elif pa.types.is_date64(kind):
        unit, bits = "ms", pa.int64()
    else:
        return None
    return np.asarray(array.cast(bits).fill_null(0)).astype(np.int64).view(f"M8[{unit}]")


def _numbers(array: Any) -> tuple[Kind, NDArray[Any]] | None:
    """Whole numbers, floats, decimals and booleans; ``None`` for anything else."""
    import pyarrow as pa

    types = pa.types
    if types.is_boolean(array.type):
        return "truth", np.asarray(array.fill_null(False)).astype(bool)
    if types.is_decimal(array.type):
        array = _undecimal(array)
    elif types.is_float16(array.type):
        array = array.cast(pa.float32())
    if types.is_integer(array.type):
        return "whole", np.asarray(array.fill_null(0))
    if types.is_floating(array.type):
        return "decimal", np.asarray(array.fill_null(0.0)).astype(np.float64, copy=False)
    return None


def _undecimal(array: Any) -> Any:
    """Decimals as floats; whole ones (how DuckDB hands out large integers) as integers."""
    import pyarrow as pa

    if array.type.scale <= 0:
        try:
            return array.cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # beyond 64 bits
    return array.cast(pa.float64())


def _one_dictionary(array: Any) -> Any:
    """Chunks, each with a dictionary of its own, over one dictionary; or else their plain values.

    The values are read where a dictionary holds a null or is of a kind that Arrow cannot unify.
    """
    import pyarrow as pa

    if array.num_chunks == 1:
        return array.chunk(0)
    if not any(chunk.dictionary.null_count for chunk in array.chunks):
        # All labels together may be more than the indices of one chunk can count.
        narrow = array.type.index_type.bit_width < 32
        chunks = [
            pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), chunk.dictionary)
            if narrow
            else chunk
            for chunk in array.chunks
        ]
        try:
            found = pa.chunked_array(chunks).unify_dictionaries().combine_chunks()
            return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    return pa.chunked_array([chunk.dictionary.take(chunk.indices) for chunk in array.chunks])


def _dictionary(name: str, dtype: str, array: Any) -> Column:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        if not array.num_chunks:
            return columns.from_objects(name, [], dtype=dtype)
        array = _one_dictionary(array)
        if not pa.types.is_dictionary(array.type):
            return attrs.evolve(from_arrow(name, array), dtype=dtype)
    null = np.asarray(array.indices.is_null()) if array.indices.null_count else None
    codes = np.asarray(array.indices.fill_null(0)).astype(np.int64, copy=False)
    labels = array.dictionary
    if not _is_text(labels.type) or labels.null_count:
        inner = from_arrow(name, labels)
        return inner.take(np.where(null, -1, codes) if null is not None else codes, dtype)
    try:
        texts = labels.to_numpy(zero_copy_only=False).tolist()
    except (UnicodeDecodeError, pa.ArrowException) as error:
        raise DataError(f"column {name!r} holds text that is not UTF-8: {error}") from None
    return attrs.evolve(Column(name, "text", dtype, texts, null), codes=codes)
