"""Matrices: labels by step, cohorts by time, and switches between channels."""

from __future__ import annotations

import math
from typing import Final

import attrs
import numpy as np

from cxkit.core.arrays import IntArray
from cxkit.flow.friction.disconnectresults import SwitchTable
from cxkit.flow.paths import END, OTHER, START
from cxkit.flow.retention.retentiontables import RetentionTable
from cxkit.flow.steps.stepresults import StepMatrix
from cxkit.plot.folding import Folded, check_top, fold_labels, other_name
from cxkit.plot.grids import grid
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Scene
from cxkit.plot.words import short_number, show_name

__all__ = [
    "RetentionPicture",
    "StepMatrixPicture",
    "SwitchPicture",
    "retention",
    "step_matrix",
    "switches",
]

_MOST_COHORTS: Final = 40


def step_matrix(result: StepMatrix) -> StepMatrixPicture:
    """A picture of where journeys are at each step.

    Args:
        result: What :func:`cxkit.flow.step_matrix` returned.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> picture = step_matrix(cx.flow.step_matrix(journeys, by="channel", steps=4))
        >>> round(sum(row["0"] for row in picture.data().to_dicts()), 9)
        1.0
    """
    return StepMatrixPicture(result)


@attrs.frozen(eq=False, repr=False)
class StepMatrixPicture(Picture):
    """A picture of where journeys are at each step.

    Attributes:
        result: What it draws.
    """

    result: StepMatrix

    def data(self) -> Drawn:
        """One row per label."""
        found = self.result
        ends = " and ".join(name for name in (START, END) if name in found.rows)
        why = f"{ends}: not begun, or over; " if ends else ""
        return Drawn(
            named=found.columns(),
            heading=f"Where journeys are, by {show_name(found.by)}",
            said=(f"percent of {found.total:,} journeys; {why}each column sums to 100",),
        )

    def scene(self) -> Scene:
        """The grid."""
        found = self.result
        event = found.window.event
        names = [
            str(step + 1) if event is None else show_name(event.name) if step == 0 else f"{step:+d}"
            for step in found.steps.tolist()
        ]
        strength = found.share / max(float(np.nan_to_num(found.share).max(initial=0.0)), 1e-12)
        shapes, width, height = grid(
            found.rows,
            names,
            strength,
            [[_percent(v) for v in row] for row in found.share.tolist()],
            quiet=(START, END, OTHER),
        )
        return page(
            shapes, max(width, 360.0), height, self.data(), f"{len(found.rows)} labels by step."
        )


def retention(result: RetentionTable) -> RetentionPicture:
    """A picture of retention: cohorts down, time across; open cells are marked.

    Args:
        result: What :meth:`Retention.count <cxkit.flow.Retention.count>` returned.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> weekly = cx.flow.Retention(until="2024-04-01", brackets=4)
        >>> len(retention(weekly.count(journeys)).data()) > 4
        True
    """
    return RetentionPicture(result)


@attrs.frozen(eq=False, repr=False)
class RetentionPicture(Picture):
    """A picture of retention.

    Attributes:
        result: What it draws.
    """

    result: RetentionTable

    def data(self) -> Drawn:
        """One row per cohort and bracket."""
        found = self.result
        said = ["percent of the cohort who come back"]
        if not found.complete.all():
            said.append(
                "empty: open when the data ended; dashed: open for some, of those who had the time"
            )
        if len(found.cohort) > _MOST_COHORTS:
            said.append(f"the last {_MOST_COHORTS} of {len(found.cohort):,} cohorts are drawn")
        return Drawn(
            named=found.columns(),
            heading=f"Who comes back, by {found.retention.every}",
            said=("; ".join(said), *(str(note) for note in found.notes()[:1])),
        )

    def scene(self) -> Scene:
        """The grid; a triangle, as young cohorts have not had much time."""
        found = self.result
        rows = slice(max(len(found.cohort) - _MOST_COHORTS, 0), None)
        rate = found.rate[rows]
        names = [
            f"{day}  ({many:,})"
            for day, many in zip(
                found.cohort[rows].tolist(), found.journeys[rows].tolist(), strict=True
            )
        ]
        top = max(float(np.nan_to_num(rate).max(initial=0.0)), 1e-12)
        shapes, width, height = grid(
            names,
            found.retention.bracket_names,
            rate / top,
            [[_percent(v) for v in row] for row in rate.tolist()],
            marked=~found.complete[rows] & np.isfinite(rate),
            wide=40.0,
        )
        told = f"{len(names)} cohorts by {rate.shape[1]} brackets."
        return page(shapes, max(width, 400.0), height, self.data(), told)


def switches(result: SwitchTable, *, top: int = 10) -> SwitchPicture:
    """A picture of channel switches: from row to column, and how seamless they are.

    Args:
        result: What :meth:`DisconnectRule.count <cxkit.flow.DisconnectRule.count>` returned.
        top: How many channels are drawn by themselves; the others are one.

    Raises:
        DefinitionError: ``top`` is no whole number from 1 up.

    Example:
        >>> import cxkit as cx
        >>> journeys = cx.simulate.retail(300, rng=1).journeys
        >>> rule = cx.flow.DisconnectRule("campaign", signals="support_call")
        >>> found = rule.count(journeys)
        >>> rows = switches(found, top=3).data().to_dicts()
        >>> sum(row["switches"] for row in rows) == found.total["switches"]
        True
    """
    return SwitchPicture(result, check_top(top))


@attrs.frozen(eq=False, repr=False)
class SwitchPicture(Picture):
    """A picture of channel switches.

    Attributes:
        result: What it draws.
        top: How many channels are drawn by themselves.
    """

    result: SwitchTable
    top: int

    def data(self) -> Drawn:
        """One row per pair of channels after putting together; ``seamless`` is kept / known."""
        names, counts, folded = self._counts()
        source, target = np.nonzero(counts[0])
        every, kept, lost, moments = counts[:, source, target]
        known = kept + lost
        share = np.divide(kept, known, out=np.full(len(kept), np.nan), where=known > 0)
        said = "switches · percent of them that keep the context, where it is known"
        if folded.others:
            said += f"; other ({folded.others:,}): all further channels"
        return Drawn(
            named={
                "from": [names[k] for k in source.tolist()],
                "to": [names[k] for k in target.tolist()],
                "switches": every,
                "kept": kept,
                "lost": lost,
                "seamless": share,
                "disconnects": moments,
            },
            heading=f"Switches of {show_name(self.result.rule.by)}, from row to column",
            said=(f"{said}; colour: the part whose context is lost",),
        )

    def scene(self) -> Scene:
        """The grid."""
        names, counts, _ = self._counts()
        every, kept, lost, _ = counts
        known = kept + lost
        part = np.divide(lost, known, out=np.full(known.shape, np.nan), where=known > 0)
        told = [
            [
                ""
                if not every[a, b]
                else f"{short_number(every[a, b])} · {100 * (1 - part[a, b]):.0f}%"
                if known[a, b]
                else short_number(every[a, b])
                for b in range(len(names))
            ]
            for a in range(len(names))
        ]
        shapes, width, height = grid(names, names, part, told, wide=74.0)
        return page(shapes, max(width, 420.0), height, self.data(), f"{len(names)} channels.")

    def _counts(self) -> tuple[list[str], IntArray, Folded]:
        """Names, and (4, n, n) switches, kept, lost and disconnects."""
        found = self.result
        numbers = found.columns()
        labels = list(dict.fromkeys([*found.channel_from, *found.channel_to]))
        place = {label: k for k, label in enumerate(labels)}
        source = np.array([place[a] for a in found.channel_from], np.int64)
        target = np.array([place[b] for b in found.channel_to], np.int64)
        every = np.asarray(numbers["switches"], np.int64)
        weight = np.zeros(len(labels), np.int64)
        np.add.at(weight, source, every)
        np.add.at(weight, target, every)
        folded = fold_labels(weight, self.top)
        names = [show_name(labels[k]) for k in folded.kept.tolist()]
        names += [other_name(folded.others)] * bool(folded.others)
        counts = np.zeros((4, len(names), len(names)), np.int64)
        for at, name in enumerate(("switches", "kept", "lost", "disconnects")):
            added = np.asarray(numbers[name], np.int64)
            np.add.at(counts[at], (folded.group[source], folded.group[target]), added)
        return names, counts, folded


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return ""
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"
