"""Late data: touchpoints put into journeys that are sorted already, without a sort of everything.

The new rows are few. Each finds its place by bisection within the journey of its customer, and the
columns are written once, old and new rows in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, smallest_unsigned
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.factorize import translate
from cxkit.core.ragged import segment_ids
from cxkit.core.rows import in_row_parts, pieces
from cxkit.errors import SchemaError
from cxkit.model.build import build, given_column, in_usual_order
from cxkit.model.columnar import Column
from cxkit.model.journeys import Journeys

__all__ = ["append"]


def append(old: Journeys, new: Journeys) -> Journeys:
    """See :meth:`cxkit.Journeys.append`."""
    names = in_usual_order([*old.columns, *new.columns])
    pairs = {name: _same_kind(name, old, new) for name in names}
    mine, theirs = _united(old.customer, new.customer)
    if not _in_order(mine, old) or not _in_order(theirs, new):
        return _rebuilt(mine, theirs, old, new, pairs)
    sizes = _sizes(mine, old)
    added = _sizes(theirs, new)
    ticks, late = old.time.view(np.int64), new.time.view(np.int64)
    ends = np.cumsum(sizes)
    whose = np.repeat(np.arange(len(sizes)), added)
    at = _places(ticks, (ends - sizes)[whose], ends[whose], late)
    at += np.arange(len(at))
    sizes += added
    present = np.flatnonzero(sizes)
    offsets = np.zeros(len(present) + 1, np.int64)
    np.cumsum(sizes[present], out=offsets[1:])
    time, *columns = _woven([(ticks, late), *map(_arrays, pairs.values())], at)
    merged: dict[str, Column] = {
        name: Codes(column, left.vocabulary) if isinstance(left, Codes) else column
        for (name, (left, _)), column in zip(pairs.items(), columns, strict=True)
    }
    who = Codes(present.astype(mine.codes.dtype), mine.vocabulary)
    return Journeys(offsets, who, time.view("datetime64[us]"), merged)


def _same_kind(name: str, old: Journeys, new: Journeys) -> tuple[Column, Column]:
    """A column of both, missing where one lacks it; labels over one vocabulary."""
    left, right = given_column(old, name), given_column(new, name)
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        if isinstance(left, Codes) or isinstance(right, Codes):
            raise SchemaError(
                f"column {name!r} holds labels in one part and numbers in another; "
                "make both the same before they are put together"
            )
        return (
            np.full(old.touchpoints, np.nan) if left is None else left,
            np.full(new.touchpoints, np.nan) if right is None else right,
        )
    left = left or Codes.all_missing(old.touchpoints)
    right = right or Codes.all_missing(new.touchpoints)
    return _united(left, right)


def _united(old: Codes, new: Codes) -> tuple[Codes, Codes]:
    """Both over one vocabulary: the old one itself where the new one adds nothing to it."""
    mine, theirs = old.vocabulary.labels, new.vocabulary.labels
    if mine.dtype.kind != "i" or theirs.dtype.kind != "i":
        both = old.vocabulary.union(new.vocabulary)
        if len(both) == len(mine) and both == old.vocabulary:
            both = old.vocabulary
        return old.over(both), new.over(both)
    place = np.searchsorted(mine, theirs)
    known = place < len(mine)
    known[known] = mine[place[known]] == theirs[known]
    at = place[~known]
    united = Vocabulary(np.insert(mine, at, theirs[~known])) if len(at) else old.vocabulary
    wide = smallest_unsigned(len(united))
    # A label moves up by as many new ones as come before it; missing is after all of them.
    moved = np.ones(len(mine) + 1, wide)
    moved[0] = 0
    np.add.at(moved, at, 1)
    np.cumsum(moved, dtype=wide, out=moved)
    table = np.full(len(theirs) + 1, len(united))
    table[:-1][known] = moved[place[known]]
    table[:-1][~known] = at + np.arange(len(at))
    left = Codes(translate(old.codes, moved), united) if len(at) else old
    return left, Codes(translate(new.codes, table.astype(wide)), united)


def _in_order(customer: Codes, journeys: Journeys) -> bool:
    """Whether all rows are in order of customer and time; within a journey they always are."""
    left, right = customer.codes[:-1], customer.codes[1:]
    if (left > right).any():
        return False
    again = journeys.offsets[1:-1][left == right]
    return bool((journeys.time[again - 1] <= journeys.time[again]).all())


def _sizes(customer: Codes, journeys: Journeys) -> IntArray:
    """(K,) touchpoints of each customer, for journeys in order of customers."""
    sizes = np.zeros(len(customer.vocabulary), np.int64)
    np.add.at(sizes, customer.codes, np.diff(journeys.offsets))
    return sizes


def _places(ticks: IntArray, low: IntArray, high: IntArray, late: IntArray) -> IntArray:
    """Before which old row each new one belongs: after all of its customer that are not later."""
    found = low.copy()
    at = np.flatnonzero(low < high)
    low, high, late = low[at], high[at], late[at]
    while len(at):
        middle = (low + high) >> 1
        after = ticks[middle] <= late
        low = np.where(after, middle + 1, low)
        high = np.where(after, high, middle)
        open_ = low < high
        if not open_.all():  # what is found needs no more looks
            found[at[~open_]] = low[~open_]
            at, low, high, late = at[open_], low[open_], high[open_], late[open_]
    return found


def _arrays(pair: tuple[Column, Column]) -> tuple[NDArray[Any], NDArray[Any]]:
    left, right = pair
    if isinstance(left, Codes) and isinstance(right, Codes):
        return left.codes, right.codes
    return np.asarray(left), np.asarray(right)


def _woven(columns: list[tuple[NDArray[Any], NDArray[Any]]], at: IntArray) -> list[NDArray[Any]]:
    """Old rows in their order, with the new ones at the rows ``at`` of the outcome."""
    rows = len(columns[0][0]) + len(at)
    woven = [np.empty(rows, old.dtype) for old, _ in columns]

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            n0, n1 = np.searchsorted(at, [first, last])
            source = np.ones(last - first, np.int64)
            source[at[n0:n1] - first] = 0  # of which old row a row is; new ones follow below
            source[0] += first - n0 - 1
            np.cumsum(source, out=source)
            for (old, _), out in zip(columns, woven, strict=True):
                np.take(old, source, mode="clip", out=out[first:last])

    if rows > len(at):
        in_row_parts(part, rows)
    for (_, new), out in zip(columns, woven, strict=True):
        out[at] = new
    return woven


def _rebuilt(
    mine: Codes,
    theirs: Codes,
    old: Journeys,
    new: Journeys,
    pairs: dict[str, tuple[Column, Column]],
) -> Journeys:
    """From all rows, where either part is not in order of customers."""
    columns: dict[str, Column] = {}
    for name, pair in pairs.items():
        both = np.concatenate(_arrays(pair))
        columns[name] = Codes(both, pair[0].vocabulary) if isinstance(pair[0], Codes) else both
    rows = [mine.codes[segment_ids(old.offsets)], theirs.codes[segment_ids(new.offsets)]]
    customer = Codes(np.concatenate(rows), mine.vocabulary)
    times = np.concatenate([old.time, new.time]).view(np.int64)
    return build(customer, times, columns)
