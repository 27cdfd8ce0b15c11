"""Fields within fields: what a dotted path finds in rows of JSON or in Arrow structs.

A path is tried only where no column is called so. It is made of names with a dot between them, and
each step goes into one of these:

- a struct or dictionary: its field;
- a list of entries with ``key`` and ``value``, as Google Analytics writes its parameters: the value
  of the first entry with that key, whichever of ``string_value``, ``int_value`` ... holds it;
- any other list: its element of that number, counted from 0;
- the ``identityMap`` of Adobe, by the step ``@primary``: the id of the first identity that is
  marked primary.

``a.b|c`` is ``a.b``, and where that is missing ``c``. A path that ends in ``?`` may find nothing at
all; without it that is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from cxkit.core.instants import is_null
from cxkit.model import columns
from cxkit.model.columns import Column

__all__ = ["find", "primary", "roots"]

_ABSENT: Final = object()  # unlike None, which is a value that is missing
_VALUES: Final = ("string_value", "int_value", "float_value", "double_value")


def roots(path: str) -> set[str]:
    """The columns that a path may begin in, whatever their names are made of.

    Example:
        >>> sorted(roots("user.id|who?"))
        ['user', 'user.id', 'user.id|who?', 'who']
    """
    found = {path}
    for alternative in _alternatives(path):
        parts = alternative.split(".")
        found.update(".".join(parts[:stop]) for stop in range(1, len(parts) + 1))
    return found


def find(
    path: str, names: Sequence[str], rows: int, read: Callable[[int], Column]
) -> Column | None:
    """What a path finds, or ``None`` if that is nothing.

    Args:
        path: The path.
        names: The columns of the table.
        rows: How many rows it has.
        read: Reads a column by its number.

    Example:
        >>> table = [{"b": 1}, {"b": 2}]
        >>> find("a.b", ["a"], 2, lambda at: columns.from_objects("a", table)).to_list()
        [1, 2]
    """
    found: Column | None = None
    for alternative in _alternatives(path):
        column = _one(alternative, names, read)
        if column is not None:
            found = column if found is None else _first_there(found, column)
    if found is None and path.endswith("?"):
        return Column(
            path.removesuffix("?"), "empty", "absent", np.zeros(rows), np.ones(rows, dtype=bool)
        )
    return None if found is None else attrs.evolve(found, name=path.removesuffix("?"))


def _alternatives(path: str) -> list[str]:
    return [part for part in path.removesuffix("?").split("|") if part]


def _one(path: str, names: Sequence[str], read: Callable[[int], Column]) -> Column | None:
    parts = path.split(".")
    for stop in range(len(parts), 0, -1):
        begin = ".".join(parts[:stop])
        if begin in names:
            column = read(names.index(begin))
            return _dig(path, column, parts[stop:]) if parts[stop:] else column
    return None


def _dig(path: str, column: Column, steps: Sequence[str]) -> Column | None:
    if column.kind not in {"other", "objects"}:
        return None
    values = column.values
    if type(values).__module__.startswith("pyarrow"):
        from cxkit.model.arrowpaths import dig

        found = dig(values, steps)
        if found is None:
            return None
        from cxkit.model.arrow import from_arrow

        return from_arrow(path, found)
    rows = column.to_list()
    for step in steps:
        rows = [_step(row, step) for row in rows]
    if all(row is _ABSENT for row in rows):
        return None
    return columns.from_objects(path, [None if row is _ABSENT else row for row in rows])


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return primary(value) if step == "@primary" else value.get(step, _ABSENT)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return _ABSENT
    if step.isdecimal():
        return value[int(step)] if int(step) < len(value) else _ABSENT
    entries = (entry for entry in value if isinstance(entry, Mapping) and entry.get("key") == step)
    return next((_value(entry.get("value")) for entry in entries), _ABSENT)


def _value(value: Any) -> Any:
    """The value of an entry; one of several fields may hold it, each for a kind of its own."""
    if isinstance(value, Mapping) and value.keys() & set(_VALUES):
        return next((value[name] for name in _VALUES if value.get(name) is not None), None)
    return value


def primary(identities: Mapping[Any, Any]) -> Any:
    """The id of the first identity marked primary in Adobe's map of namespaces.

    Example:
        >>> primary({"ECID": [{"id": "7"}], "Email": [{"id": "a@b.eu", "primary": True}]})
        'a@b.eu'
    """
    for group in identities.values():
        for identity in group if isinstance(group, (list, tuple, np.ndarray)) else ():
            if isinstance(identity, Mapping) and identity.get("primary") is True:
                return identity.get("id")
    return _ABSENT


def _first_there(first: Column, second: Column) -> Column:
    """The rows of ``first``, and where they are missing or empty text those of ``second``."""
    if first.kind == "empty" or second.kind == "empty":
        return second if first.kind == "empty" else first
    if first.kind == second.kind == "text":
        codes, labels = first.encoded()
        others, more = second.encoded()
        blank = np.array([*(not label for label in labels), True])
        others = np.where(others < 0, -1, others + len(labels))
        merged = np.where(blank[codes], others, codes)
        lost = merged < 0
        return attrs.evolve(
            first,
            values=[*labels, *more, ""],
            codes=np.where(lost, len(labels) + len(more), merged),
            null=lost if lost.any() else None,
        )
    pairs = zip(first.to_list(), second.to_list(), strict=True)
    rows = [b if is_null(a) or a == "" else a for a, b in pairs]
    return columns.from_objects(first.name, rows)
