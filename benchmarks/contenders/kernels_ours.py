"""cxkit's kernels, as its analyses use them."""

from __future__ import annotations

import functools

import numpy as np
from kernel_workload import (
    CAP,
    COOLDOWN_US,
    DENSE_DAYS,
    ROLLING_US,
    TOP,
    sparse_ids,
    split_late,
)
from text_workload import TEXTS, arrow_table, arrow_text, codes_of, labels_of
from workload import DAY_US, EVENTS, HALF_LIFE_US, POINTS, Log

import cxkit as cx
from contenders import Contender, Row
from contenders.ours import _journeys, _read_journeys, versions
from cxkit.core import caps, distinct, ragged, recurrence, sorting, windows, within
from cxkit.core.codes import Codes
from cxkit.model.labels import read_labels
from cxkit.model.rejects import RejectLog
from cxkit.model.tables import open_table


def contender(name: str, log: Log, threads: int) -> Contender:
    """cxkit with the log as arrays, and journeys made of them before the clock starts."""
    del name, threads

    @functools.cache
    def journeys() -> cx.Journeys:
        made = _journeys(log)
        _ = made.row_shards
        return made

    def prepared(row: str) -> Row:
        return _ROWS[row](journeys())

    return Contender(
        versions=versions(),
        rows={
            "factorize": lambda: _factorize(log),
            "sort": lambda: _sort(log),
            "end_to_end": lambda: _end_to_end(log),
            "append": lambda: _append(log),
        }
        | {row: functools.partial(_texts, row, log) for row in TEXTS}
        | {row: functools.partial(prepared, row) for row in _ROWS},
    )


def _factorize(log: Log) -> Row:
    ids = sparse_ids(log)
    return Row(
        lambda: Codes.of(ids),
        lambda found: {"labels": found.vocabulary.labels, "codes": found.codes},
    )


def _texts(row: str, log: Log) -> Row:
    table = {"id": arrow_text(labels_of(row, log), codes_of(row, log))}

    def run() -> Codes:
        return read_labels(open_table(table).column("id", "id"), (), "id", RejectLog(len(log)))

    return Row(
        run, lambda found: {"labels": found.vocabulary.labels.astype("S16"), "codes": found.codes}
    )


def _end_to_end(log: Log) -> Row:
    table = arrow_table(log)

    def read(journeys: cx.Journeys) -> dict[str, np.ndarray]:
        found = _read_journeys(journeys, customer=journeys.customer.codes)
        del found["offsets"]
        return found

    return Row(
        lambda: cx.Journeys.from_table(
            table, customer="id", time="time", channel="channel", event="event", value="value"
        ),
        read,
    )


def _sort(log: Log) -> Row:
    codes = log.customer.astype(np.uint32)
    return Row(
        lambda: sorting.sort_rows(codes, log.time),
        lambda found: {"order": found.order, "time": found.times},
    )


def _append(log: Log) -> Row:
    old, new = map(_journeys, split_late(log))
    return Row(lambda: old.append(new), _read_journeys)


def _sessions(journeys: cx.Journeys) -> Row:
    return Row(
        lambda: journeys.sessions("30min"),
        lambda cut: {
            "starts": cut.offsets[:-1],
            "customer": np.asarray(cut.customer.vocabulary.labels)[cut.customer.codes],
        },
    )


def _lag(journeys: cx.Journeys) -> Row:
    codes = journeys.event.codes
    return Row(
        lambda: within.lag(codes, journeys.offsets, fill=EVENTS), lambda found: {"lag": found}
    )


def _segment_sum(journeys: cx.Journeys) -> Row:
    points = POINTS[journeys.event.codes]
    return Row(lambda: ragged.segment_sum(points, journeys.offsets), lambda found: {"score": found})


def _running_sum(journeys: cx.Journeys) -> Row:
    codes = journeys.event.codes.astype(np.int64)
    return Row(lambda: within.running_sum(codes, journeys.offsets), lambda found: {"sum": found})


def _distinct(journeys: cx.Journeys) -> Row:
    codes = journeys.event.codes
    return Row(
        lambda: distinct.distinct_codes(codes, journeys.offsets, EVENTS),
        lambda found: {"distinct": found},
    )


def _top_paths(journeys: cx.Journeys) -> Row:
    return Row(
        lambda: cx.flow.variants(journeys, top=TOP),
        lambda found: {"count": found.journeys},
        note="with intervals, over shards of customers",
    )


def _running_decay(journeys: cx.Journeys) -> Row:
    points, time = POINTS[journeys.event.codes], journeys.time.view(np.int64)

    def run() -> np.ndarray:
        kept = np.empty(len(time))
        kept[0] = 0
        np.subtract(time[:-1], time[1:], out=kept[1:])
        kept *= 1 / HALF_LIFE_US
        np.minimum(kept, 0, out=kept)  # the first rows of journeys come before the row above
        np.exp2(kept, out=kept)
        return recurrence.running_state(points, kept, journeys.offsets)

    return Row(run, lambda found: {"score": found})


def _rolling(journeys: cx.Journeys) -> Row:
    time = journeys.time.view(np.int64)
    return Row(
        lambda: windows.rolling_count(time, journeys.offsets, ROLLING_US),
        lambda found: {"count": found},
    )


def _cooldown(journeys: cx.Journeys) -> Row:
    time = journeys.time.view(np.int64)
    return Row(
        lambda: windows.after_cooldown(time, journeys.offsets, COOLDOWN_US),
        lambda found: {"counts": found},
    )


def _caps(journeys: cx.Journeys, days: int = 1) -> Row:
    codes, period = journeys.event.codes, journeys.time.view(np.int64) // (days * DAY_US)
    most = np.full(EVENTS, CAP)
    return Row(
        lambda: caps.within_caps(codes, period, journeys.offsets, most),
        lambda found: {"counts": found},
    )


_ROWS = {
    "sessions": _sessions,
    "lag": _lag,
    "segment_sum": _segment_sum,
    "running_sum": _running_sum,
    "distinct": _distinct,
    "top_paths": _top_paths,
    "running_decay": _running_decay,
    "rolling": _rolling,
    "cooldown": _cooldown,
    "caps": _caps,
    "caps_dense": functools.partial(_caps, days=DENSE_DAYS),
}
