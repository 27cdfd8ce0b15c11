"""One or a few touchpoints, as live engines take them: a time, or columns of whatever kind."""

from __future__ import annotations

import operator
from collections.abc import Container, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.errors import DataError

__all__ = [
    "check_customer",
    "check_customers",
    "checked_us",
    "floats",
    "of_one_length",
    "plain_list",
    "whole_ticks",
]


def checked_us(time_us: Any) -> int:
    """A whole number of microseconds within the years 1900 to 2200.

    Raises:
        DataError: It is none.

    Example:
        >>> checked_us(np.int64(5))
        5
    """
    try:
        us = operator.index(time_us)
    except TypeError:
        raise DataError(f"time_us is whole microseconds since 1970; found {time_us!r}") from None
    if not FIRST_US <= us <= LAST_US:
        raise DataError(f"time_us={us} lies outside the years 1900 to 2200")
    return us


def whole_ticks(time_us: Any) -> IntArray:
    """(n,) microseconds within the years 1900 to 2200.

    Args:
        time_us: (n,) whole microseconds since 1970, UTC, or datetime64.

    Raises:
        DataError: One is none.

    Example:
        >>> whole_ticks(np.array(["1970-01-01T00:00:01"], "datetime64[s]")).tolist()
        [1000000]
    """
    given = np.asarray(time_us)
    if given.ndim == 1 and not len(given):
        return np.zeros(0, np.int64)
    if given.ndim == 1 and given.dtype.kind == "M" and not np.isnat(given).any():
        given = given.astype("datetime64[us]").view(np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise DataError(f"time_us is a column of whole microseconds since 1970; found {time_us!r}")
    if given.min() < FIRST_US or given.max() > LAST_US:
        raise DataError("a time of time_us lies outside the years 1900 to 2200")
    return given.astype(np.int64, copy=False)


def check_customer(customer: Any, *, text: bool | None = None, where: str = "") -> None:
    """Refuse what names nobody, or names by another kind than those before it.

    Args:
        customer: Whom a touchpoint is of.
        text: Whether those before it are text; ``None`` where there are none.
        where: The place of it, for the error.

    Raises:
        DataError: It is neither text nor a whole number, or is blank; or it is text where those
            before it are whole numbers, or the other way round.
    """
    is_text = isinstance(customer, str)
    if is_text:
        if not customer.strip():
            raise DataError(f"a touchpoint needs a customer; found {customer!r}{where}")
    elif isinstance(customer, bool) or not isinstance(customer, (int, np.integer)):
        raise DataError(f"a customer is text or a whole number; found {customer!r}{where}")
    if text is not None and is_text is not text:
        kinds = ("text", "whole numbers") if text else ("whole numbers", "text")
        raise DataError(
            f"customers are {kinds[0]} so far; found {customer!r}{where}, which would mix them "
            f"with {kinds[1]}: journeys read 7 and '7' in one column as one customer, and here "
            "they would be two; pass str(customer) for all"
        )


def check_customers(
    customers: list[Any], known: dict[Any, Any], *, text: bool | None = None
) -> None:
    """Refuse a batch with a customer who is none, before the first of its rows is taken.

    Args:
        customers: (n,) the customers.
        known: Those who were seen before; they are not looked at again.
        text: Whether those are text; ``None`` where there are none.

    Raises:
        DataError: One is neither text nor a whole number, or is blank; or some are text and some
            whole numbers. It names the row.

    Example:
        >>> check_customers(["ann", "eve", "bob"], {"bob": 0}, text=True)
    """
    try:
        new: Iterable[Any] = set(customers).difference(known)
        kinds = {isinstance(customer, str) for customer in new}
        if text is not None:
            kinds.add(text)
        if len(kinds) < 2 and all(map(_is_customer, new)):
            return
        fine: Container[Any] = known
    except TypeError:  # one is a list, say, which no dict can hold
        fine = ()
    for row, customer in enumerate(customers):
        if customer not in fine:
            check_customer(customer, text=text, where=f" in row {row}")
            text = isinstance(customer, str)


def _is_customer(customer: Any) -> bool:
    if isinstance(customer, str):
        return bool(customer.strip())
    return isinstance(customer, (int, np.integer)) and not isinstance(customer, bool)


def plain_list(column: Any) -> list[Any]:
    """A column as a list of Python values.

    Example:
        >>> plain_list(np.array([1, 2])), plain_list(Codes.of(["a", None])), plain_list(("a", 1))
        ([1, 2], ['a', None], ['a', 1])
    """
    if isinstance(column, Codes):
        return column.to_list()
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def of_one_length(count: int, **columns: Any) -> None:
    """See that columns have as many entries as there are times; ``None`` is no column.

    Raises:
        DataError: One has not.
    """
    for name, given in columns.items():
        if given is not None and len(given) != count:
            raise DataError(f"{name} has {len(given)} entries, time_us has {count}")


def floats(values: Any, count: int) -> NDArray[np.float64]:
    """(n,) values as floats, NaN where there are none.

    Raises:
        DataError: They are no numbers.
    """
    if values is None:
        return np.full(count, np.nan)
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"values are numbers; found {values!r}") from None
