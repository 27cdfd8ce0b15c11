"""The score: points, aged and summed by journey."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import chunks
from cxkit.core.result import ColumnLike, Result
from cxkit.core.threads import in_parts
from cxkit.engagement.ageing import age_in_place, instant_of, show_ageing, show_instant
from cxkit.engagement.counting import Earnings, warn_if_unknown
from cxkit.engagement.scale import EngagementScale
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.engagement.explain import Explanation

__all__ = ["Scores", "aged_sums", "score"]

_CHUNK: Final = 32_768  # five columns of scratch then fit the second-level cache


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
        """The scale and the instant."""
        ageing = show_ageing(self.scale.half_life)
        return f"{self.scale.name} at {show_instant(self.at_us)}, {ageing}"

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


def aged_sums(
    scale: EngagementScale, journeys: Journeys, at: int
) -> tuple[NDArray[np.float64], IntArray]:
    """(J,) scores, and (J,) touchpoints after ``at``: one pass, in pieces that stay in cache.

    Every step but the sum works element by element, and ``np.add.reduceat`` gives the same bits
    wherever a piece begins; so a journey has the same score alone as among a million.
    """
    earnings = Earnings.of(scale, journeys)
    values = np.empty(len(journeys))
    excluded = np.zeros(len(journeys), np.int64)
    in_parts(
        partial(_write_sums, earnings, scale.half_life_us, journeys, at, values, excluded),
        journeys.offsets,
    )
    return values, excluded


def _write_sums(
    earnings: Earnings,
    half_life: int | None,
    journeys: Journeys,
    at: int,
    values: NDArray[np.float64],
    excluded: IntArray,
    begin: int,
    end: int,
) -> None:
    """Write what the journeys ``begin:end`` score."""
    offsets, ticks = journeys.offsets, journeys.time.view(np.int64)
    pieces = list(chunks(offsets, _CHUNK, within=(begin, end)))
    longest = max((e1 - e0 for _, _, e0, e1 in pieces), default=0)
    earned_whole, age_whole = np.empty(longest), np.empty(longest, np.int64)
    for j0, j1, e0, e1 in pieces:
        earned, age = earned_whole[: e1 - e0], age_whole[: e1 - e0]
        starts = offsets[j0:j1] - e0
        earnings.write(earned, e0, e1)
        np.subtract(at, ticks[e0:e1], out=age)
        if age.min() < 0:
            late = age < 0
            earned *= ~late
            np.maximum(age, 0, out=age)
            excluded[j0:j1] = np.add.reduceat(late.astype(np.int64), starts)
        if half_life is not None:
            age_in_place(earned, age, half_life)
        np.add.reduceat(earned, starts, out=values[j0:j1])
