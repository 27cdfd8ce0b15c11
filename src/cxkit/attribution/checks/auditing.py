"""How far shares move when the log, or the way to look at it, is a little different."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.chains.markov import Markov
from cxkit.attribution.checks.audit_changes import every_change, needed_columns
from cxkit.attribution.models import AttributionModel, check_model
from cxkit.attribution.results import label_name
from cxkit.attribution.touchpaths.cutting import PathOptions, PathRule, as_path_rule
from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.progress import ProgressLike, steps
from cxkit.core.result import ColumnLike, Result, show_label
from cxkit.core.spans import SpanLike
from cxkit.errors import DefinitionError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Audit", "AuditShares", "audit"]

FloatArray = NDArray[np.float64]
Shares: TypeAlias = dict[Label | None, float]

_LOOKBACKS: Final = ("1d", "7d", "30d")
_GAPS: Final = ("30min", "1d")
_PARTS: Final = (0.05, 0.2)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Audit(Result):
    """How far the share of each label moves under each change. C changes, L labels.

    Attributes:
        rule: What a path and a touch are, unchanged.
        model: The model.
        labels: The L labels; ``None`` last, if touches lack a label.
        share: (L,) their shares in the log as it is.
        change: (C,) what was changed.
        setting: (C,) to what, or how much of it.
        repeats: (C,) how often it was done; more than once where chance is in it.
        shares: (C, L) the mean of the shares under each change.
        spread: (C, L) the standard deviation over the repeats; NaN for one.
    """

    rule: PathRule
    model: AttributionModel
    labels: tuple[Label | None, ...]
    share: FloatArray = attrs.field(converter=freeze)
    change: tuple[str, ...]
    setting: tuple[str, ...]
    repeats: IntArray = attrs.field(converter=freeze)
    shares: FloatArray = attrs.field(converter=freeze)
    spread: FloatArray = attrs.field(converter=freeze)

    @property
    def shift(self) -> FloatArray:
        """(C, L) how far each share moved: the mean under the change less that of the log."""
        return self.shares - self.share

    def columns(self) -> dict[str, ColumnLike]:
        """change, setting, repeats, and how far shares moved.

        ``largest_shift`` is that of the label in ``moved_most`` (with its sign), ``mean_shift`` the
        mean of the absolute shifts, and ``reshared`` the part of all credit that changed hands,
        which is half their sum. NaN where nothing was attributed.
        """
        size = np.abs(self.shift)
        known = np.nan_to_num(size, nan=-1.0)
        most = known.argmax(axis=1) if len(self.labels) else np.zeros(len(self.change), int)
        largest = [row[i] if len(row) else np.nan for row, i in zip(self.shift, most, strict=True)]
        named = [show_label(self.labels[i]) if self.labels else "" for i in most.tolist()]
        labels = max(len(self.labels), 1)
        return {
            "change": self.change,
            "setting": self.setting,
            "repeats": self.repeats,
            "largest_shift": np.array(largest, np.float64),
            "moved_most": named,
            "mean_shift": size.sum(axis=1) / labels,
            "reshared": size.sum(axis=1) / 2,
        }

    def by_label(self) -> AuditShares:
        """Every share under every change."""
        return AuditShares(audit=self)

    def title(self) -> str:
        """The model and the goal."""
        return f"{self.model.name}: {self.rule.goal.name} by {self.rule.by}, shares under changes"

    def notes(self) -> list[str]:
        """What the changes are."""
        told = []
        if "session gap" in self.change:
            told.append("session gap: what happened in earlier visits earns nothing")
        if {"identity split", "touches lost", "touches duplicated"} & set(self.change):
            told.append("drawn by chance: conversions themselves are neither lost nor duplicated")
        return told


@attrs.frozen(eq=False, repr=False, kw_only=True)
class AuditShares(Result):
    """Every share under every change, one below the other.

    Attributes:
        audit: The audit.
    """

    audit: Audit

    def columns(self) -> dict[str, ColumnLike]:
        """change, setting, the label (under the name of ``by``), share, shift, spread."""
        given = self.audit
        labels, changes = len(given.labels), len(given.change)
        names = ("change", "setting", "share", "shift", "spread")
        return {
            "change": [name for name in given.change for _ in range(labels)],
            "setting": [setting for setting in given.setting for _ in range(labels)],
            label_name(given.rule.by, names): given.labels * changes,
            "share": given.shares.ravel(),
            "shift": given.shift.ravel(),
            "spread": given.spread.ravel(),
        }

    def title(self) -> str:
        """The model and the goal."""
        return self.audit.title()


def audit(
    journeys: Journeys | Journey,
    goal: GoalLike | PathRule,
    model: AttributionModel = Markov(),  # noqa: B008  # a frozen definition
    *,
    lookbacks: Iterable[SpanLike | None] = _LOOKBACKS,
    gaps: Iterable[SpanLike] = _GAPS,
    split: Iterable[float] = _PARTS,
    lost: Iterable[float] = _PARTS,
    duplicated: Iterable[float] = _PARTS,
    repeats: int = 5,
    rng: int | np.random.Generator = 0,
    progress: ProgressLike = None,
    **options: Unpack[PathOptions],
) -> Audit:
    """How far the shares move when the log, or the way to look at it, is a little different.

    A share that moves more under a change that nobody can rule out than from one month to the next
    is no ground for a budget. Intervals say what chance does to the shares; this says what choices
    and faults of the data do.

    Args:
        journeys: Journeys, or one journey.
        goal: The goal, the name of its event, or a whole path rule.
        model: How the credit is shared.
        lookbacks: Other lookbacks; ``None`` is none.
        gaps: Paths that end with a visit: pauses longer than this begin a new one.
        split: Parts of the customers who fall in two at one of their touchpoints, as when a device
            or a login is not recognised.
        lost: Parts of the touchpoints that are missing, apart from conversions.
        duplicated: Parts of the touchpoints that are there twice, apart from conversions.
        repeats: How often to do what chance is in.
        rng: Seed or generator.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)``.
        options: The further arguments of :class:`PathRule`.

    Returns:
        A row for each change.

    Raises:
        UnknownLabelError: The goal, or a touch, is no event of the data.
        SchemaError: There is no column ``by``, or it holds numbers.
        DefinitionError: An argument cannot be read.

    Example:
        >>> import cxkit as cx
        >>> world = cx.simulate.retail(300, rng=1)
        >>> found = audit(
        ...     world.journeys, "purchase", cx.attribution.Linear(), goal_is_touch=False,
        ...     lookbacks=["1d"], gaps=[], split=[0.2], lost=[], duplicated=[0.2], rng=1,
        ... )  # fmt: skip
        >>> found
        linear: purchase by channel, shares under changes
        change              setting  repeats  largest_shift  moved_most  mean_shift  reshared
        lookback            1d             1         0.1370  store           0.0659    0.2638
        identity split      20%            5         0.0142  web             0.0037    0.0150
        touches duplicated  20%            5        -0.0028  web             0.0009    0.0037
        drawn by chance: conversions themselves are neither lost nor duplicated
    """
    journeys = as_journeys(journeys)
    model = check_model(model)
    rule = as_path_rule(goal, **options)
    rule.require(journeys)
    if isinstance(repeats, bool) or repeats < 1:
        raise DefinitionError(f"repeats must be a whole number from 1 up; found {repeats!r}")
    changes = every_change(
        lookbacks=lookbacks, gaps=gaps, split=split, lost=lost, duplicated=duplicated
    )
    journeys = needed_columns(journeys, rule)
    before = _shares(journeys, rule, model)
    often = [repeats if change.drawn else 1 for change in changes]
    after: list[list[Shares]] = []
    streams = np.random.default_rng(rng).spawn(len(changes))
    with steps("changes", sum(often), progress) as step:
        for times, change, stream in zip(often, changes, streams, strict=True):
            after.append([])
            for _ in range(times):
                after[-1].append(_shares(*change.make(journeys, rule, stream), model))
                step()
    # A change may bring touches that lack a label where there were none before.
    labels = tuple(before)
    if None not in before and any(None in one for found in after for one in found):
        labels = (*labels, None)
    mean = np.zeros((len(changes), len(labels)))
    spread = np.full((len(changes), len(labels)), np.nan)
    for at, found in enumerate(after):
        rows = np.array([[one.get(label, 0.0) for label in labels] for one in found], np.float64)
        mean[at] = rows.mean(axis=0)
        if len(rows) > 1:
            spread[at] = rows.std(axis=0, ddof=1)
    return Audit(
        rule=rule,
        model=model,
        labels=labels,
        share=np.array([before.get(label, 0.0) for label in labels], np.float64),
        change=tuple(change.name for change in changes),
        setting=tuple(change.setting for change in changes),
        repeats=np.array(often, np.int64),
        shares=mean,
        spread=spread,
    )


def _shares(journeys: Journeys, rule: PathRule, model: AttributionModel) -> Shares:
    """The share of each label, and of touches without one if there are any."""
    summary = model.count(JourneyPaths(journeys, rule))
    share = summary.quantities(None)["share"][0].tolist()
    touched = summary.base().touchpoints.tolist()
    named = [*summary.labels, None]
    return {
        label: s
        for label, s, t in zip(named, share, touched, strict=True)
        if t or label is not None
    }
