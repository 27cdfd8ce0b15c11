"""The scale and the funnel of a report that was told neither, made from the data.

Every default is a choice that somebody might have made otherwise, so each comes with the sentence
that the report prints about it.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import segment_ids
from cxkit.core.vocabulary import Label
from cxkit.engagement import EngagementScale, PointRule
from cxkit.flow import Funnel
from cxkit.model.goal import Goal, as_goal
from cxkit.model.journeys import Journeys
from cxkit.report.show import show_name

__all__ = ["Leads", "default_funnel", "default_scale"]

_GOAL_POINTS: Final = 100
_MOST_POINTS: Final = 50
_FEWEST_PATHS: Final = 30
_STEPS_BEFORE_GOAL: Final = 3
_LEAST_SHARE: Final = 0.05


def default_scale(
    journeys: Journeys, goal: Goal, *, session_gap: str = "30min"
) -> tuple[EngagementScale, str]:
    """A first scale, made from the data, and the sentence that says how.

    The goal is worth 100 points, every time. The touchpoints of a customer are cut into paths, each
    of which ends at the goal or at the customer's last touchpoint. Any other event earns, once per
    visit, the percentage points by which paths that hold it end at the goal more often than paths
    that do not, rounded, at least 1 and at most 50, so that nothing outweighs the goal; an event
    that fewer than 30 paths hold earns 1, for chance alone could set these apart. Points do not
    age.

    It is a start, not a judgement: what goes before the goal need not lead to it. And because it
    depends on the data, scores made with it must not be compared with those of other data; the
    report's ``definition`` holds the scale, to be kept and used again.

    Example:
        >>> from cxkit.model.journeys import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "c": [*range(80), *range(40)],
        ...         "t": [1] * 80 + [2] * 40,
        ...         "e": ["look"] * 60 + ["mail"] * 20 + ["buy"] * 40,
        ...     },
        ...     customer="c",
        ...     time="t",
        ...     event="e",
        ...     time_unit="s",
        ... )
        >>> scale, told = default_scale(journeys, Goal("buy"))
        >>> scale.rules
        (PointRule('buy', 100), PointRule('look', 50, count='once_per_session'),
         PointRule('mail', 1, count='once_per_session'))
    """
    return Leads.of(journeys, goal).scale(goal, session_gap)


def default_funnel(journeys: Journeys, goal: Goal) -> tuple[Funnel, str]:
    """Steps that tell the paths to the goal from the other paths, and the sentence that says how.

    The touchpoints of a customer are cut into paths, each of which ends at the goal or at the
    customer's last touchpoint. Of the events that at least 5% of the paths to the goal hold, those
    three are steps that stand out most: by the share of paths to the goal that hold the event, less
    the share of other paths that do. Their order is that of their mean place in the paths to the
    goal.

    Example:
        >>> from cxkit.model.journeys import Journeys
        >>> journeys = Journeys.from_table(
        ...     {"c": [1, 1, 2], "t": [1, 2, 1], "e": ["look", "buy", "mail"]},
        ...     customer="c",
        ...     time="t",
        ...     event="e",
        ...     time_unit="s",
        ... )
        >>> default_funnel(journeys, Goal("buy"))[0]
        Funnel(['look', 'buy'])
    """
    return Leads.of(journeys, goal).funnel(goal)


@attrs.frozen
class Leads:
    """How many paths hold each event before they end; K events.

    Attributes:
        events: The labels.
        won: How many paths end at the goal.
        lost: How many do not.
        in_won: (K,) paths to the goal that hold the event before it.
        in_lost: (K,) other paths that hold it.
        place: (K,) mean place of the first such touchpoint in paths to the goal: 0 is their
            beginning, 1 their end.
    """

    events: list[Label]
    won: int
    lost: int
    in_won: IntArray
    in_lost: IntArray
    place: NDArray[np.float64]

    @classmethod
    def of(cls, journeys: Journeys, goal: Goal) -> Leads:
        """Count."""
        paths = journeys.until(goal)
        reached = goal.matches(paths)
        converting = reached[paths.offsets[1:] - 1]
        events = paths.event
        labels = list(events.vocabulary)
        counted = ~reached & ~events.is_missing()
        if goal.channel is not None or goal.conditional:
            # The goal's own event elsewhere is no way towards it.
            counted &= ~as_goal(goal.event).matches(paths)
        rows = np.flatnonzero(counted)
        path = segment_ids(paths.offsets)[rows]
        key, first = np.unique(path * events.slots + events.codes[rows], return_index=True)
        of, code = np.divmod(key, events.slots)
        won = converting[of]
        size = paths.offsets[of + 1] - paths.offsets[of]
        place = (rows[first] - paths.offsets[of]) / size
        in_won = np.bincount(code[won], minlength=len(labels))
        return cls(
            labels,
            int(converting.sum()),
            int((~converting).sum()),
            in_won,
            np.bincount(code[~won], minlength=len(labels)),
            np.bincount(code[won], place[won], len(labels)) / np.maximum(in_won, 1),
        )

    def scale(self, goal: Goal, session_gap: str) -> tuple[EngagementScale, str]:
        """The points: how much more often paths that hold an event end at the goal."""
        held = self.in_won + self.in_lost
        bare = self.won + self.lost - held
        with_it = self.in_won / np.maximum(held, 1)
        without = (self.won - self.in_won) / np.maximum(bare, 1)
        points = np.clip(np.rint(100 * (with_it - without)), 1, _MOST_POINTS)
        points[held < _FEWEST_PATHS] = 1
        rules = [PointRule(goal, _GOAL_POINTS)]
        rules += [
            PointRule(event, p, count="once_per_session")
            for event, p in zip(self.events, points.tolist(), strict=True)
            if event != goal.event
        ]
        told = (
            f"No scale was given, so one was made from the data: {show_name(goal.name)} is worth "
            f"{_GOAL_POINTS} points, and any other event earns, once per visit, as many points as "
            "paths with it end at the goal more often than paths without it, in percentage points: "
            f"at least 1, at most {_MOST_POINTS}, and 1 where fewer than {_FEWEST_PATHS} paths "
            "have it. Points do not age."
        )
        return EngagementScale(rules, session_gap=session_gap, name="made for this report"), told

    def funnel(self, goal: Goal) -> tuple[Funnel, str]:
        """The steps: what paths to the goal hold and others do not."""
        to_goal = self.in_won / max(self.won, 1)
        lead = to_goal - self.in_lost / max(self.lost, 1)
        usual = np.flatnonzero(to_goal >= _LEAST_SHARE).tolist()
        best = sorted(usual, key=lambda k: (-lead[k], k))[:_STEPS_BEFORE_GOAL]
        chosen = sorted(best, key=lambda k: (self.place[k], k))
        told = (
            "No funnel was given, so its steps come from the data: of the events that at least 5% "
            f"of the paths to {show_name(goal.name)} hold, those (at most {_STEPS_BEFORE_GOAL}) "
            "that set these paths apart from the others most, in the order of their mean place in "
            "them."
            if chosen
            else f"No event comes before {show_name(goal.name)} often enough to be a step."
        )
        return Funnel([*(self.events[k] for k in chosen), goal]), told
