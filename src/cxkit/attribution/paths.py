"""The distinct paths to a conversion, or to none, as a summary that adds up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.cutting import (
    PathRule,
    TouchesLike,
    conversion_values,
    cut_paths,
    find_touches,
    sum_by,
)
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.result import ColumnLike, Result, show_label
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.spans import SpanLike
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.errors import DataError
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["PathTable", "Paths"]

PathRow: TypeAlias = tuple[str | Sequence[Label | None], int, int, float]

_JOIN: Final = " > "


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Paths(SequenceSummary, JourneySummary):
    """How often each distinct path led to a conversion, and how often to none.

    A path is the sequence of the labels of its touches; a touch without a label is a slot of its
    own. Every model that does not need times can be answered from here: see
    :func:`~cxkit.attribution.attribute_paths`. A row is a path in one shard of customers; S rows.

    Attributes:
        rule: What a path and a touch are.
        conversions: (S,) how often the path led to a conversion.
        nulls: (S,) how often it led to none.
        value: (S,) what its conversions are worth; a value of NaN is worth nothing.
        unattributed_conversions: (SHARDS,) conversions whose path has no touch: nobody's credit.
        unattributed_value: (SHARDS,) what they are worth.
        untouched_nulls: (SHARDS,) null paths without a touch.

    Example:
        >>> paths = Paths.from_counts([("ad > mail", 2, 1, 100.0), ("mail", 1, 6, 30.0)])
        >>> paths.result()
        paths by channel: 3 conversions worth 130.0, 7 null paths
        path       touches  conversions  nulls    value    rate
        ad > mail        2            2      1  100.000  0.6667
        mail             1            1      6   30.000  0.1429
    """

    rule: PathRule = attrs.field(metadata=parameter(PathRule.from_dict))
    conversions: IntArray = attrs.field(metadata=total("sequence"))
    nulls: IntArray = attrs.field(metadata=total("sequence"))
    value: NDArray[np.float64] = attrs.field(metadata=total("sequence"))
    unattributed_conversions: IntArray = attrs.field(metadata=total("shard"))
    unattributed_value: NDArray[np.float64] = attrs.field(metadata=total("shard"))
    untouched_nulls: IntArray = attrs.field(metadata=total("shard"))

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        goal: GoalLike,
        by: str = "channel",
        lookback: SpanLike | None = None,
        goal_is_touch: bool = True,
        touches: TouchesLike = None,
    ) -> Self:
        """Count the paths of journeys; the arguments are those of ``PathRule``.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        journeys = as_journeys(journeys)
        rule = PathRule(
            goal, by=by, lookback=lookback, goal_is_touch=goal_is_touch, touches=touches
        )
        labels = journeys.codes(rule.by)
        goals = rule.goal.matches(journeys)
        cut = cut_paths(journeys.offsets, goals)
        keep = rule.is_touch(journeys, goals)
        codes, counts = find_touches(journeys, rule, cut, keep, labels.codes)
        value = np.zeros(len(counts))
        value[: cut.conversions] = conversion_values(journeys, cut.last[: cut.conversions])
        converted = np.arange(len(counts)) < cut.conversions
        shard = journeys.row_shards[cut.last]
        return cls._count(
            rule, Codes(codes, labels.vocabulary), counts, shard, converted, ~converted, value
        )

    @classmethod
    def from_counts(
        cls,
        rows: Iterable[PathRow],
        *,
        separator: str = ">",
        goal: GoalLike = "conversion",
        by: str = "channel",
    ) -> Self:
        """Paths that another tool has counted.

        The customers behind them are not known, so results have no intervals.

        Args:
            rows: ``(path, conversions, nulls, value)``. The path is text such as ``"ad > mail"`` or
                a sequence of labels (``None`` for a missing one); the empty path has no touch. The
                value is that of all its conversions together; NaN is worth nothing. Paths may
                repeat.
            separator: What stands between labels in a path of text; spaces around it are dropped.
            goal: The goal that the conversions reached.
            by: The column that the labels are of.

        Raises:
            DataError: A row is not of this form, a count is no whole number from 0 up, or there is
                a value without a conversion.
        """
        flat: list[Label | None] = []
        read = [_read_row(i, row, separator, flat) for i, row in enumerate(rows)]
        read = [r for r in read if r[1] or r[2]]
        size, converted, nulls = (np.array([r[i] for r in read], np.int64) for i in range(3))
        value = np.array([r[3] for r in read], np.float64)
        shard = np.zeros(len(read), np.uint8)
        return cls._count(
            PathRule(goal, by=by), Codes.of(flat), size, shard, converted, nulls, value
        )

    @classmethod
    def _count(
        cls,
        rule: PathRule,
        touches: Codes,
        counts: IntArray,
        shard: NDArray[np.uint8],
        converted: NDArray[Any],
        nulls: NDArray[Any],
        value: NDArray[np.float64],
    ) -> Self:
        """Paths of ``counts`` touches each, some of which may have none."""
        some = counts > 0
        offsets = np.append(0, np.cumsum(counts[some]))
        totals: dict[str, NDArray[Any]] = {
            "conversions": converted.astype(np.int64),
            "nulls": nulls.astype(np.int64),
            "value": value,
        }
        rows = count_sequences(
            offsets, touches.codes, shard[some], {k: v[some] for k, v in totals.items()}
        )
        bare = {k: _per_shard(shard[~some], v[~some]) for k, v in totals.items()}
        return cls(
            rule=rule,
            labels=touches.vocabulary,
            unattributed_conversions=bare["conversions"],
            unattributed_value=bare["value"],
            untouched_nulls=bare["nulls"],
            **rows,
        )

    def result(self, top: int | None = 20) -> PathTable:
        """The most frequent paths.

        Args:
            top: How many; ``None`` for all. What is left out is told below the table.
        """
        whole = count_sequences(
            self.offsets,
            self.codes,
            np.zeros_like(self.shard),
            {"conversions": self.conversions, "nulls": self.nulls, "value": self.value},
        )
        offsets, codes = whole["offsets"], whole["codes"]
        size = np.diff(offsets)
        order = np.lexsort((size, -whole["nulls"], -whole["conversions"]))[:top]
        names = np.array([*map(show_label, self.labels), show_label(None)], dtype=object)
        spans = zip(offsets[order].tolist(), offsets[order + 1].tolist(), strict=True)
        return PathTable(
            rule=self.rule,
            path=[_JOIN.join(names[codes[i:j]]) for i, j in spans],
            touches=size[order],
            conversions=whole["conversions"][order],
            nulls=whole["nulls"][order],
            value=whole["value"][order],
            paths=len(size),
            total_conversions=int(self.conversions.sum() + self.unattributed_conversions.sum()),
            total_value=float(self.value.sum() + self.unattributed_value.sum()),
            null_paths=int(self.nulls.sum() + self.untouched_nulls.sum()),
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathTable(Result):
    """The most frequent paths, those with most conversions first.

    Attributes:
        rule: What a path and a touch are.
        path: The labels of the touches, joined by ``" > "``.
        touches: How many touches each has.
        conversions: How often each led to a conversion.
        nulls: How often to none.
        value: What the conversions are worth.
        paths: How many distinct paths there are, shown or not.
        total_conversions: All conversions, also of paths not shown, or without a touch.
        total_value: What they are worth.
        null_paths: All null paths.
    """

    rule: PathRule
    path: list[str]
    touches: IntArray
    conversions: IntArray
    nulls: IntArray
    value: NDArray[np.float64]
    paths: int
    total_conversions: int
    total_value: float
    null_paths: int

    def columns(self) -> dict[str, ColumnLike]:
        """path, touches, conversions, nulls, value, and the rate of conversion."""
        return {
            "path": self.path,
            "touches": self.touches,
            "conversions": self.conversions,
            "nulls": self.nulls,
            "value": self.value,
            "rate": self.conversions / (self.conversions + self.nulls),
        }

    def title(self) -> str:
        """How many there are in all."""
        return (
            f"paths by {self.rule.by}: {self.total_conversions:,} conversions worth "
            f"{self.total_value:,.1f}, {self.null_paths:,} null paths"
        )

    def notes(self) -> list[str]:
        """What is left out."""
        conversions = self.total_conversions - int(self.conversions.sum())
        nulls = self.null_paths - int(self.nulls.sum())
        if not conversions and not nulls:
            return []
        hidden = self.paths - len(self.path)
        told = f"{hidden:,} more paths and those without a touch"
        return [f"not shown: {told}, with {conversions:,} conversions and {nulls:,} null paths"]


def _per_shard(shard: NDArray[np.uint8], values: NDArray[Any]) -> NDArray[Any]:
    sums = sum_by(shard, values, SHARDS)
    return sums if values.dtype.kind == "f" else np.rint(sums).astype(np.int64)


def _read_row(
    number: int, row: PathRow, separator: str, flat: list[Label | None]
) -> tuple[int, int, int, float]:
    """Append the labels of a path that occurs to ``flat``; how many, and the three totals."""
    try:
        path, conversions, nulls, value = row
        labels = [part.strip() for part in path.split(separator)] if isinstance(path, str) else path
        given = [] if isinstance(path, str) and not path.strip() else list(labels)
        counts = [int(n) for n in (conversions, nulls)]
        worth = float(value)
    except (TypeError, ValueError):
        raise DataError(
            f"row {number}: expected (path, conversions, nulls, value), found {row!r}"
        ) from None
    if counts != [conversions, nulls] or min(counts) < 0 or math.isinf(worth):
        raise DataError(
            f"row {number}: conversions and nulls are whole numbers from 0 up and the value is "
            f"finite; found {row!r}"
        )
    if "" in given:
        raise DataError(
            f"row {number}: a label is empty in {row[0]!r}; write None if it is missing"
        )
    worth = 0.0 if math.isnan(worth) else worth
    if worth and not counts[0]:
        raise DataError(f"row {number}: a value of {worth} without a conversion in {row!r}")
    if any(counts):
        flat.extend(given)
    return len(given), counts[0], counts[1], worth
