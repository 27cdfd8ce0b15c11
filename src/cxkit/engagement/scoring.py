"""The score: points, aged, summed by journey and capped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.result import ColumnLike, Result
from cxkit.engagement.ageing import instant_of, show_ageing, show_instant
from cxkit.engagement.earning import warn_if_unknown
from cxkit.engagement.scale import EngagementScale
from cxkit.engagement.sums import aged_sums
from cxkit.errors import DefinitionError, MergeError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.engagement.explain import Explanation

__all__ = ["Scores", "aged_sums", "score"]


@attrs.frozen(eq=False, repr=False)
class Scores(Result):
    """Engagement scores of journeys at one instant.

    It is also an array: ``np.asarray(scores)`` are the values.

    Attributes:
        values: (J,) the scores. Read-only.
        excluded: (J,) touchpoints after ``at``, which earn nothing.
        positions: (J,) the position of each journey among those that were scored.
        journeys: The journeys that were scored.
        scale: The scale.
        at_us: The instant in microseconds since 1970; ``at`` is the same as a datetime.

    Example:
        >>> from cxkit import EngagementScale, PointRule
        >>> from cxkit.simulate import retail
        >>> journeys = retail(100).journeys
        >>> scale = EngagementScale([PointRule("purchase", 100)], half_life="14d")
        >>> scores = scale.score(journeys, at="2030-01-01")
        >>> len(scores), bool(scores.top(3).values[0] == scores.values.max())
        (100, True)
    """

    values: NDArray[np.float64] = attrs.field(converter=freeze)
    excluded: IntArray = attrs.field(converter=freeze)
    positions: IntArray = attrs.field(converter=freeze)
    journeys: Journeys
    scale: EngagementScale
    at_us: int

    @classmethod
    def concat(cls, parts: Iterable[Scores]) -> Scores:
        """The scores of all parts, one part after another.

        Raises:
            MergeError: There is no part, or two are of different scales, of different versions of
                one, or of different instants: their numbers do not mean the same.

        Example:
            >>> from cxkit import EngagementScale, PointRule
            >>> from cxkit.simulate import retail
            >>> journeys = retail(20).journeys
            >>> scale = EngagementScale([PointRule("purchase", 100)])
            >>> a, b = (scale.score(j, at="2030-01-01") for j in (journeys[:5], journeys[5:]))
            >>> len(Scores.concat([a, b]))
            20
        """
        given = list(parts)
        if not given:
            raise MergeError("there are no scores to put together")
        first = given[0]
        for other in given[1:]:
            first.check_same(other)
        before = np.cumsum([0, *(len(part.journeys) for part in given)])
        return cls(
            np.concatenate([part.values for part in given]),
            np.concatenate([part.excluded for part in given]),
            np.concatenate([p.positions + n for p, n in zip(given, before, strict=False)]),
            Journeys.concat([part.journeys for part in given]),
            first.scale,
            first.at_us,
        )

    def check_same(self, other: Scores) -> None:
        """Refuse scores that do not mean the same.

        Raises:
            MergeError: They are of another scale, version or instant.
        """
        mine, theirs = self.stamp, other.stamp
        if mine != theirs:
            raise MergeError(
                f"these scores are not on one scale: {mine} and {theirs}; score both parts with "
                "the same version at the same instant"
            )

    @property
    def stamp(self) -> dict[str, str]:
        """What a stored score must carry: name, version and digest of the scale, and the instant.

        Example:
            >>> from cxkit import EngagementScale, Journeys, PointRule
            >>> scale = EngagementScale([PointRule("buy", 100)], name="shop", version="2")
            >>> scale.score(Journeys.empty(), at="2024-01-01").stamp["version"]
            '2'
        """
        return {
            "scale": self.scale.name,
            "version": self.scale.version,
            "digest": self.scale.digest,
            "at": self.at.isoformat(),
        }

    def __len__(self) -> int:
        """J, the number of scores."""
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001  # numpy says so
        """The values, for numpy."""
        return np.array(self.values, dtype=dtype, copy=copy)

    @property
    def at(self) -> datetime:
        """The instant of the scores, UTC."""
        return instant_of(self.at_us)

    @property
    def customer(self) -> Codes:
        """(J,) whose journey it is."""
        return self.journeys.customer.take(self.positions)

    def columns(self) -> dict[str, ColumnLike]:
        """Customer, journey (its position), score, touchpoints, and those after the instant."""
        return {
            "customer": self.customer.to_list(),
            "journey": self.positions,
            "score": self.values,
            "touchpoints": np.diff(self.journeys.offsets)[self.positions],
            "excluded": self.excluded,
        }

    def title(self) -> str:
        """The scale, the instant, and which version of the scale it is if it is not the first."""
        scale = self.scale
        told = f"{scale.name} at {show_instant(self.at_us)}, {show_ageing(scale.ageing)}"
        return told if scale.version == "1" else f"{told}, version {scale.version}"

    def notes(self) -> list[str]:
        """How many touchpoints came later."""
        late = int(self.excluded.sum())
        return [f"{late:,} touchpoints after this instant earn nothing"] if late else []

    def top(self, n: int = 20) -> Scores:
        """The ``n`` most engaged, highest first; equal scores in the order of the journeys.

        Raises:
            DefinitionError: ``n`` is negative.
        """
        if n < 0:
            raise DefinitionError(f"n must not be negative; found {n}")
        best = np.argsort(-self.values, kind="stable")[:n]
        return attrs.evolve(
            self,
            values=self.values[best],
            excluded=self.excluded[best],
            positions=self.positions[best],
        )

    def explain(self, i: int) -> Explanation:
        """What each touchpoint adds to the score in row ``i``.

        Raises:
            IndexError: There is no such row.
        """
        if not -len(self) <= i < len(self):
            raise IndexError(f"score {i} of {len(self)}")
        from cxkit.engagement.explain import explain

        return explain(self.scale, self.journeys[int(self.positions[i])], self.at_us)


@overload
def score(scale: EngagementScale, journeys: Journey, at: int) -> float: ...
@overload
def score(scale: EngagementScale, journeys: Journeys, at: int) -> Scores: ...
@overload
def score(scale: EngagementScale, journeys: Journeys | Journey, at: int) -> Scores | float: ...
def score(scale: EngagementScale, journeys: Journeys | Journey, at: int) -> Scores | float:
    """See :meth:`EngagementScale.score`; ``at`` in microseconds since 1970."""
    given = as_journeys(journeys)
    values, excluded = aged_sums(scale, given, at)
    if isinstance(journeys, Journey):
        # No warning here: that one customer never reached any goal is an answer, not a mistake.
        return float(values[0])
    warn_if_unknown(scale, given)
    return Scores(values, excluded, np.arange(len(given)), given, scale, at)
