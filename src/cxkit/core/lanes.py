"""Texts as columns of 64-bit lanes, read from their bytes without a Python object per text.

Lane k of a text is its bytes 8k to 8k + 8 as one whole number, zero beyond its end. Lanes are read
in place, by a view that is not aligned to eight bytes; texts of one length need not even be
gathered. With the first byte on top, lanes compare as their texts do: the order of UTF-8 bytes is
that of code points.

Ids have few bits of their own. Where all texts agree on a bit it tells nothing, and without such
bits sixteen decimal digits are one number of 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.rows import in_row_parts, pieces

__all__ = ["Squeeze", "Texts", "endings", "sort_words"]

Lane = NDArray[np.uint64]

_U64 = np.uint64
_ALL: Final = 2**64 - 1
# What is left of a lane of which so many bytes belong to the text: the first byte lies lowest.
_KEPT: Final[Lane] = np.array([(1 << (8 * size)) - 1 for size in range(9)], np.uint64)


@attrs.frozen(eq=False)
class Texts:
    """n texts, one after the other in a buffer of bytes.

    Attributes:
        data: The bytes, at least eight more than the longest text has.
        offsets: (n + 1,) where each text begins, and where the last one ends.
        shortest: How many bytes the shortest has.
        longest: How many bytes the longest has.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[Any]
    shortest: int
    longest: int

    @classmethod
    def of(cls, data: NDArray[np.uint8], offsets: NDArray[Any]) -> Self:
        """Look at the lengths of texts.

        Example:
            >>> texts = Texts.of(np.frombuffer(b"id-7id-8", np.uint8), np.array([0, 4, 8]))
            >>> texts.size, texts.lanes
            (4, 1)
        """

        def part(begin: int, end: int) -> tuple[int, int]:
            sizes = [
                offsets[first + 1 : last + 1] - offsets[first:last]
                for first, last in pieces(begin, end)
            ]
            return min(int(s.min()) for s in sizes), max(int(s.max()) for s in sizes)

        found = in_row_parts(part, len(offsets) - 1) if len(offsets) > 1 else [(0, 0)]
        low, high = min(low for low, _ in found), max(high for _, high in found)
        if len(data) < high + 8:
            data = np.concatenate([data, np.zeros(high + 8 - len(data), np.uint8)])
        return cls(data, offsets, low, high)

    def __len__(self) -> int:
        """n, the number of texts."""
        return len(self.offsets) - 1

    @property
    def size(self) -> int:
        """How many bytes each text has, or -1 where they differ."""
        return self.shortest if self.shortest == self.longest else -1

    @property
    def lanes(self) -> int:
        """How many lanes the longest text has."""
        return (self.longest + 7) // 8

    def read(self, first: int, last: int) -> list[Lane]:
        """Every lane of the texts ``first:last``, first byte lowest."""
        begin, size, n = int(self.offsets[first]), self.size, last - first
        if size >= 0 and begin + (n - 1) * size + 8 * self.lanes <= len(self.data):
            raw = self.data.data
            found: list[Lane] = []
            for k in range(self.lanes):
                view = np.ndarray((n,), "<u8", raw, begin + 8 * k, (size,))
                kept = min(size - 8 * k, 8)
                found.append(view & _KEPT[kept] if kept < 8 else view.astype(np.uint64))
            return found
        return self._gathered(self.offsets[first:last], self.offsets[first + 1 : last + 1])

    def table(self, rows: NDArray[Any]) -> Lane:
        """(len(rows), lanes + 1) every lane of the texts at ``rows``, and their sizes last."""
        out = np.empty((len(rows), self.lanes + 1), np.uint64)

        def part(begin: int, end: int) -> None:
            # All lanes of a few rows at a time: those of one text mostly share a cache line.
            for first, last in pieces(begin, end):
                starts, ends = self.offsets[rows[first:last]], self.offsets[rows[first:last] + 1]
                for k, lane in enumerate(self._gathered(starts, ends)):
                    out[first:last, k] = lane
                out[first:last, -1] = ends - starts

        in_row_parts(part, len(rows))
        return out

    def sizes(self, first: int, last: int) -> Lane:
        """How many bytes each of the texts ``first:last`` has."""
        sizes: Lane = self.offsets[first + 1 : last + 1] - self.offsets[first:last]
        return sizes.astype(np.uint64)

    def _gathered(self, starts: NDArray[Any], ends: NDArray[Any]) -> list[Lane]:
        width = 8 * self.lanes
        if not width:
            return []
        # All lanes of a text at once: numpy reads so many bytes wherever they begin.
        limit = len(self.data) - width
        anywhere = np.ndarray((limit + 1,), f"V{width}", self.data.data, 0, (1,))
        at = starts.astype(np.int64)
        if int(at.max(initial=0)) <= limit:
            raw = anywhere[at]
        else:
            raw = anywhere[np.minimum(at, limit)]
            late = np.flatnonzero(at > limit)
            tail = np.concatenate([self.data[limit:], np.zeros(width, np.uint8)])
            beyond = np.ndarray((width + 1,), f"V{width}", tail.data, 0, (1,))
            raw[late] = beyond[at[late] - limit]
        table = raw.view("<u8").reshape(-1, self.lanes)
        sizes = (ends - starts).astype(np.int64)
        for k in range(self.shortest // 8, self.lanes):
            table[:, k] &= np.take(_KEPT, sizes - 8 * k, mode="clip")
        return list(table.T)


@attrs.frozen
class Squeeze:
    """Lanes without the bits on which all agree, first byte on top, and back.

    Attributes:
        varies: Of each lane, the bits that differ among its texts.
        common: Of each lane, the bits that do not.
    """

    varies: tuple[int, ...]
    common: tuple[int, ...]

    @classmethod
    def of(cls, texts: Texts, most: int = _ALL) -> Self | None:
        """Find the bits that differ among texts; ``None`` as soon as they are more than ``most``.

        Example:
            >>> texts = Texts.of(np.frombuffer(b"id-7id-8", np.uint8), np.array([0, 4, 8]))
            >>> [hex(bits) for bits in Squeeze.of(texts).varies]
            ['0xf00000000']
        """
        one = np.array(texts.read(0, 1), np.uint64).reshape(texts.lanes)

        def part(begin: int, end: int) -> Lane | None:
            found = np.zeros(len(one), np.uint64)
            for low, high in pieces(begin, end):
                for k, lane in enumerate(texts.read(low, high)):
                    found[k] |= np.bitwise_or.reduce(lane ^ one[k])
                if int(np.bitwise_count(found).sum()) > most:
                    return None
            return found

        found = in_row_parts(part, len(texts))
        if any(bits is None for bits in found):
            return None
        varies = np.bitwise_or.reduce([bits for bits in found if bits is not None])
        return cls.made_of(one, varies) if np.bitwise_count(varies).sum() <= most else None

    @classmethod
    def made_of(cls, one: Lane, varies: Lane) -> Self:
        """From the lanes of one text and the bits that differ, first byte lowest in both."""
        common = one & ~varies
        return cls(tuple(varies.byteswap().tolist()), tuple(common.byteswap().tolist()))

    @property
    def bits(self) -> tuple[int, ...]:
        """How many bits of each lane are left."""
        return tuple(bits.bit_count() for bits in self.varies)

    def squeeze(self, k: int, lane: Lane) -> Lane:
        """The bits of lane k that differ, together at the low end, in their order."""
        found = lane.byteswap()
        found &= _U64(self.varies[k])
        for moved, by in _moves(self.varies[k]):
            some = found & _U64(moved)
            found ^= some
            some >>= _U64(by)
            found |= some
        return found

    def spread(self, k: int, squeezed: Lane) -> Lane:
        """The lane, first byte lowest, of which :meth:`squeeze` made this."""
        found = squeezed.astype(np.uint64)
        for moved, by in reversed(_moves(self.varies[k])):
            some = found << _U64(by)
            some &= _U64(moved)
            found &= _U64(~(moved >> by) & _ALL)
            found |= some
        found &= _U64(self.varies[k])
        found |= _U64(self.common[k])
        return found.byteswap()


def _moves(bits: int) -> list[tuple[int, int]]:
    """Steps that bring chosen bits to the low end: which bits move, and by how many places.

    The bits move by powers of two, each as far in all as there are left-out bits below it (Warren,
    Hacker's Delight, 2nd edition, section 7-4).
    """
    steps = []
    gaps = ~bits << 1 & _ALL
    for power in range(6):
        odd = gaps  # bit i: whether an odd number of gaps lies at or below it
        for shift in (1, 2, 4, 8, 16, 32):
            odd ^= odd << shift & _ALL
        moved = odd & bits
        if moved:
            steps.append((moved, 1 << power))
        bits = bits ^ moved | moved >> (1 << power)
        gaps &= ~odd
    return steps


def endings(table: Lane) -> Lane:
    """The last eight bytes of each text, the last one on top; zero below where a text is shorter.

    Args:
        table: (n, lanes + 1) the lanes of texts, and their sizes last, as :meth:`Texts.table` has.

    Returns:
        (n,) uint64.

    Example:
        >>> texts = Texts.of(np.frombuffer(b"ann@example.org", np.uint8), np.array([0, 15]))
        >>> endings(texts.table(np.array([0]))).astype("<u8").tobytes()
        b'mple.org'
    """
    out = np.zeros(len(table), np.uint64)
    width = table.shape[1]
    if width == 1:
        return out  # no text has a byte

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            lanes = table[first:last].ravel()
            sizes = table[first:last, -1].astype(np.int64)
            k = np.maximum(sizes - 1, 0) >> 3
            at = k + np.arange(0, len(lanes), width)
            free = np.minimum(8 * (8 * k + 8 - sizes), 63).astype(np.uint64)  # bits above the text
            ending = lanes[at] << free
            # What the last lane left free comes from the one before it. By two steps, as no number
            # can be shifted by all its bits.
            before = np.where(k > 0, lanes[at - 1], _U64(0))
            ending |= before >> (_U64(63) - free) >> _U64(1)
            out[first:last] = ending

    in_row_parts(part, len(table))
    return out


def sort_words(words: Sequence[Lane], bits: Sequence[int]) -> NDArray[np.int64]:
    """The order of rows by several whole numbers, the first of which counts most.

    The leading bits are sorted as values with the row's number below them, as
    :mod:`cxkit.core.sorting` does; the rows that this leaves tied are put right by all bits.

    Args:
        words: Columns (n,) of whole numbers.
        bits: How many bits the numbers of each column have at most.

    Example:
        >>> two = np.array([[7, 1, 7], [5, 9, 2]], np.uint64)
        >>> sort_words(list(two), [3, 4]).tolist()
        [1, 2, 0]
    """
    n = len(words[0]) if words else 0
    row_bits = max(n - 1, 0).bit_length()
    keys = np.zeros(n, np.uint64)
    free = 64 - row_bits
    for word, size in zip(words, bits, strict=True):
        if not free or not size:
            continue
        used = min(size, free)
        free -= used
        keys |= (word >> _U64(size - used)) << _U64(free + row_bits)
    keys |= np.arange(n, dtype=np.uint64)
    keys.sort()
    order = (keys & _U64((1 << row_bits) - 1)).view(np.int64)
    if free or sum(bits) <= 64 - row_bits:
        return order
    keys >>= _U64(row_bits)
    tied = np.flatnonzero(keys[1:] == keys[:-1])
    if len(tied):
        tied = np.union1d(tied, tied + 1)
        rows = order[tied]
        # Keys are in order, so sorting by them first leaves every run in its place.
        within = np.lexsort([*(word[rows] for word in reversed(words)), keys[tied]])
        order[tied] = rows[within]
    return order
