"""The distinct labels of a column, sorted.

Labels are text or whole numbers. They are kept sorted so that neither the order of the input rows
nor the order of a merge can be seen in any result.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.hashing import hash_labels
from cxkit.errors import DataError, UnknownLabelError, did_you_mean

__all__ = ["TEXT", "Label", "Vocabulary", "as_label_array", "rank_labels"]

Label: TypeAlias = str | int

TEXT: Final = np.dtypes.StringDType()
"""How labels of text are kept: exact for NUL, emoji and spaces, which fixed-width text is not."""

_MOST_PLACES: Final = 10_000
_EMPTY: Final[NDArray[Any]] = np.array([], dtype=TEXT)


@attrs.frozen(eq=False, repr=False)
class Vocabulary:
    """The distinct labels of a column, sorted.

    Attributes:
        labels: (K,) int64, or numpy's variable-width string dtype. Sorted, distinct, read-only.
        endings: (K,) the last eight bytes of each text as one whole number, the last byte on top;
            ``None`` where the bytes were not at hand when the labels were made. Numpy takes longer
            to look at a text than the bytes take to be read.
        was_text: Whether it is empty because texts were dropped (see :meth:`kept`), and not because
            there never was a label, which makes neither text nor numbers of those it is united
            with.

    Example:
        >>> v = Vocabulary.of(["web", "email", "web"])
        >>> list(v), v.index("web"), "store" in v
        (['email', 'web'], 1, False)
    """

    labels: NDArray[Any] = attrs.field(converter=freeze)
    endings: NDArray[np.uint64] | None = attrs.field(
        default=None, converter=attrs.converters.optional(freeze)
    )
    was_text: bool = attrs.field(default=False)

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
        return self.find(label) is not None

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
        return Vocabulary, (np.array(self.labels), None, self.was_text)

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
        found = self.find(label)
        if found is None:
            some = self.labels[:20].tolist()
            more = f" and {len(self) - 20:,} more" if len(self) > 20 else ""
            raise UnknownLabelError(
                f"no label {label!r}; there are {some}{more}.{did_you_mean(label, self)}"
            )
        return found

    def union(self, other: Vocabulary) -> Vocabulary:
        """All labels of both. Numbers become text when the other vocabulary is or was text."""
        if not len(other):
            return self._as_text() if other.was_text else self
        if not len(self):
            return other._as_text() if self.was_text else other
        if self == other:
            return self
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
        # In a stable sort of both, each of mine comes right after its equal among theirs.
        order = np.argsort(np.concatenate([theirs, mine]), kind="stable")
        found = np.empty(len(order), np.intp)
        found[order] = np.cumsum(order < len(theirs)) - 1
        return np.append(found[len(theirs) :], len(theirs))

    def pick(self, codes: NDArray[Any]) -> Vocabulary:
        """The labels of some codes, which ascend; of texts remains that they were, if none does."""
        # numpy 2.1 cannot pick texts by narrow numbers.
        return self._fewer(self.labels[codes.astype(np.intp)])

    def kept(self, used: NDArray[np.bool_]) -> Vocabulary:
        """The labels that are used; of texts remains that they were, if none is.

        Example:
            >>> none = Vocabulary.of(["web"]).kept(np.array([False]))
            >>> list(none.union(Vocabulary.of([2])))
            ['2']
        """
        return self if used.all() else self._fewer(self.labels[used])

    def hash64(self) -> NDArray[np.uint64]:
        """(K,) uint64: a hash of each label that is the same in every process and release."""
        return hash_labels(self.labels)

    def find(self, label: object) -> int | None:
        """The code of a label, or ``None`` if the vocabulary does not hold it."""
        wanted = str if self.labels.dtype == TEXT else (int, np.integer)
        if isinstance(label, bool) or not isinstance(label, wanted):
            return None
        if self._places is not None:
            return self._places.get(label)
        # Not np.searchsorted, which finds wrong places among texts of more than 15 bytes (numpy
        # 2.4), nor labels[i], which numpy strips of the NULs that end it.
        at = bisect.bisect_left(range(len(self)), label, key=self._label)
        return at if at < len(self) and self._label(at) == label else None

    @cached_property
    def _places(self) -> dict[Any, int] | None:
        """Where each label is; not for so many that the table would cost more than it saves."""
        if len(self) > _MOST_PLACES:
            return None
        return {label: at for at, label in enumerate(self)}

    def _fewer(self, labels: NDArray[Any]) -> Vocabulary:
        # A part that has texts but counts none of them still makes texts of the numbers of others:
        # in the whole they are in one column, which is text.
        texts = len(self) > 0 and self.labels.dtype == TEXT
        return Vocabulary(labels, was_text=not len(labels) and (texts or self.was_text))

    def _as_text(self) -> Vocabulary:
        if not len(self):
            return self if self.was_text else Vocabulary(_EMPTY, was_text=True)
        if self.labels.dtype == TEXT:
            return self
        return Vocabulary(_distinct_sorted(self.labels.astype(TEXT)))

    def _label(self, at: int) -> Any:
        return self.labels[at : at + 1].tolist()[0]


def as_label_array(labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
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
    # numpy counts spans of time among its integers.
    odd_ones = (bool, np.timedelta64)
    whole = {k for k in kinds if issubclass(k, (int, np.integer)) and not issubclass(k, odd_ones)}
    if whole == kinds:
        try:
            return np.array(labels, dtype=np.int64)
        except OverflowError:
            return np.array([str(label) for label in labels], dtype=TEXT)
    if all(kind in whole or issubclass(kind, str) for kind in kinds):
        return np.array([str(label) for label in labels], dtype=TEXT)
    odd = next(v for v in labels if type(v) not in whole and not isinstance(v, str))
    raise DataError(f"a label must be text or a whole number; found {odd!r} ({type(odd).__name__})")


def rank_labels(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The distinct labels, sorted, and (n,) the position of each label among them.

    Example:
        >>> [x.tolist() for x in rank_labels(np.array([30, 10, 30]))]
        [[10, 30], [1, 0, 1]]
    """
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    ranks = np.empty(len(labels), np.intp)
    ranks[order] = np.cumsum(first) - 1
    return ordered[first], ranks


def _distinct_sorted(labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
    # By a stable order, and not by np.sort, of texts: the default sort of numpy 2.4 and 2.5 crashes
    # the process where two sorted runs follow one another, the stable one of 2.1 damages the texts.
    array = as_label_array(labels)
    array = array[np.argsort(array, kind="stable")]
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
