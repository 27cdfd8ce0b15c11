"""Hashes of labels that never change: shards and samples are drawn by them.

Python's own ``hash`` of text differs from process to process, which would put a customer in another
shard on every machine; these are plain arithmetic, the same everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["hash_labels", "mix64"]

_U64 = np.uint64
# The finalizer of SplitMix64 (Steele, Lea, Flood 2014), variant 13 of Stafford.
_M1: Final = _U64(0xBF58476D1CE4E5B9)
_M2: Final = _U64(0x94D049BB133111EB)
_GOLDEN: Final = _U64(0x9E3779B97F4A7C15)
_ROWS_AT_ONCE: Final = 65_536


def mix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter the bits of each value: close values end far apart.

    Args:
        values: (n,) uint64.

    Returns:
        (n,) uint64, a bijection of the input.

    Example:
        >>> mix64(np.array([0, 1], dtype=np.uint64)).tolist()
        [16294208416658607535, 10451216379200822465]
    """
    z = values + _GOLDEN
    z ^= z >> _U64(30)
    z *= _M1
    z ^= z >> _U64(27)
    z *= _M2
    z ^= z >> _U64(31)
    return z


def hash_labels(labels: NDArray[Any]) -> NDArray[np.uint64]:
    """(n,) uint64 hash of each label: whole numbers by value, text by its UTF-8 bytes."""
    if labels.dtype.kind in "iu":
        return mix64(labels.astype(np.int64, copy=False).view(np.uint64))
    out = np.empty(len(labels), np.uint64)
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        out[start : start + _ROWS_AT_ONCE] = _hash_text(labels[start : start + _ROWS_AT_ONCE])
    return out


def _hash_text(labels: NDArray[Any]) -> NDArray[np.uint64]:
    data = "".join(labels.tolist()).encode("utf-8", "surrogatepass")
    sizes = np.strings.str_len(labels).astype(np.int64)
    if len(data) != int(sizes.sum()):  # not ASCII: count bytes, not characters
        texts = labels.tolist()
        sizes = np.fromiter(
            (len(t.encode("utf-8", "surrogatepass")) for t in texts), np.int64, len(texts)
        )
    # Eight bytes at a time, read from an unaligned view; what lies beyond a label is masked off.
    buffer = np.frombuffer(data + b"\0" * 8, np.uint8)
    lanes = np.ndarray((len(buffer) - 7,), "<u8", buffer, 0, (1,))
    starts = np.cumsum(sizes) - sizes
    state = mix64(sizes.view(np.uint64))
    for lane in range(int(sizes.max(initial=0) + 7) // 8):
        left = sizes - 8 * lane
        live = np.flatnonzero(left > 0)
        word = lanes[starts[live] + 8 * lane].astype(np.uint64)
        kept = np.minimum(left[live], 8).astype(np.uint64)
        word &= ~_U64(0) >> (_U64(64) - kept * _U64(8))
        state[live] = mix64(state[live] ^ word)
    return state
