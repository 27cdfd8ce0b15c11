"""Path variants: the journeys that are the same from end to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes, Label
from cxkit.core.intervals import divide, share_interval
from cxkit.core.ragged import CHUNK
from cxkit.core.result import Result
from cxkit.core.sequences import SequenceSummary, count_sequences
from cxkit.core.summary import PARAMETER, SHARDS, total
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import whole_number
from cxkit.flow.paths import cut_path, few_customers, show_path
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["PathVariants", "VariantTable", "only_used", "path_of", "variants"]

_FEW: Final = 64


def variants(
    journeys: Journeys | Journey, by: str = "event", *, top: int = 20, level: float = 0.95
) -> VariantTable:
    """The most frequent paths: sequences of labels that whole journeys have in common.

    Args:
        journeys: The journeys.
        by: A column of labels. A missing label counts as a label of its own.
        top: How many variants to list.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: ``top`` is not a whole number from 1 up.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 2, 2, 3],
        ...         "sec": [1, 2, 3, 4, 5],
        ...         "what": ["view", "buy", "view", "buy", "view"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> [(row["path"], row["journeys"]) for row in variants(journeys).to_dicts()]
        [('view > buy', 2), ('view', 1)]
    """
    # Few paths repeat: they are counted once, for the result, and not put together before.
    return _one_by_one(journeys, by).result(top=top, level=level)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathVariants(SequenceSummary, JourneySummary):
    """How many journeys are the same from end to end, as a summary that adds up.

    Attributes:
        by: The column.
        journeys: (S,) how many journeys are this sequence, in the row's shard.

    Example:
        >>> len(PathVariants.of(Journeys.empty(), by="channel"))
        0
    """

    by: str = attrs.field(metadata=PARAMETER)
    journeys: IntArray = attrs.field(metadata=total("sequence"))

    @classmethod
    def of(cls, journeys: Journeys | Journey, /, *, by: str = "event") -> Self:
        """Count.

        Args:
            journeys: The journeys.
            by: A column of labels.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        each = _one_by_one(journeys, by)
        once = {"journeys": each.journeys}
        rows = count_sequences(each.offsets, each.codes, each.shard, once)
        return cls(by=by, labels=each.labels, **rows)

    def result(self, *, top: int = 20, level: float = 0.95) -> VariantTable:
        """The most frequent variants, the shorter first where two are as frequent.

        Raises:
            DefinitionError: ``top`` is not a whole number from 1 up.
        """
        top = whole_number(top, "top")
        first, variant = unique_sequences(self.offsets, self.codes)
        count = np.zeros(len(first), np.int64)
        np.add.at(count, variant, self.journeys)
        best = self._most_frequent(first, count, top)
        place = np.full(len(first), -1)
        place[best] = np.arange(len(best))
        listed = place[variant] >= 0
        part = np.zeros((SHARDS, len(best)), np.int64)
        np.add.at(part, (self.shard[listed], place[variant[listed]]), self.journeys[listed])
        whole = np.zeros((SHARDS, 1), np.int64)
        np.add.at(whole[:, 0], self.shard, self.journeys)
        low, high = share_interval(part, whole, self.occupied(), level=level)
        return VariantTable(
            by=self.by,
            paths=tuple(path_of(self, row) for row in first[best].tolist()),
            journeys=count[best],
            share=divide(count[best], whole.sum()),
            share_low=low,
            share_high=high,
            total_variants=len(first),
            total_journeys=int(whole.sum()),
        )

    def _most_frequent(self, first: IntArray, count: IntArray, top: int) -> IntArray:
        """The variants to list, in order."""
        chosen = np.arange(len(first))
        if top < len(first):
            least = np.partition(count, -top)[-top]
            sure, tied = np.flatnonzero(count > least), np.flatnonzero(count == least)
            chosen = np.concatenate([sure, tied[self._shortest(first[tied], top - len(sure))]])
        order = sorted(chosen.tolist(), key=lambda v: (-count[v], *self._rank(int(first[v]))))
        return np.array(order, np.int64)

    def _shortest(self, rows: IntArray, many: int) -> NDArray[np.intp]:
        """Where the ``many`` rows lie that come first: the shorter, then in order of labels.

        There may be millions of variants that occurred once; they are narrowed down place by
        place (all differ somewhere), and only the last few are compared as a whole.
        """
        begin, size = self.offsets[:-1][rows], np.diff(self.offsets)[rows]
        left = np.arange(len(rows))
        kept = []
        value, place = size, 0
        while len(left) > max(many, _FEW):
            limit = np.partition(value, many - 1)[many - 1]
            kept.append(left[value < limit])
            many -= len(kept[-1])
            left = left[value == limit]
            value = self.codes[begin[left] + place]
            place += 1
        last = sorted(left.tolist(), key=lambda at: self._rank(int(rows[at])))
        return np.concatenate([*kept, np.array(last[:many], np.intp)])

    def _rank(self, row: int) -> tuple[int, bytes]:
        codes = self.codes[self.offsets[row] : self.offsets[row + 1]]
        return len(codes), codes.astype(">u8").tobytes()  # big-endian: bytes sort as numbers do


def _one_by_one(journeys: Journeys | Journey, by: str) -> PathVariants:
    """A row for every journey, whether or not others are the same."""
    many = as_journeys(journeys)
    column = only_used(many.codes(by))
    return PathVariants(
        by=by,
        labels=column.vocabulary,
        offsets=many.offsets,
        codes=column.codes,
        shard=many.shards.astype(np.uint8),
        journeys=np.ones(len(many), np.int64),
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class VariantTable(Result):
    """The most frequent path variants: one row each, most frequent first.

    Attributes:
        by: The column that was counted.
        paths: The labels of each listed variant; ``None`` for a missing one.
        journeys: (V,) journeys that are this variant.
        share: (V,) of all journeys.
        share_low: (V,) low end of its interval; NaN for too few customers.
        share_high: (V,) high end.
        total_variants: Variants, listed or not.
        total_journeys: Journeys of all variants.
    """

    by: str
    paths: tuple[tuple[Label | None, ...], ...]
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    total_variants: int
    total_journeys: int

    @property
    def other_variants(self) -> int:
        """How many variants are not listed."""
        return self.total_variants - len(self.paths)

    @property
    def other_journeys(self) -> int:
        """How many journeys are of a variant that is not listed."""
        return self.total_journeys - int(self.journeys.sum())

    def columns(self) -> Mapping[str, Any]:
        """One row per variant; ``path`` is the labels in full, joined by ``" > "``."""
        return {
            "rank": np.arange(1, len(self.paths) + 1),
            "path": [show_path(path) for path in self.paths],
            "journeys": self.journeys,
            "share": self.share,
            "share_low": self.share_low,
            "share_high": self.share_high,
        }

    def title(self) -> str:
        """How many variants there are."""
        return (
            f"path variants by {self.by}: {self.total_variants:,} variants "
            f"of {self.total_journeys:,} journeys"
        )

    def notes(self) -> tuple[str, ...]:
        """What is not listed, so that the totals match."""
        few, variants = few_customers(self.share_low), self.other_variants
        if not variants:
            return few
        return (f"other: {variants:,} variants with {self.other_journeys:,} journeys", *few)

    def __repr__(self) -> str:
        """The table, long paths cut in the middle."""
        return super(VariantTable, self._cut()).__repr__()

    def _repr_html_(self) -> str:
        return super(VariantTable, self._cut())._repr_html_()

    def _cut(self) -> VariantTable:
        return attrs.evolve(self, paths=tuple(map(cut_path, self.paths)))


def path_of(rows: SequenceSummary, row: int) -> tuple[Label | None, ...]:
    """The labels of one sequence of a summary."""
    codes = rows.codes[rows.offsets[row] : rows.offsets[row + 1]]
    return tuple(Codes(codes, rows.labels).to_list())


def only_used(column: Codes) -> Codes:
    """Over no more labels than occur: those of other journeys must not show in the summary."""
    used = np.zeros(column.slots, dtype=bool)
    for start in range(0, len(column), CHUNK):
        used[column.codes[start : start + CHUNK]] = True
        if used[:-1].all():
            return column
    few = Codes.from_codes(column.codes, column.vocabulary, missing=column.missing)
    return few if len(few.vocabulary) else Codes(few.codes, column.vocabulary.kept(used[:-1]))
