"""A match that was found live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from cxkit.core.codes import Label

__all__ = ["PatternMatch"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class PatternMatch:
    """One match of a pattern, found live.

    Attributes:
        customer: Who.
        start_us: When the first step was, in microseconds since 1970; ``start`` as a datetime.
        end_us: When the last step was, or the deadline of an absence; ``end`` as a datetime.
    """

    customer: Label
    start_us: int
    end_us: int

    @property
    def start(self) -> datetime:
        """When the first step was, UTC."""
        return _EPOCH + timedelta(microseconds=self.start_us)

    @property
    def end(self) -> datetime:
        """When the last step was, or the deadline of an absence, UTC."""
        return _EPOCH + timedelta(microseconds=self.end_us)
