"""The scale: which goals earn how many points, and how the points age."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.records import check_fields
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.engagement.rules import PointRule
from cxkit.errors import DataError, DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    from cxkit.engagement.explain import Explanation
    from cxkit.engagement.live import LiveScores
    from cxkit.engagement.scoring import Scores

__all__ = ["EngagementScale"]

_SCHEMA: Final = "cxkit/engagement-scale/1"


def _rules(rules: Any) -> tuple[PointRule, ...]:
    if isinstance(rules, PointRule):
        return (rules,)
    try:
        given = tuple(rules)
    except TypeError:
        given = (rules,)
    for rule in given:
        if not isinstance(rule, PointRule):
            raise DefinitionError(
                f"rules of a scale are PointRules, such as PointRule('purchase', 100); "
                f"found {rule!r}"
            )
    if not given:
        raise DefinitionError("a scale needs at least one rule, such as PointRule('purchase', 100)")
    seen: dict[tuple[Any, ...], PointRule] = {}
    for rule in given:
        key = (rule.goal.event, rule.goal.channel, rule.count)
        if key in seen:
            raise DefinitionError(
                f"two rules count the same goal the same way: {seen[key]!r} and {rule!r}; "
                "write one rule with the sum of their points"
            )
        seen[key] = rule
    return given


def _span(value: SpanLike, field: attrs.Attribute[str]) -> str:
    # Kept as text in one spelling, so that "30min" and timedelta(minutes=30) make equal scales.
    return show_span(span_us(value, name=field.name))


def _optional_span(value: SpanLike | None, field: attrs.Attribute[str | None]) -> str | None:
    return None if value is None else show_span(span_us(value, name=field.name))


def _check_name(_: object, __: object, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"the name of a scale is text; found {value!r}")


@attrs.frozen(repr=False)
class EngagementScale:
    """Goals with relative points, and how the points age: what engagement is worth.

    The score of a customer at an instant ``at`` is

        sum of points * 2 ** (-(at - time) / half_life)

    over the touchpoints up to ``at`` that count. A touchpoint that several rules match earns the
    sum of their points; every rule counts repeats on its own, so that a bonus for the first view is
    written as ``PointRule("view", 1)`` beside ``PointRule("view", 5, count="once_per_customer")``.

    A session ends with a pause longer than ``session_gap`` between two touchpoints of the journey,
    whatever their events are, and with the journey.

    Attributes:
        rules: The rules; two for the same goal and the same way of counting are refused.
        half_life: The span in which points lose half their worth; ``None``: points do not age.
        session_gap: The longest pause within a session.
        name: What the scale is called.

    Raises:
        DefinitionError: There is no rule, two are the same, or a span is not longer than zero.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann", "ann", "bob"],
        ...         "when": ["2024-01-01", "2024-01-15", "2024-01-15"],
        ...         "what": ["view", "buy", "view"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     tz="UTC",
        ... )
        >>> scale = EngagementScale([PointRule("buy", 100), PointRule("view", 8)], half_life="14d")
        >>> scores = scale.score(journeys, at="2024-01-29")
        >>> scores.values.tolist()
        [52.0, 4.0]
        >>> scale.score(journeys[0], at="2024-01-29")
        52.0
    """

    rules: tuple[PointRule, ...] = attrs.field(converter=_rules)
    half_life: str | None = attrs.field(
        default=None,
        converter=attrs.Converter(_optional_span, takes_field=True),  # type: ignore[misc]  # the plugin knows plain converters only
    )
    session_gap: str = attrs.field(
        default="30min",
        converter=attrs.Converter(_span, takes_field=True),  # type: ignore[misc]  # likewise
    )
    name: str = attrs.field(default="engagement", validator=_check_name)

    @cached_property
    def half_life_us(self) -> int | None:
        """The half-life in microseconds; ``None`` if points do not age."""
        return None if self.half_life is None else span_us(self.half_life, name="half_life")

    @cached_property
    def session_gap_us(self) -> int:
        """The longest pause within a session, in microseconds."""
        return span_us(self.session_gap, name="session_gap")

    def __repr__(self) -> str:
        """The name, how points age, and the rules."""
        ageing = "no ageing" if self.half_life is None else f"half-life {self.half_life}"
        rules = ", ".join(map(repr, self.rules))
        return f"<EngagementScale {self.name!r}: {ageing}, session gap {self.session_gap}; {rules}>"

    def points(self, journeys: Journeys | Journey) -> NDArray[np.float64]:
        """What each touchpoint earns, before ageing.

        Args:
            journeys: The journeys, or one.

        Returns:
            (E,) points; 0 where no rule matches or none counts the touchpoint. Read-only.

        Raises:
            DefinitionError: A rule counts once per customer, and a customer has several journeys.

        Example:
            >>> from cxkit.simulate import retail
            >>> scale = EngagementScale([PointRule("purchase", 100)])
            >>> journeys = retail(50).journeys
            >>> set(scale.points(journeys).tolist()) == {0.0, 100.0}
            True
        """
        from cxkit.engagement.counting import points

        return points(self, journeys)

    @overload
    def score(self, journeys: Journey, *, at: InstantLike) -> float: ...
    @overload
    def score(self, journeys: Journeys, *, at: InstantLike) -> Scores: ...
    def score(self, journeys: Journeys | Journey, *, at: InstantLike) -> Scores | float:
        """The engagement score of each journey at an instant.

        Args:
            journeys: The journeys, or one.
            at: The instant. There is no default: "now" and "the latest touchpoint" would give the
                same customer another score in another batch. Touchpoints after it earn nothing and
                are counted in ``Scores.excluded``.

        Returns:
            Scores of many; the plain number for one, equal to the last bit.

        Raises:
            DefinitionError: ``at`` is not an instant, or a rule counts once per customer and a
                customer has several journeys.

        Warns:
            CxWarning: Not one event of the scale occurs in the data.
        """
        from cxkit.engagement.scoring import score

        return score(self, journeys, instant_us(at, name="at"))

    def explain(self, journey: Journey | Journeys, *, at: InstantLike) -> Explanation:
        """What each touchpoint of one journey adds to its score.

        Args:
            journey: One journey.
            at: The instant of the score.

        Raises:
            DefinitionError: It is not one journey, or ``at`` is not an instant.
        """
        from cxkit.engagement.explain import explain

        return explain(self, journey, instant_us(at, name="at"))

    def live(self) -> LiveScores:
        """Scores that are kept up to date one touchpoint at a time."""
        from cxkit.engagement.live import LiveScores

        return LiveScores(self)

    def to_dict(self) -> dict[str, Any]:
        """The scale as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "name": self.name,
            "half_life": self.half_life,
            "session_gap": self.session_gap,
            "rules": [rule.to_dict() for rule in self.rules],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EngagementScale:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or a key is missing or unknown.
            DefinitionError: What it says is not a scale.

        Example:
            >>> scale = EngagementScale([PointRule("buy", 100)], half_life="14d")
            >>> EngagementScale.from_dict(scale.to_dict()) == scale
            True
        """
        names = ["name", "rules", "half_life", "session_gap"]
        check_fields(data, _SCHEMA, "engagement scale", names)
        if not isinstance(data["rules"], list):
            raise DataError(f"rules of an engagement scale must be a list; found {data['rules']!r}")
        return cls(
            [PointRule.from_dict(rule) for rule in data["rules"]],
            half_life=data["half_life"],
            session_gap=data["session_gap"],
            name=data["name"],
        )
