"""Scores taken apart: by channel, by any other column, by visit."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.ragged import segment_sum
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.engagement.ageing import show_instant
from cxkit.engagement.running import contributions
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.sums import aged_sums, idle_losses
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["ScoreParts", "score_by"]


@attrs.frozen(eq=False, repr=False)
class ScoreParts(Result):
    """The scores of journeys at an instant, taken apart.

    Attributes:
        by: The column, or ``"visit"``.
        labels: (K,) the labels that occur, the last ``None`` if touchpoints lack one; the customer
            of each visit if ``by`` is ``"visit"``.
        start: (K,) when each visit began; without visits ``None``.
        touchpoints: (K,) touchpoints up to the instant.
        score: (K,) what they add to the scores.
        inactivity: What inactivity takes off all scores together, which is no part's doing.
        total: The sum of all scores: the parts less ``inactivity``.
        scale: The scale.
        at_us: The instant in microseconds since 1970.

    Example:
        >>> from cxkit import EngagementScale, PointRule
        >>> from cxkit.simulate import retail
        >>> scale = EngagementScale([PointRule("purchase", 100)])
        >>> parts = scale.score_by(retail(200).journeys, "channel", at="2030-01-01")
        >>> bool(abs(parts.score.sum() - parts.total) < 1e-6)
        True
    """

    by: str
    labels: tuple[Any, ...]
    start: NDArray[np.datetime64] | None
    touchpoints: IntArray = attrs.field(converter=freeze)
    score: NDArray[np.float64] = attrs.field(converter=freeze)
    inactivity: float
    total: float
    scale: EngagementScale
    at_us: int

    def columns(self) -> dict[str, ColumnLike]:
        """The label or the visit, its touchpoints, and what they add to the scores."""
        rest: dict[str, ColumnLike] = {"touchpoints": self.touchpoints, "score": self.score}
        if self.start is None:
            return {self.by: self.labels, **rest}
        return {"customer": self.labels, "visit": self.start, **rest}

    def title(self) -> str:
        """The scale, the instant and the column."""
        return f"{self.scale.name} at {show_instant(self.at_us)} by {self.by}"

    def notes(self) -> list[str]:
        """The sum of the scores, and what inactivity takes."""
        told = [f"all scores together: {show_number(self.total)}"]
        if self.inactivity:
            told.append(f"inactivity takes {show_number(self.inactivity)} off them")
        return told


def score_by(
    scale: EngagementScale,
    journeys: Journeys | Journey,
    by: str,
    *,
    at: int,
    gap: SpanLike | None = None,
) -> ScoreParts:
    """See :meth:`EngagementScale.score_by`; ``at`` in microseconds since 1970."""
    given = as_journeys(journeys)
    added = contributions(scale, given, at)
    known = given.time.view(np.int64) <= at
    total = float(aged_sums(scale, given, at)[0].sum())
    lost = float(idle_losses(scale, given, at).sum())
    if by == "visit":
        pause = span_us(scale.session_gap if gap is None else gap, name="gap")
        visits = given.sessions(show_span(pause))
        seen = np.asarray(segment_sum(known.astype(np.int64), visits.offsets))
        score = np.asarray(segment_sum(added, visits.offsets)) if len(visits) else np.zeros(0)
        some = np.flatnonzero(seen)
        start = freeze(visits.time[visits.offsets[:-1]][some])
        who = tuple(visits.customer.take(some).to_list())
        return ScoreParts(by, who, start, seen[some], score[some], lost, total, scale, at)
    column = given.codes(by)
    seen = np.bincount(column.codes[known], minlength=column.slots)
    score = np.bincount(column.codes, weights=added, minlength=column.slots)
    some = np.flatnonzero(seen)
    names = column.slot_labels()
    labels = tuple(names[k] for k in some.tolist())
    return ScoreParts(by, labels, None, seen[some], score[some], lost, total, scale, at)
