"""What a visit earns, by channel, campaign or any other label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import divide, jackknife_error, leave_one_out
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, parameter, total
from cxkit.engagement.earning import points, warn_if_unknown
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.shrinkage import shrink
from cxkit.engagement.visitcuts import cut_visits, first_label, opening_events
from cxkit.engagement.visitvalues import VisitValues
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["VisitValue", "value_per_visit"]

_CLOSE: Final = 1e-12
"""Relative difference within which a label's value per visit is taken for the site's."""


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
        opens: The events that open a visit; ``None`` if any touchpoint does.
        outside_sessions: (64,) sessions that are no visits.
        outside_value: (64,) points that belong to no visit.

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
    opens: tuple[Label, ...] | None = attrs.field(metadata=PARAMETER)
    outside_sessions: IntArray = attrs.field(metadata=total("shard"))
    outside_value: NDArray[np.float64] = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        scale: EngagementScale,
        by: str = "channel",
        gap: SpanLike | None = None,
        opens: Sequence[Label] | None = None,
    ) -> Self:
        """Count the visits and their points; see :func:`value_per_visit`."""
        given = as_journeys(journeys)
        pause = span_us(scale.session_gap if gap is None else gap, name="gap")
        column, openers = given.codes(by), opening_events(opens)
        visits = cut_visits(given, points(scale, given), show_span(pause), openers)
        earned = visits.earned
        cell = first_label(column, visits.begins, visits.ends).astype(np.int64)
        cell += visits.shard * column.slots
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
            openers,
            visits.outside_sessions,
            visits.outside_value,
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
        shrunk = shrink(visits, value, spread)
        without = divide(leave_one_out(self.value), leave_one_out(self.visits))[:, kept]
        return VisitValues(
            by=self.by,
            labels=labels,
            visits=visits,
            value=value,
            value_per_visit=per_visit,
            standard_error=_standard_error(visits, spread),
            customer_error=jackknife_error(without, self.visits.sum(axis=1) > 0),
            relative_value=per_visit / per_site if per_site > 0 else np.full(len(kept), np.nan),
            shrunk=shrunk.mean,
            credibility=shrunk.weight,
            quadrant=tuple(None if k is None else q for k, q in zip(labels, quadrant, strict=True)),
            site_visits=int(site_visits),
            site_value=site_value,
            site_value_per_visit=per_site,
            site_standard_error=float(
                _standard_error(np.array(site_visits), np.array(site_spread))
            ),
            mean_visits=mean,
            outside_sessions=int(self.outside_sessions.sum()),
            outside_value=float(self.outside_value.sum()),
        )


def value_per_visit(
    journeys: Journeys | Journey,
    scale: EngagementScale,
    *,
    by: str = "channel",
    gap: SpanLike | None = None,
    opens: Sequence[Label] | None = None,
    costs: Mapping[Label | None, float] | None = None,
) -> VisitValues:
    """What the visits of each label earn, against the site as a whole.

    A visit is a session. It earns the points of its touchpoints without ageing; repeats count as
    the scale says, within the whole journey. Caps of rules, of groups and of the scale, and its
    floor, bound a score at an instant: they are not applied to the points of visits. A visit's
    label is that of its first touchpoint that has one: the channel or campaign that brought the
    customer in. Ratios are formed after summing.

    Args:
        journeys: Uncut journeys, or one.
        scale: The scale.
        by: The column of labels.
        gap: The longest pause within a visit; the scale's ``session_gap`` by default.
        opens: The events that open a visit, such as ``["page_view", "app_start"]``. The visit then
            lasts from the first of them to the end of the session; what comes before it, and
            sessions without one, are no visits. Leave out what is sent to customers (impressions,
            opened mails): else each makes a visit that earns nothing.
        costs: What labels cost, for a column of costs and one of the cost per point.

    Returns:
        One row for each label with a visit, and the totals of the site.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``gap`` is not a span, ``opens`` names no events, a cost is no number from
            0 up, or a rule looks back over the whole history and a customer has several journeys.

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
    found = VisitValue.of(journeys, scale=scale, by=by, gap=gap, opens=opens).result()
    return found if costs is None else found.with_costs(costs)


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
