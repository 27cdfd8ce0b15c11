"""What a scale says: rules, how points age, what caps them; and the same as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Self

import attrs

from cxkit.core.canonical import digest
from cxkit.core.numerals import write_number
from cxkit.core.records import check_fields
from cxkit.core.spans import span_us
from cxkit.engagement import fields
from cxkit.engagement.ageing import (
    Ageing,
    HalfLife,
    ageing_from_dict,
    ageing_to_dict,
    show_ageing,
)
from cxkit.engagement.assign import inversions
from cxkit.engagement.caps import Caps
from cxkit.engagement.rules import PointRule
from cxkit.errors import DataError
from cxkit.model.goal import Goal

__all__ = ["ScaleDefinition"]

_SCHEMA: Final = "cxkit/engagement-scale/1"


@attrs.frozen(repr=False)
class ScaleDefinition:
    """The fields of an :class:`~cxkit.EngagementScale`, which adds the verbs."""

    rules: tuple[PointRule, ...] = attrs.field(converter=fields.rules_of)
    half_life: str | None = attrs.field(default=None, converter=fields.half_life_of)
    session_gap: str = attrs.field(default="30min", converter=fields.session_gap_of)
    name: str = attrs.field(default="engagement", validator=fields.check_name)
    ageing: Ageing | None = attrs.field(default=None, kw_only=True)
    group_caps: tuple[tuple[str, float], ...] = attrs.field(
        default=(), converter=fields.group_caps_of, kw_only=True
    )
    cap: float | None = attrs.field(default=None, converter=fields.total_cap, kw_only=True)
    floor: float | None = attrs.field(default=None, converter=fields.floor_of, kw_only=True)
    zone: str = attrs.field(default="UTC", validator=fields.check_zone, kw_only=True)
    primary: str | None = attrs.field(default=None, kw_only=True)
    version: str = attrs.field(default="1", validator=fields.check_name, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Make both spellings of a half-life one, and check what concerns several fields."""
        ageing = fields.ageing_of(self.half_life, self.ageing)
        object.__setattr__(self, "ageing", ageing)
        half_life = ageing.span if isinstance(ageing, HalfLife) else None
        object.__setattr__(self, "half_life", half_life)
        fields.check_groups(self.rules, dict(self.group_caps))
        fields.check_primary(self.rules, self.primary)

    @cached_property
    def half_life_us(self) -> int | None:
        """The half-life in microseconds; ``None`` if points age in another way, or do not."""
        return self.ageing.us if isinstance(self.ageing, HalfLife) else None

    @cached_property
    def session_gap_us(self) -> int:
        """The longest pause within a session, in microseconds."""
        return span_us(self.session_gap, name="session_gap")

    @cached_property
    def caps(self) -> Caps:
        """How caps bring the points of the rules together."""
        return Caps.of(self.rules, dict(self.group_caps), self.cap, self.floor)

    @cached_property
    def digest(self) -> str:
        """A fingerprint of everything that the scale says: SHA-256 of its canonical JSON.

        Example:
            >>> from cxkit import EngagementScale
            >>> scale = EngagementScale([PointRule("buy", 100)])
            >>> scale.digest == EngagementScale.from_dict(scale.to_dict()).digest
            True
        """
        return digest(self.to_dict())

    @property
    def primary_goal(self) -> Goal:
        """The goal named ``primary``, or else the first of those with the most points."""
        named = [rule.goal for rule in self.rules if rule.goal.name == self.primary]
        return named[0] if named else max(self.rules, key=lambda rule: rule.points).goal

    def inversions(self, order: Sequence[str]) -> list[tuple[str, str]]:
        """Where points contradict an order of goals.

        Args:
            order: Names of goals, the one nearest to the primary goal last. A goal with several
                rules has the sum of their points.

        Returns:
            Neighbours of which the earlier has more points than the later.

        Raises:
            DefinitionError: A name is no goal of the scale.

        Example:
            >>> from cxkit import EngagementScale
            >>> scale = EngagementScale([PointRule("mail", 10), PointRule("brochure", 5)])
            >>> scale.inversions(["mail", "brochure"])
            [('mail', 'brochure')]
        """
        return inversions(self.rules, order)

    def __repr__(self) -> str:
        """The name, how points age, what caps them, and the rules."""
        told = [show_ageing(self.ageing), f"session gap {self.session_gap}"]
        told += [f"version {self.version}"] if self.version != "1" else []
        told += [f"days of {self.zone}"] if self.zone != "UTC" else []
        told += [f"{name} at most {write_number(most)}" for name, most in self.group_caps]
        told += [] if self.cap is None else [f"at most {write_number(self.cap)}"]
        told += [] if self.floor is None else [f"at least {write_number(self.floor)}"]
        rules = ", ".join(map(repr, self.rules))
        return f"<EngagementScale {self.name!r}: {', '.join(told)}; {rules}>"

    def to_dict(self) -> dict[str, Any]:
        """The scale as plain data for JSON."""
        data: dict[str, Any] = {
            "schema": _SCHEMA,
            "name": self.name,
            "version": self.version,
            "half_life": self.half_life,
            "session_gap": self.session_gap,
            "rules": [rule.to_dict() for rule in self.rules],
        }
        if self.ageing is not None and self.half_life is None:
            data["ageing"] = ageing_to_dict(self.ageing)
        if self.group_caps:
            data["group_caps"] = dict(self.group_caps)
        rest = {"cap": self.cap, "floor": self.floor, "primary": self.primary}
        data |= {name: value for name, value in rest.items() if value is not None}
        return data | ({} if self.zone == "UTC" else {"zone": self.zone})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, or a key is missing or unknown.
            DefinitionError: What it says is not a scale.

        Example:
            >>> from cxkit import EngagementScale
            >>> scale = EngagementScale([PointRule("buy", 100)], half_life="14d")
            >>> EngagementScale.from_dict(scale.to_dict()) == scale
            True
        """
        names = ["name", "rules", "half_life", "session_gap"]
        options = ["version", "cap", "floor", "primary", "zone", "group_caps"]
        check_fields(data, _SCHEMA, "engagement scale", names, [*options, "ageing"])
        if not isinstance(data["rules"], list):
            raise DataError(f"rules of an engagement scale must be a list; found {data['rules']!r}")
        ageing = data.get("ageing")
        return cls(
            [PointRule.from_dict(rule) for rule in data["rules"]],
            half_life=data["half_life"],
            session_gap=data["session_gap"],
            name=data["name"],
            ageing=None if ageing is None else ageing_from_dict(ageing),
            **{name: data[name] for name in options if name in data},
        )
