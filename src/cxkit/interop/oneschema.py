"""Files that are read as one must have the same columns, of the same kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxkit.errors import DataError, SchemaError, did_you_mean

__all__ = ["check_names", "check_schemas", "damaged", "kind_of"]


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
            kind = kind_of(schema.field(column).type)
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


def kind_of(kind: Any) -> str:
    """What a column is, however wide: files may differ in width, not in kind.

    Nothing, where every row is missing and tools write no type.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        return kind_of(kind.value_type)
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


def damaged(name: str, error: Exception) -> DataError:
    """The error about a file that cannot be read to its end."""
    return DataError(f"{name!r} is damaged, perhaps cut short: {error}")
