"""cxkit: the customer-experience engine that other software imports.

Three nouns: a *definition* says what (``EngagementScale``, ``Goal``, ``flow.Funnel``),
``Journeys`` is the data, a *result* is the answer. Areas (``cx.attribution``, ``cx.flow`` ...) load
when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxkit.errors import (
    CxError,
    CxWarning,
    DataError,
    DefinitionError,
    MergeError,
    MissingExtraError,
    SchemaError,
    UnknownLabelError,
)
from cxkit.model.goal import Goal
from cxkit.model.ingest import Ingested, ingest
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys
from cxkit.model.touchpoint import Touchpoint

if TYPE_CHECKING:
    from cxkit import (
        attribution,
        engagement,
        errors,
        flow,
        identity,
        interop,
        maturity,
        microinteraction,
        patterns,
        plot,
        report,
        simulate,
        strategy,
        testing,
    )
    from cxkit.engagement import EngagementScale, PointRule
    from cxkit.interop.files import read_events
    from cxkit.maturity import MaturityModel
    from cxkit.microinteraction import Microinteraction
    from cxkit.strategy import StrategyMap

__all__ = [
    "CxError",
    "CxWarning",
    "DataError",
    "DefinitionError",
    "EngagementScale",
    "Goal",
    "Ingested",
    "Journey",
    "Journeys",
    "MaturityModel",
    "MergeError",
    "Microinteraction",
    "MissingExtraError",
    "PointRule",
    "SchemaError",
    "StrategyMap",
    "Touchpoint",
    "UnknownLabelError",
    "attribution",
    "engagement",
    "errors",
    "flow",
    "identity",
    "ingest",
    "interop",
    "maturity",
    "microinteraction",
    "patterns",
    "plot",
    "read_events",
    "report",
    "simulate",
    "strategy",
    "testing",
]

if not TYPE_CHECKING:
    # A misspelt attribute must stay an error for type checkers, so they do not see this.
    _ROOMS = (
        *("attribution", "engagement", "flow", "identity", "interop", "maturity"),
        *("microinteraction", "patterns", "plot", "report", "simulate", "strategy", "testing"),
    )
    _NAMES = {
        "EngagementScale": "cxkit.engagement",
        "MaturityModel": "cxkit.maturity",
        "Microinteraction": "cxkit.microinteraction",
        "PointRule": "cxkit.engagement",
        "StrategyMap": "cxkit.strategy",
        "read_events": "cxkit.interop.files",
    }

    def __getattr__(name: str) -> object:
        import importlib

        if name in _ROOMS:
            return importlib.import_module(f"cxkit.{name}")
        if name in _NAMES:
            return getattr(importlib.import_module(_NAMES[name]), name)
        if name == "__version__":
            from importlib.metadata import version

            return version("cxkit")
        from cxkit.errors import did_you_mean

        hint = did_you_mean(name, __all__)
        raise AttributeError(f"module 'cxkit' has no attribute {name!r}.{hint}")

    def __dir__() -> list[str]:
        return sorted([*__all__, "__version__"])
