"""Files that are read as one must have the same columns, of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cxkit.errors import DataError, SchemaError, did_you_mean

__all__ = ["check_names", "check_schemas", "common_type", "damaged", "exceeds_int64"]


def check_names(files: Mapping[str, Sequence[str]], columns: Mapping[str, str]) -> None:
    """Refuse a file that lacks a column which is read.

    Args:
        files: What to call a file -> its columns.
        columns: The columns that will be read -> their role, or nothing where none is known.

    Raises:
        SchemaError: One lacks a column.

    Example:
        >>> check_names({"a.csv": ["who"], "b.csv": ["at"]}, {"who": "customer"})
        Traceback (most recent call last):
        cxkit.errors.SchemaError: 'b.csv' has no column 'who' for customer, which 'a.csv' has; it
          has ['at'].
    """
    for column, role in columns.items():
        for name, names in files.items():
            if column not in names:
                there = next((file for file, its in files.items() if column in its), None)
                beside = f", which {there!r} has" if there is not None else ""
                raise SchemaError(
                    f"{name!r} has no {_called(column, role)}{beside}; it has {sorted(names)}."
                    f"{did_you_mean(column, names)}"
                )


def check_schemas(schemas: Mapping[str, Any], columns: Mapping[str, str]) -> None:
    """Refuse Parquet files that do not belong together, by name.

    Args:
        schemas: What to call a file -> its Arrow schema.
        columns: The columns that will be read -> their role, or nothing where none is known. Whole
            and decimal numbers are one kind in a role, because whole numbers are written as decimal
            ones where some are missing; in a further column they are labels and numbers.

    Raises:
        SchemaError: A file lacks a column, has it twice, or has it of another kind than a file
            before it.
    """
    check_names({name: schema.names for name, schema in schemas.items()}, columns)
    kinds: dict[str, tuple[str, str]] = {}
    for name, schema in schemas.items():
        for column, role in columns.items():
            count = schema.names.count(column)
            if count > 1:
                raise SchemaError(f"{name!r} has {count} columns named {column!r}; rename one")
            kind = _kind_of(schema.field(column).type)
            if role not in {"", "columns"} and kind.endswith(" numbers"):
                kind = "numbers"
            before, where = kinds.setdefault(column, (kind, name)) if kind else ("", "")
            if before != kind:
                raise SchemaError(
                    f"{_called(column, role)} holds {kind} in {name!r}, but {before} in {where!r}; "
                    "write the files with one schema"
                )


def _called(column: str, role: str) -> str:
    return f"column {column!r}" + (f" for {role}" if role else "")


def _kind_of(kind: Any) -> str:
    """What a column is, however wide: files may differ in width, not in kind.

    Nothing, where every row is missing and tools write no type.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        return _kind_of(kind.value_type)
    if types.is_timestamp(kind):
        return "times" if kind.tz is None else "times with a zone"
    tests = {
        "": types.is_null,
        "text": lambda t: types.is_string(t) or types.is_large_string(t) or types.is_string_view(t),
        "whole numbers": types.is_integer,
        "decimal numbers": lambda t: types.is_floating(t) or types.is_decimal(t),
        "truth values": types.is_boolean,
    }
    return next((what for what, test in tests.items() if test(kind)), str(kind))


def common_type(kinds: Sequence[Any], beyond: Callable[[], bool]) -> Any:
    """The Arrow type that holds one column of all files, whichever file comes first.

    Args:
        kinds: The type of the column in every file; they passed :func:`check_schemas`.
        beyond: Whether some unsigned number exceeds 64 signed bits. It is asked only where signed
            and unsigned numbers of 64 bits meet; if so, the numbers are written as text, as ids so
            large are read from one file too.
    """
    import pyarrow as pa

    plain = [k.value_type if pa.types.is_dictionary(k) else k for k in kinds]
    plain = [kind for kind in plain if not pa.types.is_null(kind)] or plain
    what = {_kind_of(kind) for kind in plain}
    if what == {"text"}:
        return pa.large_string()
    if what in ({"times"}, {"times with a zone"}):
        units = ("s", "ms", "us", "ns")
        finest = max((kind.unit for kind in plain), key=units.index)
        return pa.timestamp(finest, "UTC" if what == {"times with a zone"} else None)
    if what == {"whole numbers"}:
        if all(map(pa.types.is_unsigned_integer, plain)):
            return pa.uint64()
        return pa.large_string() if pa.uint64() in plain and beyond() else pa.int64()
    return pa.float64() if "decimal numbers" in what else plain[0]


def exceeds_int64(array: Any) -> bool:
    """Whether an Arrow array holds a whole number that only unsigned 64 bits hold."""
    import pyarrow as pa
    from pyarrow import compute

    functions: Any = compute  # made at run time, unseen by type checkers
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if kind != pa.uint64():
        return False
    largest = functions.max(array.cast(pa.uint64())).as_py()
    return largest is not None and largest >= 2**63


def damaged(name: str, error: Exception) -> DataError:
    """The error about a file that cannot be read to its end."""
    return DataError(f"{name!r} is damaged, perhaps cut short: {error}")
