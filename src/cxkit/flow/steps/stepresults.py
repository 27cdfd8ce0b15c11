"""What steps look like: the links of a Sankey diagram, and the matrix of labels by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import divide, share_interval
from cxkit.core.result import Result
from cxkit.flow.paths import END, START, few_customers, text_labels
from cxkit.flow.pathways.around import Around

__all__ = ["Sankey", "StepMatrix"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Sankey(Result):
    """How journeys flow from step to step: one row per link.

    Attributes:
        by: The column.
        window: Where steps are counted from.
        total: Journeys (or windows around the event) in all; every share is a part of it.
        step: (L,) the step of ``source``: 0 is the first touchpoint, or the event.
        source: The label that is left; ``"(start)"`` where the journey begins only now.
        target: The label that follows; ``"(end)"`` where the journey is over.
        count: (L,) how many.
        share: (L,) of all.
        share_low: (L,) low end of its interval; NaN for too few customers.
        share_high: (L,) high end.
    """

    by: str
    window: Around
    total: int
    step: IntArray = attrs.field(converter=freeze)
    source: tuple[str | None, ...]
    target: tuple[str | None, ...]
    count: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    @classmethod
    def of_counts(
        cls,
        *,
        by: str,
        window: Around,
        names: list[Label | None],
        step: IntArray,
        source: IntArray,
        target: IntArray,
        part: IntArray,
        windows: IntArray,
        occupied: NDArray[np.bool_],
        level: float,
    ) -> Self:
        """From counts in shards; ``source`` and ``target`` point into names, or past the last."""
        shown = text_labels(names)
        whole = windows[:, np.newaxis]
        low, high = share_interval(part, whole, occupied, level=level)
        return cls(
            by=by,
            window=window,
            total=int(windows.sum()),
            step=step,
            source=tuple([*shown, START][at] for at in source.tolist()),
            target=tuple([*shown, END][at] for at in target.tolist()),
            count=part.sum(axis=0),
            share=divide(part.sum(axis=0), whole.sum(axis=0)),
            share_low=low,
            share_high=high,
        )

    def columns(self) -> Mapping[str, Any]:
        """One row per link, step by step, the widest first; a missing label is ``None``."""
        return {
            "step": self.step,
            "from": list(self.source),
            "to": list(self.target),
            "count": self.count,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }

    def nodes(self) -> dict[str, list[Any]]:
        """The nodes that links join: step, label, count and share.

        A node's count is what flows in, or out where nothing can flow in: the first step.
        ``"(end)"`` at a step holds the journeys that ended with the step before.
        """
        inflow: dict[tuple[int, str | None], int] = {}
        outflow: dict[tuple[int, str | None], int] = {}
        rows = zip(self.step.tolist(), self.source, self.target, self.count.tolist(), strict=True)
        for step, source, target, count in rows:
            outflow[step, source] = outflow.get((step, source), 0) + count
            inflow[step + 1, target] = inflow.get((step + 1, target), 0) + count
        keys = sorted({*inflow, *outflow}, key=lambda k: (k[0], str(k[1])))
        counts = [max(inflow.get(key, 0), outflow.get(key, 0)) for key in keys]
        return {
            "step": [step for step, _ in keys],
            "label": [label for _, label in keys],
            "count": counts,
            "share": [count / self.total for count in counts],
        }

    def title(self) -> str:
        """What was counted."""
        return f"steps by {self.by}: {_whole(self.window, self.total)}"

    def notes(self) -> tuple[str, ...]:
        """What the share is a share of."""
        told = "share: of all, also of those that are over by then"
        return (told, *_outside(self.window), *few_customers(self.share_low))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class StepMatrix(Result):
    """Where journeys are at each step: one row per label, one column per step.

    Attributes:
        by: The column.
        window: Where steps are counted from.
        total: Journeys (or windows around the event) in all.
        rows: The R labels, most frequent first; then, where they occur, ``"(start)"`` (not begun
            yet) and ``"(end)"`` (over).
        steps: (S,) 0 is the first touchpoint, or the event.
        count: (R, S) how many; each step adds up to ``total``.
        share: (R, S) of all.
        share_low: (R, S) low end of its interval; NaN for too few customers.
        share_high: (R, S) high end.
    """

    by: str
    window: Around
    total: int
    rows: tuple[Label | None, ...]
    steps: IntArray = attrs.field(converter=freeze)
    count: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)

    @classmethod
    def of_counts(
        cls,
        *,
        by: str,
        window: Around,
        names: list[Label | None],
        part: IntArray,
        windows: IntArray,
        occupied: NDArray[np.bool_],
        level: float,
    ) -> Self:
        """From (SHARDS, names, steps) counts; what is not there has not begun, or is over."""
        steps = np.arange(part.shape[2]) - window.before
        missing = windows[:, np.newaxis] - part.sum(axis=1)
        rows: list[Label | None] = list(names)
        for name, when in ((START, steps < 0), (END, steps > 0)):
            lost = np.where(when, missing, 0)
            if lost.any():
                rows = [*text_labels(rows), name]
                part = np.concatenate([part, lost[:, np.newaxis]], axis=1)
        flat = part.reshape(len(part), -1)
        shape = part.shape[1:]
        whole = windows[:, np.newaxis]
        # All have the event where the window lies around it.
        event = np.broadcast_to((steps == 0) & (by == "event") & (window.event is not None), shape)
        low, high = share_interval(flat, whole, occupied, level=level, certain=event.ravel())
        return cls(
            by=by,
            window=window,
            total=int(windows.sum()),
            rows=tuple(rows),
            steps=steps,
            count=flat.sum(axis=0).reshape(shape),
            share=divide(flat.sum(axis=0), whole.sum(axis=0)).reshape(shape),
            share_low=low.reshape(shape),
            share_high=high.reshape(shape),
        )

    def columns(self) -> Mapping[str, Any]:
        """The label (under the name of the column), then its share at every step."""
        sign = "+d" if self.window.before else "d"
        shares = {
            f"{step:{sign}}": self.share[:, at] for at, step in enumerate(self.steps.tolist())
        }
        return {self.by: list(self.rows), **shares}

    def title(self) -> str:
        """What was counted."""
        return f"share at each step by {self.by}: {_whole(self.window, self.total)}"

    def notes(self) -> tuple[str, ...]:
        """What is outside."""
        return (*_outside(self.window), *few_customers(self.share_low))


def _whole(window: Around, total: int) -> str:
    if window.event is None:
        return f"{total:,} journeys from their first touchpoint"
    if window.which == "every":
        return f"{total:,} windows around {window.event.name}"
    return f"{total:,} journeys around their {window.which} {window.event.name}"


def _outside(window: Around) -> tuple[str, ...]:
    if window.within is None:
        return ()
    return (f"(start) and (end) are also what lies more than {window.within} away",)
