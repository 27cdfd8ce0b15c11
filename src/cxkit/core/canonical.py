"""Plain data in one form of bytes, and the digest that tells whether two are the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cxkit.errors import DefinitionError

__all__ = ["canonical_json", "digest"]


def canonical_json(data: Any) -> str:
    """JSON with sorted keys and no spaces; the same text whatever the order of keys was.

    Raises:
        DefinitionError: There is a number that JSON does not know, such as NaN.

    Example:
        >>> canonical_json({"b": [1, 2.5], "a": "é"})
        '{"a":"é","b":[1,2.5]}'
    """
    try:
        return json.dumps(
            data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except ValueError as error:
        raise DefinitionError(f"this cannot be written as JSON: {error}") from None


def digest(data: Any) -> str:
    """SHA-256 of the canonical JSON in UTF-8, as 64 hexadecimal digits.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(canonical_json(data).encode("utf-8", "surrogatepass")).hexdigest()
