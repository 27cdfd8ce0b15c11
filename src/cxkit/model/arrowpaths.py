"""Steps of a dotted path through Arrow structs, maps and lists, whole columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["dig"]


def dig(array: Any, steps: Sequence[str]) -> Any:
    """What a path finds in a pyarrow Array or ChunkedArray; see :mod:`cxkit.model.nested`.

    Args:
        array: n rows.
        steps: The path, without the column's own name.

    Returns:
        n rows, or ``None`` if a step finds nothing in any row.

    Example:
        >>> import pyarrow as pa
        >>> dig(pa.array([{"a": {"b": 1}}, None]), ["a", "b"]).to_pylist()
        [1, None]
    """
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # an older pyarrow, and no chunk at all
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, array.type)
    for step in steps:
        if array is None:
            return None
        array = _step(array, step)
    return array


def _step(array: Any, step: str) -> Any:
    from pyarrow import compute, types

    functions: Any = compute  # made at run time, unseen by type checkers
    kind = array.type
    if types.is_map(kind):
        if step == "@primary":
            return _primary_of_maps(array)
        found = functions.map_lookup(array, query_key=step, occurrence="first")
        return _present(found)
    if types.is_struct(kind):
        if step == "@primary":
            return _primary(array)
        return functions.struct_field(array, [step]) if kind.get_field_index(step) >= 0 else None
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return None
    if step.isdecimal():
        at = int(step)
        return _present(
            _first(functions.list_slice(array, at, at + 1, return_fixed_size_list=False))
        )
    inner = kind.value_type
    if not types.is_struct(inner) or min(map(inner.get_field_index, ("key", "value"))) < 0:
        return None
    entries = functions.list_flatten(array)
    fits = functions.equal(functions.struct_field(entries, ["key"]), step)
    found = _present(_first(array, functions.struct_field(entries, ["value"]), fits))
    return _value(found) if found is not None and types.is_struct(found.type) else found


def _present(found: Any) -> Any:
    """What was found, or ``None`` if that is nothing in every row."""
    return found if not len(found) or found.null_count < len(found) else None


def _first(lists: Any, values: Any = None, fits: Any = None) -> Any:
    """The first value of each list, of those that ``fits`` admits; null where there is none."""
    import pyarrow as pa
    from pyarrow import compute

    functions: Any = compute
    if values is None:
        values = functions.list_flatten(lists)
    # Not list_parent_indices, which also counts what lies under a list that is null.
    sizes = np.asarray(functions.list_value_length(lists).fill_null(0))
    rows = np.repeat(np.arange(len(lists)), sizes)
    at = np.arange(len(rows))
    if fits is not None:
        at = np.flatnonzero(np.asarray(fits.fill_null(False)))
    owners, first = np.unique(rows[at], return_index=True)
    where = np.zeros(len(lists), np.int64)
    where[owners] = at[first]
    lost = np.ones(len(lists), dtype=bool)
    lost[owners] = False
    return (
        values.take(pa.array(where, mask=lost))
        if len(values)
        else pa.nulls(len(lists), values.type)
    )


def _value(entries: Any) -> Any:
    """The field that holds the value, of several for one kind each."""
    import pyarrow as pa
    from pyarrow import compute

    functions: Any = compute
    kind = entries.type
    fields = [functions.struct_field(entries, [at]) for at in range(kind.num_fields)]
    fields = [field for field in fields if field.null_count < len(field)]
    if not fields:
        return pa.nulls(len(entries))
    kinds = {field.type for field in fields}
    if len(kinds) > 1:
        numbers = all(pa.types.is_integer(k) or pa.types.is_floating(k) for k in kinds)
        fields = [field.cast(pa.float64() if numbers else pa.string()) for field in fields]
    return functions.coalesce(*fields)


def _primary(identities: Any) -> Any:
    """Adobe's map of namespaces, each a list of identities: the id of the first primary one."""
    from pyarrow import compute, types

    functions: Any = compute
    found = []
    for at in range(identities.type.num_fields):
        group = functions.struct_field(identities, [at])
        inner = getattr(group.type, "value_type", None)
        if inner is None or not types.is_struct(inner):
            continue
        if min(map(inner.get_field_index, ("id", "primary"))) < 0:
            continue
        entries = functions.list_flatten(group)
        fits = functions.equal(functions.struct_field(entries, ["primary"]), True)
        found.append(_first(group, functions.struct_field(entries, ["id"]), fits))
    return functions.coalesce(*found) if found else None


def _primary_of_maps(identities: Any) -> Any:
    import pyarrow as pa

    from cxkit.model.nested import primary

    rows = identities.to_pylist()  # a list of pairs for each map
    found = [None if row is None else primary(dict(row)) for row in rows]
    return pa.array([one if isinstance(one, str) else None for one in found], pa.string())
