"""What a visit earns, by channel, campaign or any other label."""

from __future__ import annotations

from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Label, Vocabulary
from cxkit.core.ragged import segment_sum
from cxkit.core.result import ColumnLike, Result, show_number
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, parameter, total
from cxkit.engagement.counting import points, warn_if_unknown
from cxkit.engagement.scale import EngagementScale
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["VisitValue", "VisitValues", "value_per_visit"]

_CLOSE: Final = 1e-12
"""Relative difference within which a label's value per visit is taken for the site's."""


@attrs.frozen(eq=False, repr=False)
class VisitValues(Result):
    """What the visits of each label earn, against the site as a whole.

    A label earns well if its value per visit is at or above the site's, and is busy if its visits
    are at or above the mean of the labels. ``protect``: both. ``scale``: earns well, not busy.
    ``fix``: busy, earns badly (a question of relevance). ``stop``: neither.

    Attributes:
        by: The column of the labels.
        labels: (K,) the labels that have visits; the last is ``None`` if visits lack one.
        visits: (K,) visits.
        value: (K,) points of these visits, without ageing.
        value_per_visit: (K,) their quotient.
        standard_error: (K,) sd / sqrt(visits), with visits - 1 in the variance; NaN for one visit.
            It takes visits for independent.
        relative_value: (K,) value per visit over the site's; NaN unless the site's is above 0.
        quadrant: (K,) see above; ``None`` for visits without a label, which are not in the mean.
        site_visits: All visits.
        site_value: All points.
        site_value_per_visit: Their quotient; NaN without visits.
        site_standard_error: Its standard error.
        mean_visits: Mean visits per label; NaN without labels.
    """

    by: str
    labels: tuple[Label | None, ...]
    visits: IntArray = attrs.field(converter=freeze)
    value: NDArray[np.float64] = attrs.field(converter=freeze)
    value_per_visit: NDArray[np.float64] = attrs.field(converter=freeze)
    standard_error: NDArray[np.float64] = attrs.field(converter=freeze)
    relative_value: NDArray[np.float64] = attrs.field(converter=freeze)
    quadrant: tuple[str | None, ...]
    site_visits: int
    site_value: float
    site_value_per_visit: float
    site_standard_error: float
    mean_visits: float

    def columns(self) -> dict[str, ColumnLike]:
        """The label (named as the column it comes from) and the figures."""
        return {
            self.by: self.labels,
            "visits": self.visits,
            "value": self.value,
            "value_per_visit": self.value_per_visit,
            "standard_error": self.standard_error,
            "relative_value": self.relative_value,
            "quadrant": self.quadrant,
        }

    def title(self) -> str:
        """What it is."""
        return f"engagement value per visit by {self.by}"

    def notes(self) -> list[str]:
        """The site as a whole."""
        site = (
            f"site: {self.site_visits:,} visits, value {show_number(self.site_value, 1)}, "
            f"{show_number(self.site_value_per_visit)} per visit "
            f"(standard error {show_number(self.site_standard_error)})"
        )
        return [site, f"mean visits per {self.by}: {show_number(self.mean_visits, 1)}"]


@attrs.frozen(eq=False, repr=False)
class VisitValue(JourneySummary):
    """Visits, their points and the spread of these, by label: a summary that adds up.

    The spread is the sum of squared differences from the mean of its own shard and label, and
    addition corrects it for the difference of the two means (Chan, Golub and LeVeque 1979,
    "Updating formulae and a pairwise algorithm for computing sample variances"). Sums of squares
    would add without a correction, but lose a small variance beside a large mean.

    Attributes:
        scale: The scale.
        by: The column of the labels.
        gap: The longest pause within a visit.
        labels: The K labels.
        visits: (64, K + 1) visits by shard and label, the last without a label.
        value: (64, K + 1) their points.
        spread: (64, K + 1) sum of squared differences from the mean.

    Example:
        >>> from cxkit import EngagementScale, PointRule
        >>> from cxkit.simulate import retail
        >>> journeys = retail(100).journeys
        >>> scale = EngagementScale([PointRule("purchase", 100)])
        >>> halves = [VisitValue.of(j, scale=scale) for j in (journeys[:50], journeys[50:])]
        >>> whole = VisitValue.of(journeys, scale=scale)
        >>> bool((whole.visits == (halves[0] + halves[1]).visits).all())
        True
    """

    scale: EngagementScale = attrs.field(metadata=parameter(EngagementScale.from_dict))
    by: str = attrs.field(metadata=PARAMETER)
    gap: str = attrs.field(metadata=PARAMETER)
    labels: Vocabulary = attrs.field(metadata=AXIS)
    visits: IntArray = attrs.field(metadata=total("shard", "labels"))
    value: NDArray[np.float64] = attrs.field(metadata=total("shard", "labels"))
    spread: NDArray[np.float64] = attrs.field(metadata=total("shard", "labels"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        scale: EngagementScale,
        by: str = "channel",
        gap: SpanLike | None = None,
    ) -> Self:
        """Count the visits and their points; see :func:`value_per_visit`."""
        given = as_journeys(journeys)
        pause = span_us(scale.session_gap if gap is None else gap, name="gap")
        visits = given.sessions(show_span(pause))
        column = given.codes(by)
        earned = segment_sum(points(scale, given), visits.offsets)
        cell = _first_label(column, visits.offsets).astype(np.int64)
        cell += visits.shards.astype(np.int64) * column.slots
        size = SHARDS * column.slots
        count = np.bincount(cell, minlength=size)
        value = np.asarray(np.bincount(cell, weights=earned, minlength=size), np.float64)
        rest = earned - (value / np.maximum(count, 1))[cell]
        # The rounding of the mean is taken out again: the second term would be 0 without it.
        drift = np.bincount(cell, weights=rest, minlength=size)
        squares = np.bincount(cell, weights=rest * rest, minlength=size)
        spread = np.maximum(squares - drift * drift / np.maximum(count, 1), 0.0)
        shape = (SHARDS, column.slots)
        return cls(
            scale,
            by,
            show_span(pause),
            column.vocabulary,
            count.reshape(shape),
            value.reshape(shape),
            spread.reshape(shape),
        )

    def __add__(self, other: Self) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The summary of both parts together.

        Raises:
            MergeError: The other is no such summary, or was made with other parameters.
        """
        merged = super().__add__(other)
        if merged is NotImplemented:
            return merged
        wide = {"labels": merged.labels}
        fields = attrs.fields_dict(type(self))
        mine = self._spread(fields["visits"], wide)
        theirs = other._spread(fields["visits"], wide)
        means = [
            side._spread(fields["value"], wide) / np.maximum(count, 1)  # noqa: SLF001  # its own class
            for side, count in ((self, mine), (other, theirs))
        ]
        both = mine * (theirs / np.maximum(merged.visits, 1))
        between = np.square(means[0] - means[1]) * both
        return attrs.evolve(merged, spread=merged.spread + between)

    def result(self) -> VisitValues:
        """Divide."""
        visits, value, spread = _pool(self.visits, self.value, self.spread)
        site = _pool(visits, value, spread)
        site_visits, site_value, site_spread = (float(x) for x in site)
        per_site = site_value / site_visits if site_visits else float("nan")
        kept = np.flatnonzero(visits)
        labelled = kept[kept < len(self.labels)]
        mean = float(visits[labelled].mean()) if len(labelled) else float("nan")
        visits, value, spread = visits[kept], value[kept], spread[kept]
        per_visit = value / visits
        known = [*self.labels, None]
        labels = tuple(known[k] for k in kept.tolist())
        names = np.array([["stop", "fix"], ["scale", "protect"]])
        earns = per_visit >= per_site - _CLOSE * abs(per_site)
        quadrant = names[earns.astype(int), (visits >= mean).astype(int)].tolist()
        return VisitValues(
            self.by,
            labels,
            visits,
            value,
            per_visit,
            _standard_error(visits, spread),
            per_visit / per_site if per_site > 0 else np.full(len(kept), np.nan),
            tuple(None if k is None else q for k, q in zip(labels, quadrant, strict=True)),
            int(site_visits),
            site_value,
            per_site,
            float(_standard_error(np.array(site_visits), np.array(site_spread))),
            mean,
        )


def value_per_visit(
    journeys: Journeys | Journey,
    scale: EngagementScale,
    *,
    by: str = "channel",
    gap: SpanLike | None = None,
) -> VisitValues:
    """What the visits of each label earn, against the site as a whole.

    A visit is a session. It earns the points of its touchpoints without ageing; repeats count as
    the scale says, within the whole journey. A visit's label is that of its first touchpoint that
    has one: the channel or campaign that brought the customer in. Ratios are formed after summing.

    Args:
        journeys: Uncut journeys, or one.
        scale: The scale.
        by: The column of labels.
        gap: The longest pause within a visit; the scale's ``session_gap`` by default.

    Returns:
        One row for each label with a visit, and the totals of the site.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``gap`` is not a span, or a rule counts once per customer and a customer
            has several journeys.

    Warns:
        CxWarning: Not one event of the scale occurs in the data.

    Example:
        >>> from cxkit import EngagementScale, PointRule
        >>> from cxkit.simulate import retail
        >>> scale = EngagementScale([PointRule("purchase", 100)])
        >>> table = value_per_visit(retail(200).journeys, scale)
        >>> sum(table.visits.tolist()) == table.site_visits
        True
    """
    if isinstance(journeys, Journeys):
        warn_if_unknown(scale, journeys)
    return VisitValue.of(journeys, scale=scale, by=by, gap=gap).result()


def _first_label(column: Codes, offsets: IntArray) -> NDArray[Any]:
    """(J,) the code of the first touchpoint of each visit that has a label, else missing."""
    starts, ends = offsets[:-1], offsets[1:]
    found = column.codes[starts]
    lost = np.flatnonzero(found == column.missing)
    if len(lost):
        labelled = np.append(np.flatnonzero(~column.is_missing()), len(column))
        first = labelled[np.searchsorted(labelled, starts[lost])]
        inside = first < ends[lost]
        found[lost[inside]] = column.codes[first[inside]]
    return found


def _pool(visits: Any, value: Any, spread: Any) -> tuple[Any, Any, Any]:
    """Groups along the first axis as one: their spreads, and that of their means."""
    count, points_ = visits.sum(axis=0), value.sum(axis=0)
    mean = points_ / np.maximum(count, 1)
    between = visits * np.square(value / np.maximum(visits, 1) - mean)
    return count, points_, (spread + between).sum(axis=0)


def _standard_error(visits: NDArray[Any], spread: NDArray[Any]) -> NDArray[np.float64]:
    """The standard error of a mean; NaN for fewer than two visits."""
    several = visits > 1
    variance = spread / np.where(several, visits - 1, 1)
    return np.where(several, np.sqrt(variance / np.maximum(visits, 1)), np.nan)
