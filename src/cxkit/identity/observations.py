"""What was seen of whom and when: the latest of each kind, per customer."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.timezones import find_zone
from cxkit.errors import DataError, SchemaError
from cxkit.model.labels import read_customers, read_labels
from cxkit.model.rejects import RejectLog
from cxkit.model.roles import read_times
from cxkit.model.tables import open_table

__all__ = ["Observations", "read_observations"]

_NULLS = frozenset({""})


@attrs.frozen(eq=False)
class Observations:
    """Observations up to an instant, in order of time; equal times keep the order of the table.

    Attributes:
        customer: (n,) of whom.
        what: (n,) a facet or a purpose.
        time: (n,) microseconds.
        value: (n,) what it says, or ``None``.
    """

    customer: Codes
    what: Codes
    time: IntArray
    value: NDArray[np.bool_] | None

    def latest(self, what: str, customers: Vocabulary) -> IntArray:
        """(N,) the last row of a kind for each customer; -1 for none."""
        rows = np.flatnonzero(self.what.equals(what))
        found = np.full(len(customers) + 1, -1, np.int64)
        place = self.customer.vocabulary.union(customers)
        mine = self.customer.vocabulary.positions_in(place)[self.customer.codes[rows]]
        slots = np.full(len(place) + 1, -1, np.int64)
        np.maximum.at(slots, mine, rows)  # rows are in order of time: the last is the latest
        found = slots[customers.positions_in(place)[:-1]]
        return np.asarray(found)

    def granted(self, purpose: str, customers: Vocabulary) -> NDArray[np.bool_]:
        """(N,) whether the latest word of each customer on a purpose was yes."""
        last = self.latest(purpose, customers)
        if self.value is None:
            return np.zeros(len(last), dtype=bool)
        yes = np.append(self.value, False)
        return np.asarray(yes[last])


def read_observations(
    table: object,
    customer: str,
    what: str,
    time: str,
    until: int,
    *,
    value: str | None = None,
    tz: str | None = None,
    time_unit: str | None = None,
) -> Observations:
    """Read observations; those later than ``until`` are left out.

    Raises:
        SchemaError: A column is not there or cannot be used.
        DataError: A row lacks something.
    """
    opened = open_table(table)
    log = RejectLog(opened.rows)
    who = read_customers(opened.column(customer, "customer"), _NULLS, log)
    kind = read_labels(opened.column(what, what), _NULLS, what, log)
    log.add(kind.is_missing(), opened.column(what, what), f"no {what}")
    zone = None if tz is None else find_zone(tz)
    us, _ = read_times(
        opened.column(time, "time"), _NULLS, log, zone=zone, unit=time_unit, pattern=None
    )
    yes = None
    if value is not None:
        column = opened.column(value, value)
        if column.kind not in {"truth", "empty"}:
            raise SchemaError(f"column {value!r} must hold truth values; it holds {column.dtype}")
        log.add(column.is_null(), column, f"no {value}")
        yes = np.asarray(column.values).astype(bool)
    if not log.kept().all():
        raise DataError(f"rows that cannot be used: {'; '.join(log.result().summary())}")
    rows = np.flatnonzero(us <= until)
    order = rows[np.argsort(us[rows], kind="stable")]
    # Customers of whom only later things are known stay: nothing is known of them yet.
    return Observations(
        who.take(order), kind.take(order), us[order], None if yes is None else yes[order]
    )
