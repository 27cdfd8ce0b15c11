"""Identities as bytes: a magic, the length of a JSON header, the header, arrays.

The arrays are little-endian int64 and follow one another. Pickle is never read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cxkit.core.codes import TEXT, Vocabulary
from cxkit.errors import DataError
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifiers
from cxkit.identity.pairs import Pairs

__all__ = ["pack", "unpack"]

_MAGIC: Final = b"CXI1"
_SCHEMA: Final = "cxkit/identity/1"
_ARRAYS: Final = ("left", "right", "time", "row", "alone", "alone_time", "bad_row")
_DAMAGED: Final = "the bytes of this identity are damaged or cut short"


def pack(pairs: Pairs, rules: Rules) -> bytes:
    """The bytes of pairs and rules."""
    ids = pairs.identifiers
    arrays = {name: getattr(pairs, name) for name in _ARRAYS}
    header = {
        "schema": _SCHEMA,
        "rules": rules.to_dict(),
        "identifiers": [
            {"namespace": name, "text": v.labels.dtype == TEXT, "values": list(v)}
            for name, v in zip(ids.namespaces, ids.vocabularies, strict=True)
        ],
        "rows": pairs.rows,
        "reasons": list(pairs.bad_reason),
        "arrays": {name: None if a is None else len(a) for name, a in arrays.items()},
    }
    text = json.dumps(header).encode("ascii")
    blobs = [a.astype("<i8").tobytes() for a in arrays.values() if a is not None]
    return b"".join([_MAGIC, struct.pack("<Q", len(text)), text, *blobs])


def unpack(data: bytes) -> tuple[Pairs, Rules]:
    """What :func:`pack` wrote.

    Raises:
        DataError: The bytes are not those of an identity, or are damaged or cut short.
    """
    start = len(_MAGIC) + 8
    if data[: len(_MAGIC)] != _MAGIC:
        raise DataError(f"these bytes are no identity; they begin with {data[:4]!r}")
    if len(data) < start:
        raise DataError(_DAMAGED)
    (size,) = struct.unpack("<Q", data[len(_MAGIC) : start])
    try:
        header = json.loads(data[start : start + size])
    except ValueError:
        raise DataError(_DAMAGED) from None
    if not isinstance(header, dict) or header.get("schema") != _SCHEMA:
        raise DataError(f"these bytes are of another schema than {_SCHEMA!r}")
    try:
        rules = Rules.from_dict(header["rules"])
        identifiers = _identifiers(header["identifiers"])
        arrays = _arrays(header["arrays"], data[start + size :])
        pairs = Pairs(
            identifiers=identifiers,
            bad_reason=tuple(map(str, header["reasons"])),
            rows=int(header["rows"]),
            **arrays,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(_DAMAGED) from error
    _check(pairs)
    return pairs, rules


def _identifiers(entries: list[Mapping[str, Any]]) -> Identifiers:
    return Identifiers(
        tuple(entry["namespace"] for entry in entries),
        tuple(
            Vocabulary(np.array(entry["values"], dtype=TEXT if entry["text"] else np.int64))
            for entry in entries
        ),
    )


def _arrays(sizes: Mapping[str, int | None], body: bytes) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    at = 0
    for name in _ARRAYS:
        size = sizes[name]
        if size is None:
            arrays[name] = None
            continue
        if size < 0 or at + 8 * size > len(body):
            raise DataError(_DAMAGED)
        arrays[name] = np.frombuffer(body, "<i8", size, at).astype(np.int64)
        at += 8 * size
    if at != len(body):
        raise DataError(_DAMAGED)
    return arrays


def _check(pairs: Pairs) -> None:
    """Numbers that point nowhere would be errors from deep inside later."""
    for numbers in (pairs.left, pairs.right, pairs.alone):
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(
            pairs.identifiers
        ):
            raise DataError(_DAMAGED)
    same = {len(pairs.left), len(pairs.right), len(pairs.row)}
    same |= {len(pairs.left)} if pairs.time is None else {len(pairs.time)}
    alone = {len(pairs.alone)}
    alone |= set() if pairs.alone_time is None else {len(pairs.alone_time)}
    if len(same) > 1 or len(alone) > 1 or len(pairs.bad_row) != len(pairs.bad_reason):
        raise DataError(_DAMAGED)
