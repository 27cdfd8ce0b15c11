"""Paths as text, ``a > b > c``, a million of them at a time, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import Codes, Label
from cxkit.core.textcodes import factorize_texts
from cxkit.errors import DataError, DefinitionError

__all__ = ["PathRow", "counted", "path_rows", "read_row", "read_texts", "worths"]

PathRow: TypeAlias = tuple[str | Sequence[Label | None], int, int, float]

_LINE: Final = "\n"
_UNIT: Final = "\x1f"
"""Stands for a separator of several characters; ASCII calls it the unit separator."""
_PADDING: Final = 8
_MOST_COUNTED: Final = 2**53


def read_texts(texts: Iterable[str], separator: str) -> tuple[Codes, IntArray]:
    """The labels of paths of text, and how many each path has.

    All texts are one buffer of bytes, in which a label goes from behind one separator to the end of
    the next: no Python object is made per label.

    Args:
        texts: (n,) paths; an empty one has no touch.
        separator: What stands between labels; spaces around labels are dropped.

    Raises:
        DataError: A path is no text, or a label of a path is empty.
        DefinitionError: The separator is empty.
    """
    if not separator.strip():
        raise DefinitionError(f"the separator must be more than blanks; found {separator!r}")
    lines: list[Any] = list(texts)
    try:
        joined = _LINE.join(lines)
    except TypeError:
        row = next(i for i, line in enumerate(lines) if not isinstance(line, str))
        raise DataError(f"row {row}: a path must be text; found {lines[row]!r}") from None
    if not lines:
        return Codes.of([]), np.zeros(0, np.int64)
    if joined.count(_LINE) != len(lines) - 1 or _UNIT in joined:
        return _read_one_by_one(lines, separator)
    data = np.frombuffer(
        (joined.replace(separator, _UNIT) + _LINE).encode() + bytes(_PADDING), np.uint8
    )
    used = data[:-_PADDING]
    line_ends = used == ord(_LINE)
    ends = np.flatnonzero(line_ends | (used == ord(_UNIT)))
    offsets = np.append(0, ends + 1)
    raw, codes = factorize_texts(data, offsets)
    labels = [text[:-1].strip() for text in raw.labels.tolist()]
    size = np.diff(np.append(-1, np.flatnonzero(line_ends[ends])))
    blank = np.array([not label for label in labels])[codes]
    if blank.any():
        first = np.append(0, np.cumsum(size))[:-1]
        alone = blank[first] & (size == 1)
        row_of = np.repeat(np.arange(len(size)), size)
        wrong = row_of[blank & ~alone[row_of]]
        if len(wrong):
            raise DataError(
                f"row {wrong[0]}: a label is empty in {lines[int(wrong[0])]!r}; a path without a "
                "touch is empty as a whole"
            )
        codes, size = codes[~blank], np.where(alone, 0, size)
    distinct = sorted(set(labels) - {""})
    place = {label: at for at, label in enumerate(distinct)}
    table = np.array([place.get(label, 0) for label in labels], np.int64)
    return Codes.from_codes(table[codes], distinct), size


def _read_one_by_one(lines: Sequence[str], separator: str) -> tuple[Codes, IntArray]:
    """The same where a label holds what the fast way marks the ends of labels with."""
    flat: list[str] = []
    size = np.zeros(len(lines), np.int64)
    for row, line in enumerate(lines):
        labels = [part.strip() for part in line.split(separator)] if line.strip() else []
        if not all(labels):
            raise DataError(
                f"row {row}: a label is empty in {line!r}; a path without a touch is empty as a "
                "whole"
            )
        flat += labels
        size[row] = len(labels)
    return Codes.of(flat), size


def counted(numbers: Any, length: int, name: str) -> IntArray:
    """(n,) whole numbers from 0 up.

    Raises:
        DataError: They are something else, or of another length.
    """
    given = np.asarray(numbers)
    if given.shape != (length,):
        raise DataError(f"{name} must have {length:,} numbers; found the shape {given.shape}")
    with np.errstate(invalid="ignore"):
        whole = given.astype(np.int64) if given.dtype.kind in "iuf" else np.zeros(0, np.int64)
    if len(whole) != length or bool((whole != given).any()) or bool((whole < 0).any()):
        raise DataError(f"{name} must be whole numbers from 0 up; found {given.dtype} such as "
                        f"{given[:3].tolist()}")  # fmt: skip
    if whole.sum(dtype=np.float64) > _MOST_COUNTED:
        raise DataError(
            f"{name} are {whole.sum(dtype=np.float64):.3g} in all, more than 2**53: beyond that "
            "counts are not exact"
        )
    return whole


def worths(value: Any, conversions: IntArray) -> NDArray[np.float64]:
    """(n,) what conversions are worth; 0 for ``None`` and for NaN.

    Raises:
        DataError: A value is infinite, stands without a conversion, or there are too many or few.
    """
    if value is None:
        return np.zeros(len(conversions))
    given = np.asarray(value, np.float64)
    if given.shape != conversions.shape or np.isinf(given).any():
        raise DataError(f"value must have {len(conversions):,} finite numbers")
    given = np.nan_to_num(given)
    odd = np.flatnonzero((given != 0) & (conversions == 0))
    if len(odd):
        raise DataError(f"row {odd[0]}: a value of {given[odd[0]]} without a conversion")
    return given


def _path_texts(
    labels: Sequence[Label | None],
    offsets: IntArray,
    codes: NDArray[Any],
    separator: str,
) -> list[str]:
    """Paths as text, with a blank on both sides of the separator.

    Raises:
        DataError: A label is missing, or holds the separator, so that the text would not be read
            back as the same path.
    """
    used = sorted(set(codes.tolist()))
    for code in used:
        label = labels[code]
        if label is None or separator in str(label) or str(label) != str(label).strip():
            told = "is missing" if label is None else f"is {label!r}"
            raise DataError(
                f"a label {told}, which a path of text with the separator {separator!r} cannot "
                "hold; give separator=None for sequences of labels"
            )
    names = np.array([str(label) for label in labels], dtype=object)[codes].tolist()
    between = f" {separator} "
    bounds = offsets.tolist()
    return [between.join(names[i:j]) for i, j in pairwise(bounds)]


def path_rows(
    labels: Sequence[Label | None], whole: Mapping[str, NDArray[Any]], separator: str | None
) -> list[tuple[Any, int, int, float]]:
    """Paths as rows ``(path, conversions, nulls, value)``, shortest first, then by label.

    Args:
        labels: The K labels, and ``None`` last.
        whole: Distinct paths: offsets, codes, conversions, nulls and value.
        separator: As for :meth:`cxkit.attribution.Paths.to_counts`.

    Raises:
        DataError: A label is missing or holds the separator.
    """
    offsets, codes = whole["offsets"], whole["codes"]
    bounds, numbers = offsets.tolist(), codes.tolist()
    spans = list(pairwise(bounds))
    shown: list[Any]
    if separator is None:
        flat = np.array(labels, dtype=object)[codes].tolist()
        shown = [tuple(flat[i:j]) for i, j in spans]
    else:
        shown = _path_texts(labels, offsets, codes, separator)
    order = sorted(
        range(len(spans)), key=lambda s: (spans[s][1] - spans[s][0], numbers[slice(*spans[s])])
    )
    totals = [whole[name].tolist() for name in ("conversions", "nulls", "value")]
    return [(shown[s], *(t[s] for t in totals)) for s in order]


def read_row(
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
