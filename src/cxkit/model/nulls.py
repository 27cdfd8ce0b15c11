"""What means missing: texts that the caller names, and the numbers that such texts write."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DefinitionError
from cxkit.model.columns import Column

__all__ = ["mark_missing", "null_texts"]

_LONGEST: Final = 40  # longer runs of digits are no number that anybody means


def null_texts(given: Iterable[str | float] | float) -> frozenset[str]:
    """What means missing, as texts; empty text always does.

    Args:
        given: Texts and numbers, or a single one.

    Raises:
        DefinitionError: Something is neither text nor a number.

    Example:
        >>> sorted(null_texts(["NULL", -1]))
        ['', '-1', 'NULL']
    """
    single = isinstance(given, (str, int, float, np.number))
    if not single and not isinstance(given, Iterable):
        raise _no_null(given)
    texts = {""}
    for value in [given] if single else given:  # type: ignore[union-attr]  # looked at above
        if isinstance(value, str):
            texts.add(str(value))
        elif isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
            raise _no_null(value)
        elif not math.isnan(value):  # NaN is missing anyway
            texts.add(str(value.item() if isinstance(value, np.number) else value))
            if float(value).is_integer():
                texts.add(str(int(value)))  # what -1.0 is where it is written as a whole number
    return frozenset(texts)


def mark_missing(column: Column, nulls: Collection[str]) -> Column:
    """A column of numbers or truth values without those that mean missing.

    Text is left to the readers of roles, which know its distinct values; times are left alone.

    Args:
        column: The column, of any kind.
        nulls: Texts that mean missing; in numbers, those that they write.

    Example:
        >>> from cxkit.model.columns import from_array
        >>> mark_missing(from_array("id", np.array([7, -1])), {"", "-1"}).is_null().tolist()
        [False, True]
    """
    if column.kind == "truth":
        placeholders: list[Any] = [truth for truth in (False, True) if str(truth) in nulls]
    elif column.kind in {"whole", "decimal"}:
        kind = float if column.kind == "decimal" else int
        placeholders = [number for text in nulls if (number := _number(text, kind)) is not None]
    else:
        return column
    lost: NDArray[np.bool_] | None = column.null
    for placeholder in placeholders:
        found = column.values == placeholder
        if found.any():
            lost = found if lost is None else lost | found
    return column if lost is column.null else attrs.evolve(column, null=lost)


def _number(text: str, kind: type[int | float]) -> int | float | None:
    """The number that a text writes, exactly where it is whole and whole ones are asked for."""
    if len(text) > _LONGEST or not text.isascii() or "_" in text or text != text.strip():
        return None
    for reader in (kind, float):
        try:
            return reader(text)
        except ValueError:
            continue
    return None


def _no_null(value: object) -> DefinitionError:
    return DefinitionError(
        f"null_values are texts or numbers, such as ['NULL', -1]; found {value!r}"
    )
