"""Two groups compared rate by rate: steps of a funnel, brackets of retention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.intervals import check_level, rate_difference
from cxkit.core.multiplicity import benjamini_hochberg, holm
from cxkit.core.result import Result
from cxkit.errors import DefinitionError, MergeError
from cxkit.flow.funnels.funnelcounts import FunnelCounts, step_before
from cxkit.flow.funnels.funnelgroups import FunnelSegments

__all__ = ["RateDifference", "compare_funnels", "compare_rates", "compare_segments"]

_CONTROLS: Final[Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": lambda p: np.asarray(p, np.float64),
}
_OF: Final = ("entered", "before")


def compare_funnels(
    a: FunnelCounts,
    b: FunnelCounts,
    *,
    of: Literal["entered", "before"] = "entered",
    control: Literal["holm", "benjamini-hochberg", "none"] = "holm",
    level: float = 0.95,
) -> RateDifference:
    """Where two groups of journeys get differently far through the same funnel.

    A shard of customers is left out of both groups at once, so the test holds whether the groups
    share customers (two months) or not (two segments). It takes customers for independent draws.

    Args:
        a: The counts of the one group.
        b: Those of the other.
        of: Shares of the journeys that ``"entered"``, or of those that reached the step
            ``"before"``.
        control: Of chance findings among the steps; the first step is not tested, as all of it
            entered.
        level: Of the intervals, each taken alone.

    Raises:
        MergeError: The funnels are not the same.
        DefinitionError: ``of`` or ``control`` is none of those.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(400, rng=1).journeys
        >>> funnel = cx.flow.Funnel(["page_view", "purchase"])
        >>> halves = journeys[:200], journeys[200:]
        >>> found = compare_funnels(*(FunnelCounts.of(half, funnel=funnel) for half in halves))
        >>> found.names["step"], bool(found.difference_low[1] < 0 < found.difference_high[1])
        (('page_view', 'purchase'), True)
    """
    if a.funnel != b.funnel:
        raise MergeError(
            f"cannot compare two funnels: {a.funnel!r} and {b.funnel!r}; count both with one"
        )
    names = {"step": tuple(a.funnel.step_names)}
    return _compared(a.reached, b.reached, (a + b).occupied(), names, of, control, level)


def compare_segments(
    counts: FunnelSegments,
    a: object,
    b: object,
    *,
    of: Literal["entered", "before"] = "entered",
    control: Literal["holm", "benjamini-hochberg", "none"] = "holm",
    level: float = 0.95,
) -> RateDifference:
    """Where two segments get differently far through a funnel; see :func:`compare_funnels`.

    Args:
        counts: The counts of all segments.
        a: The label of the one; ``None`` for missing.
        b: The label of the other.
        of: What shares are of.
        control: Of chance findings among the steps.
        level: Of the intervals.

    Raises:
        UnknownLabelError: There is no such segment.
        DefinitionError: ``of`` or ``control`` is none of those.
    """
    parts = []
    for label in (a, b):
        code = len(counts.labels) if label is None else counts.labels.index(label)  # type: ignore[arg-type]  # an unknown one is refused
        rows = counts.codes[:, 0] == code
        part = np.zeros((len(counts.outside), len(counts.funnel.steps)), np.int64)
        part[counts.shard[rows]] = counts.reached[rows]
        parts.append(part)
    names = {"step": tuple(counts.funnel.step_names)}
    return _compared(parts[0], parts[1], counts.occupied(), names, of, control, level)


def _compared(
    a: NDArray[Any],
    b: NDArray[Any],
    occupied: NDArray[np.bool_],
    names: Mapping[str, tuple[Any, ...]],
    of: str,
    control: Literal["holm", "benjamini-hochberg", "none"],
    level: float,
) -> RateDifference:
    if of not in _OF:
        raise DefinitionError(f"of is one of {list(_OF)}; found {of!r}")
    whole = [part[:, :1] if of == "entered" else step_before(part) for part in (a, b)]
    tested = np.arange(a.shape[1]) > 0
    return compare_rates(
        (a, whole[0]),
        (b, whole[1]),
        occupied,
        names=names,
        tested=tested,
        control=control,
        level=level,
    )


def compare_rates(
    a: tuple[NDArray[Any], NDArray[Any]],
    b: tuple[NDArray[Any], NDArray[Any]],
    occupied: NDArray[np.bool_],
    *,
    names: Mapping[str, tuple[Any, ...]],
    tested: NDArray[np.bool_],
    control: Literal["holm", "benjamini-hochberg", "none"] = "holm",
    level: float = 0.95,
) -> RateDifference:
    """Compare n rates of two groups.

    Args:
        a: (SHARDS, n) counts of the one group, and (SHARDS, n) or (SHARDS, 1) what they are of.
        b: The same of the other.
        occupied: (SHARDS,) which shards hold anything of either.
        names: What tells the rates apart.
        tested: (n,) which of them are tested at all.
        control: Of chance findings among those.
        level: Of the intervals.

    Raises:
        DefinitionError: ``control`` is none.
    """
    check_level(level)
    if control not in _CONTROLS:
        raise DefinitionError(f"control must be one of {list(_CONTROLS)}; found {control!r}")
    share_a, share_b, found, few = rate_difference(a, b, occupied, level=level)
    p = np.where(tested, found.p, np.nan)
    return RateDifference(
        control=control,
        names=dict(names),
        count_a=a[0].sum(axis=0),
        count_b=b[0].sum(axis=0),
        share_a=share_a,
        share_b=share_b,
        difference=found.difference,
        difference_low=np.where(tested, found.low, np.nan),
        difference_high=np.where(tested, found.high, np.nan),
        p=p,
        p_adjusted=_CONTROLS[control](p),
        few=few & tested,
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RateDifference(Result):
    """How the rates of two groups differ: one row per rate.

    Attributes:
        control: How chance findings among many tests are taken care of.
        names: What tells the rates apart, such as the step.
        count_a: (n,) counts of the one group.
        count_b: (n,) counts of the other.
        share_a: (n,) rate of the one; NaN if it has nothing that the rate is of.
        share_b: (n,) rate of the other.
        difference: (n,) ``share_b - share_a``.
        difference_low: (n,) low end of its interval; NaN for too few customers, or no test.
        difference_high: (n,) high end.
        p: (n,) chance of a difference as large if there were none (two-sided, Student's t).
        p_adjusted: (n,) the same, for all rows together.
        few: (n,) where a group has too few with or without to tell, so that there is no test.
    """

    control: str
    names: Mapping[str, tuple[Any, ...]]
    count_a: IntArray = attrs.field(converter=freeze)
    count_b: IntArray = attrs.field(converter=freeze)
    share_a: NDArray[np.float64] = attrs.field(converter=freeze)
    share_b: NDArray[np.float64] = attrs.field(converter=freeze)
    difference: NDArray[np.float64] = attrs.field(converter=freeze)
    difference_low: NDArray[np.float64] = attrs.field(converter=freeze)
    difference_high: NDArray[np.float64] = attrs.field(converter=freeze)
    p: NDArray[np.float64] = attrs.field(converter=freeze)
    p_adjusted: NDArray[np.float64] = attrs.field(converter=freeze)
    few: NDArray[np.bool_] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per rate."""
        names = {key: list(values) for key, values in self.names.items()}
        numbers = [field.name for field in attrs.fields(RateDifference)[2:-1]]
        return {**names, **{name: getattr(self, name) for name in numbers}}

    def title(self) -> str:
        """How many rates differ."""
        clear = int((self.p_adjusted < 0.05).sum())
        tests = int((~np.isnan(self.p)).sum())
        return f"difference of two groups: {clear:,} of {tests:,} rates below p_adjusted 0.05"

    def notes(self) -> tuple[str, ...]:
        """How to read it."""
        told = f"difference: b less a; p_adjusted: {self.control}"
        if few := int((self.few & ~np.isnan(self.difference)).sum()):
            return told, f"not tested, too few with or without it: {few:,} rates"
        return (told, "no row was tested: too few customers") if np.isnan(self.p).all() else (told,)
