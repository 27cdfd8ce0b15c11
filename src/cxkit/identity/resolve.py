"""From rows with identifiers to their customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import TEXT, Codes
from cxkit.core.ragged import segment_ids
from cxkit.core.timezones import find_zone
from cxkit.errors import DataError, DefinitionError
from cxkit.identity.blocked import blocked_values
from cxkit.identity.decide import Decision
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifiers, encode, name_of
from cxkit.identity.pairs import NULLS, Side, read_side
from cxkit.model.journeys import Journeys
from cxkit.model.rejects import RejectLog
from cxkit.model.roles import read_times
from cxkit.model.tables import open_table

__all__ = ["Known", "resolve_journeys", "resolve_table"]

_NOBODY: Final = -1


@attrs.frozen(eq=False)
class Known:
    """What is known of identifiers.

    Attributes:
        identifiers: All of them.
        decision: Their customers.
        rules: Which values stand for nobody.
    """

    identifiers: Identifiers
    decision: Decision
    rules: Rules

    def holders(self, nodes: IntArray, us: IntArray | None) -> IntArray:
        """(n,) customers, as the identifiers that they are called by; -1 for nobody.

        Args:
            nodes: (n,) identifiers, -1 for none.
            us: (n,) when, microseconds since 1970, or ``None``.

        Raises:
            DataError: One is a device whose customer depends on the time, and there is none.
        """
        decision = self.decision
        found = np.append(decision.customer, _NOBODY)[nodes]
        if not len(decision.timeline):
            return found
        devices = np.append(decision.group, _NOBODY)[nodes]
        held = decision.timeline.holds(devices) & (found != _NOBODY)
        if not held.any():
            return found
        if us is None:
            first = self.identifiers[int(nodes[np.flatnonzero(held)[0]])]
            raise DataError(
                f"the customer of {name_of(first)!r} depends on the time: pass at=, or time= for "
                "a table"
            )
        holder = decision.timeline.holder(devices[held], us[held])
        found[held] = np.where(holder == _NOBODY, found[held], holder)
        return found


def resolve_table(
    who: Known,
    table: object,
    identifiers: Sequence[str] | Mapping[str, Side],
    *,
    time: str | None,
    tz: str | None,
    time_unit: str | None,
) -> Codes:
    """See :meth:`cxkit.identity.Identity.resolve`."""
    opened = open_table(table)
    wanted: Mapping[str, Side]
    if isinstance(identifiers, Mapping):
        wanted = identifiers
    else:
        names = [identifiers] if isinstance(identifiers, str) else identifiers
        wanted = {name: name for name in names}
    if not wanted:
        raise DefinitionError("identifiers is empty; name at least one column")
    logs = [RejectLog(opened.rows) for _ in wanted]
    sides = []
    for (namespace, side), log in zip(wanted.items(), logs, strict=True):
        spaces, values = read_side(opened, side, log)
        sides.append((namespace if isinstance(spaces, str) else spaces, values))
    us = None
    if time is not None:
        log = RejectLog(opened.rows)
        zone = None if tz is None else find_zone(tz)
        column = opened.column(time, "time")
        us, _ = read_times(column, NULLS, log, zone=zone, unit=time_unit, pattern=None)
        logs.append(log)
    for log in logs:
        if not log.kept().all():
            raise DataError(f"rows that cannot be used: {'; '.join(log.result().summary())}")
    return _customers(who, sides, us)


def resolve_journeys(
    who: Known, journeys: Journeys, identifiers: str | Mapping[str, str], *, nobody: str
) -> Journeys:
    """See :meth:`cxkit.identity.Identity.apply`."""
    if nobody not in {"raise", "drop"}:
        raise DefinitionError(f"nobody must be 'raise' or 'drop'; found {nobody!r}")
    wanted = {identifiers: "customer"} if isinstance(identifiers, str) else dict(identifiers)
    sides: list[tuple[str | Codes, Codes]] = []
    for namespace, name in wanted.items():
        if name == "customer":
            sides.append((namespace, journeys.customer.take(segment_ids(journeys.offsets))))
        else:
            sides.append((namespace, journeys.codes(name)))
    codes = _customers(who, sides, journeys.time.view(np.int64))
    lost = codes.is_missing()
    if not lost.any():
        return Journeys.from_codes(customer=codes, time=journeys.time, columns=journeys.columns)
    if nobody == "raise":
        raise DataError(
            f"{int(lost.sum()):,} of {len(lost):,} touchpoints belong to nobody: their identifiers "
            "are blocked or too widely shared; pass nobody='drop' to leave them out"
        )
    kept = np.flatnonzero(~lost)
    return Journeys.from_codes(
        customer=codes.take(kept),
        time=journeys.time[kept],
        columns={
            name: column.take(kept) if isinstance(column, Codes) else column[kept]
            for name, column in journeys.columns.items()
        },
    )


def _customers(
    who: Known, sides: Sequence[tuple[str | Codes, Codes]], us: IntArray | None
) -> Codes:
    """(E,) customers by name: of the first side whose identifier belongs to somebody."""
    # Columns may be over a vocabulary of which they use only a part.
    used = [
        (space, Codes.from_codes(values.codes, values.vocabulary, missing=values.missing))
        for space, values in sides
    ]
    mine, columns = encode(used)
    known = mine.places_in(who.identifiers)
    blocked = np.append(blocked_values(mine, who.rules.blocked), False)
    found = np.full(len(columns[0]), _NOBODY, np.int64)
    for nodes in columns:
        rows = np.flatnonzero((found == _NOBODY) & (nodes != _NOBODY) & ~blocked[nodes])
        own = nodes[rows]
        at = known[own]
        holder = who.holders(at, None if us is None else us[rows])
        # Whom nobody has heard of is a customer of its own.
        found[rows] = np.where(at == _NOBODY, len(who.identifiers) + own, holder)
    codes = Codes.of(found)
    numbers = np.asarray(codes.vocabulary.labels, np.int64)
    theirs = (numbers >= 0) & (numbers < len(who.identifiers))
    names = np.empty(len(numbers), dtype=TEXT)
    names[theirs] = who.identifiers.names(numbers[theirs])
    new = numbers >= len(who.identifiers)
    names[new] = mine.names(numbers[new] - len(who.identifiers))
    nobody = 0 if len(numbers) and numbers[0] == _NOBODY else _NOBODY
    return Codes.from_codes(codes.codes, names, missing=nobody)
