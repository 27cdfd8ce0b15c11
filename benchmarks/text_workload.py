"""The log with text in place of codes, as Arrow: ids of one length, of many, and few labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from workload import CHANNEL_LABELS, EVENT_LABELS, Log

TEXTS = ("texts", "short_texts", "few_texts")


def labels_of(row: str, log: Log) -> NDArray[np.bytes_]:
    """The text of each code, in no order: of customers, or of channels for ``few_texts``."""
    random = np.random.default_rng(6)
    if row == "few_texts":
        return np.array(CHANNEL_LABELS, "S")
    numbers = random.integers(0, 2**63, log.customers).astype(np.uint64)
    if row == "texts":  # 16 hexadecimal digits
        return np.array([f"{number:016x}" for number in numbers.tolist()], "S16")
    sizes = random.integers(1, 13, log.customers).tolist()
    texts = [f"u{n % 10**size:d}" for n, size in zip(numbers.tolist(), sizes, strict=True)]
    return np.array(texts, "S")


def codes_of(row: str, log: Log) -> NDArray[Any]:
    """(E,) which of the texts each row has."""
    return log.channel if row == "few_texts" else log.customer


def arrow_text(labels: NDArray[np.bytes_], codes: NDArray[Any]) -> Any:
    """The texts of all rows as an Arrow array, made without an object for each."""
    import pyarrow as pa

    sizes = np.strings.str_len(labels)[codes]
    offsets = np.zeros(len(codes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    chosen = labels[codes]
    inside = chosen.view(np.uint8)
    data = inside[inside != 0] if int(sizes.min()) < labels.dtype.itemsize else inside
    return pa.Array.from_buffers(
        pa.string(), len(codes), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def arrow_table(log: Log) -> Any:
    """The log with ids of 16 digits, channels and events as text."""
    import pyarrow as pa

    return pa.table(
        {
            "id": arrow_text(labels_of("texts", log), log.customer),
            "time": pa.array(log.time, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "channel": arrow_text(np.array(CHANNEL_LABELS, "S"), log.channel),
            "event": arrow_text(np.array(EVENT_LABELS, "S"), log.event),
            "value": log.value,
        }
    )


def factorized(row: str, log: Log) -> dict[str, NDArray[Any]]:
    """The right answer: the texts that occur, sorted, and the place of each row's text in them."""
    labels, codes = labels_of(row, log), codes_of(row, log)
    used = np.zeros(len(labels), dtype=bool)
    used[codes] = True
    distinct, place = np.unique(labels, return_inverse=True)
    present = np.zeros(len(distinct), dtype=bool)
    present[place[used]] = True
    rank = np.cumsum(present) - 1
    return {"labels": distinct[present], "codes": rank[place][codes]}


def ranked(log: Log) -> Log:
    """The log whose customers are numbered in order of their ids of 16 digits."""
    rank = np.argsort(np.argsort(labels_of("texts", log)))
    names = ("time", "channel", "event", "value")
    return Log(
        customer=rank[log.customer].astype(np.int32), **{name: getattr(log, name) for name in names}
    )
