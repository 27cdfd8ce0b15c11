"""Values <-> integer codes and their vocabulary.

A :class:`Vocabulary` is the sorted, distinct labels of a column: text or whole numbers. A
:class:`Codes` is a column that points into one. Labels are kept sorted so that neither the order of
the input rows nor the order of a merge can be seen in any result.

The code ``len(vocabulary)`` means *missing*. It is a slot of its own, never a name, so that tables
of counts have ``K + 1`` slots and nothing that lacks a label can pass for something that has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeAlias

from cxkit.core.arrays import freeze, smallest_unsigned
from cxkit.core.hashing import hash_labels
from cxkit.errors import DataError, UnknownLabelError, did_you_mean

__all__ = ["TEXT", "Codes", "Label", "Vocabulary"]

Label: TypeAlias = str | int

TEXT: Final = np.dtypes.StringDType()
"""How labels of text are kept: exact for NUL, emoji and spaces, which fixed-width text is not."""

_EMPTY: Final[NDArray[Any]] = np.array([], dtype=TEXT)


@attrs.frozen(eq=False, repr=False)
class Vocabulary:
    """The distinct labels of a column, sorted.

    Attributes:
        labels: (K,) int64, or numpy's variable-width string dtype. Sorted, distinct, read-only.

    Example:
        >>> v = Vocabulary.of(["web", "email", "web"])
        >>> list(v), v.index("web"), "store" in v
        (['email', 'web'], 1, False)
    """

    labels: NDArray[Any] = attrs.field(converter=freeze)

    @classmethod
    def of(cls, labels: Iterable[Label] | NDArray[Any]) -> Vocabulary:
        """Sort the labels and drop repeats.

        Args:
            labels: Text or whole numbers; a mixture is read as text, so 1 and "1" are one label.

        Raises:
            DataError: A label is neither text nor a whole number.
        """
        return cls(_distinct_sorted(labels if isinstance(labels, np.ndarray) else list(labels)))

    def __len__(self) -> int:
        """K, the number of labels."""
        return len(self.labels)

    def __iter__(self) -> Iterator[Label]:
        """The labels as Python text or integers."""
        return iter(self.labels.tolist())

    def __contains__(self, label: object) -> bool:
        """Whether the label is in the vocabulary."""
        return self._find(label) is not None

    def __eq__(self, other: object) -> bool:
        """Equal when the labels are."""
        if not isinstance(other, Vocabulary):
            return NotImplemented
        if self is other or self.labels is other.labels:
            return True
        if not len(self) and not len(other):
            return True
        return self.labels.dtype == other.labels.dtype and bool(
            np.array_equal(self.labels, other.labels)
        )

    def __hash__(self) -> int:
        """A cheap hash: the size and the ends."""
        ends = (self.labels[0], self.labels[-1]) if len(self) else ()
        return hash((len(self), ends))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        return Vocabulary, (np.array(self.labels),)

    def __repr__(self) -> str:
        """The first labels."""
        shown = ", ".join(repr(label) for label in self.labels[:5].tolist())
        more = f", ... {len(self):,} in all" if len(self) > 5 else ""
        return f"<Vocabulary: {shown}{more}>"

    def index(self, label: Label) -> int:
        """The code of a label.

        Raises:
            UnknownLabelError: The vocabulary does not hold it.
        """
        found = self._find(label)
        if found is None:
            some = self.labels[:20].tolist()
            more = f" and {len(self) - 20:,} more" if len(self) > 20 else ""
            raise UnknownLabelError(
                f"no label {label!r}; there are {some}{more}.{did_you_mean(label, self)}"
            )
        return found

    def union(self, other: Vocabulary) -> Vocabulary:
        """All labels of both. Numbers become text when the other vocabulary is text."""
        if self == other or not len(other):
            return self
        if not len(self):
            return other
        left, right = _one_kind(self.labels, other.labels)
        return Vocabulary(_distinct_sorted(np.concatenate([left, right])))

    def positions_in(self, other: Vocabulary) -> NDArray[np.intp]:
        """Where each label lies in ``other``, with one more entry: missing stays missing.

        Args:
            other: A vocabulary that holds every label of this one (see :meth:`union`).

        Returns:
            (K + 1,) positions, so that ``positions[codes]`` translates a column.
        """
        mine, theirs = _one_kind(self.labels, other.labels)
        found = np.searchsorted(theirs, mine) if len(theirs) else np.zeros(len(mine), np.intp)
        return np.append(found, len(other)).astype(np.intp)

    def hash64(self) -> NDArray[np.uint64]:
        """(K,) uint64: a hash of each label that is the same in every process and release."""
        return hash_labels(self.labels)

    def _find(self, label: object) -> int | None:
        if isinstance(label, bool) or not len(self):
            return None
        if self.labels.dtype == TEXT:
            if not isinstance(label, str):
                return None
            key: Any = np.array(label, dtype=TEXT)
        elif isinstance(label, (int, np.integer)) and abs(int(label)) < 2**63:
            key = int(label)
        else:
            return None
        at = int(np.searchsorted(self.labels, key))
        return at if at < len(self) and self.labels[at] == key else None


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
            values = values.tolist()
        # One pass at C speed: the dictionary hands out 0, 1, 2 ... in order of first sight.
        seen: dict[Label | None, int] = dict.fromkeys(values)  # type: ignore[arg-type]
        if any(isinstance(v, (int, np.integer)) for v in seen) and any(
            isinstance(v, str) for v in seen
        ):
            values = [v if v is None else str(v) for v in values]
            seen = dict.fromkeys(values)  # type: ignore[arg-type]
        missing = None in seen
        seen.pop(None, None)
        labels = list(seen)
        for position, label in enumerate(labels):
            seen[label] = position
        if missing:
            seen[None] = -1
        raw = np.fromiter(map(seen.__getitem__, values), np.int64, len(values))
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
        lost = codes == missing
        if len(codes):
            inside = np.where(lost, 0, codes) if lost.any() else codes
            if (low := int(inside.min())) < 0 or (high := int(inside.max())) >= max(size, 1):
                bad = low if low < 0 else high
                row = int(np.flatnonzero(inside == bad)[0])
                raise DataError(
                    f"code {bad} in row {row} points outside the {size} labels; "
                    f"codes run from 0 to {size - 1}, {missing} means missing"
                )
        used = np.zeros(size + 1, dtype=bool)
        used[np.where(lost, size, codes) if lost.any() else codes] = True
        old = labels.labels if isinstance(labels, Vocabulary) else _as_label_array(labels)
        vocabulary = Vocabulary(_distinct_sorted(old[used[:size]]))
        wide = smallest_unsigned(len(vocabulary))
        table = np.full(size + 1, len(vocabulary), dtype=wide)
        if len(vocabulary):
            table[:size][used[:size]] = np.searchsorted(vocabulary.labels, old[used[:size]])
        index = np.where(lost, size, codes) if lost.any() else codes
        return cls(table[index], vocabulary)

    @classmethod
    def all_missing(cls, rows: int) -> Codes:
        """A column without a single label."""
        return cls(np.zeros(rows, np.uint8), Vocabulary(_EMPTY))

    @classmethod
    def _of_integers(cls, values: NDArray[Any]) -> Codes:
        if not len(values):
            return cls.all_missing(0)
        low, high = int(values.min()), int(values.max())
        if not -(2**63) <= low <= high < 2**63:
            raise DataError(f"whole-number labels must fit 64 bits with sign; found {high}")
        span = high - low
        if span <= max(4 * len(values), 1 << 16):
            # Ids that lie close together: a table of flags finds the distinct ones in one pass.
            shifted = (values - values.dtype.type(low)).astype(np.int64, copy=False)
            used = np.zeros(span + 1, dtype=bool)
            used[shifted] = True
            labels = np.flatnonzero(used) + low
            wide = smallest_unsigned(len(labels))
            if len(labels) == span + 1:
                return cls(shifted.astype(wide), Vocabulary(labels))
            return cls((np.cumsum(used) - 1).astype(wide)[shifted], Vocabulary(labels))
        labels, codes = _factorize_sparse(values.astype(np.int64, copy=False))
        return cls(codes.astype(smallest_unsigned(len(labels))), Vocabulary(labels))

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

    __hash__ = None  # type: ignore[assignment]  # a column is compared, never a key

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
        table = self.vocabulary.positions_in(vocabulary)
        return Codes(table.astype(smallest_unsigned(len(vocabulary)))[self.codes], vocabulary)


def _factorize_sparse(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct sorted values and the code of each row: one sort of values, not an argsort.

    The row number rides in the low bits of the key, so that sorting the keys sorts the rows too;
    that is several times faster than ``np.unique(return_inverse=True)``.
    """
    low = values.min()
    row_bits = max((len(values) - 1).bit_length(), 1)
    shifted = (values - low).view(np.uint64)  # wraps around rightly: the difference is < 2**64
    if int(shifted.max()).bit_length() + row_bits > 64:
        return np.unique(values, return_inverse=True)
    keys = (shifted << np.uint64(row_bits)) | np.arange(len(values), dtype=np.uint64)
    keys.sort()
    rows = (keys & np.uint64((1 << row_bits) - 1)).view(np.int64)
    keys >>= np.uint64(row_bits)
    first = np.empty(len(keys), dtype=bool)
    first[0] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    codes = np.empty(len(values), np.int64)
    codes[rows] = np.cumsum(first) - 1
    return keys[first].view(np.int64) + low, codes


def _as_label_array(labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
    """Labels as int64 or text, in the order given."""
    if isinstance(labels, np.ndarray):
        if labels.dtype.kind in "iu":
            return labels.astype(np.int64)
        if labels.dtype.kind in "UT":
            return labels.astype(TEXT)
        labels = labels.tolist()
    kinds = {type(label) for label in labels}
    if not labels:
        return _EMPTY
    if all(issubclass(kind, str) for kind in kinds):
        return np.array(labels, dtype=TEXT)
    whole = {k for k in kinds if issubclass(k, (int, np.integer)) and not issubclass(k, bool)}
    if whole == kinds:
        try:
            return np.array(labels, dtype=np.int64)
        except OverflowError:
            return np.array([str(label) for label in labels], dtype=TEXT)
    if all(kind in whole or issubclass(kind, str) for kind in kinds):
        return np.array([str(label) for label in labels], dtype=TEXT)
    odd = next(v for v in labels if type(v) not in whole and not isinstance(v, str))
    raise DataError(
        f"a label must be text or a whole number; found {odd!r} ({type(odd).__name__})"
    )


def _distinct_sorted(labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
    array = np.sort(_as_label_array(labels))
    if len(array) < 2:
        return array
    first = np.ones(len(array), dtype=bool)
    first[1:] = array[1:] != array[:-1]
    return array if first.all() else array[first]


def _one_kind(left: NDArray[Any], right: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as numbers if both are, else both as text."""
    if left.dtype == right.dtype:
        return left, right
    return left.astype(TEXT), right.astype(TEXT)
