"""Whose a device is, and when: it belongs to whoever identifies on it next."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import segment_min
from cxkit.core.sorting import order_by_code_and_time

__all__ = ["Timeline"]

_NOBODY: Final = -1


@attrs.frozen(eq=False)
class Timeline:
    """Identifications on devices.

    A touchpoint on a device at time t belongs to the customer of the first identification at t or
    later, if that is at most ``within`` away; else to that of the last one before t, if that is at
    most ``after`` away; else to nobody but the device. Of several identifications at one instant
    the smallest customer's counts, and only that one is kept: who else identified then is told by
    the pairs alone.

    Attributes:
        device: (T,) the device, sorted.
        time: (T,) microseconds since 1970, sorted within the device.
        customer: (T,) who identified.
        within: Microseconds, or ``None`` for no limit.
        after: Microseconds.

    Example:
        >>> line = Timeline.of(
        ...     np.array([5, 5]), np.array([100, 50]), np.array([1, 2]), within=60, after=10
        ... )
        >>> line.holder(np.array([5, 5, 5, 5]), np.array([0, 50, 51, 111])).tolist()
        [2, 2, 1, -1]
    """

    device: IntArray = attrs.field(converter=freeze)
    time: IntArray = attrs.field(converter=freeze)
    customer: IntArray = attrs.field(converter=freeze)
    within: int | None
    after: int

    @classmethod
    def of(
        cls,
        device: IntArray,
        time: IntArray,
        customer: IntArray,
        *,
        within: int | None,
        after: int,
    ) -> Timeline:
        """From (T,) identifications in any order; repeats are dropped."""
        order, time = order_by_code_and_time(device.astype(np.uint64), time)
        if order is not None:
            device, customer = device[order], customer[order]
        begins = np.ones(len(device), dtype=bool)
        begins[1:] = (device[1:] != device[:-1]) | (time[1:] != time[:-1])
        at = np.flatnonzero(begins)
        # Of several at one instant only the smallest customer's can ever count.
        least = segment_min(customer, np.append(at, len(device)))
        return cls(device[at], time[at], least, within, after)

    def __len__(self) -> int:
        """T, how many identifications."""
        return len(self.device)

    def same_as(self, other: Timeline) -> bool:
        """Whether both give the same answers."""
        return (
            np.array_equal(self.device, other.device)
            and np.array_equal(self.time, other.time)
            and np.array_equal(self.customer, other.customer)
        )

    def holds(self, devices: IntArray) -> NDArray[np.bool_]:
        """(n,) which devices anyone ever identified on."""
        at = np.searchsorted(self.device, devices)
        return self._is(at, devices)

    def holder(self, devices: IntArray, at: IntArray) -> IntArray:
        """(n,) the customer to whom each device belongs at an instant; -1 for none.

        Args:
            devices: (n,) devices.
            at: (n,) microseconds since 1970.
        """
        found = np.full(len(devices), _NOBODY, np.int64)
        if not len(self):
            return found
        # One search for both: places in the order of (device, time), packed into one number.
        instants = np.unique(self.time)
        slots = len(instants) + 1
        keys = self.device * slots + np.searchsorted(instants, self.time)
        rank = np.searchsorted(instants, at)  # of the first instant at `at` or later
        place = np.searchsorted(keys, devices * slots + rank)
        before = np.maximum(place - 1, 0)
        earlier = self._is(before, devices) & (place > 0)
        earlier &= at - self.time[before] <= self.after
        found[earlier] = self.customer[before[earlier]]
        later = self._is(place, devices)
        if self.within is not None:
            later &= self.time[np.minimum(place, len(self) - 1)] - at <= self.within
        found[later] = self.customer[place[later]]
        return found

    def _is(self, at: NDArray[np.intp], devices: IntArray) -> NDArray[np.bool_]:
        inside = at < len(self)
        if not len(self):
            return inside
        return np.asarray(inside & (self.device[np.minimum(at, len(self) - 1)] == devices))
