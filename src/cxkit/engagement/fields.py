"""The fields of a scale: what is accepted, in one spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from cxkit.core.numerals import write_number
from cxkit.core.spans import SpanLike, show_span, span_us
from cxkit.core.timezones import find_zone
from cxkit.engagement.ageing import Ageing, HalfLife, Inactivity, LinearDecay, RollingWindow
from cxkit.engagement.amounts import finite_number, some_points
from cxkit.engagement.rules import PointRule
from cxkit.errors import DefinitionError, did_you_mean

__all__ = [
    "ageing_of",
    "check_groups",
    "check_name",
    "check_primary",
    "check_zone",
    "floor_of",
    "group_caps_of",
    "half_life_of",
    "rules_of",
    "session_gap_of",
    "total_cap",
]


def rules_of(rules: Any) -> tuple[PointRule, ...]:
    """The rules of a scale.

    Raises:
        DefinitionError: There is none, one is no rule, or two are the same.
    """
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
        key = (rule.goal.same, rule.count, rule.within)
        if key in seen:
            raise DefinitionError(
                f"two rules count the same goal the same way: {seen[key]!r} and {rule!r}; "
                "write one rule with the sum of their points"
            )
        seen[key] = rule
    return given


def session_gap_of(value: SpanLike) -> str:
    """A span as text in one spelling, so that "30min" and 1800 seconds make equal scales."""
    return show_span(span_us(value, name="session_gap"))


def half_life_of(value: SpanLike | None) -> str | None:
    """The same for a half-life, which may be left out."""
    return None if value is None else show_span(span_us(value, name="half_life"))


def check_name(_: object, field: attrs.Attribute[Any], value: object) -> None:
    """Refuse a name or a version that is no text."""
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f"the {field.name} of a scale is text; found {value!r}")


def check_zone(_: object, __: object, value: object) -> None:
    """Refuse what is no name of a time zone."""
    if not isinstance(value, str):
        raise DefinitionError(f"zone is the name of a time zone, such as 'UTC'; found {value!r}")
    find_zone(value)


def ageing_of(half_life: str | None, ageing: Any) -> Ageing | None:
    """The ageing of a scale; a half-life may be given either way.

    Raises:
        DefinitionError: It is no ageing, or two different ones are given.
    """
    kinds = (HalfLife, LinearDecay, RollingWindow, Inactivity)
    if ageing is not None and not isinstance(ageing, kinds):
        raise DefinitionError(
            f"ageing is one of {[kind.__name__ for kind in kinds]}; found {ageing!r}"
        )
    if half_life is None:
        return ageing
    if ageing not in {None, HalfLife(half_life)}:
        raise DefinitionError(
            f"half_life={half_life!r} and ageing={ageing!r} are two answers to one question; "
            "give one of them"
        )
    return HalfLife(half_life)


def group_caps_of(given: Any) -> tuple[tuple[str, float], ...]:
    """The caps of groups, sorted by name.

    Raises:
        DefinitionError: They are no mapping of names to points from 0 up.
    """
    try:
        pairs = dict(given).items()
    except (TypeError, ValueError):
        raise DefinitionError(
            f"group_caps is a mapping such as {{'sales': 60}}; found {given!r}"
        ) from None
    found = {name: some_points(cap, f"the cap of group {name!r}") for name, cap in pairs}
    return tuple(sorted(found.items()))


def check_groups(rules: tuple[PointRule, ...], group_caps: Mapping[str, float]) -> None:
    """Refuse the cap of a group that no rule is in: it would cap nothing, silently."""
    groups = sorted({rule.group for rule in rules if rule.group is not None})
    for name in group_caps:
        if name not in groups:
            raise DefinitionError(
                f"group_caps caps {name!r}, but no rule is in that group; there are {groups}."
                f"{did_you_mean(name, groups)}"
            )


def total_cap(value: Any) -> float | None:
    """The cap of the total: points from 0 up."""
    return None if value is None else some_points(value, "cap of a scale")


def floor_of(value: Any) -> float | None:
    """The floor of the total: 0 or below, so that a customer without touchpoints has 0."""
    if value is None:
        return None
    floor = finite_number(value, "floor of a scale")
    if floor > 0:
        raise DefinitionError(
            f"floor of a scale must be 0 or less, for who did nothing has 0 points; found {value!r}"
        )
    return floor


def check_primary(rules: tuple[PointRule, ...], primary: Any) -> None:
    """Refuse a primary goal that no rule has, or that does not have the most points."""
    if primary is None:
        return
    names = [rule.goal.name for rule in rules]
    if primary not in names:
        raise DefinitionError(
            f"primary={primary!r} is the name of no goal of the scale; there are {names}."
            f"{did_you_mean(primary, names)}"
        )
    most = max(rules, key=lambda rule: rule.points)
    if max(rule.points for rule in rules if rule.goal.name == primary) < most.points:
        raise DefinitionError(
            f"primary={primary!r} must have the most points, for it is the goal that all others "
            f"lead to; {most.goal.name!r} has {write_number(most.points)}"
        )
