"""JSON lines, by the standard library, and by pyarrow where both must agree.

pyarrow reads flat records of text and numbers several times faster. It is trusted only where it
can be shown to see what Python's ``json`` sees:

- Every line begins with ``{`` and ends with ``}``, and there are as many records as lines. Two
  objects can meet as ``}`` and ``{`` only where no object is open, and no string holds a line
  break, so each line is one object.
- The columns have fixed types, taken from the first lines; a record that differs is an error of
  pyarrow, upon which the file is read again by ``json``. Decimal numbers are taken only where a
  first line has one with a point: a column of whole numbers alone would be one of labels.
- Bytes that are no UTF-8, numbers of thousands of digits and very deep nesting, on which the two
  differ, are looked for beforehand.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Collection
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DataError
from cxkit.interop.delimited import Broken
from cxkit.interop.sniff import FileKind, open_bytes
from cxkit.model.columns import EXACT, Column
from cxkit.model.tables import Table, open_table

__all__ = ["read_json_lines"]

_SAMPLE: Final = 200
_LONGEST_NUMBER: Final = 4000  # json gives up on whole numbers of 4,300 digits
_DIGITS: Final = re.compile(rb"\d{%d}" % _LONGEST_NUMBER)
_DEEPEST: Final = 200


def read_json_lines(file: FileKind, wanted: Collection[str] | None) -> tuple[Table, Broken]:
    """Read one object per line; blank lines are no rows.

    Args:
        file: The file.
        wanted: The columns to keep; ``None`` keeps all.

    Returns:
        The table, and the lines that hold no object. These are in the table too, all missing, so
        that rows keep their numbers.

    Raises:
        DataError: The file is damaged, or no line holds an object.
    """
    try:
        with open_bytes(file) as stream:
            data = stream.read().removeprefix(codecs.BOM_UTF8)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error
    table = _by_pyarrow(data, wanted) if wanted else None
    return (table, Broken()) if table is not None else _by_json(file, data, wanted)


def _by_json(file: FileKind, data: bytes, wanted: Collection[str] | None) -> tuple[Table, Broken]:
    broken = Broken()
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for line in data.split(b"\n"):
        text = line.strip()
        if not text:
            continue
        record, reason = _object(text)
        if reason:
            broken.add(len(rows), text.decode("utf-8", "replace"), reason)
        names.update(dict.fromkeys(record))
        rows.append(record if wanted is None else {k: record[k] for k in wanted if k in record})
    if not names and rows:
        raise DataError(f"{file.path.name!r} holds no JSON object in any line")
    found = tuple(names)
    inner = open_table({name: [row.get(name) for row in rows] for name in found})
    return _named(found, len(rows), inner), broken


def _named(names: tuple[str, ...], rows: int, inner: Table) -> Table:
    return Table("JSON lines", names, rows, lambda at: _said(inner.column(names[at], names[at])))


def _said(column: Column) -> Column:
    """The column, with the same name for its kind whoever read it."""
    return attrs.evolve(column, dtype=f"JSON {column.kind}")


def _object(text: bytes) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    if not isinstance(found, dict):
        return {}, "not a JSON object"
    return found, ""


def _by_pyarrow(data: bytes, wanted: Collection[str]) -> Table | None:
    """The table by pyarrow, or ``None`` if it is not there or might read the file differently."""
    data = data.strip(b"\r\n")
    lines = data.count(b"\n") + 1
    types, names = _types(data, wanted)
    if types is None or not _one_object_each(data, lines) or not _harmless(data):
        return None
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    try:
        import pyarrow as pa
        from pyarrow import json as arrow_json
    except ImportError:
        return None
    known = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, known[kind]) for name, kind in types.items()])
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(
                block_size=max(1 << 22, _longest(ends, len(data)) + 1)
            ),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="ignore"
            ),
        )
        table.validate(full=True)
    except (pa.ArrowException, ValueError):
        return None  # a cell of another kind, a key that comes twice: json knows what to do
    if table.num_rows != lines or set(table.column_names) != set(types):
        return None
    for name, kind in types.items():
        # Beyond 2**53 it may have been a whole number, which json keeps to its last digit.
        if (
            kind is float
            and not (np.abs(np.asarray(table.column(name).fill_null(0.0))) < EXACT).all()
        ):
            return None
    from cxkit.model.arrow import from_arrow

    def read(at: int) -> Any:
        if names[at] not in types:
            raise DataError(f"column {names[at]!r} was not read")
        return _said(from_arrow(names[at], table.column(names[at])))

    return Table("JSON lines", names, lines, read)


def _types(data: bytes, wanted: Collection[str]) -> tuple[dict[str, type] | None, tuple[str, ...]]:
    """What the first lines hold in each wanted column; ``None`` unless that is of one plain kind.

    Also every name that the first lines have.
    """
    seen: dict[str, set[type]] = {}
    for line in data.split(b"\n", _SAMPLE)[:_SAMPLE]:
        record, reason = _object(line)
        if reason:
            return None, ()
        for name, value in record.items():
            seen.setdefault(name, set()).add(type(value))
    types: dict[str, type] = {}
    for name in wanted:
        kinds = seen.get(name, set()) - {type(None)}
        if kinds == {int, float}:
            kinds = {float}
        if len(kinds) != 1 or not kinds <= {str, int, float, bool}:
            return None, ()
        types[name] = kinds.pop()
    return types, tuple(seen)


def _one_object_each(data: bytes, lines: int) -> bool:
    if not data.startswith(b"{") or not data.endswith(b"}"):
        return False
    joints = data.count(b"}\r\n{") if b"\r" in data else data.count(b"}\n{")
    returns = data.count(b"\r")
    return joints == lines - 1 and returns in {0, joints}


def _harmless(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    if _longest(ends, len(data)) >= _LONGEST_NUMBER and _DIGITS.search(data):
        return False
    opened = np.flatnonzero((raw == ord("{")) | (raw == ord("[")))
    # So many brackets without a line break among them: perhaps they are within one another.
    first, last = opened[: 1 - _DEEPEST], opened[_DEEPEST - 1 :]
    return not bool((np.searchsorted(ends, first) == np.searchsorted(ends, last)).any())


def _longest(ends: NDArray[np.int64], size: int) -> int:
    return int(np.diff(ends, prepend=-1, append=size).max())
