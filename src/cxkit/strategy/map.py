"""The strategy map: from themes down to goals, measures and tactics, and back up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from cxkit.core.canonical import digest
from cxkit.core.spans import InstantLike
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.model.goal import Goal
from cxkit.strategy.items import LEVELS, DigitalGoal, Item

if TYPE_CHECKING:
    from cxkit.core.findings import Findings
    from cxkit.model.journeys import Journeys
    from cxkit.strategy.coverage import Coverage
    from cxkit.strategy.rollup import RollUp
    from cxkit.strategy.status import Status

__all__ = ["StrategyMap", "Trace"]

_T = TypeVar("_T", bound=Item)
_ABOVE: Final = {
    **dict(zip(LEVELS[1:], LEVELS, strict=False)),
    "kpi": "digital_goal",
    "tactic": "digital_goal",
    "capability": "digital_goal",
}
"""Level -> the level that its items support."""


@attrs.frozen
class Trace:
    """The line of sight of an item.

    Attributes:
        id: The item.
        up: What it serves, directly or through others, sorted by name.
        down: What serves it.
    """

    id: str
    up: tuple[str, ...]
    down: tuple[str, ...]


def _items(given: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(given)


@attrs.frozen(repr=False)
class StrategyMap:
    """Items by level, each leading to those just above that it serves.

    Links go one level up and nowhere else: strategic objectives to themes, marketing objectives to
    strategic ones, digital goals to marketing objectives; measures, tactics and capabilities to
    digital goals. The weights of what an item supports sum to 1, so that whatever is rolled up is
    conserved.

    Attributes:
        items: The items, in any order.
        name: What the map is called.

    Raises:
        DefinitionError: An id occurs twice, a link leads to an unknown item or to another level
            than the one above, or weights do not sum to 1; the error names the item.

    Example:
        >>> from cxkit.strategy import DigitalGoal, MarketingObjective, StrategicObjective, Theme
        >>> strategy = StrategyMap([
        ...     Theme("close to customers"),
        ...     StrategicObjective("they come back", "close to customers"),
        ...     MarketingObjective("a second order", "they come back"),
        ...     DigitalGoal("reorder", "a second order", points=100),
        ...     DigitalGoal("newsletter", "a second order", points=10),
        ... ])  # fmt: skip
        >>> strategy.trace("reorder").up
        ('a second order', 'close to customers', 'they come back')
        >>> strategy.rollup({"reorder": 3, "newsletter": 20}).by_theme()
        {'close to customers': 500.0}
    """

    items: tuple[Item, ...] = attrs.field(converter=_items)
    name: str = "strategy"

    def __attrs_post_init__(self) -> None:
        """Check the links."""
        seen: set[str] = set()
        for item in self.items:
            if not isinstance(item, Item):
                raise DefinitionError(f"a map is made of items such as Theme; found {item!r}")
            if item.id in seen:
                raise DefinitionError(f"the id {item.id!r} occurs more than once")
            seen.add(item.id)
        for item in self.items:
            for parent in item.supports:
                self._check_link(item, parent)

    def _check_link(self, item: Item, parent: str) -> None:
        above = _ABOVE.get(item.level)
        if parent not in self.by_id:
            raise DefinitionError(
                f"{item.id!r} supports {parent!r}, which is not in the map."
                f"{did_you_mean(parent, list(self.by_id))}"
            )
        if self.by_id[parent].level != above:
            expected = f"a {above} supports" if above is None else f"supports a {above}"
            raise DefinitionError(
                f"AL006: {item.id!r} is a {item.level} and supports {parent!r}, a "
                f"{self.by_id[parent].level}; links go one level up: a {item.level} "
                + ("supports nothing" if above is None else expected)
            )

    def __repr__(self) -> str:
        """How many items there are of each level."""
        counts: dict[str, int] = {}
        for item in self.items:
            counts[item.level] = counts.get(item.level, 0) + 1
        told = ", ".join(f"{level} {count}" for level, count in counts.items())
        return f"<StrategyMap {self.name!r}: {told}>"

    # ------------------------------------------------------------------ parts

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        """The items by name."""
        return {item.id: item for item in self.items}

    @cached_property
    def supporters(self) -> Mapping[str, tuple[str, ...]]:
        """Item -> the items just below that support it, in the order of the map."""
        found: dict[str, list[str]] = {item.id: [] for item in self.items}
        for item in self.items:
            for parent in item.supports:
                found[parent].append(item.id)
        return {name: tuple(below) for name, below in found.items()}

    def of(self, kind: type[_T]) -> list[_T]:
        """The items of one kind, such as ``of(DigitalGoal)``."""
        return [item for item in self.items if isinstance(item, kind)]

    def item(self, name: str) -> Item:
        """An item by its name.

        Raises:
            DataError: There is none.
        """
        if name not in self.by_id:
            raise DataError(f"no item {name!r} in the map.{did_you_mean(name, list(self.by_id))}")
        return self.by_id[name]

    # ------------------------------------------------------------------ verbs

    def trace(self, name: str) -> Trace:
        """The line of sight of an item: what it serves in the end, and what serves it.

        Raises:
            DataError: There is no such item.
        """
        self.item(name)
        up = self._reach(name, lambda item: self.by_id[item].supports)
        down = self._reach(name, lambda item: self.supporters[item])
        return Trace(name, up, down)

    def _reach(self, start: str, following: Any) -> tuple[str, ...]:
        found: set[str] = set()
        rest = list(following(start))
        while rest:
            name = rest.pop()
            if name not in found:
                found.add(name)
                rest.extend(following(name))
        return tuple(sorted(found))

    def lint(self) -> Findings:
        """What is wrong with the map, each finding with a code, its place and a suggestion."""
        from cxkit.strategy.lint import lint

        return lint(self)

    def rollup(self, reached: Mapping[str, float] | Journeys) -> RollUp:
        """Points times conversions of digital goals, carried up to the themes.

        Args:
            reached: goal -> how often it was reached; or journeys, in which that is counted.

        Raises:
            DataError: A name is no digital goal, or a count is negative.
        """
        from cxkit.strategy.rollup import roll_up

        return roll_up(self, reached)

    def status(
        self,
        journeys: Journeys,
        at: InstantLike,
        *,
        given: Mapping[str, float] | None = None,
        level: float = 0.95,
    ) -> Status:
        """Each KPI against its target, with an interval.

        Args:
            journeys: The journeys.
            at: The day of the look; touchpoints after it do not count.
            given: KPI -> its value, for those of metric ``"given"``.
            level: Of the intervals.

        Raises:
            DataError: ``given`` names no KPI of that metric.
        """
        from cxkit.strategy.status import status

        return status(self, journeys, at, given or {}, level)

    def coverage(self, phases: Iterable[str] = ("attract", "convert", "advocate")) -> Coverage:
        """Which phases of the lifecycle and which stages of the journey capabilities serve.

        Args:
            phases: All phases, in order.
        """
        from cxkit.strategy.coverage import coverage

        return coverage(self, tuple(phases))

    def goal_points(self) -> list[tuple[Goal, float]]:
        """The digital goals that have points, for an engagement scale.

        ``EngagementScale([PointRule(goal, points) for goal, points in strategy.goal_points()])``
        """
        goals = self.of(DigitalGoal)
        return [(item.as_goal(), item.points) for item in goals if item.points is not None]

    # ------------------------------------------------------------------ files

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the map's canonical JSON, in hexadecimal."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The map as plain data for JSON; what is as by default is left out."""
        from cxkit.strategy.mapdata import map_data

        return map_data(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StrategyMap:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: It does not have the shape of a map; the error says where in the data.
            DefinitionError: Its links or weights are wrong.
        """
        from cxkit.strategy.mapdata import read_map

        return read_map(data)
