"""Why two identifiers are one customer: chains, provenance and refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.result import Result
from cxkit.identity.decide import Decision
from cxkit.identity.exclusive import distinct_links
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifiers, name_of
from cxkit.identity.pairs import Pairs
from cxkit.identity.status import ACCEPTED, FOR_A_TIME, SELF, reason_of

__all__ = ["Explanation", "Provenance", "Refused", "chain", "headline", "provenance", "refused"]


def _instants(time: IntArray | None, rows: NDArray[Any]) -> dict[str, Any]:
    return {} if time is None else {"time": time[rows].view("datetime64[us]")}


@attrs.frozen(eq=False, repr=False)
class Explanation(Result):
    """A chain of pairs from one identifier to another.

    Attributes:
        start: Name of the first identifier.
        end: Name of the last.
        joined: Whether every pair of the chain was accepted, so that both are one customer.
        left: (n,) names, each equal to the ``right`` of the row before.
        right: (n,) names.
        row: (n,) the row that says so: the earliest, or first, of that pair.
        time: (n,) when, or ``None`` without times.
        refused: (n,) why the pair was refused, empty if it was not.
    """

    start: str
    end: str
    joined: bool
    left: tuple[str, ...]
    right: tuple[str, ...]
    row: IntArray = attrs.field(converter=freeze)
    time: NDArray[np.datetime64] | None
    refused: tuple[str, ...]

    def columns(self) -> Mapping[str, Any]:
        """``left``, ``right``, ``row``, ``time`` if there is one; ``refused`` unless joined."""
        found: dict[str, Any] = {"left": self.left, "right": self.right, "row": self.row}
        if self.time is not None:
            found["time"] = self.time
        if not self.joined:
            found["refused"] = self.refused
        return found

    def title(self) -> str:
        """Whether the two are one customer."""
        if self.joined:
            return f"{self.start} and {self.end} are one customer"
        if not len(self.row):
            return f"nothing connects {self.start} and {self.end}"
        return f"{self.start} and {self.end} are not joined; what connects them"


@attrs.frozen(eq=False, repr=False)
class Provenance(Result):
    """Every accepted link.

    Attributes:
        identifiers: What the numbers mean.
        customer: (L,) the identifier that the customer is called by.
        left: (L,) one end.
        right: (L,) the other.
        rows: (L,) how many rows say so.
        row: (L,) the earliest of them, or first.
        time: (L,) when it was first seen, or ``None``.
    """

    identifiers: Identifiers
    customer: IntArray = attrs.field(converter=freeze)
    left: IntArray = attrs.field(converter=freeze)
    right: IntArray = attrs.field(converter=freeze)
    rows: IntArray = attrs.field(converter=freeze)
    row: IntArray = attrs.field(converter=freeze)
    time: NDArray[np.datetime64] | None

    def columns(self) -> Mapping[str, Any]:
        """Names of customer and ends, ``rows``, ``row`` and ``time`` if there is one."""
        names = self.identifiers.names
        found: dict[str, Any] = {
            "customer": names(self.customer).tolist(),
            "left": names(self.left).tolist(),
            "right": names(self.right).tolist(),
            "rows": self.rows,
            "row": self.row,
        }
        return found if self.time is None else {**found, "time": self.time}

    def title(self) -> str:
        """How many links there are."""
        return f"{len(self.row):,} links that were accepted"

    def __len__(self) -> int:
        """L, without making the names."""
        return len(self.row)


@attrs.frozen(eq=False, repr=False)
class Refused(Result):
    """Pairs and rows that were refused, in order of row.

    Attributes:
        identifiers: What the numbers mean.
        row: (n,) the row of the table.
        left: (n,) number of an identifier; -1 where a row was of no use at all.
        right: (n,) number of the other.
        reason: (n,) why.
    """

    identifiers: Identifiers
    row: IntArray = attrs.field(converter=freeze)
    left: IntArray = attrs.field(converter=freeze)
    right: IntArray = attrs.field(converter=freeze)
    reason: tuple[str, ...]

    def columns(self) -> Mapping[str, Any]:
        """``row``, ``left`` and ``right`` by name (``None`` for a row of no use), ``reason``."""
        return {
            "row": self.row,
            "left": self._names(self.left),
            "right": self._names(self.right),
            "reason": self.reason,
        }

    def counts(self) -> dict[str, int]:
        """How many were refused for each reason, the most first."""
        return dict(Counter(self.reason).most_common())

    def title(self) -> str:
        """How many were refused."""
        return f"{len(self.row):,} pairs refused"

    def __len__(self) -> int:
        """How many, without making the names."""
        return len(self.row)

    def _names(self, numbers: IntArray) -> list[str | None]:
        names: list[str | None] = [None] * len(numbers)
        known = np.flatnonzero(numbers >= 0)
        for at, name in zip(
            known.tolist(), self.identifiers.names(numbers[known]).tolist(), strict=True
        ):
            names[at] = name
        return names


def headline(pairs: Pairs, decision: Decision, customers: int) -> str:
    """An identity in one line."""
    ids = pairs.identifiers
    spaces = ", ".join(
        f"{name} ({len(values):,})"
        for name, values in zip(ids.namespaces, ids.vocabularies, strict=True)
    )
    refused = len(pairs.bad_row) + int((decision.status >= SELF).sum())
    more = f"; {refused:,} pairs refused, see .refused" if refused else ""
    return (
        f"<Identity: {len(ids):,} identifiers of {customers:,} customers, from "
        f"{pairs.rows:,} rows; {spaces or 'empty'}{more}>"
    )


def provenance(pairs: Pairs, decision: Decision) -> Provenance:
    """Every accepted link, by customer, then by first row."""
    rows = np.flatnonzero(decision.status == ACCEPTED)
    time = None if pairs.time is None else pairs.time[rows]
    links = distinct_links(pairs.left[rows], pairs.right[rows], time)
    shown = rows[links.pair]
    order = np.lexsort((pairs.row[shown], decision.customer[links.low]))
    shown = shown[order]
    return Provenance(
        identifiers=pairs.identifiers,
        customer=decision.customer[links.low[order]],
        left=pairs.left[shown],
        right=pairs.right[shown],
        rows=links.rows[order],
        row=pairs.row[shown],
        time=_instants(pairs.time, shown).get("time"),
    )


def refused(pairs: Pairs, decision: Decision, rules: Rules) -> Refused:
    """Every refused pair, and every row of no use."""
    which = np.flatnonzero(decision.status >= SELF)
    row = np.concatenate([pairs.row[which], pairs.bad_row])
    none = np.full(len(pairs.bad_row), -1, np.int64)
    texts = {code: reason_of(code, rules) for code in np.unique(decision.status).tolist()}
    reasons = [*map(texts.__getitem__, decision.status[which].tolist()), *pairs.bad_reason]
    order = np.argsort(row, kind="stable")
    return Refused(
        identifiers=pairs.identifiers,
        row=row[order],
        left=np.concatenate([pairs.left[which], none])[order],
        right=np.concatenate([pairs.right[which], none])[order],
        reason=tuple(reasons[at] for at in order.tolist()),
    )


def chain(pairs: Pairs, decision: Decision, rules: Rules, start: int, end: int) -> Explanation:
    """The shortest chain between two identifiers, of accepted pairs if there is one."""
    ids, status = pairs.identifiers, decision.status
    joined = bool(decision.group[start] == decision.group[end])
    if joined:
        usable = (status == ACCEPTED) & (decision.group[pairs.left] == decision.group[start])
    else:
        usable = pairs.left != pairs.right
    rows = np.flatnonzero(usable)
    nodes = _shortest(pairs.left[rows], pairs.right[rows], start, end, len(ids))
    steps = []
    for a, b in pairwise(nodes):
        ends = ((pairs.left[rows] == a) & (pairs.right[rows] == b)) | (
            (pairs.left[rows] == b) & (pairs.right[rows] == a)
        )
        steps.append(_earliest(pairs, rows[ends]))
    at = np.array(steps, np.int64)
    names = [name_of(ids[node]) for node in nodes]
    told = [
        "holds for a time" if code == FOR_A_TIME else reason_of(code, rules)
        for code in status[at].tolist()
    ]
    return Explanation(
        start=name_of(ids[start]),
        end=name_of(ids[end]),
        joined=joined,
        left=tuple(names[:-1]),
        right=tuple(names[1:]),
        row=pairs.row[at],
        time=_instants(pairs.time, at).get("time"),
        refused=tuple(told),
    )


def _earliest(pairs: Pairs, rows: IntArray) -> int:
    keys = (pairs.row[rows],) if pairs.time is None else (pairs.row[rows], pairs.time[rows])
    return int(rows[np.lexsort(keys)[0]])


def _shortest(left: IntArray, right: IntArray, start: int, end: int, nodes: int) -> list[int]:
    """The nodes of a shortest chain, both ends included; empty if there is none.

    Among chains of equal length the smallest identifiers win, so that no row order shows.
    """
    if start == end:
        return [start]
    came = np.full(nodes, nodes)
    came[start] = start
    ends = np.concatenate([left, right]), np.concatenate([right, left])
    edge = np.zeros(nodes, dtype=bool)  # nodes that were reached in the last round
    edge[start] = True
    while came[end] == nodes:
        a, b = ends
        step = np.flatnonzero(edge[a] & (came[b] == nodes))
        if not len(step):
            return []
        reached = b[step]
        np.minimum.at(came, reached, a[step])
        edge[:] = False
        edge[reached] = True
        # A pair of which both ends are reached leads nowhere new.
        fresh = (came[a] == nodes) | (came[b] == nodes)
        ends = a[fresh], b[fresh]
    path = [end]
    while path[-1] != start:
        path.append(int(came[path[-1]]))
    return path[::-1]
