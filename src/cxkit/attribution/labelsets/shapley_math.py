"""Shapley values of a game over labels: of a table of all subsets, or by drawn orders."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Label
from cxkit.core.progress import ProgressLike, steps
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DataError, DefinitionError

__all__ = [
    "MOST_EXACT",
    "ShapleyValues",
    "ValueFunction",
    "shapley_of_table",
    "shapley_values",
    "subset_sums",
    "superset_sums",
    "weights_by_size",
]

FloatArray: TypeAlias = NDArray[np.float64]
ValueFunction: TypeAlias = Callable[[NDArray[np.bool_]], ArrayLike]
"""``value(members)``: (M, K) which labels are in each of M subsets -> (M,) what each is worth."""

MOST_EXACT: Final = 20
"""Up to so many labels every subset is looked at: 2**20 of them."""

_BLOCK_BITS: Final = 15  # 256 kB of doubles: passes over the low bits stay in the cache
_AT_ONCE: Final = 1 << 16
_LOWEST_BITS: Final = 6
_subsets = np.arange(1 << _LOWEST_BITS)
_LOWEST: Final = (_subsets[:, None] & ~_subsets == 0).astype(np.float64)  # [S, T]: S is in T


def subset_sums(table: FloatArray) -> FloatArray:
    """For every subset S, the sum over all subsets of S: the zeta transform.

    Yates's method, K passes instead of 3**K additions (Knuth, "The Art of Computer Programming" 2,
    4.6.4; Björklund, Husfeldt, Kaski, Koivisto 2007, "Fourier meets Möbius").

    Args:
        table: (..., 2**K) by mask: bit k says whether label k is in the subset. Contiguous.

    Example:
        >>> subset_sums(np.array([1.0, 10.0, 100.0, 1000.0])).tolist()
        [1.0, 11.0, 101.0, 1111.0]
    """
    return _fold(table, _LOWEST, lambda without, with_it: np.add(with_it, without, out=with_it))


def superset_sums(table: FloatArray) -> FloatArray:
    """For every subset S, the sum over all that hold S; see :func:`subset_sums`.

    Example:
        >>> superset_sums(np.array([1.0, 10.0, 100.0, 1000.0])).tolist()
        [1111.0, 1010.0, 1100.0, 1000.0]
    """
    return _fold(table, _LOWEST.T, lambda without, with_it: np.add(without, with_it, out=without))


def _fold(
    table: FloatArray, lowest: FloatArray, step: Callable[[FloatArray, FloatArray], object]
) -> FloatArray:
    bits = table.shape[-1].bit_length() - 1
    begin, low = 0, min(bits, _BLOCK_BITS)
    out = np.array(table, np.float64, order="C")
    if bits >= _LOWEST_BITS:
        # Neighbours are slow to add; all that the lowest bits say is one matrix product.
        out = (out.reshape(-1, 1 << _LOWEST_BITS) @ lowest).reshape(table.shape)
        begin = _LOWEST_BITS
    for block in out.reshape(-1, 1 << low):
        for k in range(begin, low):
            pairs = block.reshape(-1, 2, 1 << k)
            step(pairs[:, 0], pairs[:, 1])
    for k in range(max(begin, low), bits):
        pairs = out.reshape(-1, 2, 1 << k)
        step(pairs[:, 0], pairs[:, 1])
    return out


def weights_by_size(labels: int) -> tuple[FloatArray, FloatArray]:
    """What a subset of each size weighs in a Shapley value.

    Label k's value is the sum over subsets S of ``v(S) * joined[|S|]`` where k is in S, less
    ``v(S) * apart[|S|]`` where it is not: ``(s - 1)! (n - s)! / n!`` and ``s! (n - s - 1)! / n!``.

    Returns:
        (K + 1,) joined and (K + 1,) apart.
    """
    n = labels
    size = range(n + 1)
    joined = [1.0 / (s * math.comb(n, s)) if s else 0.0 for s in size]
    apart = [1.0 / ((n - s) * math.comb(n, s)) if s < n else 0.0 for s in size]
    return np.array(joined), np.array(apart)


def shapley_of_table(worth: FloatArray) -> FloatArray:
    """Shapley values of a game of which every subset is known.

    Shapley 1953, "A value for n-person games": the mean, over all orders in which the labels could
    come, of what each adds to those before it. All labels share two weighted sums, folded in half
    once per label, so that it takes two passes over the table.

    Args:
        worth: (..., 2**K) what each subset is worth.

    Returns:
        (..., K); they sum to ``worth[..., -1] - worth[..., 0]``.

    Example:
        >>> shapley_of_table(np.array([0.0, 1.0, 3.0, 6.0])).tolist()
        [2.0, 4.0]
    """
    labels = worth.shape[-1].bit_length() - 1
    joined, apart = weights_by_size(labels)
    size = np.bitwise_count(np.arange(1 << labels, dtype=np.uint32))
    outside = (worth * apart[size]).sum(axis=-1)
    folded = worth * (joined + apart)[size]
    values = np.empty((*worth.shape[:-1], labels))
    for k in range(labels - 1, -1, -1):
        half = 1 << k
        values[..., k] = folded[..., half:].sum(axis=-1)
        folded = folded[..., :half] + folded[..., half:]
    return np.asarray(values - outside[..., None])


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ShapleyValues(Result):
    """What each label adds to a game, on the mean over all orders.

    Attributes:
        labels: The K labels.
        values: (K,) Shapley values; they sum to ``total``.
        standard_error: (K,) of the values, from drawing orders; 0 where every subset was looked at.
        total: What all labels together are worth beyond none.
        orders: How many orders were drawn; 0 where every subset was looked at.
    """

    labels: tuple[Label, ...]
    values: FloatArray = attrs.field(converter=freeze)
    standard_error: FloatArray = attrs.field(converter=freeze)
    total: float
    orders: int

    def columns(self) -> dict[str, ColumnLike]:
        """label, value, standard_error, and the share of the total (NaN where that is 0)."""
        whole = self.total or math.nan
        return {
            "label": self.labels,
            "value": self.values,
            "standard_error": self.standard_error,
            "share": self.values / whole,
        }

    def title(self) -> str:
        """How they were had."""
        how = f"{self.orders:,} orders drawn" if self.orders else "exact"
        return f"Shapley values of {len(self.labels)} labels, {how}"


def shapley_values(
    labels: Sequence[Label],
    value: ValueFunction,
    *,
    orders: int | None = None,
    rng: int | np.random.Generator = 0,
    progress: ProgressLike = None,
) -> ShapleyValues:
    """Shapley values of a game of your own, such as a model of conversion that you have fitted.

    Up to 20 labels every subset is looked at. With more, or when told to, orders of the labels are
    drawn, each together with its reverse, which makes the error smaller (Castro, Gómez and Tejada
    2009, "Polynomial calculation of the Shapley value based on sampling"; Mitchell, Cooper, Frank,
    Holmes 2022, "Sampling permutations for Shapley value estimation").

    Args:
        labels: The K labels.
        value: ``value(members)`` gets (M, K) truth values, a row for each subset and a column for
            each label, and says what each of the M subsets is worth. It is called with many subsets
            at once.
        orders: How many orders to draw, an even number; ``None``: look at every subset, or draw
            1,000 if there are more than 20 labels.
        rng: Seed or generator.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)``.

    Raises:
        DefinitionError: ``value`` or ``orders`` is none, or labels repeat.
        DataError: ``value`` answers with something else than M finite numbers.

    Example:
        >>> def value(members):  # "ad" alone is worth 1, "mail" 2, both together 6
        ...     return members @ [1, 2] + 3 * members.all(axis=1)
        >>> shapley_values(["ad", "mail"], value)
        Shapley values of 2 labels, exact
        label  value  standard_error   share
        ad     2.500          0.0000  0.4167
        mail   3.500          0.0000  0.5833
    """
    if not callable(value):
        raise DefinitionError(f"value must be a function of (M, K) truth values; found {value!r}")
    named = tuple(labels)
    if len(set(named)) < len(named):
        raise DefinitionError(f"labels must be different; found {list(named)}")
    if orders is not None and (isinstance(orders, bool) or orders < 2 or orders % 2):
        raise DefinitionError(f"orders must be an even number, 2 or more; found {orders!r}")
    if orders is None and len(named) <= MOST_EXACT:
        worth = _every_subset(value, len(named), progress)
        return ShapleyValues(
            labels=named,
            values=shapley_of_table(worth),
            standard_error=np.zeros(len(named)),
            total=float(worth[-1] - worth[0]),
            orders=0,
        )
    return _drawn(named, value, orders or 1000, np.random.default_rng(rng), progress)


def _every_subset(value: ValueFunction, labels: int, progress: ProgressLike) -> FloatArray:
    worth = np.empty(1 << labels)
    bits = np.arange(labels)
    with steps("subsets", len(worth), progress) as step:
        for start in range(0, len(worth), _AT_ONCE):
            masks = np.arange(start, min(start + _AT_ONCE, len(worth)))
            worth[masks] = _asked(value, (masks[:, None] >> bits & 1).astype(bool))
            step(len(masks))
    return worth


def _drawn(
    labels: tuple[Label, ...],
    value: ValueFunction,
    orders: int,
    rng: np.random.Generator,
    progress: ProgressLike,
) -> ShapleyValues:
    count = len(labels)
    pairs = np.empty((orders // 2, count))
    both = np.array([np.zeros(count, bool), np.ones(count, bool)])
    empty, full = _asked(value, both)
    at_once = max(_AT_ONCE // (2 * count + 2), 1)
    with steps("orders", len(pairs), progress) as step:
        for start in range(0, len(pairs), at_once):
            rank = ranks_of_orders(rng, min(at_once, len(pairs) - start), count)
            members = rank[:, None, :] < np.arange(1, count + 1)[:, None]  # (D, K, K)
            asked = _asked(value, members.reshape(-1, count)).reshape(len(rank), count)
            gained = np.diff(asked, axis=1, prepend=empty)
            adds = np.take_along_axis(gained, rank, axis=1)
            pairs[start : start + len(rank) // 2] = (adds[::2] + adds[1::2]) / 2
            step(len(rank) // 2)
    error = pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs)) if len(pairs) > 1 else np.nan
    return ShapleyValues(
        labels=labels,
        values=pairs.mean(axis=0),
        standard_error=np.broadcast_to(error, count),
        total=float(full - empty),
        orders=orders,
    )


def ranks_of_orders(rng: np.random.Generator, pairs: int, labels: int) -> IntArray:
    """(2 * pairs, K) the places of the labels in drawn orders, each followed by its reverse."""
    rank = np.argsort(np.argsort(rng.random((pairs, labels)), axis=1), axis=1)
    return np.stack([rank, labels - 1 - rank], axis=1).reshape(-1, labels)


def _asked(value: ValueFunction, members: NDArray[np.bool_]) -> FloatArray:
    """What subsets are worth, checked."""
    found: Any = value(freeze(members))
    try:
        worth = np.asarray(found, np.float64)
    except (TypeError, ValueError):
        worth = np.zeros(0)
    if worth.shape != (len(members),) or not np.isfinite(worth).all():
        raise DataError(
            f"value(members) must answer with {len(members):,} finite numbers, one for each row of "
            f"members; found {found!r:.200}"
        )
    return worth
