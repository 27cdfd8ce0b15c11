"""For tests of your own: the laws of a summary, and journeys that should be equal."""

from __future__ import annotations

import pickle
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.core.ragged import segment_ids
from cxkit.core.summary import Summary, merge_all
from cxkit.model.columnar import Column
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary

__all__ = ["assert_journeys_equal", "check_summary"]

_SPLITS: Final = 20
_EXACT: Final = 1e-9  # of the largest total: sums of floats depend on their order in the last bits


def check_summary(
    kind: type[JourneySummary], journeys: Journeys | None = None, **parameters: Any
) -> None:
    """Check that a summary of your own keeps the laws that let it be added up anywhere.

    These are: the summary of no journey changes nothing; the parts of the data add up to the whole,
    in any order and however they are grouped, also where a part lacks labels that another has;
    the order of the rows in the source does not matter; one journey counts as journeys of one;
    counting changes nothing and gives the same again; and bytes and pickles are read back as they
    were.

    Args:
        kind: The summary.
        journeys: The journeys to try it on, which should hold the labels that the parameters
            name; by default those of :func:`cxkit.simulate.retail` and of customers who lack
            labels, have ties, or have one touchpoint.
        **parameters: The parameters of the summary.

    Raises:
        AssertionError: It breaks a law; the error says which and how.

    Example:
        >>> from cxkit import flow
        >>> check_summary(flow.Transitions, by="channel")
    """
    data = _default_journeys() if journeys is None else as_journeys(journeys)
    rng = np.random.default_rng(0)
    whole = kind.of(data, **parameters)
    zero = kind.zero(**parameters)
    _check_zero(zero, whole, kind.of(Journeys.empty(), **parameters))
    for _ in range(_SPLITS):
        group = rng.integers(rng.integers(2, 6), size=len(data))
        parts = [data[group == g] for g in range(int(group.max(initial=0)) + 1)]
        # A part as it would be if it had been read alone: without the labels of the others.
        alone = [_rebuilt(part, np.arange(part.touchpoints)) for part in parts]
        shared = [kind.of(part, **parameters) for part in parts]
        counted = [kind.of(part, **parameters) for part in alone]
        _check_merge(counted, whole, "the parts of the journeys, each with its own labels")
        _check_merge(shared, whole, "the parts of the journeys")
    shuffled = _rebuilt(data, _reordered(data, rng))
    _same(kind.of(shuffled, **parameters), whole, "the order of the rows in the source", "order")
    if len(data):
        one = kind.of(data[:1], **parameters)
        _same(kind.of(data[0].journeys, **parameters), one, "one journey", "purity")
    _check_purity(kind, data, whole, parameters)
    for some in (zero, whole):
        _check_round_trip(kind, some)


def assert_journeys_equal(left: Journeys, right: Journeys) -> None:
    """Check that journeys are equal, and say where they are not.

    Labels are compared as such, whatever codes stand for them; NaN equals NaN.

    Raises:
        AssertionError: They differ; the error names the first difference.

    Example:
        >>> from cxkit import simulate
        >>> journeys = simulate.retail(10).journeys
        >>> assert_journeys_equal(journeys, journeys)
        >>> assert_journeys_equal(journeys, journeys[:9])
        Traceback (most recent call last):
        AssertionError: 10 journeys on the left, 9 on the right
    """
    left, right = as_journeys(left), as_journeys(right)
    for what, mine, theirs in (
        ("journeys", len(left), len(right)),
        ("touchpoints", left.touchpoints, right.touchpoints),
    ):
        if mine != theirs:
            raise AssertionError(f"{mine:,} {what} on the left, {theirs:,} on the right")
    if set(left.columns) != set(right.columns):
        raise AssertionError(
            f"columns {left.column_names} on the left, {right.column_names} on the right"
        )
    _compare("customer of journey", left.customer, right.customer)
    sizes = np.diff(left.offsets) != np.diff(right.offsets)
    if sizes.any():
        j = int(np.argmax(sizes))
        raise AssertionError(
            f"journey {j} ({_shown(left.customer, j)}) has {np.diff(left.offsets)[j]} touchpoints "
            f"on the left, {np.diff(right.offsets)[j]} on the right"
        )
    _compare("time of touchpoint", left.time, right.time)
    for name, column in left.columns.items():
        other = right.columns[name]
        if isinstance(column, Codes) != isinstance(other, Codes):
            raise AssertionError(f"{name!r} holds labels on one side and numbers on the other")
        _compare(f"{name} of touchpoint", column, other)


def _compare(what: str, left: Any, right: Any) -> None:
    if isinstance(left, Codes):
        if left == right:
            return
        mine, theirs = left.to_list(), right.to_list()
        kinds = [type(next((v for v in side if v is not None), None)) for side in (mine, theirs)]
        if mine == theirs:
            raise AssertionError(f"{what}: {kinds[0].__name__} left, {kinds[1].__name__} right")
        at = next(i for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    else:
        unequal = left != right
        if left.dtype.kind == "f":
            unequal &= ~(np.isnan(left) & np.isnan(right))
        if not unequal.any():
            return
        at = int(np.argmax(unequal))
    raise AssertionError(
        f"{what} {at}: {_shown(left, at)} on the left, {_shown(right, at)} on the right"
    )


def _shown(column: Any, at: int) -> str:
    if isinstance(column, Codes):
        return repr(column.take(slice(at, at + 1)).to_list()[0])
    return str(column[at])


def _check_zero(zero: Summary, whole: Summary, empty: Summary) -> None:
    _same(zero, empty, "zero() and of() of no journey", "zero")
    _same(zero + whole, whole, "zero + summary", "zero")
    _same(whole + zero, whole, "summary + zero", "zero")
    _same(zero + zero, zero, "zero + zero", "zero")
    zero.result()


def _check_merge(parts: list[Any], whole: Summary, what: str) -> None:
    _same(merge_all(parts), whole, f"{what}, added up,", "merge")
    _same(merge_all(parts[::-1]), whole, f"{what}, added up backwards,", "merge")
    if len(parts) > 2:
        grouped = parts[0] + merge_all(parts[1:])
        _same(grouped, whole, f"{what}, grouped otherwise,", "merge")


def _check_purity(
    kind: type[JourneySummary], data: Journeys, whole: Summary, parameters: dict[str, Any]
) -> None:
    before = pickle.dumps(data)
    _same(kind.of(data, **parameters), whole, "counting again", "purity", exact=True)
    told = whole.to_bytes()
    whole.result()
    _ = whole + whole
    if whole.to_bytes() != told:
        raise AssertionError(f"purity: result() or addition changes the {kind.__name__}")
    assert_journeys_equal(data, pickle.loads(before))  # noqa: S301  # what we pickled ourselves


def _check_round_trip(kind: type[JourneySummary], summary: Summary) -> None:
    data = summary.to_bytes()
    read = kind.from_bytes(data)
    _same(read, summary, "what was read from bytes", "round trip", exact=True)
    if read.to_bytes() != data:
        raise AssertionError(f"round trip: the bytes of a {kind.__name__} differ when read back")
    copied = pickle.loads(pickle.dumps(summary))  # noqa: S301  # what we pickled ourselves
    _same(copied, summary, "what was read from a pickle", "round trip", exact=True)
    for field in kind.fields("total"):
        if getattr(read, field.name).flags.writeable:
            raise AssertionError(f"purity: {field.name} of a {kind.__name__} can be written to")


def _same(found: Summary, expected: Summary, what: str, law: str, *, exact: bool = False) -> None:
    """The law holds, or an error that says in which field it does not."""
    for field in [f for k in ("parameter", "axis", "total") for f in expected.fields(k)]:
        mine, theirs = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(theirs, np.ndarray):
            equal = mine.shape == theirs.shape and _close(mine, theirs, exact=exact)
        else:
            equal = bool(mine == theirs)
        if not equal:
            raise AssertionError(
                f"{law}: {what} should give the same {type(expected).__name__}, but "
                f"{field.name} is\n{mine!r}\nand not\n{theirs!r}"
            )


def _close(mine: NDArray[Any], theirs: NDArray[Any], *, exact: bool) -> bool:
    floats = theirs.dtype.kind == "f"
    if exact or not floats:
        return bool(np.array_equal(mine, theirs, equal_nan=floats))
    finite = np.abs(theirs[np.isfinite(theirs)])
    slack = _EXACT * float(finite.max(initial=0.0))
    return bool(np.allclose(mine, theirs, rtol=_EXACT, atol=slack, equal_nan=True))


def _rebuilt(data: Journeys, order: NDArray[np.intp]) -> Journeys:
    """The same journeys, made anew of the rows in some order, without labels that no row has."""
    if not len(data):
        return data
    # Journeys, not customers: of several journeys of one customer none may become one.
    columns = {name: _own(column, order) for name, column in data.columns.items()}
    rebuilt = Journeys.from_codes(
        customer=segment_ids(data.offsets)[order], time=data.time[order], columns=columns
    )
    return Journeys(
        rebuilt.offsets, _own(data.customer, slice(None)), rebuilt.time, rebuilt.columns
    )


def _own(column: Column, rows: Any) -> Any:
    if isinstance(column, Codes):
        return Codes.from_codes(column.codes[rows], column.vocabulary, missing=column.missing)
    return column[rows]


def _reordered(data: Journeys, rng: np.random.Generator) -> NDArray[np.intp]:
    """The rows in another order, but rows of one journey and instant in theirs."""
    journey, ticks = segment_ids(data.offsets), data.time.view(np.int64)
    new = np.ones(data.touchpoints, dtype=bool)
    new[1:] = (journey[1:] != journey[:-1]) | (ticks[1:] != ticks[:-1])
    tie = np.cumsum(new) - 1
    return np.argsort(rng.permutation(int(new.sum()))[tie], kind="stable")


def _default_journeys() -> Journeys:
    from cxkit.simulate import retail

    rng = np.random.default_rng(0)
    data = retail(150, rng=0).journeys
    coarse = data.time.astype("datetime64[h]").astype("datetime64[us]")  # so that there are ties
    columns: dict[str, Column] = {}
    for name, column in data.columns.items():
        lost = rng.random(data.touchpoints) < 0.1
        if isinstance(column, Codes):
            codes = np.where(lost, -1, column.codes.astype(np.int64))
            codes = np.where(column.codes == column.missing, -1, codes)
            columns[name] = Codes.from_codes(codes, column.vocabulary)
        else:
            columns[name] = np.where(lost, np.nan, column)
    who = data.customer.take(segment_ids(data.offsets))
    return Journeys.from_codes(customer=who, time=coarse, columns=columns)
