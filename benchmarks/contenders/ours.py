"""cxkit, through its public face, as its documentation tells people to call it."""

from __future__ import annotations

import functools
import importlib.metadata
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workload import (
    AT,
    CHANNEL_LABELS,
    CHANNELS,
    EVENT_LABELS,
    EVENTS,
    FUNNEL_STEPS,
    FUNNEL_WITHIN,
    GOAL,
    HALF_LIFE,
    POINTS,
    Log,
)

import cxkit as cx
from contenders import Answer, Contender, Row
from cxkit.core.codes import Codes


def contender(name: str, log: Log, threads: int) -> Contender:
    """cxkit with the log as arrays."""
    del name, threads  # cxkit decides for itself
    journeys = functools.cache(lambda: _sharded(log))
    return Contender(
        versions=versions(),
        rows={
            "build": lambda: Row(lambda: _journeys(log), _read_journeys),
            "build_packed": lambda: Row(lambda: _journeys(log), _read_journeys),
            "score": lambda: _score(journeys()[0]),
            "markov": lambda: _markov(*journeys()),
            "transitions": lambda: _transitions(*journeys()),
            "funnel": lambda: _funnel(*journeys()),
        },
    )


def versions() -> dict[str, str]:
    """Of cxkit, which may lie beside this file and not be installed, and of numpy."""
    try:
        version = cx.__version__
    except importlib.metadata.PackageNotFoundError:
        version = "from a checkout"
    return {"cxkit": version, "numpy": np.__version__}


def _journeys(log: Log) -> cx.Journeys:
    return cx.Journeys.from_codes(
        customer=log.customer,
        time=log.time,
        columns={
            "channel": Codes.from_codes(log.channel, CHANNEL_LABELS),
            "event": Codes.from_codes(log.event, EVENT_LABELS),
            "value": log.value,
        },
    )


def _read_journeys(journeys: cx.Journeys, customer: NDArray[Any] | None = None) -> Answer:
    if customer is None:
        customer = journeys.customer.vocabulary.labels[journeys.customer.codes]
    return {
        "customer": np.repeat(customer, np.diff(journeys.offsets)).astype(np.int32),
        "time": journeys.time.view(np.int64),
        "channel": _original(journeys.codes("channel"), CHANNEL_LABELS),
        "event": _original(journeys.codes("event"), EVENT_LABELS),
        "value": journeys.value,
        "offsets": journeys.offsets,
    }


def _original(column: Codes, labels: list[str]) -> NDArray[np.uint8]:
    """The codes of the log: cxkit drops labels that do not occur."""
    table = np.array([labels.index(str(label)) for label in column.vocabulary], np.uint8)
    return table[column.codes]


def _score(journeys: cx.Journeys) -> Row:
    rules = [cx.PointRule(EVENT_LABELS[code], points) for code, points in enumerate(POINTS)]
    scale = cx.EngagementScale(rules, half_life=HALF_LIFE)

    def read(scores: Any) -> Answer:
        customer = journeys.customer.vocabulary.labels[journeys.customer.codes]
        return {"customer": customer.astype(np.int32), "score": np.asarray(scores)}

    return Row(lambda: scale.score(journeys, at=AT), read)


def _markov(journeys: cx.Journeys, note: str) -> Row:
    goal, model = EVENT_LABELS[GOAL], cx.attribution.Markov(order=1)

    def read(result: Any) -> Answer:
        removal = np.zeros(CHANNELS)
        place = [CHANNEL_LABELS.index(label) for label in result.labels]
        removal[place] = result.removal_effect
        return {"removal": removal}

    return Row(
        lambda: cx.attribution.attribute(journeys, goal=goal, model=model, by="channel"),
        read,
        note=note,
    )


def _transitions(journeys: cx.Journeys, note: str) -> Row:
    def read(result: Any) -> Answer:
        labels, found = result.matrix()
        counts = np.zeros((EVENTS, EVENTS), np.int64)
        place = [EVENT_LABELS.index(label) for label in labels[:-1]]
        counts[np.ix_(place, place)] = found[:-1, :-1]
        return {"counts": counts}

    return Row(lambda: cx.flow.transitions(journeys), read, note=note)


def _funnel(journeys: cx.Journeys, note: str) -> Row:
    funnel = cx.flow.Funnel([EVENT_LABELS[step] for step in FUNNEL_STEPS], within=FUNNEL_WITHIN)
    return Row(
        lambda: funnel.count(journeys),
        lambda result: {"journeys": result.reached},
        note=note,
    )


def _sharded(log: Log) -> tuple[cx.Journeys, str]:
    """Journeys, and what to say of the index that they keep once it is asked for.

    It is found before the clock starts, like the sorted tables of the others.
    """
    journeys = _journeys(log)
    start = time.perf_counter()
    _ = journeys.shards
    took = (time.perf_counter() - start) / max(len(log), 1) * 1e9
    return journeys, (
        "with intervals, over shards of customers; finding the shards took "
        f"{took:.1f} ns per touchpoint more, once"
    )
