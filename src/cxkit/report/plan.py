"""What a report does: what was asked for, and what was chosen for want of it, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import attrs
import numpy as np

from cxkit.attribution import AttributionModel
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.core.vocabulary import Label
from cxkit.engagement import EngagementScale
from cxkit.flow import DisconnectRule, Friction, Funnel, JourneyPlan
from cxkit.model.goal import Goal
from cxkit.model.journeys import Journeys
from cxkit.report.defaults import Leads

__all__ = ["Plan"]


@attrs.frozen
class Plan:
    """Everything that was chosen, and how that is told.

    Attributes:
        goal: What counts as a conversion.
        scale: How touchpoints earn points; ``scale_told`` says why so.
        funnel: The steps; ``funnel_told`` says why these.
        at: The instant that scores are for; ``at_told`` says which it is.
        by: The column whose labels share conversions, and the visits' value.
        campaign: A further column for value per visit, or ``None``.
        lookback: How long before a conversion a touchpoint may earn credit.
        session_gap: The pause that parts two visits.
        goal_is_touch: Whether the touchpoint of the conversion earns credit itself.
        models: The attribution models, or ``None`` for the usual ones.
        friction: How effort is measured, or ``None`` for its parts alone.
        disconnect: What a disconnect moment is, or ``None`` for none.
        journey_plan: The journey as designed, or ``None``.
        switch_by: The column whose changes are switches.
    """

    goal: Goal
    scale: EngagementScale
    scale_told: str
    funnel: Funnel
    funnel_told: str
    at: np.datetime64
    at_told: str
    by: str
    campaign: str | None
    lookback: str | None
    session_gap: str
    goal_is_touch: bool
    models: tuple[AttributionModel, ...] | None
    friction: Friction | None
    disconnect: DisconnectRule | None
    journey_plan: JourneyPlan | None
    switch_by: str

    @classmethod
    def of(  # the options of a report
        cls,
        journeys: Journeys,
        goal: Goal,
        *,
        scale: EngagementScale | None,
        funnel: Funnel | Sequence[Label] | None,
        at: InstantLike | None,
        by: str,
        campaign: str | None,
        lookback: SpanLike | None,
        session_gap: SpanLike,
        goal_is_touch: bool,
        models: Iterable[AttributionModel] | None,
        friction: Friction | None,
        disconnect: DisconnectRule | None,
        journey_plan: JourneyPlan | None,
    ) -> Plan:
        """Fill in what was not said."""
        gap = show_span(span_us(session_gap, name="session_gap"))
        leads = cache(lambda: Leads.of(journeys, goal))
        if scale is None:
            scale, scale_told = leads().scale(goal, gap)
        else:
            scale_told = f"Points are those of the scale {scale.name!r}, which was given."
        if funnel is None:
            funnel, funnel_told = leads().funnel(goal)
        else:
            funnel = funnel if isinstance(funnel, Funnel) else Funnel(list(funnel))
            funnel_told = "The steps were given."
        if at is None:
            when = journeys.time.max()
            at_told = f"Scores are as of the last touchpoint in the data, {_utc(when)}."
        else:
            when = np.datetime64(instant_us(at, name="at"), "us")
            at_told = f"Scores are as of {_utc(when)}; later touchpoints do not count in them."
        return cls(
            goal=goal,
            scale=scale,
            scale_told=scale_told,
            funnel=funnel,
            funnel_told=funnel_told,
            at=when,
            at_told=at_told,
            by=by,
            campaign=campaign,
            lookback=None if lookback is None else show_span(span_us(lookback, name="lookback")),
            session_gap=gap,
            goal_is_touch=goal_is_touch,
            models=None if models is None else tuple(models),
            friction=friction,
            disconnect=disconnect,
            journey_plan=journey_plan,
            switch_by="channel" if len(journeys.channel.vocabulary) else by,
        )

    def to_dict(self) -> dict[str, Any]:
        """The choices as plain data."""
        return {
            "goal": self.goal.to_dict(),
            "by": self.by,
            "campaign": self.campaign,
            "lookback": self.lookback,
            "session_gap": self.session_gap,
            "goal_is_touch": self.goal_is_touch,
            "at": f"{np.datetime_as_string(self.at, unit='us')}Z",
            "scale": self.scale.to_dict(),
            "funnel": self.funnel.to_dict(),
            "models": None if self.models is None else [m.to_dict() for m in self.models],
            **{
                name: None if given is None else given.to_dict()
                for name, given in (
                    ("friction", self.friction),
                    ("disconnect", self.disconnect),
                    ("journey_plan", self.journey_plan),
                )
            },
        }


def _utc(when: Any) -> str:
    return f"{np.datetime_as_string(when, unit='s')}Z"
