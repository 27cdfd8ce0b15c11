"""Cells of live windows: a label in a window."""

from __future__ import annotations

from typing import Any, Final

import attrs

from cxkit.core.codes import Label
from cxkit.errors import DataError

__all__ = ["WindowClosed", "check_labels", "rank"]

_PLAIN: Final = frozenset({str, int, type(None)})


@attrs.frozen
class WindowClosed:
    """One label in a window that is over.

    Attributes:
        window_us: When the window begins, in microseconds since 1970.
        label: The label; ``None`` is missing.
        touchpoints: How many.
        value: The sum of their values, NaN left out.
    """

    window_us: int
    label: Label | None
    touchpoints: int
    value: float


def check_labels(labels: list[Any]) -> None:
    """Refuse what is no label.

    Raises:
        DataError: One is neither text nor a whole number nor ``None``.
    """
    if _PLAIN.issuperset(map(type, labels)):
        return
    for label in labels:
        odd = isinstance(label, bool) or not isinstance(label, (str, int))
        if odd and label is not None:
            raise DataError(f"a label is text or a whole number; found {label!r}")


def rank(label: Label | None) -> tuple[bool, bool, Any]:
    """Numbers, then text, then missing: as vocabularies are sorted."""
    return label is None, isinstance(label, str), label or 0
