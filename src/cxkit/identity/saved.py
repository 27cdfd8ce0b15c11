"""Identities as bytes: rules and identifiers in the header, the pairs as arrays after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cxkit.core import packing
from cxkit.core.codes import TEXT, Vocabulary
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifiers
from cxkit.identity.pairs import Pairs

__all__ = ["pack", "unpack"]

_SCHEMA: Final = "cxkit/identity/1"
_WHAT: Final = "identity"
_ARRAYS: Final = ("left", "right", "time", "row", "alone", "alone_time", "bad_row")
_OPTIONAL: Final = ("time", "alone_time")


def pack(pairs: Pairs, rules: Rules) -> bytes:
    """The bytes of pairs and rules."""
    ids = pairs.identifiers
    given = {name: getattr(pairs, name) for name in _ARRAYS}
    header = {
        "rules": rules.to_dict(),
        "identifiers": [
            {"namespace": name, "text": v.labels.dtype == TEXT, "values": list(v)}
            for name, v in zip(ids.namespaces, ids.vocabularies, strict=True)
        ],
        "rows": pairs.rows,
        "reasons": list(pairs.bad_reason),
    }
    arrays = {name: array.astype(np.int64) for name, array in given.items() if array is not None}
    return packing.pack(_SCHEMA, header, arrays)


def unpack(data: bytes) -> tuple[Pairs, Rules]:
    """What :func:`pack` wrote.

    Raises:
        DataError: The bytes are not those of an identity, or are damaged or cut short.
    """
    header, arrays = packing.unpack(data, _SCHEMA, _WHAT)
    present = {name for name in _ARRAYS if name not in _OPTIONAL}
    if not present <= set(arrays) <= set(_ARRAYS):
        raise packing.damaged(_WHAT)
    if any(array.dtype != np.int64 or array.ndim != 1 for array in arrays.values()):
        raise packing.damaged(_WHAT)
    try:
        rules = Rules.from_dict(header["rules"])
        every: dict[str, Any] = {name: arrays.get(name) for name in _ARRAYS}
        pairs = Pairs(
            identifiers=_identifiers(header["identifiers"]),
            bad_reason=tuple(map(str, header["reasons"])),
            rows=int(header["rows"]),
            **every,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise packing.damaged(_WHAT) from error
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


def _check(pairs: Pairs) -> None:
    """Numbers that point nowhere would be errors from deep inside later."""
    for numbers in (pairs.left, pairs.right, pairs.alone):
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(
            pairs.identifiers
        ):
            raise packing.damaged(_WHAT)
    same = {len(pairs.left), len(pairs.right), len(pairs.row)}
    same |= {len(pairs.left)} if pairs.time is None else {len(pairs.time)}
    alone = {len(pairs.alone)}
    alone |= set() if pairs.alone_time is None else {len(pairs.alone_time)}
    if len(same) > 1 or len(alone) > 1 or len(pairs.bad_row) != len(pairs.bad_reason):
        raise packing.damaged(_WHAT)
