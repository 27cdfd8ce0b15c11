"""Summaries that are counted from journeys."""

from __future__ import annotations

from typing import Any, Self

from cxkit.core.summary import Summary
from cxkit.model.journeys import Journeys

__all__ = ["JourneySummary"]


class JourneySummary(Summary):
    """A summary whose ``of`` takes journeys; it has a zero for any parameters."""

    __slots__ = ()

    @classmethod
    def zero(cls, **parameters: Any) -> Self:
        """The summary of no journey: adding it changes nothing."""
        return cls.of(Journeys.empty(), **parameters)
