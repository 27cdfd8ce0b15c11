"""The difference of two groups, cell by cell, with a test that knows how many cells there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Label
from cxkit.core.intervals import check_level, rate_difference
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS, merge_all
from cxkit.core.uniques import unique_sequences
from cxkit.errors import DefinitionError, MergeError
from cxkit.flow.paths import END, START, show_path, text_labels
from cxkit.flow.pathways.pathvariants import PathVariants
from cxkit.flow.pathways.patternresults import CONTROLS
from cxkit.flow.steps.nextsteps import Transitions
from cxkit.flow.steps.stepflows import StepFlows

__all__ = ["FlowDifference", "difference"]

_NUMBERS: Final = (
    "count_a", "count_b", "share_a", "share_b",
    "difference", "difference_low", "difference_high", "p", "p_adjusted",
)  # fmt: skip


def difference(
    a: Transitions | StepFlows | PathVariants,
    b: Transitions | StepFlows | PathVariants,
    *,
    control: str = "holm",
    fewest: int = 10,
    level: float = 0.95,
) -> FlowDifference:
    """Where two groups of journeys move differently: share by share, with a test.

    Shares are those that the result of the summary shows: of the steps on from a label for
    :class:`~cxkit.flow.Transitions`, of all journeys for :class:`~cxkit.flow.StepFlows` and
    :class:`~cxkit.flow.PathVariants`. A shard of customers is left out of both groups at once, so
    the test holds whether the groups share customers (two months) or not (two segments). It takes
    customers for independent draws; with very few cases in a cell it is rough, which is why rare
    cells are not tested.

    Args:
        a: The summary of one group.
        b: That of the other, of the same kind and with the same parameters.
        control: Of chance findings among the many cells: ``"holm"`` keeps the chance of a single
            one below the limit that ``p_adjusted`` is compared with, ``"benjamini-hochberg"`` their
            expected share, ``"none"`` nothing.
        fewest: Cells that were counted fewer times than this, both groups together, are not tested
            and not listed.
        level: Of the intervals, each taken alone.

    Raises:
        MergeError: The summaries are not of one kind, or have other parameters.
        DefinitionError: ``control`` is none of the three.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(400, rng=1).journeys
        >>> a, b = (Transitions.of(part, by="event") for part in (journeys[:200], journeys[200:]))
        >>> found = difference(a, b)
        >>> tested = ~np.isnan(found.p)
        >>> bool((found.p_adjusted >= found.p)[tested].all())
        True
    """
    check_level(level)
    if control not in CONTROLS:
        raise DefinitionError(f"control must be one of {list(CONTROLS)}; found {control!r}")
    if type(a) is not type(b) or not isinstance(a, (Transitions, StepFlows, PathVariants)):
        raise MergeError(
            f"cannot compare {type(a).__name__} with {type(b).__name__}; give two summaries of one "
            "kind: Transitions, StepFlows or PathVariants"
        )
    both: Any = merge_all([a, b])  # refuses other parameters
    layout = _LAYOUTS[_kind(both)](both)
    counted = getattr(both, layout.total)
    real = layout.cell >= 0
    total = np.zeros(layout.cells, np.int64)
    np.add.at(total, layout.cell[real], counted[real])
    kept = np.flatnonzero(total >= max(fewest, 1))
    first, second = (_spread(both, group, layout, kept) for group in (a, b))
    share_a, share_b, found, _ = rate_difference(first, second, both.occupied(), level=level)
    order = np.lexsort([-np.abs(np.nan_to_num(found.difference)), np.nan_to_num(found.p, nan=2.0)])
    return FlowDifference(
        control=control,
        names=layout.names(kept[order]),
        count_a=first[0].sum(axis=0)[order],
        count_b=second[0].sum(axis=0)[order],
        share_a=share_a[order],
        share_b=share_b[order],
        difference=found.difference[order],
        difference_low=found.low[order],
        difference_high=found.high[order],
        p=found.p[order],
        p_adjusted=CONTROLS[control](found.p)[order],
        not_listed=int((total > 0).sum()) - len(kept),
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class FlowDifference(Result):
    """How two groups differ: one row per cell, the smallest p-value first.

    Attributes:
        control: How many tests at once are taken care of.
        names: What tells cells apart: from and to, step, or path.
        count_a: (n,) how often in the one group.
        count_b: (n,) how often in the other.
        share_a: (n,) share in the one; NaN if it has none of what the share is of.
        share_b: (n,) share in the other.
        difference: (n,) ``share_b - share_a``.
        difference_low: (n,) low end of its interval; NaN for too few customers.
        difference_high: (n,) high end.
        p: (n,) chance of a difference as large if there were none.
        p_adjusted: (n,) the same, for all cells together.
        not_listed: Cells that are too rare to be tested.
    """

    control: str
    names: Mapping[str, list[Any]]
    count_a: IntArray = attrs.field(converter=freeze)
    count_b: IntArray = attrs.field(converter=freeze)
    share_a: NDArray[np.float64] = attrs.field(converter=freeze)
    share_b: NDArray[np.float64] = attrs.field(converter=freeze)
    difference: NDArray[np.float64] = attrs.field(converter=freeze)
    difference_low: NDArray[np.float64] = attrs.field(converter=freeze)
    difference_high: NDArray[np.float64] = attrs.field(converter=freeze)
    p: NDArray[np.float64] = attrs.field(converter=freeze)
    p_adjusted: NDArray[np.float64] = attrs.field(converter=freeze)
    not_listed: int

    def columns(self) -> Mapping[str, Any]:
        """One row per cell."""
        return {**self.names, **{name: getattr(self, name) for name in _NUMBERS}}

    def title(self) -> str:
        """How many cells differ."""
        clear = int((self.p_adjusted < 0.05).sum())
        return f"difference of two groups: {clear:,} of {len(self.p):,} cells below p_adjusted 0.05"

    def notes(self) -> tuple[str, ...]:
        """What was controlled, and what is not in the table."""
        rare = (f"too rare to test: {self.not_listed:,} cells",) if self.not_listed else ()
        unknown = int(np.isnan(self.p).sum())
        few = (f"without a test, too few customers: {unknown:,} cells",) if unknown else ()
        return (f"difference: b less a; p_adjusted: {self.control}", *rare, *few)


class _Layout(NamedTuple):
    """The cells of a summary.

    Attributes:
        total: The name of the total that is compared.
        cell: (R,) the cell of each row; -1 for none.
        cells: How many there are.
        names: What tells chosen cells apart, column by column.
        source: (cells,) of which label's steps each is a share; ``None`` for a share of all.
    """

    total: str
    cell: IntArray
    cells: int
    names: Callable[[IntArray], dict[str, list[Any]]]
    source: IntArray | None = None


def _of_transitions(both: Transitions) -> _Layout:
    edge = len(both.labels) + 1
    codes = both.codes.astype(np.int64)
    inner = (codes != edge).all(axis=1)
    pair = codes[:, 0] * (edge + 1) + codes[:, 1]
    known = np.unique(pair[inner])
    cell = np.where(inner, np.searchsorted(known, pair), -1)

    def names(kept: IntArray) -> dict[str, list[Any]]:
        left, right = known[kept] // (edge + 1), known[kept] % (edge + 1)
        return {
            "from": Codes(left, both.labels).to_list(),
            "to": Codes(right, both.labels).to_list(),
        }

    return _Layout("count", cell, len(known), names, known // (edge + 1))


def _of_steps(both: StepFlows) -> _Layout:
    edge = len(both.labels) + 1
    codes = both.codes.astype(np.int64)
    key = (both.number.astype(np.int64) * (edge + 1) + codes[:, 0]) * (edge + 1) + codes[:, 1]
    known, cell = np.unique(key, return_inverse=True)
    shown: list[Label | None] = [*text_labels([*both.labels]), None]

    def names(kept: IntArray) -> dict[str, list[Any]]:
        step, pair = known[kept] // (edge + 1) ** 2, known[kept] % (edge + 1) ** 2
        return {
            "step": (step - both.window.before).tolist(),
            "from": [[*shown, START][at] for at in (pair // (edge + 1)).tolist()],
            "to": [[*shown, END][at] for at in (pair % (edge + 1)).tolist()],
        }

    return _Layout("count", cell, len(known), names)


def _of_variants(both: PathVariants) -> _Layout:
    first, cell = unique_sequences(both.offsets, both.codes)

    def names(kept: IntArray) -> dict[str, list[Any]]:
        rows = [slice(both.offsets[row], both.offsets[row + 1]) for row in first[kept].tolist()]
        return {"path": [show_path(Codes(both.codes[r], both.labels).to_list()) for r in rows]}

    return _Layout("journeys", cell, len(first), names)


_LAYOUTS: Final[dict[type, Callable[[Any], _Layout]]] = {
    Transitions: _of_transitions,
    StepFlows: _of_steps,
    PathVariants: _of_variants,
}


def _kind(both: Any) -> type:
    return next(kind for kind in _LAYOUTS if isinstance(both, kind))


def _spread(both: Any, group: Any, layout: _Layout, kept: IntArray) -> tuple[IntArray, IntArray]:
    """(SHARDS, kept) counts of one group, and what they are shares of."""
    # A group laid over the rows of both: added to both with nothing counted, it has those rows.
    nothing = {
        field.name: np.zeros_like(getattr(both, field.name))
        for field in both.fields("total")
        if field.name in {layout.total, "windows"}
    }
    laid = attrs.evolve(both, **nothing) + group
    count, shard, cell = getattr(laid, layout.total), laid.shard, layout.cell
    place = np.full(layout.cells + 1, -1)  # one more, for rows without a cell
    place[kept] = np.arange(len(kept))
    listed = place[cell] >= 0
    part = np.zeros((SHARDS, len(kept)), np.int64)
    np.add.at(part, (shard[listed], place[cell[listed]]), count[listed])
    if layout.source is not None:
        real = cell >= 0
        leaving = np.zeros((SHARDS, int(layout.source.max(initial=-1)) + 1), np.int64)
        np.add.at(leaving, (shard[real], layout.source[cell[real]]), count[real])
        return part, leaving[:, layout.source[kept]]
    whole = laid.windows if isinstance(laid, StepFlows) else np.zeros(SHARDS, np.int64)
    if not isinstance(laid, StepFlows):
        np.add.at(whole, shard, count)
    return part, np.repeat(whole[:, np.newaxis], len(kept), axis=1)
