"""The kernels as plain numba loops on one thread: what a compiler makes of the obvious."""

from __future__ import annotations

import functools
import math

import numba
import numpy as np
from kernel_workload import COOLDOWN_US, GAP_US, ROLLING_US
from numba import njit
from reference import Reference
from workload import EVENTS, HALF_LIFE_US, POINTS, Log

from contenders import Contender, Row


def contender(name: str, log: Log, threads: int) -> Contender:
    """The sorted log as arrays."""
    del name, threads
    sorted_log = functools.cache(lambda: Reference(log))

    def row(answer: str, loop: object, *columns: str, **ready: np.ndarray) -> Row:
        known = sorted_log()
        given = [getattr(known, column) for column in columns]
        return Row(
            lambda: loop(*given, known.offsets, *ready.values()),  # type: ignore[operator]
            lambda found: {answer: found},
        )

    return Contender(
        versions={"numba": numba.__version__},
        rows={
            "sessions": lambda: Row(
                lambda: _sessions(sorted_log().time, sorted_log().customer, sorted_log().offsets),
                lambda found: dict(zip(("starts", "customer"), found, strict=True)),
            ),
            "lag": lambda: row("lag", _lag, "event"),
            "segment_sum": lambda: row("score", _segment_sum, points=POINTS[sorted_log().event]),
            "running_sum": lambda: row("sum", _running_sum, "event"),
            "distinct": lambda: row("distinct", _distinct, "event"),
            "running_decay": lambda: row(
                "score", _running_decay, "time", points=POINTS[sorted_log().event]
            ),
            "rolling": lambda: row("count", _rolling, "time"),
            "cooldown": lambda: row("counts", _cooldown, "time"),
        },
    )


@njit
def _sessions(time, customer, offsets):
    out = np.empty(len(time), np.int64)
    who = np.empty(len(time), customer.dtype)
    n = 0
    for j in range(len(offsets) - 1):
        for i in range(offsets[j], offsets[j + 1]):
            if i == offsets[j] or time[i] - time[i - 1] > GAP_US:
                out[n] = i
                who[n] = customer[i]
                n += 1
    return out[:n], who[:n]


@njit
def _lag(event, offsets):
    out = np.empty_like(event)
    for j in range(len(offsets) - 1):
        before = EVENTS
        for i in range(offsets[j], offsets[j + 1]):
            out[i] = before
            before = event[i]
    return out


@njit
def _segment_sum(offsets, points):
    out = np.empty(len(offsets) - 1)
    for j in range(len(out)):
        total = 0.0
        for i in range(offsets[j], offsets[j + 1]):
            total += points[i]
        out[j] = total
    return out


@njit
def _running_sum(event, offsets):
    out = np.empty(len(event), np.int64)
    for j in range(len(offsets) - 1):
        total = 0
        for i in range(offsets[j], offsets[j + 1]):
            total += event[i]
            out[i] = total
    return out


@njit
def _distinct(event, offsets):
    out = np.empty(len(offsets) - 1, np.int64)
    for j in range(len(out)):
        mask, found = np.uint64(0), 0
        for i in range(offsets[j], offsets[j + 1]):
            bit = np.uint64(1) << np.uint64(event[i])
            if not mask & bit:
                mask |= bit
                found += 1
        out[j] = found
    return out


@njit
def _running_decay(time, offsets, points):
    out = np.empty(len(time))
    for j in range(len(offsets) - 1):
        state, last = 0.0, time[offsets[j]]
        for i in range(offsets[j], offsets[j + 1]):
            state = state * math.exp((last - time[i]) * (math.log(2.0) / HALF_LIFE_US)) + points[i]
            last = time[i]
            out[i] = state
    return out


@njit
def _rolling(time, offsets):
    out = np.empty(len(time), np.int64)
    for j in range(len(offsets) - 1):
        first = offsets[j]
        for i in range(offsets[j], offsets[j + 1]):
            while time[i] - time[first] >= ROLLING_US:
                first += 1
            out[i] = i - first + 1
    return out


@njit
def _cooldown(time, offsets):
    out = np.zeros(len(time), np.bool_)
    for j in range(len(offsets) - 1):
        last = time[offsets[j]] - COOLDOWN_US
        for i in range(offsets[j], offsets[j + 1]):
            if time[i] - last >= COOLDOWN_US:
                out[i] = True
                last = time[i]
    return out
