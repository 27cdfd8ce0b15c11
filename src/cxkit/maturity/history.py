"""How levels change over time: time in stage, and where that leads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike, SpanLike, instant_us, span_us
from cxkit.errors import DataError, DefinitionError

__all__ = ["StageHistory", "stage_history"]

_DAY_US: Final = 86_400_000_000
_SMALL: Final = 1e-14


@attrs.frozen(eq=False, repr=False, kw_only=True)
class StageHistory(Result):
    """What is known of how subjects moved between stages.

    Attributes:
        stages: (S,) the numbers of the stages.
        days: (S,) days that subjects were at each stage, together.
        spells: (S,) how often a subject came to a stage, or was first seen there.
        moves: (S, S) how often a subject went from one stage to another.
        now: subject -> its last known stage.
    """

    stages: tuple[int, ...]
    days: NDArray[np.float64] = attrs.field(converter=freeze)
    spells: NDArray[np.int64] = attrs.field(converter=freeze)
    moves: NDArray[np.int64] = attrs.field(converter=freeze)
    now: dict[str, int]

    @property
    def rates(self) -> NDArray[np.float64]:
        """(S, S) moves per day, the maximum likelihood estimate of a Markov process.

        0 where a stage was never seen.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = np.where(self.days[:, None] > 0, self.moves / self.days[:, None], 0.0)
        return np.asarray(rates)

    def forecast(self, level: int, within: SpanLike) -> dict[int, float]:
        """The probability of each stage after a time, if things go on as they did.

        The stages are taken for a Markov process in continuous time with :attr:`rates`: how long a
        subject has been at its stage does not matter. The matrix exponential is summed by
        uniformization (Jensen 1953), exact but for rounding.

        Args:
            level: The stage now.
            within: After how long, such as ``"365d"``.

        Returns:
            stage -> probability. A stage that nobody was ever seen to leave is never left.

        Raises:
            DataError: There is no such stage.
        """
        if level not in self.stages:
            raise DataError(f"no stage {level!r}; there are {list(self.stages)}")
        days = span_us(within, name="within") / _DAY_US
        leave = self.rates.sum(axis=1)
        rate = float(leave.max(initial=0.0))
        if not rate:
            return {n: float(n == level) for n in self.stages}
        jump = self.rates / rate
        jump[np.diag_indices(len(leave))] = 1 - leave / rate
        # The matrix of a time of at most one jump, squared up to the whole time.
        doublings = max(0, math.ceil(math.log2(max(rate * days, 1.0))))
        jumps = rate * days / 2**doublings
        term, weight = np.eye(len(leave)), math.exp(-jumps)
        moved, k = term * weight, 0
        while weight > _SMALL:
            k += 1
            term, weight = term @ jump, weight * jumps / k
            moved = moved + term * weight
        for _ in range(doublings):
            moved = moved @ moved
            moved /= moved.sum(axis=1, keepdims=True)
        chance = moved[self.stages.index(level)]
        return dict(zip(self.stages, chance.tolist(), strict=True))

    def columns(self) -> dict[str, ColumnLike]:
        """Stage, how often and how long subjects were there, and where they went."""
        n = np.array(self.stages)
        up = np.array([self.moves[i, n > stage].sum() for i, stage in enumerate(n)])
        down = np.array([self.moves[i, n < stage].sum() for i, stage in enumerate(n)])
        left = up + down
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(left > 0, self.days / left, np.nan)
        return {
            "stage": n,
            "spells": self.spells,
            "days": self.days,
            "up": up,
            "down": down,
            "mean_days_in_stage": mean,
        }

    def title(self) -> str:
        """How many subjects."""
        return f"time in stage of {len(self.now):,} subjects"

    def notes(self) -> list[str]:
        """What the mean takes into account."""
        return [
            "mean days: days at the stage over moves away from it; stays that go on are counted"
        ]


def stage_history(
    rows: Iterable[tuple[str, InstantLike, int]],
    *,
    stages: Sequence[int],
    until: InstantLike | None = None,
) -> StageHistory:
    """Time in stage and moves, from assessments over time.

    A subject is taken to be at a stage from the day of one assessment to the day of the next; the
    last stay goes on until ``until``, and so is cut off, not ended.

    Args:
        rows: (subject, day, level), in any order.
        stages: The numbers of all stages.
        until: When the observation ends; by default the last stay counts no days, for nothing is
            known of it.

    Raises:
        DataError: A level is no stage, or a subject has two levels at one instant.
        DefinitionError: ``until`` lies before an assessment.

    Example:
        >>> history = stage_history(
        ...     [("a", "2025-01-01", 1), ("a", "2025-07-01", 2), ("b", "2025-01-01", 1)],
        ...     stages=[1, 2, 3],
        ...     until="2026-01-01",
        ... )
        >>> history.days.tolist()  # 181 of a and 365 of b at stage 1
        [546.0, 184.0, 0.0]
        >>> round(history.forecast(1, "546d")[1], 4)  # exp(-1)
        0.3679
    """
    places = {n: i for i, n in enumerate(stages)}
    seen: dict[str, dict[int, int]] = {}
    for number, (subject, when, level) in enumerate(rows):
        at = instant_us(when, name=f"row {number}")
        if level not in places:
            raise DataError(f"row {number}: level {level!r} is no stage; there are {list(stages)}")
        own = seen.setdefault(str(subject), {})
        if own.setdefault(at, level) != level:
            raise DataError(
                f"row {number}: {subject!r} has levels {own[at]} and {level} at the same instant; "
                "combine assessors first"
            )
    end = None if until is None else instant_us(until, name="until")
    days = np.zeros(len(places))
    spells, moves = np.zeros(len(places), np.int64), np.zeros((len(places),) * 2, np.int64)
    for subject, own in seen.items():
        times = sorted(own)
        if end is not None and times[-1] > end:
            raise DefinitionError(f"until lies before the last assessment of {subject!r}")
        spells[places[own[times[0]]]] += 1
        for first, second in pairwise(times):
            a, b = places[own[first]], places[own[second]]
            days[a] += (second - first) / _DAY_US
            if a != b:
                moves[a, b] += 1
                spells[b] += 1
        if end is not None:
            days[places[own[times[-1]]]] += (end - times[-1]) / _DAY_US
    now = {subject: own[max(own)] for subject, own in seen.items()}
    return StageHistory(stages=tuple(stages), days=days, spells=spells, moves=moves, now=now)
