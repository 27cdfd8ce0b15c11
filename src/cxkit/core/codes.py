"""Columns of labels: values <-> integer codes and their vocabulary.

The code ``len(vocabulary)`` means *missing*. It is a slot of its own, never a name, so that tables
of counts have ``K + 1`` slots and nothing that lacks a label can pass for something that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze, smallest_unsigned
from cxkit.core.counting import count_codes
from cxkit.core.factorize import factorize, translate, used_numbers
from cxkit.core.vocabulary import TEXT, Label, Vocabulary, as_label_array, rank_labels
from cxkit.errors import DataError

__all__ = ["TEXT", "Codes", "Label", "Vocabulary"]


@attrs.frozen(eq=False, repr=False)
class Codes:
    """A column of labels: one small integer per row, and the vocabulary they point into.

    Attributes:
        codes: (E,) of the smallest unsigned dtype that holds K. ``K`` itself means missing.
        vocabulary: The K labels.

    Example:
        >>> c = Codes.of(["web", None, "email", "web"])
        >>> c.codes.tolist(), c.to_list(), c.slots
        ([1, 2, 0, 1], ['web', None, 'email', 'web'], 3)
    """

    codes: NDArray[Any] = attrs.field(converter=freeze)
    vocabulary: Vocabulary

    @cached_property
    def counts(self) -> IntArray:
        """(K + 1,) how often each label occurs, the missing one last; counted once and kept."""
        return freeze(count_codes(self.codes, len(self.vocabulary) + 1))

    @classmethod
    def of(cls, values: Sequence[Label | None] | NDArray[Any]) -> Codes:
        """Encode values.

        Args:
            values: Text, whole numbers or ``None`` (missing). A mixture of text and numbers is
                read as text.

        Raises:
            DataError: A value is none of these.
        """
        if isinstance(values, np.ndarray):
            if values.dtype.kind in "iu":
                return cls._of_integers(values)
            return cls.of(values.tolist())
        texts = any(isinstance(v, str) for v in _distinct(values))
        if texts and any(isinstance(v, (int, np.integer)) for v in _distinct(values)):
            values = [v if v is None else str(v) for v in values]
        labels = [v for v in _distinct(values) if v is not None]
        # One pass at C speed: a dictionary looked up by map, not a loop.
        code: dict[Label | None, int] = {label: at for at, label in enumerate(labels)}
        code[None] = -1
        raw = np.fromiter(map(code.__getitem__, values), np.int64, len(values))
        return cls.from_codes(raw, labels)

    @classmethod
    def from_codes(
        cls,
        codes: NDArray[Any],
        labels: Sequence[Label] | NDArray[Any] | Vocabulary,
        *,
        missing: int = -1,
    ) -> Codes:
        """Adopt a column that is encoded already, such as a pandas or Arrow category.

        Labels may be in any order, repeated or unused; they come out sorted, distinct and used.

        Args:
            codes: (E,) any integers; each points into ``labels`` or equals ``missing``.
            labels: The labels that the codes point into.
            missing: The code that means missing.

        Raises:
            DataError: A code points outside the labels.
        """
        codes = np.asarray(codes)
        size = len(labels)
        index = _index_of_labels(codes, size, missing)
        used = used_numbers(index, size, beyond=1)
        old = labels.labels if isinstance(labels, Vocabulary) else as_label_array(labels)
        distinct, position = rank_labels(old if used.all() else old[used])
        vocabulary = Vocabulary(distinct)
        wide = smallest_unsigned(len(vocabulary))
        if (
            len(distinct) == size
            and index.dtype == wide
            and bool((position[1:] > position[:-1]).all())
        ):
            return cls(index, vocabulary)  # in the form of codes already
        table = np.full(size + 1, len(vocabulary), dtype=wide)
        table[:size][used] = position
        return cls(translate(index, table), vocabulary)

    @classmethod
    def all_missing(cls, rows: int) -> Codes:
        """A column without a single label."""
        return cls(np.zeros(rows, np.uint8), Vocabulary.of(()))

    @classmethod
    def _of_integers(cls, values: NDArray[Any]) -> Codes:
        if not len(values):
            return cls.all_missing(0)
        labels, codes = factorize(values)
        return cls(codes, Vocabulary(labels))

    def __len__(self) -> int:
        """E, the number of rows."""
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        """Equal when every row has the same label, whatever the codes are."""
        if not isinstance(other, Codes):
            return NotImplemented
        if len(self) != len(other):
            return False
        if self.vocabulary == other.vocabulary:
            return bool(np.array_equal(self.codes, other.codes))
        both = self.vocabulary.union(other.vocabulary)
        mine = self.vocabulary.positions_in(both)[self.codes]
        theirs = other.vocabulary.positions_in(both)[other.codes]
        same_kind = (
            self.vocabulary.labels.dtype == other.vocabulary.labels.dtype
            or not len(self.vocabulary)
            or not len(other.vocabulary)
        )
        return same_kind and bool(np.array_equal(mine, theirs))

    __hash__: ClassVar[None]  # type: ignore[assignment]  # a column is compared, never a key

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        return Codes, (np.array(self.codes), self.vocabulary)

    def __repr__(self) -> str:
        """Rows, labels and the first values."""
        shown = ", ".join(map(repr, self.take(slice(0, 5)).to_list()))
        more = ", ..." if len(self) > 5 else ""
        return f"<Codes: {len(self):,} rows, {len(self.vocabulary):,} labels: {shown}{more}>"

    @property
    def missing(self) -> int:
        """The code that means missing: K."""
        return len(self.vocabulary)

    @property
    def slots(self) -> int:
        """K + 1: the labels and the missing one."""
        return len(self.vocabulary) + 1

    def is_missing(self) -> NDArray[np.bool_]:
        """(E,) whether a row has no label."""
        return np.asarray(self.codes == self.missing)

    def equals(self, label: object) -> NDArray[np.bool_]:
        """(E,) which rows have the label; none if the vocabulary does not hold it.

        Example:
            >>> Codes.of(["web", None, "email"]).equals("web").tolist()
            [True, False, False]
        """
        code = self.vocabulary.find(label)
        if code is None:
            return np.zeros(len(self), dtype=bool)
        # Compared in the column's own dtype: a wider number would widen the whole column first.
        return np.asarray(self.codes == self.codes.dtype.type(code))

    def slot_labels(self) -> list[Label | None]:
        """The labels of the K + 1 slots: the last is ``None``."""
        return [*self.vocabulary, None]

    def to_list(self) -> list[Label | None]:
        """The rows as Python values."""
        table = np.array(self.slot_labels(), dtype=object)
        return table[self.codes].tolist()  # type: ignore[no-any-return]

    def take(self, rows: NDArray[Any] | slice) -> Codes:
        """The chosen rows over the same vocabulary."""
        return Codes(self.codes[rows], self.vocabulary)

    def over(self, vocabulary: Vocabulary) -> Codes:
        """The same rows over a vocabulary that holds every label of this one."""
        if vocabulary is self.vocabulary or vocabulary == self.vocabulary:
            return self
        table = self.vocabulary.positions_in(vocabulary).astype(smallest_unsigned(len(vocabulary)))
        return Codes(translate(self.codes, table), vocabulary)


def _index_of_labels(codes: NDArray[Any], size: int, missing: int) -> NDArray[Any]:
    """The codes with ``size`` in place of ``missing``: past the last label is a slot for it."""
    low, high = (int(codes.min()), int(codes.max())) if len(codes) else (0, -1)
    if low >= 0 and high < size and not low <= missing <= high:
        return codes
    lost = codes == missing
    outside = ((codes < 0) | (codes >= size)) & ~lost
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise DataError(
            f"code {codes[row]} in row {row} points outside the {size} labels; "
            f"codes run from 0 to {size - 1}, {missing} means missing"
        )
    return np.where(lost, size, codes.astype(np.int64))


def _distinct(values: Sequence[Label | None]) -> dict[Label | None, None]:
    try:
        return dict.fromkeys(values)
    except TypeError:
        odd = next(v for v in values if getattr(type(v), "__hash__", None) is None)
        raise DataError(
            f"a label must be text or a whole number; found {odd!r} ({type(odd).__name__})"
        ) from None
