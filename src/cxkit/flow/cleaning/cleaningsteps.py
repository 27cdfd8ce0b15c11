"""The steps of a cleaning by their names in JSON."""

from __future__ import annotations

from typing import Any, Final

from cxkit.flow.cleaning.cleaningcuts import CollapseRepeats, KeepLength, Truncate
from cxkit.flow.cleaning.cleaningdrops import DropDuplicates, DropFast, DropLabels
from cxkit.flow.cleaning.cleaninglabels import MarkLost, Rename

__all__ = ["STEPS"]

STEPS: Final[dict[str, type[Any]]] = {
    kind.name: kind
    for kind in (
        DropFast,
        DropLabels,
        DropDuplicates,
        CollapseRepeats,
        Truncate,
        KeepLength,
        Rename,
        MarkLost,
    )
}
"""The steps by their names in JSON."""
