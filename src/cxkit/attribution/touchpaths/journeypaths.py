"""Journeys cut into paths, and what models look at of them."""

from __future__ import annotations

from functools import cached_property

import attrs

from cxkit.attribution.labelsets.sets import LabelSets
from cxkit.attribution.touchpaths.converting import ConvertingPaths
from cxkit.attribution.touchpaths.paths import Paths
from cxkit.attribution.touchpaths.runs import CutJourneys

__all__ = ["JourneyPaths"]


@attrs.frozen(eq=False, slots=False)
class JourneyPaths(CutJourneys):
    """Journeys and the rule by which they are cut into paths; all of it is found once.

    Attributes:
        journeys: The journeys.
        rule: What a path and a touch are.
    """

    @cached_property
    def converting(self) -> ConvertingPaths:
        """The touches of converting paths: all that a rule looks at."""
        return ConvertingPaths.of(self)

    @cached_property
    def paths(self) -> Paths:
        """The distinct paths, with how often each led to a conversion and to none."""
        return Paths.of_cut(self)

    @cached_property
    def sets(self) -> LabelSets:
        """The distinct label sets, with how often each led to a conversion and to none."""
        return LabelSets.of_cut(self)
