"""What a visit is: a session, or the part of one that an event opens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.ragged import segment_sum
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["Visits", "cut_visits", "first_label", "opening_events"]

FloatArray = NDArray[np.float64]


class Visits(NamedTuple):
    """The visits of journeys.

    Attributes:
        begins: (V,) the first row of each.
        ends: (V,) the row after its last.
        earned: (V,) its points.
        shard: (V,) the shard of its customer.
        outside_sessions: (64,) sessions that are no visits, by shard.
        outside_value: (64,) points that belong to no visit, by shard.
    """

    begins: IntArray
    ends: IntArray
    earned: FloatArray
    shard: IntArray
    outside_sessions: IntArray
    outside_value: FloatArray


def opening_events(given: Iterable[Label] | Label | None) -> tuple[Label, ...] | None:
    """The events that open a visit, sorted; ``None`` if any touchpoint does.

    Raises:
        DefinitionError: They are no labels, or there is none.

    Example:
        >>> opening_events(["view", "app_start"])
        ('app_start', 'view')
    """
    if given is None:
        return None
    found = {given} if isinstance(given, (str, int)) else set(given)
    for label in found:
        if isinstance(label, bool) or not isinstance(label, (str, int)):
            raise DefinitionError(f"opens names events, such as ['page_view']; found {label!r}")
    if not found:
        raise DefinitionError("opens=[] leaves no visit; leave it out for any touchpoint")
    return tuple(sorted(found, key=lambda label: (isinstance(label, str), label)))


def cut_visits(
    journeys: Journeys, points: FloatArray, gap: str, opens: tuple[Label, ...] | None
) -> Visits:
    """Cut journeys into visits.

    Args:
        journeys: The journeys.
        points: (E,) what touchpoints earn.
        gap: The longest pause within a session.
        opens: The events that open a visit; ``None`` if any touchpoint does.
    """
    sessions = journeys.sessions(gap)
    begins, ends = sessions.offsets[:-1], sessions.offsets[1:]
    shard = sessions.shards.astype(np.int64)
    none = np.zeros(SHARDS, np.int64)
    if not len(sessions):
        return Visits(begins, ends, np.zeros(0), shard, none, none.astype(np.float64))
    whole = np.asarray(segment_sum(points, sessions.offsets), np.float64)
    if opens is None:
        return Visits(begins, ends, whole, shard, none, none.astype(np.float64))
    begins = _opened(journeys.event, opens, begins, ends)
    inside = np.arange(journeys.touchpoints) >= np.repeat(begins, np.diff(sessions.offsets))
    earned = np.asarray(segment_sum(points * inside, sessions.offsets), np.float64)
    visit = begins < ends
    return Visits(
        begins[visit],
        ends[visit],
        earned[visit],
        shard[visit],
        np.bincount(shard[~visit], minlength=SHARDS),
        np.bincount(shard, weights=whole - earned, minlength=SHARDS).astype(np.float64),
    )


def first_label(column: Codes, begins: IntArray, ends: IntArray) -> NDArray[Any]:
    """(V,) the code of the first touchpoint of each visit that has a label, else missing."""
    found = column.codes[begins]
    lost = np.flatnonzero(found == column.missing)
    if len(lost):
        labelled = np.append(np.flatnonzero(~column.is_missing()), len(column))
        first = labelled[np.searchsorted(labelled, begins[lost])]
        inside = first < ends[lost]
        found[lost[inside]] = column.codes[first[inside]]
    return found


def _opened(event: Codes, opens: tuple[Label, ...], begins: IntArray, ends: IntArray) -> IntArray:
    """(S,) the first row of each session with an opening event; its end if there is none."""
    flags = np.zeros(event.slots, dtype=bool)
    for label in opens:
        code = event.vocabulary.find(label)
        if code is not None:
            flags[code] = True
    rows = np.append(np.flatnonzero(flags[event.codes]), len(event))
    return np.asarray(np.minimum(rows[np.searchsorted(rows, begins)], ends))
