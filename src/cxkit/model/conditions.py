"""What a goal may ask beside the event and the channel: a range of values, labels of columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cxkit.core.codes import Label
from cxkit.core.numerals import write_number
from cxkit.errors import DefinitionError

__all__ = ["Where", "ranged", "show_range", "show_where", "where_of"]

Where: TypeAlias = tuple[tuple[str, tuple[Label, ...]], ...]
"""Columns and the labels of which they must have one, both sorted."""


def ranged(given: Any) -> tuple[float | None, float | None] | None:
    """A range of values from two numbers, of which one may be open.

    Raises:
        DefinitionError: It is no pair of numbers, is empty, or asks nothing.

    Example:
        >>> ranged([50, None])
        (50.0, None)
    """
    if given is None:
        return None
    try:
        low, high = (None if end is None else _number(end) for end in given)
    except (TypeError, ValueError):
        raise DefinitionError(
            f"value of a goal is a pair such as (50, 100) or (50, None); found {given!r}"
        ) from None
    if low is None and high is None:
        raise DefinitionError(
            "value=(None, None) asks nothing; give one end, such as (0, None) for any value from 0"
        )
    if low is not None and high is not None and low > high:
        raise DefinitionError(f"no value lies in the range {given!r}: it ends before it begins")
    return low, high


def where_of(given: Any) -> Where:
    """Conditions on columns, in one spelling.

    Raises:
        DefinitionError: A condition names no column, or no label.

    Example:
        >>> where_of({"plan": ["team", "pro"], "country": "nl"})
        (('country', ('nl',)), ('plan', ('pro', 'team')))
    """
    pairs = given.items() if isinstance(given, Mapping) else given if given is not None else ()
    try:
        found = {column: _labels(column, labels) for column, labels in pairs}
    except DefinitionError:
        raise
    except (TypeError, ValueError):
        raise DefinitionError(
            f"where of a goal is a mapping such as {{'plan': 'pro'}}; found {given!r}"
        ) from None
    for column in found:
        if not isinstance(column, str) or not column:
            raise DefinitionError(f"where: a column is a name; found {column!r}")
        if column in {"event", "channel", "value", "time", "customer"}:
            raise DefinitionError(
                f"where: {column!r} is not for conditions; an event, channel or range of values "
                "has its own argument"
            )
    return tuple(sorted(found.items()))


def show_range(value: tuple[float | None, float | None] | None) -> str:
    """A range as part of a name; empty if there is none.

    Example:
        >>> show_range((50.0, 100.0)), show_range((None, 9.5))
        (', value 50 to 100', ', value to 9.5')
    """
    if value is None:
        return ""
    low, high = (None if end is None else write_number(end) for end in value)
    if low is None:
        return f", value to {high}"
    return f", value from {low}" if high is None else f", value {low} to {high}"


def show_where(where: Where) -> str:
    """Conditions on columns as part of a name; empty if there are none."""
    return "".join(f", {column} {' or '.join(map(repr, labels))}" for column, labels in where)


def _number(end: Any) -> float:
    if isinstance(end, bool) or not math.isfinite(end):
        raise TypeError(end)
    return float(end)


def _labels(column: object, given: Any) -> tuple[Label, ...]:
    many = [given] if isinstance(given, (str, int)) or not isinstance(given, Iterable) else given
    labels = list(dict.fromkeys(many))
    for label in labels:
        if isinstance(label, bool) or not isinstance(label, (str, int)):
            raise DefinitionError(f"where: a label is text or a whole number; found {label!r}")
    if not labels:
        raise DefinitionError(f"where: no label is given for column {column!r}")
    return tuple(sorted(labels, key=lambda label: (isinstance(label, str), label)))
