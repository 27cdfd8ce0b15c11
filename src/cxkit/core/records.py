"""Definitions as plain data: what ``from_dict`` checks before it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxkit.errors import DataError, did_you_mean

__all__ = ["check_fields"]


def check_fields(
    data: Any,
    schema: str | None,
    what: str,
    needed: Sequence[str],
    optional: Sequence[str] = (),
) -> None:
    """Refuse data that is something else, lacks a field, or has one that would be dropped.

    Args:
        data: The data.
        schema: What its field ``schema`` must say; ``None`` for a part of a definition, which has
            none of its own.
        what: What it is to be, for the error.
        needed: The fields that must be there.
        optional: Those that may.

    Raises:
        DataError: It is not right.

    Example:
        >>> check_fields({"schema": "x/1", "a": 1}, "x/1", "thing", ["a"])
    """
    if not isinstance(data, Mapping):
        raise DataError(
            f"this is no {what}: found {data!r}, expected a mapping with {list(needed)}"
        )
    if schema is not None and data.get("schema") != schema:
        raise DataError(f"this is no {what}: schema is {data.get('schema')!r}, expected {schema!r}")
    known = [*(["schema"] if schema else []), *needed, *optional]
    for name in data:
        if name not in known:
            raise DataError(
                f"{what}: unknown field {name!r}; there are {sorted(known)}."
                f"{did_you_mean(name, known)}"
            )
    for name in needed:
        if name not in data:
            raise DataError(f"{what}: the field {name!r} is missing; found {sorted(data)}")
