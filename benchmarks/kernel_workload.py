"""What the rows of ``run.py --kernels`` ask, and the right answers, computed plainly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from reference import Answer, Reference
from text_workload import factorized, ranked
from workload import DAY_US, EVENTS, HALF_LIFE_US, POINTS, Log

GAP_US = DAY_US // 48
ROLLING_US = 30 * DAY_US
COOLDOWN_US = DAY_US
CAP = 1
DENSE_DAYS = 60  # so many days make a period in which most journeys have repeats
TOP = 20
LATE = 101  # one row in so many is late

# Row -> title, and what is accepted, in R.
ROWS = {
    "factorize": ("factorize ids far apart", 11.0),
    "texts": ("factorize text of 16 characters", 20.0),
    "short_texts": ("factorize text of 2 to 13 characters", 30.0),
    "few_texts": ("factorize 20 channels as text", 9.0),
    "sort": ("order by customer and time", 8.5),
    "end_to_end": ("sorted, from an Arrow table of text", 45.0),
    "append": ("append 1% late rows", 2.5),
    "sessions": ("sessions", 0.75),
    "lag": ("lag within journey", 0.6),
    "segment_sum": ("sums by journey", 0.75),
    "running_sum": ("sums so far, whole numbers", 1.5),
    "distinct": ("distinct events by journey", 1.1),
    "top_paths": ("top 20 whole paths", 3.0),
    "running_decay": ("decayed score at every touchpoint, exact", 8.0),
    "rolling": ("rolling count, 30 days", 7.5),
    "cooldown": ("cooldown of a day", 2.1),
    "caps": ("one per event and day", 4.0),
    "caps_dense": ("one per event and 60 days", 8.0),
}


def sparse_ids(log: Log) -> NDArray[np.int64]:
    """(E,) an id of 40 random bits in place of each customer's code."""
    ids = np.random.default_rng(5).integers(0, 1 << 40, log.customers)
    return ids[log.customer]


def split_late(log: Log) -> tuple[Log, Log]:
    """The log without its last percent, and that."""
    cut = len(log) - len(log) // LATE
    names = ("customer", "time", "channel", "event", "value")
    return tuple(
        Log(**{name: getattr(log, name)[part] for name in names})
        for part in (slice(0, cut), slice(cut, None))
    )  # type: ignore[return-value]


class KernelReference(Reference):
    """The answers of the kernels for one log."""

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self.log = log
        self.inside = np.diff(self.customer) == 0
        self.starts = self.offsets[:-1]

    def self_check(self, journeys: int = 200) -> None:
        """Hold the answers that come from no plain numpy against loops over some journeys."""
        super().self_check()
        stop = self.offsets[min(journeys, len(self.starts))]
        time, who = self.time[:stop].tolist(), self.customer[:stop].tolist()
        rolling = [
            sum(
                who[k] == who[i] and time[i] - time[k] < ROLLING_US
                for k in range(max(0, i - 999), i + 1)
            )
            for i in range(stop)
        ]
        assert self.rolling()["count"][:stop].tolist() == rolling

    def factorize(self) -> Answer:
        labels, codes = np.unique(sparse_ids(self.log), return_inverse=True)
        return {"labels": labels, "codes": codes}

    def texts(self) -> Answer:
        return factorized("texts", self.log)

    def short_texts(self) -> Answer:
        return factorized("short_texts", self.log)

    def few_texts(self) -> Answer:
        return factorized("few_texts", self.log)

    def end_to_end(self) -> Answer:
        right = Reference(ranked(self.log)).build()
        del right["offsets"]
        right["customer"] = np.unique(right["customer"], return_inverse=True)[1]
        return right

    def sort(self) -> Answer:
        return {"order": np.lexsort((self.log.time, self.log.customer)), "time": self.time}

    append = Reference.build

    def sessions(self) -> Answer:
        begins = np.append(True, ~self.inside | (np.diff(self.time) > GAP_US))
        starts = np.flatnonzero(begins)
        return {"starts": starts, "customer": self.customer[starts]}

    def lag(self) -> Answer:
        before = np.append(EVENTS, np.where(self.inside, self.event[:-1], EVENTS))
        return {"lag": before.astype(np.uint8)}

    def segment_sum(self) -> Answer:
        return {"score": np.add.reduceat(POINTS[self.event], self.starts)}

    def running_sum(self) -> Answer:
        total = np.cumsum(self.event.astype(np.int64))
        before = total[self.starts] - self.event[self.starts]
        return {"sum": total - np.repeat(before, np.diff(self.offsets))}

    def distinct(self) -> Answer:
        pairs = np.unique(self.customer.astype(np.int64) * EVENTS + self.event)
        return {"distinct": np.unique(pairs // EVENTS, return_counts=True)[1]}

    def top_paths(self) -> Answer:
        text = self.event.tobytes()
        bounds = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        found: dict[bytes, int] = {}
        for a, b in bounds:
            found[text[a:b]] = found.get(text[a:b], 0) + 1
        return {"count": np.array(sorted(found.values(), reverse=True)[:TOP])}

    def running_decay(self) -> Answer:
        """All journeys step by step: at step k those that have more than k touchpoints."""
        size, out = np.diff(self.offsets), POINTS[self.event]
        for step in range(1, int(size.max())):
            rows = self.starts[size > step] + step
            out[rows] += out[rows - 1] * np.exp2(
                (self.time[rows - 1] - self.time[rows]) / HALF_LIFE_US
            )
        return {"score": out}

    def rolling(self) -> Answer:
        """How many of the k rows before are near enough, for k = 1, 2 ... until none is."""
        count = np.ones(len(self.time), np.int64)
        alive, k = np.arange(1, len(self.time)), 1
        while len(alive):
            near = (self.customer[alive] == self.customer[alive - k]) & (
                self.time[alive] - self.time[alive - k] < ROLLING_US
            )
            alive = alive[near]
            count[alive] += 1
            k += 1
            alive = alive[alive >= k]
        return {"count": count}

    def cooldown(self) -> Answer:
        size, last = np.diff(self.offsets), self.time[self.starts]
        counts = np.zeros(len(self.time), bool)
        counts[self.starts] = True
        for step in range(1, int(size.max())):
            which = np.flatnonzero(size > step)
            rows = self.starts[which] + step
            far = self.time[rows] - last[which] >= COOLDOWN_US
            counts[rows[far]] = True
            last[which[far]] = self.time[rows[far]]
        return {"counts": counts}

    def caps(self) -> Answer:
        return self._caps(1)

    def caps_dense(self) -> Answer:
        return self._caps(DENSE_DAYS)

    def _caps(self, days: int) -> Answer:
        period = self.time // (days * DAY_US)
        key = (self.customer.astype(np.int64) * 4096 + period % 4096) * EVENTS + self.event
        first = np.unique(key, return_index=True)[1]
        counts = np.zeros(len(key), bool)
        counts[first] = True
        return {"counts": counts}
