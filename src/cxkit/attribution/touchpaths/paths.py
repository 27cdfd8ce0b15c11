"""The distinct paths to a conversion, or to none, as a summary that adds up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self, Unpack

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.touchpaths.cutting import (
    PathOptions,
    PathRule,
    as_path_rule,
    conversion_values,
    sum_by,
    sum_by_shard,
)
from cxkit.attribution.touchpaths.pathtable import PathTable
from cxkit.attribution.touchpaths.pathtext import (
    PathRow,
    counted,
    path_rows,
    read_row,
    read_texts,
    worths,
)
from cxkit.attribution.touchpaths.runs import CutJourneys
from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.result import show_label
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import SHARDS, parameter, total
from cxkit.model.goal import GoalLike
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["Paths"]

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
        unknown_customers: (SHARDS,) paths of which nobody knows whose they are, such as those that
            another tool has counted. One of them, and there are no intervals.

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
    unknown_customers: IntArray = attrs.field(
        factory=lambda: np.zeros(SHARDS, np.int64), metadata=total("shard"), kw_only=True
    )

    @classmethod
    def of(
        cls,
        journeys: Journeys | Journey,
        /,
        *,
        goal: GoalLike | PathRule,
        **options: Unpack[PathOptions],
    ) -> Self:
        """Count the paths of journeys.

        Args:
            journeys: Journeys, or one journey.
            goal: The goal, or a whole path rule.
            options: The further arguments of :class:`PathRule`, if only the goal is given.

        Raises:
            SchemaError: There is no column ``by``, or it holds numbers.
            DefinitionError: An argument cannot be read.
        """
        rule = as_path_rule(goal, **options)
        return cls.of_cut(CutJourneys(as_journeys(journeys), rule))

    @classmethod
    def of_cut(cls, found: CutJourneys) -> Self:
        """Count the paths of journeys that are cut already."""
        journeys, strip = found.journeys, found.strip
        labels = journeys.codes(found.rule.by)
        offsets, mine = strip.offsets, strip.attributed
        shard = strip.take(journeys.row_shards)[offsets[:-1]]
        value = conversion_values(journeys, strip.conversions)
        converted, worth = np.zeros(len(shard), np.int64), np.zeros(len(shard))
        converted[strip.converting], worth[strip.converting] = 1, value[mine]
        of_goal = journeys.row_shards[strip.conversions[~mine]]
        return cls(
            rule=found.rule,
            labels=labels.vocabulary,
            unattributed_conversions=np.bincount(of_goal, minlength=SHARDS),
            unattributed_value=sum_by(of_goal, value[~mine], SHARDS),
            untouched_nulls=strip.untouched_nulls,
            **count_sequences(
                offsets,
                strip.take(labels.codes),
                shard,
                {"conversions": converted, "nulls": 1 - converted, "value": worth},
            ),
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
            DataError: A row is not of this form, a count is no whole number from 0 up, counts are
                more than 2**53 in all, or there is a value without a conversion.
        """
        flat: list[Label | None] = []
        read = [read_row(i, row, separator, flat) for i, row in enumerate(rows)]
        read = [r for r in read if r[1] or r[2]]
        size = np.array([r[0] for r in read], np.int64)
        converted = counted([r[1] for r in read], len(read), "conversions")
        nulls = counted([r[2] for r in read], len(read), "nulls")
        value = np.array([r[3] for r in read], np.float64)
        shard = np.zeros(len(read), np.uint8)
        return cls._count(
            PathRule(goal, by=by), Codes.of(flat), size, shard, converted, nulls, value
        )

    @classmethod
    def from_strings(
        cls,
        paths: Iterable[str],
        *,
        conversions: Any,
        nulls: Any = None,
        value: Any = None,
        separator: str = ">",
        goal: GoalLike = "conversion",
        by: str = "channel",
    ) -> Self:
        """Paths of text as columns, the fast way for very many.

        The same as :meth:`from_counts`, but for labels that are missing, which text does not have.

        Args:
            paths: (n,) paths such as ``"ad > mail"``; the empty path has no touch.
            conversions: (n,) how often each led to a conversion.
            nulls: (n,) how often to none; 0 by default.
            value: (n,) what all its conversions are worth; 0 by default, and for NaN.
            separator: As in :meth:`from_counts`, and so the others.
            goal: The goal that the conversions reached.
            by: The column that the labels are of.

        Raises:
            DataError: A path, a count or a value cannot be read.

        Example:
            >>> paths = Paths.from_strings(["ad > mail", "ad"], conversions=[2, 0], nulls=[1, 5])
            >>> paths.to_counts()
            [('ad', 0, 5, 0.0), ('ad > mail', 2, 1, 0.0)]
        """
        touches, size = read_texts(paths, separator)
        n = len(size)
        converted = counted(conversions, n, "conversions")
        lost = np.zeros(n, np.int64) if nulls is None else counted(nulls, n, "nulls")
        worth = worths(value, converted)
        if not (happened := (converted > 0) | (lost > 0)).all():
            touches = touches.take(np.repeat(happened, size))
            touches = Codes.from_codes(touches.codes, [*touches.vocabulary])
        return cls._count(
            PathRule(goal, by=by),
            touches,
            size[happened],
            np.zeros(int(happened.sum()), np.uint8),
            converted[happened],
            lost[happened],
            worth[happened],
        )

    def to_counts(self, separator: str | None = ">") -> list[tuple[Any, int, int, float]]:
        """The paths as rows ``(path, conversions, nulls, value)``, as other tools take them.

        What :meth:`from_counts` reads back, but for the customers: rows of a path in several shards
        are one. Shortest paths first, then by label; the empty path has no touch.

        Args:
            separator: What stands between labels; ``None`` for tuples, which hold any label.

        Raises:
            DataError: A label is missing or holds the separator.
        """
        whole = self._whole()
        rows = path_rows([*self.labels, None], whole, separator)
        bare = (
            int(self.unattributed_conversions.sum()),
            int(self.untouched_nulls.sum()),
            float(self.unattributed_value.sum()),
        )
        return [*([("" if separator else (), *bare)] if any(bare[:2]) else []), *rows]

    def _whole(self) -> dict[str, Any]:
        """The rows, as if there were one shard."""
        totals = {"conversions": self.conversions, "nulls": self.nulls, "value": self.value}
        return count_sequences(self.offsets, self.codes, np.zeros_like(self.shard), totals)

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
        bare = {k: sum_by_shard(shard[~some], v[~some]) for k, v in totals.items()}
        return cls(
            rule=rule,
            labels=touches.vocabulary,
            unattributed_conversions=bare["conversions"],
            unattributed_value=bare["value"],
            untouched_nulls=bare["nulls"],
            unknown_customers=sum_by_shard(shard, totals["conversions"] + totals["nulls"]),
            **rows,
        )

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything; none, where customers are not known."""
        return super().occupied() & (not self.unknown_customers.any())

    def per_shard(self, counts: IntArray) -> IntArray:
        """(SHARDS,) the sum of counts of the rows by shard."""
        return sum_by_shard(self.shard, counts)

    def result(self, top: int | None = 20) -> PathTable:
        """The most frequent paths.

        Args:
            top: How many; ``None`` for all. What is left out is told below the table.
        """
        whole = self._whole()
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
