"""Pairs of identifiers, read from any table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.threads import side_by_side
from cxkit.core.timezones import find_zone
from cxkit.errors import DefinitionError, SchemaError
from cxkit.identity.identifiers import Identifiers, encode
from cxkit.model.labels import read_labels
from cxkit.model.rejects import RejectLog
from cxkit.model.roles import read_times
from cxkit.model.tables import Table, open_table

__all__ = ["NULLS", "Pairs", "Side", "read_pairs", "read_side", "sides_of"]

Side: TypeAlias = str | tuple[str, str]
"""A column, whose name is the namespace; or a column of namespaces and one of values."""

NULLS: Final = frozenset({""})
"""Texts that mean no identifier."""


@attrs.frozen(eq=False)
class Pairs:
    """Pairs of identifiers, as numbers.

    Attributes:
        identifiers: All I of them, also those that were never part of a pair.
        left: (P,) number of an identifier.
        right: (P,) number of another, or of the same.
        time: (P,) int64 microseconds since 1970, or ``None``.
        row: (P,) the row of the table.
        alone: (A,) identifiers of rows that held only one; nothing there to join.
        alone_time: (A,) when, or ``None``.
        bad_row: (B,) rows that could not be used at all.
        bad_reason: Why, each.
        rows: How many rows the tables had.
    """

    identifiers: Identifiers
    left: IntArray = attrs.field(converter=freeze)
    right: IntArray = attrs.field(converter=freeze)
    time: IntArray | None = attrs.field(converter=attrs.converters.optional(freeze))
    row: IntArray = attrs.field(converter=freeze)
    alone: IntArray = attrs.field(converter=freeze)
    alone_time: IntArray | None = attrs.field(converter=attrs.converters.optional(freeze))
    bad_row: IntArray = attrs.field(converter=freeze)
    bad_reason: tuple[str, ...]
    rows: int

    def __len__(self) -> int:
        """P, how many pairs."""
        return len(self.left)

    @cached_property
    def ranges(self) -> tuple[slice, slice]:
        """From which number to which the identifiers of each side go.

        A side is mostly of one namespace, and that is a range of numbers: what is known of a whole
        range needs no look at every pair.
        """
        left, right = (
            slice(int(side.min()), int(side.max()) + 1) if len(side) else slice(0, 0)
            for side in (self.left, self.right)
        )
        return left, right

    def __add__(self, other: Pairs) -> Pairs:
        """Both together; rows of the second are counted on from the first."""
        if len(self.identifiers) and len(other.identifiers):
            if (self.time is None) != (other.time is None):
                raise SchemaError(
                    "one table of pairs has times and the other has none; pass time= for both or "
                    "for neither"
                )
        elif not len(other.identifiers) and not other.rows:
            return self
        timed = self if len(self.identifiers) else other
        ids, mine, theirs = self.identifiers.union(other.identifiers)

        def joined(a: NDArray[Any] | None, b: NDArray[Any] | None) -> NDArray[Any] | None:
            if timed.time is None:
                return None
            none = np.zeros(0, np.int64)
            return np.concatenate([none if a is None else a, none if b is None else b])

        return Pairs(
            identifiers=ids,
            left=np.concatenate([mine[self.left], theirs[other.left]]),
            right=np.concatenate([mine[self.right], theirs[other.right]]),
            time=joined(self.time, other.time),
            row=np.concatenate([self.row, other.row + self.rows]),
            alone=np.concatenate([mine[self.alone], theirs[other.alone]]),
            alone_time=joined(self.alone_time, other.alone_time),
            bad_row=np.concatenate([self.bad_row, other.bad_row + self.rows]),
            bad_reason=(*self.bad_reason, *other.bad_reason),
            rows=self.rows + other.rows,
        )

    def keep(self, kept: NDArray[np.bool_]) -> Pairs:
        """Only some identifiers (I,), and the pairs that lie between those."""
        ids, table = self.identifiers.keep(kept)
        pairs = kept[self.left] & kept[self.right]
        alone = kept[self.alone]
        # An identifier that loses its every partner was seen all the same, and when it was.
        widows = [
            (side[rows], None if self.time is None else self.time[rows])
            for side, rows in (
                (self.left, kept[self.left] & ~pairs),
                (self.right, kept[self.right] & ~pairs),
            )
        ]
        times = [t for _, t in widows if t is not None]
        return attrs.evolve(
            self,
            identifiers=ids,
            left=table[self.left[pairs]],
            right=table[self.right[pairs]],
            time=None if self.time is None else self.time[pairs],
            row=self.row[pairs],
            alone=table[np.concatenate([self.alone[alone], *(n for n, _ in widows)])],
            alone_time=None
            if self.alone_time is None
            else np.concatenate([self.alone_time[alone], *times]),
        )


def sides_of(left: Side, right: Side | Sequence[Side]) -> tuple[Side, list[Side]]:
    """The left side and the right ones, checked.

    Raises:
        DefinitionError: A side is neither a column nor a tuple of two.
    """
    # A tuple of two texts is one side: a column of namespaces and one of values.
    single = isinstance(right, str) or (
        isinstance(right, tuple) and len(right) == 2 and all(isinstance(r, str) for r in right)
    )
    rights: list[Any] = [right] if single else list(right)
    for name, side in [("left", left), *(("right", side) for side in rights)]:
        two = isinstance(side, tuple) and len(side) == 2 and all(isinstance(s, str) for s in side)
        if not isinstance(side, str) and not two:
            raise DefinitionError(
                f"{name}={side!r} is neither a column, such as 'email', nor a tuple of a column of "
                "namespaces and one of values, such as ('kind', 'id')"
            )
    if not rights:
        raise DefinitionError("right is empty; name at least one column")
    return left, rights


def read_pairs(
    table: object,
    *,
    left: Side,
    right: Side | Sequence[Side],
    time: str | None = None,
    tz: str | None = None,
    time_unit: str | None = None,
) -> Pairs:
    """Read pairs from a table.

    Raises:
        SchemaError: A column is not there, or of a kind that is no identifier.
        DefinitionError: ``left`` or ``right`` are not sides.
    """
    first, rights = sides_of(left, right)
    opened = open_table(table)
    logs = [RejectLog(opened.rows) for _ in range(len(rights) + 2)]
    reads = [
        partial(read_side, opened, side, log)
        for side, log in zip([first, *rights], logs, strict=False)
    ]
    sides = side_by_side(reads, rows=opened.rows)
    us: IntArray | None = None
    if time is not None:
        zone = None if tz is None else find_zone(tz)
        column = opened.column(time, "time")
        us, _ = read_times(column, NULLS, logs[-1], zone=zone, unit=time_unit, pattern=None)
    identifiers, nodes = encode(sides)
    return _pair_up(identifiers, nodes, us, logs)


def read_side(table: Table, side: Side, log: RejectLog) -> tuple[str | Codes, Codes]:
    """The namespace of a side, one for all or a column, and its values."""
    if isinstance(side, str):
        return side, read_labels(table.column(side, side), NULLS, side, log)
    kind, value = side
    spaces = read_labels(table.column(kind, "namespace"), NULLS, "namespace", log)
    return spaces, read_labels(table.column(value, value), NULLS, value, log)


def _pair_up(
    identifiers: Identifiers, nodes: list[IntArray], us: IntArray | None, logs: list[RejectLog]
) -> Pairs:
    rows = len(nodes[0])
    dated = logs[-1].kept()
    left = nodes[0]
    parts: list[Mapping[str, Any]] = []
    some = left >= 0
    for right in nodes[1:]:
        some = some | (right >= 0)
        full = (left >= 0) & (right >= 0) & dated
        every = bool(full.all())
        row = np.arange(rows) if every else np.flatnonzero(full)
        pair = (left, right) if every else (left[row], right[row])
        parts.append({"row": row, "left": pair[0], "right": pair[1]})
    paired = np.zeros(rows, dtype=bool)
    for part in parts:
        paired[part["row"]] = True
    # Each identifier of a row that joined nothing is still known, and since when.
    alone_row = [np.flatnonzero((side >= 0) & ~paired & dated) for side in nodes]
    alone = [side[row] for side, row in zip(nodes, alone_row, strict=True)]
    bad_row, bad_reason = _unusable(some, logs)
    row = _joined([part["row"] for part in parts])
    at = np.concatenate(alone_row)
    return Pairs(
        identifiers=identifiers,
        left=_joined([part["left"] for part in parts]),
        right=_joined([part["right"] for part in parts]),
        time=None if us is None else us if len(row) == rows and len(parts) == 1 else us[row],
        row=row,
        alone=np.concatenate(alone),
        alone_time=None if us is None else us[at],
        bad_row=bad_row,
        bad_reason=bad_reason,
        rows=rows,
    )


def _joined(parts: list[IntArray]) -> IntArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _unusable(some: NDArray[np.bool_], logs: list[RejectLog]) -> tuple[IntArray, tuple[str, ...]]:
    """Rows with nothing to use, and why. What stood there is not kept: it may name a person."""
    reasons: dict[int, str] = dict.fromkeys(np.flatnonzero(~some).tolist(), "no identifier")
    for log in logs:
        if log.kept().all():
            continue
        found = log.result()
        for row, column, reason in zip(found.row.tolist(), found.column, found.reason, strict=True):
            reasons[row] = f"{column}: {reason}"
    rows = sorted(reasons)
    return np.array(rows, np.int64), tuple(reasons[row] for row in rows)
