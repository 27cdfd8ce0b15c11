"""What a microinteraction's recorded streams add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Vocabulary
from cxkit.core.spans import InstantLike, SpanLike
from cxkit.core.summary import AXIS, parameter, total
from cxkit.errors import DefinitionError
from cxkit.microinteraction.instances import events_of, measured
from cxkit.microinteraction.measuring import Measuring, guard_columns
from cxkit.microinteraction.replay import Replay, replay
from cxkit.microinteraction.results import (
    LoopTable,
    ReplayMetrics,
    StateTable,
    loop_table,
    metrics,
    state_table,
)
from cxkit.microinteraction.spec import Microinteraction
from cxkit.microinteraction.tallies import (
    count_loops,
    count_measures,
    count_met,
    count_stays,
    count_timeouts,
    count_times,
)
from cxkit.microinteraction.timetable import TimeTable, time_table
from cxkit.microinteraction.usage import RuleUse, Strangers, rule_use, strangers
from cxkit.microinteraction.visits import visits_of
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["ReplayCounts"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ReplayCounts(JourneySummary):
    """What many instances of a microinteraction did, as a summary that adds up.

    Each journey is one instance. With long loops, a part of the data has to hold all journeys of
    its customers.

    Attributes:
        measuring: The microinteraction and what is counted of it.
        labels: All events of the journeys, known to the microinteraction or not.
        touchpoints: (K + 1,) how often each of them occurs; the last one is a missing event.
        measures: (64, n) what the instances did: see ``results.MEASURES``.
        stays: (64, S, 4) for each state: stays, instances that were in it, instances that were in
            it last, and microseconds in it.
        met: (S, A) how often each symbol met each state.
        timeouts: (S,) how often the timer of each state fired.
        loops: (64, L, 3) for each loop: instances in it, repeats, instances with too many.
        time_keys: (R,) times from the trigger: 3,457 bins of 64 shards for the first answer of the
            system, then for the end.
        time_counts: (R,) how many.

    Example:
        >>> from cxkit.microinteraction import State, Trigger
        >>> lamp = Microinteraction(
        ...     id="lamp",
        ...     trigger=Trigger("manual", "press"),
        ...     events={"press": "user"},
        ...     initial="off",
        ...     states={"off": State({"press": "on"}), "on": State(final=True)},
        ... )
        >>> pressed = Journeys.from_table(
        ...     {"who": [1, 1, 2], "sec": [0, 1, 0], "what": ["press", "press", "look"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> counts = ReplayCounts.of(pressed, spec=lamp)
        >>> {row["measure"]: row["count"] for row in counts.result().to_dicts()}["ended"]
        1
    """

    measuring: Measuring = attrs.field(metadata=parameter(Measuring.from_dict))
    labels: Vocabulary = attrs.field(metadata=AXIS)
    touchpoints: IntArray = attrs.field(metadata=total("labels"))
    measures: IntArray = attrs.field(metadata=total("shard", "measure"))
    stays: IntArray = attrs.field(metadata=total("shard", "state", "stay"))
    met: IntArray = attrs.field(metadata=total("state", "symbol"))
    timeouts: IntArray = attrs.field(metadata=total("state"))
    loops: IntArray = attrs.field(metadata=total("shard", "loop", "passing"))
    time_keys: IntArray = attrs.field(metadata=total("cell"))
    time_counts: IntArray = attrs.field(metadata=total("cell"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        spec: Microinteraction | None = None,
        until: InstantLike | None = None,
        repeat_within: SpanLike = "1s",
        rage: int = 3,
        rage_within: SpanLike = "1s",
        success: Sequence[str] | None = None,
        guards: Mapping[str, str] | None = None,
        measuring: Measuring | None = None,
    ) -> Self:
        """Count.

        Args:
            journeys: The journeys, each of which is one instance.
            spec: The microinteraction.
            until: The instant to which time passes after the last event, so that timers fire;
                ``None``: it stops at the last touchpoint, whether its event is known or not.
            repeat_within: How soon a trigger after a trigger is a repeat.
            rage: How many times the same event of the user, each soon after the one before, make a
                burst of rage clicks.
            rage_within: How soon.
            success: The final states that are a success; ``None``: those not marked as a failure.
            guards: Guard -> the column that says whether it holds; those of long loops are counted.
            measuring: All of that in one, in place of it.

        Raises:
            DefinitionError: Neither ``spec`` nor ``measuring`` is given, or what is given is wrong.
            DataError: A guard that rules ask is not given, or ``until`` lies before an event.
        """
        if measuring is None:
            if spec is None:
                raise DefinitionError("give spec, the microinteraction whose instances are counted")
            measuring = Measuring.of(
                spec,
                until=until,
                repeat_within=repeat_within,
                rage=rage,
                rage_within=rage_within,
                success=None if success is None else tuple(success),
                guards=guards,
            )
        many = as_journeys(journeys)
        columns = guard_columns(measuring.guards, many)
        found = replay(
            measuring.spec,
            many,
            columns,
            None if measuring.until is None else np.datetime64(measuring.until, "us"),
        )
        return cls.of_replay(found, measuring)

    @classmethod
    def of_replay(cls, found: Replay, measuring: Measuring) -> Self:
        """Count a replay that was made already, to the same ``until``."""
        visits = visits_of(found)
        events = events_of(found, visits)
        instances = measured(found, measuring, visits, events)
        shards = found.journeys.shards.astype(np.int64)
        event = found.journeys.event
        keys, counts = count_times(instances, shards)
        return cls(
            measuring=measuring,
            labels=event.vocabulary,
            touchpoints=np.bincount(event.codes, minlength=event.slots),
            measures=count_measures(instances, shards),
            stays=count_stays(found, visits, events, shards),
            met=count_met(found, events),
            timeouts=count_timeouts(visits, events),
            loops=count_loops(found, visits, events, shards),
            time_keys=keys,
            time_counts=counts,
        )

    def _merged(self, other: Self) -> dict[str, Any]:
        """Times are rows of their own."""
        keys, place = np.unique(
            np.concatenate([self.time_keys, other.time_keys]), return_inverse=True
        )
        counts = np.zeros(len(keys), np.int64)
        np.add.at(counts, place, np.concatenate([self.time_counts, other.time_counts]))
        labels = self.labels.union(other.labels)
        merged: dict[str, Any] = {"labels": labels, "time_keys": keys, "time_counts": counts}
        for field in self.fields("total"):
            if field.name not in merged:
                both = (s._spread(field, merged) for s in (self, other))  # noqa: SLF001  # its own
                merged[field.name] = sum(both)
        return merged

    def result(self, *, level: float = 0.95) -> ReplayMetrics:
        """How many started, ended, succeeded, failed and so on, as rates with intervals."""
        return metrics(self.measuring, self.measures, self.occupied(), level)

    def states(self, *, level: float = 0.95) -> StateTable:
        """A funnel of states: how many were in each, how many ended there, and the time in it."""
        names, occupied = [*self.measuring.spec.states], self.occupied()
        return state_table(self.measuring, names, self.stays, self.measures, occupied, level)

    def modes(self, *, level: float = 0.95) -> StateTable:
        """Time and stays by mode; a state without one is in the mode ``None``."""
        spec = self.measuring.spec
        mode_of = {name: mode.id for mode in spec.modes for name in mode.states}
        names = list(dict.fromkeys([*(mode.id for mode in spec.modes), None]))
        place = np.array([names.index(mode_of.get(name)) for name in spec.states])
        stays = np.stack([self.stays[:, place == n].sum(axis=1) for n in range(len(names))], axis=1)
        occupied = self.occupied()
        table = state_table(self.measuring, names, stays, self.measures, occupied, level)
        return attrs.evolve(table, kind="mode")

    def loop_counts(self, *, level: float = 0.95) -> LoopTable:
        """How often each loop was gone through."""
        return loop_table(self.measuring, self.loops, self.occupied(), level)

    def times(
        self, quantiles: Sequence[float] = (0.25, 0.5, 0.75, 0.95), *, level: float = 0.95
    ) -> TimeTable:
        """Quantiles of the time from the trigger to the first answer of the system, and to the end.

        Raises:
            DefinitionError: A quantile is not between 0 and 1.
        """
        return time_table(self.time_keys, self.time_counts, quantiles, self.occupied(), level)

    def rules(self) -> RuleUse:
        """The specified machine against the observed one: how often each rule was used."""
        return rule_use(self.measuring.spec, self.met, self.timeouts)

    def strangers(self) -> Strangers:
        """The observed machine against the specified one: what met no rule, or no state knows."""
        return strangers(self.measuring.spec, self.met, [*self.labels, None], self.touchpoints)
