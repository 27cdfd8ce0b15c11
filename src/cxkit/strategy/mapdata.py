"""Strategy maps to and from plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import attrs

from cxkit.core.shapes import check_shape
from cxkit.model.goal import Goal
from cxkit.strategy.items import (
    KPI,
    Capability,
    DigitalGoal,
    Item,
    MarketingObjective,
    StrategicObjective,
    Tactic,
    Theme,
)
from cxkit.strategy.map import StrategyMap

__all__ = ["map_data", "map_schema", "read_map"]

_SCHEMA: Final = "cxkit/strategy-map/1"
_KINDS: Final[Mapping[str, type[Item]]] = {
    kind.level: kind
    for kind in (
        Theme,
        StrategicObjective,
        MarketingObjective,
        DigitalGoal,
        KPI,
        Tactic,
        Capability,
    )
}


def map_data(strategy: StrategyMap) -> dict[str, Any]:
    """See :meth:`StrategyMap.to_dict`."""
    items = [_item_data(item) for item in strategy.items]
    return {"schema": _SCHEMA, "name": strategy.name, "items": items}


def read_map(data: Mapping[str, Any]) -> StrategyMap:
    """See :meth:`StrategyMap.from_dict`."""
    check_shape(data, map_schema(), "strategy map")
    items = []
    for entry in data["items"]:
        kind = _KINDS[entry["level"]]
        given = {name: value for name, value in entry.items() if name != "level"}
        known = {field.name for field in attrs.fields(kind)}
        check_shape(
            given,
            {"additionalProperties": False, "properties": {name: {} for name in sorted(known)}},
            f"strategy map: {entry['level']} {entry['id']!r}",
        )
        if given.get("goal") is not None:
            given["goal"] = Goal.from_dict(given["goal"])
        items.append(kind(**given))
    return StrategyMap(items, data.get("name", "strategy"))


def map_schema() -> dict[str, Any]:
    """The JSON schema of strategy maps.

    Example:
        >>> map_schema()["title"]
        'A strategy map of cxkit'
    """
    file = resources.files(__package__).joinpath("strategy-map-1.schema.json")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def _item_data(item: Item) -> dict[str, Any]:
    data: dict[str, Any] = {"level": item.level}
    for field in attrs.fields(type(item)):
        value = getattr(item, field.name)
        if isinstance(value, Goal):
            value = value.to_dict()
        elif isinstance(value, tuple):
            value = list(value)
        plain = value in ("", [], {}) or (field.name == "cost" and not value)
        endless = isinstance(value, float) and math.isinf(value)
        if not (value is None or plain or endless):
            data[field.name] = value
    return data
