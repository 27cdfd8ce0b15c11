"""Channel switches: was the context kept, and did something go wrong after?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import next_row
from cxkit.core.records import check_fields
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike, SpanLike, show_span, span_us
from cxkit.errors import DefinitionError
from cxkit.flow.asked import as_goals, matches_any, one_of
from cxkit.model.goal import Goal, GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.switchrows import switch_rows

if TYPE_CHECKING:
    from cxkit.flow.friction.disconnectresults import SwitchTable

__all__ = ["CONTEXTS", "DisconnectRule", "Switches"]

_SCHEMA: Final = "cxkit/disconnect-rule/1"
CONTEXTS: Final = ("unknown", "kept", "lost")
"""What became of the context at a switch."""
_UNKNOWN, _KEPT, _LOST = range(3)


def _as_columns(columns: str | Sequence[str]) -> tuple[str, ...]:
    found = (columns,) if isinstance(columns, str) else tuple(columns)
    if not found or not all(type(name) is str and name for name in found):
        raise DefinitionError(
            f"context names one column or more, such as 'basket'; found {columns!r}"
        )
    return found


def _as_signals(signals: GoalLike | Sequence[GoalLike]) -> tuple[Goal, ...]:
    found = as_goals(signals)
    if not found:
        raise DefinitionError(
            "signals is empty, so no switch could be a disconnect moment; name one event or more, "
            "such as 'complaint'"
        )
    return found


def _as_within(span: SpanLike) -> str:
    return show_span(span_us(span, name="within"))


def _as_gap(span: SpanLike | None) -> str | None:
    return None if span is None else show_span(span_us(span, name="gap"))


@attrs.frozen
class DisconnectRule:
    """What a disconnect moment is: a channel switch with lost context and a negative signal.

    A **switch** is a touchpoint in another channel than the last known one of its journey
    (touchpoints without a channel are passed over), at most ``gap`` after it. The context is

    - ``kept`` if one of the ``context`` columns has the same label on both sides;
    - ``unknown`` if none of them has a label before the switch, so that nothing could be lost (and,
      with ``missing="unknown"``, also if none has one after it);
    - ``lost`` otherwise.

    The switch is a **disconnect moment** if the context is lost and a touchpoint of ``signals``
    follows within ``within``, that time included. The touchpoint that was switched to may be the
    signal itself.

    Attributes:
        context: Columns that carry it: a session, basket or case id, a campaign.
        signals: Events that tell that something went wrong: an error, a complaint, a repeated
            request.
        within: How long after the switch a signal belongs to it. Kept as text such as ``"1d"``.
        by: The column of channels.
        gap: A longer pause is no switch but a new beginning; ``None`` for no limit.
        missing: What a context means that is missing after the switch: ``"lost"`` or ``"unknown"``.

    Raises:
        DefinitionError: No column is named, a signal is no goal, or a time is no span.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 1, 2, 2],
        ...         "when": [0, 60, 90, 0, 60],
        ...         "what": ["order", "call", "complaint", "order", "call"],
        ...         "where": ["web", "phone", "phone", "web", "phone"],
        ...         "case": [7, None, None, 8, 8],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     channel="where",
        ...     columns=["case"],
        ...     time_unit="s",
        ... )
        >>> rule = DisconnectRule("case", signals="complaint", within="1h")
        >>> rule.switches(journeys)
        2 channel switches: context kept in 1 of 2, 1 disconnect moments
        customer  time                 from  to     context  signal     seconds  disconnect
               1  1970-01-01 00:01:00  web   phone  lost     complaint   30.000  True
               2  1970-01-01 00:01:00  web   phone  kept     (missing)        -  False
    """

    context: tuple[str, ...] = attrs.field(converter=_as_columns)
    signals: tuple[Goal, ...] = attrs.field(converter=_as_signals)
    within: str = attrs.field(default="1d", converter=_as_within)
    by: str = attrs.field(default="channel", kw_only=True)
    gap: str | None = attrs.field(default=None, kw_only=True, converter=_as_gap)
    missing: Literal["lost", "unknown"] = attrs.field(
        default="lost", kw_only=True, validator=one_of("a disconnect rule", "lost", "unknown")
    )

    def switches(self, journeys: Journeys | Journey) -> Switches:
        """Every channel switch, and what came of it.

        Raises:
            SchemaError: There is no column of channels or of context, or it holds numbers.
        """
        return Switches.of(journeys, self)

    def count(
        self,
        journeys: Journeys | Journey,
        *,
        goal: GoalLike | None = None,
        follow: SpanLike | None = None,
        at: InstantLike | None = None,
        level: float = 0.95,
    ) -> SwitchTable:
        """Seamlessness and disconnect moments by pair of channels.

        Args:
            journeys: The journeys.
            goal: For :meth:`SwitchTable.cost`: what a disconnect may cost.
            follow: How long the goal is waited for, after the time for signals is over.
            at: The instant up to which the data is complete; switches that were not followed to
                the end by then are left out of the cost.
            level: Of the intervals.

        Raises:
            SchemaError: There is no column of channels or of context, or it holds numbers.
            UnknownLabelError: The data does not have the goal, or a signal.
        """
        from cxkit.flow.friction.disconnects import count_disconnects

        return count_disconnects(self, journeys, goal, follow, at, level)

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "context": list(self.context),
            "signals": [goal.to_dict() for goal in self.signals],
            "within": self.within,
            "by": self.by,
            "gap": self.gap,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DisconnectRule:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, lacks a field or has one too many.
        """
        optional = ["within", "by", "gap", "missing"]
        check_fields(data, _SCHEMA, "disconnect rule", ["context", "signals"], optional)
        signals = [Goal.from_dict(g) if isinstance(g, Mapping) else g for g in data["signals"]]
        options = {name: data[name] for name in optional if name in data}
        return cls(data["context"], signals, **options)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Switches(Result):
    """Every channel switch, in the order of the journeys' rows.

    Attributes:
        rule: The rule.
        journey: (S,) the journey, by position.
        source: (S,) the row that was left.
        target: (S,) the row that was switched to.
        customer: (S,) whose.
        time: (S,) when the new channel was reached.
        channel_from: (S,) the channel that was left.
        channel_to: (S,) the one that was switched to.
        context: (S,) what became of the context, an index into ``CONTEXTS``.
        signal: (S,) the row of the first negative signal in time, -1 for none.
        event: (S,) its event.
        seconds: (S,) how long after the switch it came; NaN for none.
    """

    rule: DisconnectRule
    journey: IntArray = attrs.field(converter=freeze)
    source: IntArray = attrs.field(converter=freeze)
    target: IntArray = attrs.field(converter=freeze)
    customer: Codes
    time: NDArray[np.datetime64] = attrs.field(converter=freeze)
    channel_from: Codes
    channel_to: Codes
    context: NDArray[np.uint8] = attrs.field(converter=freeze)
    signal: IntArray = attrs.field(converter=freeze)
    event: Codes
    seconds: NDArray[np.float64] = attrs.field(converter=freeze)

    @classmethod
    def of(cls, journeys: Journeys | Journey, rule: DisconnectRule) -> Switches:
        """See :meth:`DisconnectRule.switches`."""
        many = as_journeys(journeys)
        gap = None if rule.gap is None else span_us(rule.gap, name="gap")
        source, target = switch_rows(many, rule.by, gap)
        of = np.searchsorted(many.offsets, target, side="right") - 1
        ticks, channel, event = many.time.view(np.int64), many.codes(rule.by), many.event
        limit = ticks[target] + span_us(rule.within, name="within")
        signal = next_row(
            np.flatnonzero(matches_any(rule.signals, many)), target, many.offsets[of + 1]
        )
        signal[(signal >= 0) & (ticks[signal] > limit)] = -1
        told = signal >= 0
        seconds = np.where(told, (ticks[signal] - ticks[target]) / 1e6, np.nan)
        code = np.where(told, event.codes[signal] if len(event) else 0, event.missing)
        return cls(
            rule=rule,
            journey=of,
            source=source,
            target=target,
            customer=many.customer.take(of),
            time=many.time[target],
            channel_from=channel.take(source),
            channel_to=channel.take(target),
            context=_contexts(many, rule, source, target),
            signal=signal,
            event=Codes(code.astype(event.codes.dtype), event.vocabulary),
            seconds=seconds,
        )

    @property
    def disconnect(self) -> NDArray[np.bool_]:
        """(S,) which are disconnect moments: context lost, and a negative signal."""
        return freeze((self.context == _LOST) & (self.signal >= 0))

    def columns(self) -> Mapping[str, ColumnLike]:
        """One row per switch."""
        return {
            "customer": self.customer.to_list(),
            "time": self.time,
            "from": self.channel_from.to_list(),
            "to": self.channel_to.to_list(),
            "context": [CONTEXTS[k] for k in self.context.tolist()],
            "signal": self.event.to_list(),
            "seconds": self.seconds,
            "disconnect": self.disconnect.tolist(),
        }

    def title(self) -> str:
        """How many, and how many went wrong."""
        known = int((self.context != _UNKNOWN).sum())
        return (
            f"{len(self.target):,} channel switches: context kept in "
            f"{int((self.context == _KEPT).sum()):,} of {known:,}, "
            f"{int(self.disconnect.sum()):,} disconnect moments"
        )


def _contexts(
    journeys: Journeys, rule: DisconnectRule, source: IntArray, target: IntArray
) -> NDArray[np.uint8]:
    """(S,) what became of the context at each switch."""
    kept, known = np.zeros(len(source), dtype=bool), np.zeros(len(source), dtype=bool)
    for name in rule.context:
        column = journeys.codes(name)
        before, after = column.codes[source], column.codes[target]
        had = before != column.missing
        kept |= had & (before == after)
        known |= had & (after != column.missing) if rule.missing == "unknown" else had
    return np.select([kept, known], [_KEPT, _LOST], _UNKNOWN).astype(np.uint8)
