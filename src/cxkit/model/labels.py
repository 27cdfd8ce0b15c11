"""Columns of names: customers, channels, events and other categories.

A column of the wrong kind as a whole is an error, because nothing of it could be used; a wrong cell
costs its row, which goes to the rejects.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.vocabulary import rank_labels
from cxkit.model.columns import EXACT, Column, SortedTexts, is_null, wrong_kind
from cxkit.model.rejects import RejectLog

__all__ = ["read_customers", "read_labels"]

_LARGEST: Final = 2**63 - 1
_INEXACT: Final = "a float this large is not exact; hand in text or integers"


def read_customers(column: Column, nulls: Collection[str], log: RejectLog) -> Codes:
    """Who: text, or whole numbers, also as floats.

    Args:
        column: The column.
        nulls: Texts that mean nobody.
        log: Takes the rows without a usable customer.

    Returns:
        (E,) codes; a row that was rejected is missing.

    Raises:
        SchemaError: The column is of a kind that is nobody's id.
    """
    if column.kind in {"truth", "instant", "other"}:
        raise wrong_kind(column, "customer", "text or whole numbers")
    null = column.is_null()
    if column.kind == "decimal":
        column = _whole(column, log, "not a whole number, so not an id")
    codes = _labelled(column, nulls, log, blanks=True, truths=False)
    # Nobody asks journeys how the names of their customers end.
    codes = Codes(codes.codes, Vocabulary(codes.vocabulary.labels))
    nobody = codes.is_missing()
    if column.kind == "objects" and len(codes) and nobody[~null].all() and not null.all():
        raise wrong_kind(column, "customer", "text or whole numbers")
    log.add(nobody, column, "no customer")
    return codes


def read_labels(column: Column, nulls: Collection[str], role: str, log: RejectLog) -> Codes:
    """A channel, an event or another category: text, whole numbers or truth values.

    Args:
        column: The column.
        nulls: Texts that mean missing.
        role: What the column is for, for errors.
        log: Takes rows whose cell is no label. A missing label is none of them.

    Raises:
        SchemaError: The column is of a kind that has no labels.
    """
    if column.kind in {"instant", "other"}:
        raise wrong_kind(column, role, "text or whole numbers")
    if column.kind == "decimal":
        column = _whole(column, log, f"not a whole number, so no label for {role}")
    return _labelled(column, nulls, log, blanks=False, truths=True)


def _labelled(
    column: Column,
    nulls: Collection[str],
    log: RejectLog,
    *,
    blanks: bool,
    truths: bool,
) -> Codes:
    """Codes of a column of labels.

    A label in ``nulls`` is missing, and with ``blanks`` also one of nothing but white space.
    """
    null = column.null
    if column.kind == "empty":
        return Codes.all_missing(len(column))
    if column.kind == "whole":
        return _whole_codes(column.values, null)
    if column.kind == "truth":
        raw = column.values.astype(np.int64)
        return Codes.from_codes(raw if null is None else np.where(null, -1, raw), ["False", "True"])
    if column.kind == "objects":
        texts = [_label_text(v, truths=truths) for v in column.values]
        bad = np.fromiter((t is None for t in texts), bool, len(texts)) & ~column.is_null()
        log.add(bad, column, "neither text nor a whole number")
        lost = bad | column.is_null()
        column = Column(column.name, "text", column.dtype, [t or "" for t in texts], lost)
    if isinstance(column.values, SortedTexts):
        return _sorted_codes(column, column.values.vocabulary, nulls, blanks=blanks)
    codes, labels = column.encoded()
    broken = _unencodable(labels)
    drop = np.fromiter(
        (label in nulls or (blanks and _blank(label)) for label in labels), bool, len(labels)
    )
    if broken is not None:
        log.add(np.where(codes < 0, False, broken[codes]), column, "text that is not valid Unicode")
        labels = ["" if bad else label for label, bad in zip(labels, broken, strict=True)]
        drop |= broken
    if drop.any():
        codes = np.where((codes < 0) | drop[codes], -1, codes)
    return Codes.from_codes(codes, labels)


def _sorted_codes(
    column: Column, vocabulary: Vocabulary, nulls: Collection[str], *, blanks: bool
) -> Codes:
    """Codes of labels that are sorted and distinct already, without a Python string for each."""
    labels = vocabulary.labels
    codes: NDArray[Any] = np.asarray(column.codes)
    found = [vocabulary.find(text) for text in {*nulls, *([""] if blanks else [])}]
    drop = np.strings.isspace(labels) if blanks else np.zeros(len(labels), dtype=bool)
    drop[[at for at in found if at is not None]] = True
    if drop.any():
        lost = drop[codes] if column.null is None else drop[codes] | column.null
        return Codes.from_codes(np.where(lost, -1, codes.astype(np.int64)), vocabulary)
    if column.null is not None:
        codes = np.where(column.null, codes.dtype.type(len(labels)), codes)
    return Codes(codes, vocabulary)


def _whole_codes(values: NDArray[Any], null: NDArray[np.bool_] | None) -> Codes:
    if values.dtype.kind == "u" and len(values) and int(values.max()) > _LARGEST:
        texts = values.astype(np.dtypes.StringDType())
        distinct, raw = rank_labels(texts)  # np.unique crashes on many texts in runs
        return Codes.from_codes(raw if null is None else np.where(null, -1, raw), distinct)
    codes = Codes.of(values)
    if null is None:
        return codes
    return Codes.from_codes(np.where(null, -1, codes.codes.astype(np.int64)), codes.vocabulary)


def _whole(column: Column, log: RejectLog, reason: str) -> Column:
    """Floats as whole numbers: how pandas holds whole numbers where some are missing."""
    values, null = column.values, column.is_null()
    if values.dtype.kind == "O":
        return _exact_whole(column, log, reason)
    null = null | np.isnan(values)
    whole = np.isfinite(values) & (np.floor(values) == values)
    log.add(~whole & ~null, column, reason)
    large = whole & (np.abs(values) >= EXACT) & ~null
    log.add(large, column, _INEXACT)
    lost = null | ~whole | large
    exact = np.where(lost, 0.0, values).astype(np.int64)
    return Column(column.name, "whole", column.dtype, exact, lost if lost.any() else None)


def _exact_whole(column: Column, log: RejectLog, reason: str) -> Column:
    """The same where whole numbers that a float would round are among the others."""
    lost = column.is_null().copy()
    broken, large = np.zeros_like(lost), np.zeros_like(lost)
    found = [0] * len(lost)
    for row in np.flatnonzero(~lost).tolist():
        value = column.values[row]
        if isinstance(value, (int, np.integer)):
            found[row] = int(value)
        elif math.isfinite(value) and abs(value) >= (
            _LARGEST if isinstance(value, Decimal) else EXACT
        ):
            large[row] = True  # first: the floor of a Decimal can have a million digits
        elif not math.isfinite(value) or value != math.floor(value):
            broken[row] = True
        else:
            found[row] = int(value)
    log.add(broken, column, reason)
    log.add(large, column, _INEXACT)
    lost |= broken | large
    null = lost if lost.any() else None
    if max(found, default=0) > _LARGEST or min(found, default=0) < -_LARGEST - 1:
        return Column(column.name, "text", column.dtype, list(map(str, found)), null)
    return Column(column.name, "whole", column.dtype, np.array(found, np.int64), null)


def _label_text(value: object, *, truths: bool) -> str | None:
    """A label of mixed kinds as text: 1, 1.0 and "1" are one label."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)) if truths else None
    if isinstance(value, np.timedelta64):
        return None  # which numpy counts among its integers
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if type(value).__name__ == "UUID":
        return str(value)
    if not isinstance(value, (float, np.floating, Decimal)) or is_null(value):
        return None  # a signaling NaN is a Decimal that does not even become a float
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < EXACT else None


def _unencodable(labels: list[str]) -> NDArray[np.bool_] | None:
    """Which labels hold half of a surrogate pair, which no file can hold; ``None`` if none does."""
    try:
        "".join(labels).encode()
    except UnicodeEncodeError:
        return np.fromiter(map(_is_broken, labels), bool, len(labels))
    return None


def _blank(label: str) -> bool:
    return not label or label.isspace()


def _is_broken(label: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in label)
