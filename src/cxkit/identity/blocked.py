"""Values that stand for nobody, or for anybody: found without a look at every value.

The values of a namespace are sorted, so those that begin in one way lie side by side, and are found
by bisection. What they end with is told by their last eight bytes, where the table was read with
them, and else looked for in all their bytes. Whatever is found so is a suspect
only: the rule itself is one function of one text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import TEXT, Label, Vocabulary
from cxkit.core.rows import in_row_parts, pieces
from cxkit.identity.identifiers import Identifiers

__all__ = ["BLOCKED", "blocked_values"]

BLOCKED: Final[tuple[str, ...]] = (
    *("", "0", "-1", "-", "?", ".", "*", "#n/a", "n/a", "na", "n.a.", "nan", "nil", "null", "none"),
    *("<na>", "(not set)", "(none)", "[object object]", "not available", "not set", "not provided"),
    *("unknown", "undefined", "anonymous", "anon", "guest", "default", "missing", "empty", "blank"),
    *("deleted", "redacted", "optout", "opt-out", "test", "tester", "testing", "example", "xxx"),
    *("test@*", "tester@*", "noreply@*", "no-reply@*", "donotreply@*", "asdf@*", "asdf", "qwerty"),
    *("*@example.com", "*@test.com"),
)
"""Values that stand for nobody, or for anybody. Case and outer blanks do not count.

A ``*`` at the end or the beginning stands for any text. ``"0"`` stands for every value of nothing
but zeros and signs, such as ``000-000`` or the nil UUID.
"""

_ZERO_SIGNS: Final = "0-_.:/+ "
_MOST_RANGES: Final = 10_000
_WIDEST: Final = 4096
_PRINTED: Final = "!"  # blanks and control characters come before it
_BEYOND_ASCII: Final = "\x80"
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_PRINTED_ON_TOP: Final = np.uint64(ord(_PRINTED) << 56)


def blocked_values(identifiers: Identifiers, blocked: Iterable[str]) -> NDArray[np.bool_]:
    """(I,) which identifiers have a value that stands for nobody."""
    words = _Blocked.of(blocked)
    mask = np.zeros(len(identifiers), dtype=bool)
    for namespace, vocabulary in zip(identifiers.namespaces, identifiers.vocabularies, strict=True):
        mask[identifiers.range(namespace)] = words.mask(vocabulary)
    return mask


@attrs.frozen
class _Blocked:
    """The rule, and where to look for what it blocks.

    Attributes:
        words: Whole texts, in lower case.
        heads: How blocked texts begin.
        tails: How they end.
    """

    words: frozenset[str]
    heads: tuple[str, ...]
    tails: tuple[str, ...]

    @classmethod
    def of(cls, blocked: Iterable[str]) -> Self:
        words = frozenset(word.strip().casefold() for word in blocked)
        heads = (word[:-1] for word in words if word.endswith("*") and len(word) > 1)
        tails = (word[1:] for word in words if word.startswith("*") and len(word) > 1)
        return cls(words, tuple(sorted(heads)), tuple(sorted(tails)))

    def __call__(self, text: str) -> bool:
        """Whether a text stands for nobody."""
        text = text.strip().casefold()
        return (
            text in self.words
            or ("0" in self.words and not text.strip(_ZERO_SIGNS) and "0" in text)
            or text.startswith(self.heads)
            or text.endswith(self.tails)
        )

    def mask(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(K,) which labels are blocked."""
        labels = vocabulary.labels
        mask = np.zeros(len(labels), dtype=bool)
        if labels.dtype != TEXT:
            for word in self.words:
                at = vocabulary.find(_as_number(word))
                if at is not None:
                    mask[at] = True
        elif self.words and len(labels):
            if vocabulary.endings is None:
                mask[_ending(labels, self.tails)] = True
            elif self.tails:
                mask |= _told_by_endings(vocabulary.endings, self.tails)
            for low, high in self._beginning(labels):
                mask[low:high] = True
            rows = np.flatnonzero(mask)
            mask[rows] = list(map(self, labels[rows].tolist()))
        return mask

    def _beginning(self, labels: NDArray[Any]) -> list[tuple[int, int]]:
        """Where the texts lie that may be blocked for how they begin."""
        begins = _Ranges(labels)
        begins.suspect("", 0, len(labels))  # blanks at first
        for word in self.words:
            begins.follow(word)
        for head in self.heads:
            begins.follow(head, whole=True)
        if "0" in self.words:
            begins.follow_zeros()
        return begins.found


class _Ranges:
    """Ranges of sorted texts that begin with given ones, in upper or lower case."""

    def __init__(self, labels: NDArray[Any]) -> None:
        self.labels = labels
        self.found: list[tuple[int, int]] = []

    def follow(self, word: str, *, whole: bool = False) -> None:
        """Suspect texts that are the word but for case and blanks, or all that begin with it."""
        nodes = [("", 0, len(self.labels))]
        for letter in word:
            nodes = [
                node for old in nodes for node in self._next(old, {letter, letter.upper()[:1]})
            ]
        for node in nodes:
            if whole:
                self.found.append(node[1:])
            self.suspect(*node)

    def follow_zeros(self) -> None:
        """Suspect texts of nothing but zeros and signs."""
        nodes = [("", 0, len(self.labels))]
        looked = 0
        while nodes:
            nodes = [node for old in nodes for node in self._next(old, set(_ZERO_SIGNS))]
            looked += len(nodes)
            if looked > _MOST_RANGES:
                self.found += [node[1:] for node in nodes]
                return
            for node in nodes:
                self.suspect(*node)

    def suspect(self, prefix: str, low: int, high: int) -> None:
        """Suspect the prefix itself, and what goes on with a blank, of whatever alphabet."""
        self.found.append((low, bisect_left(self.labels, prefix + _PRINTED, low, high)))
        self.found.append((bisect_left(self.labels, prefix + _BEYOND_ASCII, low, high), high))

    def _next(self, node: tuple[str, int, int], letters: set[str]) -> list[tuple[str, int, int]]:
        """The ranges of texts that go on with one of the letters.

        A character beyond ASCII may be the letter too, in another case or another form.
        """
        prefix, low, high = node
        self.found.append((bisect_left(self.labels, prefix + _BEYOND_ASCII, low, high), high))
        found = []
        for letter in letters:
            if letter < _BEYOND_ASCII:
                begin = bisect_left(self.labels, prefix + letter, low, high)
                end = bisect_left(self.labels, prefix + chr(ord(letter) + 1), begin, high)
                if begin < end:
                    found.append((prefix + letter, begin, end))
        return found


def _told_by_endings(endings: NDArray[np.uint64], tails: tuple[str, ...]) -> NDArray[np.bool_]:
    """(K,) which texts may end with one of the tails, by their last eight bytes."""
    wanted = []
    for tail in tails:
        raw = tail.encode()[-8:]
        # Letters and their capitals differ in one bit; a few other characters pass too.
        case = int.from_bytes(b"\x20" * len(raw), "little") << 8 * (8 - len(raw))
        all_bits = int.from_bytes(b"\xff" * len(raw), "little") << 8 * (8 - len(raw))
        word = int.from_bytes(raw.rjust(8, b"\x00"), "little")
        wanted.append((np.uint64(case), np.uint64(all_bits), np.uint64(word | case)))
    mask = np.zeros(len(endings), dtype=bool)

    def part(begin: int, end: int) -> None:
        for first, last in pieces(begin, end):
            some, found = endings[first:last], mask[first:last]
            # In another alphabet letters may be folded to ours; blanks at the end do not count.
            np.greater_equal(some & _HIGH_BITS, np.uint64(1), out=found)
            found |= some < _PRINTED_ON_TOP
            for case, all_bits, word in wanted:
                found |= ((some & all_bits) | case) == word

    in_row_parts(part, len(endings))
    return mask


def _ending(labels: NDArray[Any], tails: tuple[str, ...]) -> IntArray:
    """The rows of texts that may end with one of the tails."""
    if not tails:
        return np.zeros(0, np.int64)

    def part(begin: int, end: int) -> list[IntArray]:
        found = []
        for first, last in pieces(begin, end):
            width = int(np.strings.str_len(labels[first:last:64]).max()) + 1
            left = [(np.arange(first, last), width)]
            while left:
                rows, width = left.pop()
                try:
                    raw = labels[rows[0] : rows[-1] + 1].astype(f"S{width}")[rows - rows[0]]
                except UnicodeEncodeError:  # not all is ASCII
                    found.append(rows)
                    continue
                flat = raw.view(np.uint8)
                found += [rows[_holding(flat, tail) // width] for tail in tails]
                rows = rows[flat[width - 1 :: width] != 0]  # may go on where the width ends
                if len(rows) and width > _WIDEST:
                    found.append(rows)
                elif len(rows):
                    left.append((rows, 4 * width))
        return found

    return np.concatenate([rows for some in in_row_parts(part, len(labels)) for rows in some])


def _holding(flat: NDArray[np.uint8], tail: str) -> NDArray[np.intp]:
    """Where in the bytes the first two characters of a text are, in upper or lower case."""
    if not tail.isascii():
        return np.zeros(0, np.intp)
    one, *more = tail.encode()
    at = np.flatnonzero(flat == one)
    if one in b"abcdefghijklmnopqrstuvwxyz":
        at = np.concatenate([at, np.flatnonzero(flat == one - 32)])
    for step, byte in enumerate(more[:1], start=1):
        # A letter and its capital differ in one bit; a few other characters pass too.
        at = at[flat[np.minimum(at + step, len(flat) - 1)] | 0x20 == byte | 0x20]
    return at


def _as_number(word: str) -> Label | None:
    return int(word) if word.removeprefix("-").isdecimal() else None
