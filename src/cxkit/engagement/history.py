"""Scores at several instants."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike, instant_us
from cxkit.engagement.ageing import show_ageing, show_instant
from cxkit.engagement.earning import warn_if_unknown
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.scoring import Scores
from cxkit.engagement.sums import totals_at
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["ScoreHistory", "score_at"]


@attrs.frozen(eq=False, repr=False)
class ScoreHistory(Result):
    """Engagement scores of J journeys at A instants.

    Attributes:
        values: (J, A) the scores. Read-only.
        excluded: (J, A) touchpoints after each instant, which earn nothing.
        instants: (A,) datetime64[us], UTC.
        journeys: The journeys.
        scale: The scale.

    Example:
        >>> from cxkit import EngagementScale, Journey, PointRule, Touchpoint
        >>> journey = Journey.of([Touchpoint("ann", "2024-01-01", "buy")])
        >>> scale = EngagementScale([PointRule("buy", 100)], half_life="7d")
        >>> scale.score_at(journey, ["2023-12-31", "2024-01-01", "2024-01-08"]).values.tolist()
        [[0.0, 100.0, 50.0]]
    """

    values: NDArray[np.float64] = attrs.field(converter=freeze)
    excluded: IntArray = attrs.field(converter=freeze)
    instants: NDArray[np.datetime64] = attrs.field(converter=freeze)
    journeys: Journeys
    scale: EngagementScale

    @property
    def customer(self) -> Codes:
        """(J,) whose journey it is."""
        return self.journeys.customer

    def at(self, position: int) -> Scores:
        """The scores at one of the instants.

        Raises:
            IndexError: There is no such instant.
        """
        count = len(self.instants)
        if not -count <= position < count:
            raise IndexError(f"instant {position} of {count}")
        us = int(self.instants.view(np.int64)[position])
        values, excluded = self.values[:, position], self.excluded[:, position]
        return Scores(
            values, excluded, np.arange(len(self.journeys)), self.journeys, self.scale, us
        )

    def columns(self) -> dict[str, ColumnLike]:
        """Customer, and a column of scores for each instant."""
        found: dict[str, ColumnLike] = {"customer": self.customer.to_list()}
        for place, us in enumerate(self.instants.view(np.int64).tolist()):
            found[show_instant(us)] = self.values[:, place]
        return found

    def title(self) -> str:
        """The scale."""
        scale = self.scale
        told = f"{scale.name} at {len(self.instants):,} instants, {show_ageing(scale.ageing)}"
        return told if scale.version == "1" else f"{told}, version {scale.version}"


def score_at(
    scale: EngagementScale, journeys: Journeys | Journey, instants: Sequence[InstantLike]
) -> ScoreHistory:
    """See :meth:`EngagementScale.score_at`."""
    given = as_journeys(journeys)
    if isinstance(instants, str) or not np.iterable(instants):
        raise DefinitionError(f"instants must be a list of instants; found {instants!r}")
    at = [instant_us(instant, name="instants") for instant in instants]
    if not at:
        raise DefinitionError("instants is empty; give at least one instant")
    values, excluded = totals_at(scale, given, at)
    if isinstance(journeys, Journeys):
        warn_if_unknown(scale, given)
    times = np.array(at, np.int64).view("datetime64[us]")
    return ScoreHistory(
        np.ascontiguousarray(values.T), np.ascontiguousarray(excluded.T), times, given, scale
    )
