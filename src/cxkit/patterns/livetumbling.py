"""Tumbling windows, one touchpoint at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from cxkit.core.batches import checked_us, floats, of_one_length, plain_list, whole_ticks
from cxkit.core.codes import Codes, Label
from cxkit.core.packing import pack, unpack
from cxkit.core.spans import (
    InstantLike,
    SpanLike,
    instant_us,
    show_span,
    span_us,
)
from cxkit.core.whole import whole_number
from cxkit.errors import DataError
from cxkit.model.touchpoint import Touchpoint
from cxkit.patterns.livecells import WindowClosed, check_labels, rank
from cxkit.patterns.livestate import NEVER
from cxkit.patterns.waiting import late_us

__all__ = ["LiveTumbling", "WindowClosed"]

_SCHEMA: Final = "cxkit/live-tumbling/1"
_OWN: Final = ("channel", "event")


class LiveTumbling:
    """:func:`~cxkit.patterns.tumbling` counts, one touchpoint at a time, window by window.

    Touchpoints of all customers are counted together, so there is one clock for all: a window is
    over once the latest touchpoint of anybody is later than its end by more than the tolerance, or
    ``advance`` says so. A touchpoint of a window that is over is left out and counted in
    ``too_late``. At most ``most_cells`` windows times labels are open; a touchpoint that would open
    one more is left out and counted in ``dropped``.

    Attributes:
        every_us: How long a window is, in microseconds.
        origin_us: An instant at which one of them begins.
        by: The column of labels to count by.
        tolerance_us: How late a touchpoint may come, in microseconds.
        most_cells: The most windows times labels that are open.
        too_late: Touchpoints whose window was over.
        dropped: Touchpoints for which there was no room.

    Example:
        >>> live = LiveTumbling("1h", by="channel")
        >>> for minute in ("00", "59"):
        ...     _ = live.update(Touchpoint("ann", f"2024-01-01T10:{minute}Z", channel="web"))
        >>> [(c.label, c.touchpoints) for c in live.advance("2024-01-01T11:00Z")]
        [('web', 2)]
    """

    __slots__ = (
        "_cells",
        "_clock",
        "_next",
        "_open",
        "by",
        "dropped",
        "every_us",
        "most_cells",
        "origin_us",
        "tolerance_us",
        "too_late",
    )

    def __init__(
        self,
        every: SpanLike = "1d",
        *,
        origin: InstantLike = "1970-01-01",
        by: str = "channel",
        tolerance: SpanLike | None = None,
        most_cells: int = 100_000,
    ) -> None:
        """Begin without touchpoints.

        Raises:
            DefinitionError: A span is none, ``origin`` is no instant, or ``most_cells`` no whole
                number from 1.
        """
        self.every_us: int = span_us(every, name="every")
        self.origin_us: int = instant_us(origin, name="origin")
        self.by: str = by
        self.tolerance_us: int = late_us(tolerance)
        self.most_cells: int = whole_number(most_cells, "most_cells")
        self.too_late: int = 0
        self.dropped: int = 0
        self._clock = -NEVER  # every touchpoint up to here has come
        self._next = NEVER  # the first window that is open
        self._open = 0
        self._cells: dict[int, dict[Label | None, list[Any]]] = {}

    def __len__(self) -> int:
        """How many windows times labels are open."""
        return self._open

    def __repr__(self) -> str:
        """What is open, and what was lost."""
        return (
            f"<LiveTumbling every {show_span(self.every_us)} by {self.by}: {len(self):,} cells "
            f"open, {self.too_late:,} too late, {self.dropped:,} dropped>"
        )

    def update(self, touchpoint: Touchpoint) -> list[WindowClosed]:
        """Take one touchpoint; the windows that are over now, in order of time and label."""
        label = (
            getattr(touchpoint, self.by) if self.by in _OWN else touchpoint.properties.get(self.by)
        )
        return self.update_raw(label, touchpoint.time_us, touchpoint.value)

    def update_raw(
        self, label: Label | None, time_us: int, value: float = math.nan
    ) -> list[WindowClosed]:
        """The same as :meth:`update` without making a :class:`~cxkit.Touchpoint`.

        Args:
            label: What the touchpoint has in the column ``by``, or ``None``.
            time_us: When: whole microseconds since 1970, UTC.
            value: Its value, or NaN.

        Raises:
            DataError: The time is no whole number or lies outside the years 1900 to 2200, or the
                label is none. Nothing has changed then.
        """
        time_us = checked_us(time_us)
        check_labels([label])
        window = (time_us - self.origin_us) // self.every_us
        if self._end(window) - 1 <= self._clock:
            self.too_late += 1
            return []
        if self._open >= self.most_cells and label not in self._cells.get(window, ()):
            self.dropped += 1
            return self._close(time_us - self.tolerance_us - 1)
        cell = self._cell(window, label)
        cell[0] += 1
        if not math.isnan(value):
            cell[1] += value
        return self._close(time_us - self.tolerance_us - 1)

    def update_many(
        self,
        label: Sequence[Label | None] | NDArray[Any] | Codes,
        time_us: Sequence[int] | NDArray[Any],
        value: Sequence[float] | NDArray[Any] | None = None,
    ) -> list[WindowClosed]:
        """Take many touchpoints, one after another: the same as an update for each.

        Args:
            label: (n,) what the touchpoints have in the column ``by``.
            time_us: (n,) when: whole microseconds since 1970, UTC, or datetime64.
            value: (n,) values.

        Returns:
            The windows that are over now, in order of time and label.

        Raises:
            DataError: The lengths differ, a time or a label is none, or values are no numbers.
                Nothing has changed then.
        """
        ticks = whole_ticks(time_us)
        of_one_length(len(ticks), label=label, value=value)
        worth, names = floats(value, len(ticks)), plain_list(label)
        check_labels(names)
        labels = list(dict.fromkeys(names))
        if not len(ticks):
            return []
        code = {name: place for place, name in enumerate(labels)}
        windows = (ticks - self.origin_us) // self.every_us
        reached = np.maximum.accumulate(ticks) - (self.tolerance_us + 1)
        clock = np.maximum(np.append(self._clock, reached[:-1]), self._clock)
        late = self.origin_us - 1 + (windows + 1) * self.every_us <= clock
        # A window and a label make a cell, whose sum goes on in the order of the touchpoints.
        first = int(windows.min())
        keys = (windows - first) * len(labels) + np.fromiter(
            map(code.__getitem__, names), np.int64, len(names)
        )
        keys, worth = keys[~late], worth[~late]
        found, place = np.unique(keys, return_inverse=True)
        if self._open + len(found) > self.most_cells:  # there may not be room for all
            rows = zip(names, ticks.tolist(), floats(value, len(ticks)).tolist(), strict=True)
            return [closed for row in rows for closed in self.update_raw(*row)]
        self.too_late += int(late.sum())
        cells = [
            self._cell(first + key // len(labels), labels[key % len(labels)])
            for key in found.tolist()
        ]
        sums = np.array([cell[1] for cell in cells], np.float64)
        np.add.at(sums, place, np.where(np.isnan(worth), 0.0, worth))
        counts = np.bincount(place, minlength=len(cells)).tolist()
        for cell, count, total in zip(cells, counts, sums.tolist(), strict=True):
            cell[0] += count
            cell[1] = total
        return self._close(int(reached[-1]))

    def _cell(self, window: int, label: Label | None) -> list[Any]:
        """The count and the sum of a label in a window, which opens if it was not open."""
        cells = self._cells.setdefault(window, {})
        if label not in cells:
            cells[label] = [0, 0.0]
            self._open += 1
            self._next = min(self._next, window)
        return cells[label]

    def advance(self, at: InstantLike, *, complete: bool = False) -> list[WindowClosed]:
        """Tell the time, so that windows end though nobody comes.

        Args:
            at: What the clock says. Touchpoints up to the tolerance before it may still come.
            complete: Every touchpoint up to and including ``at`` has come; none is waited for.

        Raises:
            DefinitionError: ``at`` is no instant.
        """
        us = instant_us(at, name="at")
        return self._close(us if complete else us - self.tolerance_us - 1)

    def _end(self, window: int) -> int:
        return self.origin_us + (window + 1) * self.every_us

    def _close(self, final: int) -> list[WindowClosed]:
        """Hand out the windows whose touchpoints have all come."""
        self._clock = max(self._clock, final)
        if self._next == NEVER or self._end(self._next) - 1 > self._clock:
            return []
        out = []
        for window in sorted(w for w in self._cells if self._end(w) - 1 <= self._clock):
            start = self._end(window) - self.every_us
            cells = self._cells.pop(window)
            self._open -= len(cells)
            out += [WindowClosed(start, label, *cells[label]) for label in sorted(cells, key=rank)]
        self._next = min(self._cells, default=NEVER)
        return out

    def to_bytes(self) -> bytes:
        """The definition and what is open, for a file or another process: JSON and arrays."""
        rows = [
            (window, label, *cell)
            for window, cells in sorted(self._cells.items())
            for label, cell in sorted(cells.items(), key=lambda pair: rank(pair[0]))
        ]
        windows, labels, counts, values = zip(*rows, strict=True) if rows else ((), (), (), ())
        names = [None if v is None else v if isinstance(v, str) else int(v) for v in labels]
        header = {
            "every_us": self.every_us,
            "origin_us": self.origin_us,
            "by": self.by,
            "tolerance_us": self.tolerance_us,
            "most_cells": self.most_cells,
            "clock": self._clock,
            "lost": [self.too_late, self.dropped],
            "labels": names,
        }
        arrays = {
            "window": np.array(windows, "<i8"),
            "touchpoints": np.array(counts, "<i8"),
            "value": np.array(values, "<f8"),
        }
        return pack(_SCHEMA, header, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are of something else, or are damaged or cut short.
        """
        header, arrays = unpack(data, _SCHEMA, "live windows")
        try:
            live = cls(by=header["by"], most_cells=header["most_cells"])
            for name in ("every_us", "origin_us", "tolerance_us"):
                setattr(live, name, header[name])
            live._clock = header["clock"]
            live.too_late, live.dropped = header["lost"]
            columns = (arrays[name].tolist() for name in ("window", "touchpoints", "value"))
            windows, counts, values = columns
            for window, label, *cell in zip(windows, header["labels"], counts, values, strict=True):
                live._cells.setdefault(window, {})[label] = cell
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the bytes of these live windows are damaged: {error}") from error
        live._next = min(live._cells, default=NEVER)
        live._open = sum(map(len, live._cells.values()))
        return live

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through bytes, as they are saved."""
        return type(self).from_bytes, (self.to_bytes(),)
