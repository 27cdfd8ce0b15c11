"""One column of any table, as the door sees it.

Whatever tool a column comes from, it is one of a few kinds: text, whole numbers, decimal numbers,
truth values, instants, or Python objects of several kinds. The readers of roles (customer, time,
value ...) look only at these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.instants import is_null
from cxkit.core.vocabulary import Vocabulary
from cxkit.errors import SchemaError

__all__ = [
    "EXACT",
    "Column",
    "Kind",
    "SortedTexts",
    "from_array",
    "from_objects",
    "is_null",
    "shorten",
    "wrong_kind",
]

Kind: TypeAlias = Literal[
    "text", "whole", "decimal", "truth", "instant", "objects", "empty", "other"
]

EXACT: Final = 2.0**53
"""From here on a float no longer tells whole numbers apart."""
_LONGEST_SHOWN: Final = 60
_USABLE: Final = (str, int, float, date, np.integer, np.floating, np.datetime64, Decimal)


@attrs.frozen(eq=False)
class SortedTexts(Sequence[str]):
    """Distinct texts, sorted, in an array: Python strings are made only where they are asked for.

    Attributes:
        vocabulary: The K texts.
    """

    vocabulary: Vocabulary

    @property
    def array(self) -> NDArray[Any]:
        """(K,) numpy's variable-width strings."""
        return self.vocabulary.labels

    def __len__(self) -> int:
        """K."""
        return len(self.array)

    def __iter__(self) -> Iterator[str]:
        """The texts as Python strings."""
        return iter(self.tolist())

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> SortedTexts: ...
    def __getitem__(self, at: int | slice) -> str | SortedTexts:
        """One text, or a part of them."""
        if isinstance(at, slice):
            return SortedTexts(Vocabulary(self.array[at]))
        # Not array[at], which numpy strips of the NULs that end it.
        return str(self.array[at : at + 1 or None].tolist()[0])

    def tolist(self) -> list[str]:
        """All as Python strings."""
        return self.array.tolist()  # type: ignore[no-any-return]


@attrs.frozen(eq=False)
class Column:
    """One column of a table of E rows.

    Attributes:
        name: As the table calls it.
        kind: ``"text"``, ``"whole"`` (integers), ``"decimal"`` (floats), ``"truth"`` (booleans),
            ``"instant"`` (datetime64), ``"objects"`` (a list of Python objects), ``"empty"`` (every
            row missing) or ``"other"`` (nothing that a role can use).
        dtype: What the table calls its kind, for errors.
        values: (E,) the values; for text a list of str, for decimals an array of objects where
            floats would round whole numbers among them. With ``codes``, the distinct texts instead,
            which are :class:`SortedTexts` only if each occurs in a row that is not missing.
        null: (E,) bool, which rows are missing, or ``None`` if none is. What ``values`` holds there
            means nothing.
        codes: (E,) positions in ``values``, for text that was encoded already; anything where
            ``null``.
        aware: For instants: whether they are known to be UTC.
    """

    name: str
    kind: Kind
    dtype: str
    values: Any
    null: NDArray[np.bool_] | None = None
    codes: NDArray[Any] | None = None
    aware: bool = False

    def __len__(self) -> int:
        """E, the number of rows."""
        return len(self.values if self.codes is None else self.codes)

    def is_null(self) -> NDArray[np.bool_]:
        """(E,) which rows are missing."""
        return np.zeros(len(self), dtype=bool) if self.null is None else self.null

    def show(self, row: int) -> str:
        """The cell of a row as short text, for the list of what was rejected."""
        if self.kind == "empty" or (self.null is not None and self.null[row]):
            return ""
        value = self.values[row if self.codes is None else int(self.codes[row])]
        return shorten("" if value is None else str(value))

    def encoded(self) -> tuple[NDArray[Any], list[str]]:
        """Text as codes and distinct labels; a code is -1 where the row is missing."""
        if self.codes is None:
            at = {text: position for position, text in enumerate(dict.fromkeys(self.values))}
            codes: NDArray[Any] = np.fromiter(
                map(at.__getitem__, self.values), np.int64, len(self.values)
            )
            labels = list(at)
        else:
            codes, labels = self.codes.astype(np.int64, copy=False), list(self.values)
        if self.null is not None and self.null.any():
            codes = np.where(self.null, -1, codes)
        return codes, labels

    def take(self, codes: NDArray[Any], dtype: str) -> Column:
        """The rows at ``codes``, negative for missing: a dictionary or category, spelled out."""
        lost = codes < 0
        if not len(self):
            return attrs.evolve(self, kind="empty", dtype=dtype, values=codes, null=lost)
        at = np.where(lost, 0, codes)
        both = lost | self.is_null()[at]
        null = both if both.any() else None
        if self.kind == "text":
            inner, labels = self.encoded()
            return attrs.evolve(self, dtype=dtype, values=labels, codes=inner[at], null=null)
        if isinstance(self.values, list):
            values: Any = [self.values[code] for code in at.tolist()]
        else:
            values = np.asarray(self.values)[at]
        return attrs.evolve(self, dtype=dtype, values=values, null=null)

    def to_list(self) -> list[Any]:
        """The rows as Python values, ``None`` where missing; times that are UTC say so."""
        if self.kind == "empty":
            return [None] * len(self)
        values = self.values
        if self.kind == "instant":
            values = values.astype("M8[us]").tolist()
            values = [v.replace(tzinfo=UTC) for v in values] if self.aware else values
        elif not isinstance(values, list):
            values = getattr(values, "to_pylist", getattr(values, "tolist", values.__iter__))()
        if self.codes is not None:
            values = [values[code] for code in self.codes.tolist()] if values else [""] * len(self)
        if self.null is None:
            return list(values)
        return [None if lost else v for v, lost in zip(values, self.null.tolist(), strict=True)]

    def as_utc(self, dtype: str) -> Column:
        """The same instants, known to be UTC."""
        return attrs.evolve(self, aware=True, dtype=dtype)


def shorten(text: str) -> str:
    """At most 60 characters of a text."""
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def from_array(name: str, values: NDArray[Any]) -> Column:
    """A column from a numpy array."""
    if values.ndim != 1:
        raise SchemaError(
            f"column {name!r} has {values.ndim} dimensions {values.shape}; a column has one"
        )
    null = None
    if isinstance(values, np.ma.MaskedArray):
        null = np.ma.getmaskarray(values)
        values = values.filled(values.dtype.type(0)) if values.dtype.kind in "iufb" else values.data
    dtype, kind = str(values.dtype), values.dtype.kind
    if kind in "UTO":
        objects = _filled(values.tolist(), null, None)
        return from_objects(name, objects, dtype="" if kind == "O" else dtype)
    if kind in "iu":
        return Column(name, "whole", dtype, values, null)
    if kind == "f":
        return Column(name, "decimal", dtype, values.astype(np.float64, copy=False), null)
    if kind == "b":
        return Column(name, "truth", dtype, values, null)
    if kind == "M":
        lost = np.isnat(values)
        both = lost if null is None else lost | null
        return Column(name, "instant", dtype, values, both if both.any() else None)
    return Column(name, "other", dtype, values, null)


def from_objects(name: str, values: Sequence[Any], *, dtype: str = "") -> Column:
    """A column from Python objects: the narrowest kind that holds them all.

    Args:
        name: The column's name.
        values: The objects.
        dtype: What to call the kind in errors; made from the types by default.
    """
    if not isinstance(values, list):
        values = list(values)
    types = set(map(type, values))
    if types == {str}:
        return Column(name, "text", dtype or "str", values)
    null = None
    if any(_may_be_null(kind) for kind in types):
        null = np.fromiter(map(is_null, values), bool, len(values))
        null = null if null.any() else None
        if null is not None:
            there = [v for v, lost in zip(values, null, strict=True) if not lost]
            types = set(map(type, there))
    dtype = dtype or "list of " + (" and ".join(sorted(t.__name__ for t in types)) or "nothing")
    if not types:
        return Column(name, "empty", dtype, values, np.ones(len(values), dtype=bool))
    if all(issubclass(kind, str) for kind in types):
        texts = _filled(values, null, "")
        return Column(
            name, "text", dtype, [str(t) for t in texts] if types != {str} else texts, null
        )
    if all(issubclass(kind, (bool, np.bool_)) for kind in types):
        return Column(name, "truth", dtype, np.array(_filled(values, null, False), bool), null)
    numbers = all(
        issubclass(kind, (int, float, np.integer, np.floating, Decimal))
        and not issubclass(kind, (bool, np.timedelta64))  # numpy counts time spans among integers
        for kind in types
    )
    if numbers:
        return _numbers(name, dtype, _filled(values, null, 0), null)
    # Objects of which at least some are of use: the others cost their rows, not the whole column.
    types -= {np.timedelta64}
    usable = any(issubclass(kind, _USABLE) or kind.__name__ == "UUID" for kind in types)
    return Column(name, "objects" if usable else "other", dtype, values, null)


def _may_be_null(kind: type) -> bool:
    return (
        kind is type(None)
        or kind.__name__ in {"NAType", "NaTType"}
        or issubclass(kind, (float, np.floating, np.datetime64, Decimal))
    )


def _filled(values: list[Any], null: NDArray[np.bool_] | None, filler: object) -> list[Any]:
    if null is None:
        return values
    return [filler if lost else v for v, lost in zip(values, null, strict=True)]


def _numbers(name: str, dtype: str, values: list[Any], null: NDArray[np.bool_] | None) -> Column:
    """Whole numbers if all are whole and fit 64 bits, so that large ids stay exact."""
    if all(isinstance(v, (int, np.integer)) for v in values):
        try:
            return Column(name, "whole", dtype, np.array(values, np.int64), null)
        except OverflowError:
            return Column(name, "objects", dtype, values, null)
    try:
        floats = np.array(values, np.float64)
    except OverflowError:  # a whole number beyond the largest float
        return Column(name, "objects", dtype, values, null)
    large = np.flatnonzero(np.abs(floats) >= EXACT).tolist()
    if all(isinstance(values[row], (float, np.floating)) for row in large):
        return Column(name, "decimal", dtype, floats, null)
    # One fraction among large ids must not cost the others their last digits.
    return Column(name, "decimal", dtype, np.array(values, object), null)


def wrong_kind(column: Column, role: str, wanted: str) -> SchemaError:
    """The error about a column that is of no use to its role as a whole."""
    what = {
        "truth": "truth values",
        "instant": "times",
        "decimal": "decimal numbers",
        "whole": "whole numbers",
    }.get(column.kind, "values that no role can use")
    first = ""
    if column.kind != "other" and len(column):
        first = f", for instance {column.show(0)!r} in row 0"
    advice = "decode the bytes to text" if _bytes(column.dtype) else f"convert it to {wanted}"
    return SchemaError(
        f"column {column.name!r} for {role} holds {what} ({column.dtype}){first}; {role} needs "
        f"{wanted}: choose another column, or {advice} first"
    )


def _bytes(dtype: str) -> bool:
    return dtype.startswith(("|S", "binary", "large_binary", "Binary", "list of bytes"))
