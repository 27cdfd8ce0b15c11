"""Shares with their intervals, and what the tables of this room have in common."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.result import Result
from cxkit.core.summary import interval, jackknife_error, leave_one_out
from cxkit.errors import DefinitionError

__all__ = ["FlowResult", "divide", "share_interval"]


class FlowResult(Result):
    """A result that keeps its arrays read-only when it is pickled."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, which makes arrays read-only."""
        every: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]  # a subclass is an attrs class
        return _rebuild, (type(self), {f.name: getattr(self, f.name) for f in every})


def divide(part: NDArray[Any], whole: NDArray[Any] | np.integer[Any]) -> NDArray[np.float64]:
    """``part / whole``, NaN where the whole is nothing."""
    with np.errstate(invalid="ignore"):
        return np.asarray(part / whole, dtype=np.float64)


def share_interval(
    part: NDArray[Any], whole: NDArray[Any], occupied: NDArray[np.bool_], *, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the interval of a share, from its counts in every shard.

    Args:
        part: (SHARDS, n) counts.
        whole: (SHARDS, n) or (SHARDS, 1) counts that ``part`` is a part of.
        occupied: (SHARDS,) which shards hold anything at all.
        level: How often intervals made like this hold the true share, between 0 and 1.

    Returns:
        (n,) low and (n,) high ends, within 0 and 1: the share without each shard in turn tells how
        much it would vary from one set of customers to another (delete-a-group jackknife). NaN
        where fewer than 10 shards are occupied, or where a single shard holds the whole.

    Raises:
        DefinitionError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise DefinitionError(f"level must lie between 0 and 1, such as 0.95; found {level!r}")
    share = divide(part.sum(axis=0), whole.sum(axis=0))
    error = jackknife_error(divide(leave_one_out(part), leave_one_out(whole)), occupied)
    return interval(share, error, occupied, level=level, bounds=(0.0, 1.0))


def _rebuild(cls: type[Any], values: dict[str, Any]) -> Any:
    return cls(**values)
