"""Local clock times -> UTC, for a whole column at once.

Python knows the offset of a zone only for one instant at a time. So the changes of offset within
the period of the data are looked up once, and every row then finds its own by bisection.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DefinitionError, did_you_mean

__all__ = ["LocalTimes", "find_zone", "local_to_utc"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLION: Final = 1_000_000
_DAY: Final = 86_400


@attrs.frozen(eq=False)
class LocalTimes:
    """Local times as instants.

    Attributes:
        us: (n,) int64 microseconds since 1970, UTC.
        skipped: (n,) bool, clocks went forward over this time, so that it never was.
        repeated: (n,) bool, clocks went back over this time, so that it was twice; ``us`` holds
            the earlier.
    """

    us: NDArray[np.int64]
    skipped: NDArray[np.bool_]
    repeated: NDArray[np.bool_]


def find_zone(tz: str | tzinfo) -> tzinfo:
    """The zone of a name such as ``"Europe/Amsterdam"``.

    Raises:
        DefinitionError: There is no such zone.

    Example:
        >>> find_zone("UTC")
        datetime.timezone.utc
    """
    if isinstance(tz, tzinfo):
        return tz
    if not isinstance(tz, str):
        raise DefinitionError(
            f"tz must be the name of a time zone, such as 'UTC' or 'Europe/Amsterdam'; found {tz!r}"
        )
    if tz.upper() in {"UTC", "Z"}:
        return UTC  # known even where the machine has no zone database
    import zoneinfo  # only a table with local times needs it

    try:
        return zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        what = "" if known else " This machine has no zone database; pip install tzdata."
        raise DefinitionError(
            f"no time zone {tz!r}; write for instance tz='UTC' or tz='Europe/Amsterdam'."
            f"{what}{did_you_mean(tz, known)}"
        ) from None


def local_to_utc(local: NDArray[np.int64], zone: tzinfo) -> LocalTimes:
    """Read clock times of a zone as instants.

    Args:
        local: (n,) int64 microseconds since 1970 on the local clock.
        zone: The zone.

    Returns:
        The instants, and which clock times never were or were twice.

    Example:
        >>> found = local_to_utc(np.array([0]), find_zone("Asia/Tokyo"))
        >>> (found.us // 3_600_000_000).tolist()
        [-9]
    """
    none = np.zeros(len(local), dtype=bool)
    if zone is UTC or not len(local):
        return LocalTimes(local, none, none)
    first = int(local.min()) // _MILLION - 2 * _DAY
    last = int(local.max()) // _MILLION + 2 * _DAY
    changes, offsets = _changes(zone, first, last)
    before, after = offsets[:-1], offsets[1:]
    # Change k is over on the local clock at `ends`; between `begins` and `ends` the clock reads a
    # time that was skipped (it went forward) or comes twice (it went back).
    begins = (changes + np.minimum(before, after)) * _MILLION
    ends = (changes + np.maximum(before, after)) * _MILLION
    at = np.searchsorted(ends, local, side="right")
    inside = local >= np.append(begins, np.iinfo(np.int64).max)[at]
    forward = np.append(after > before, [False])[at]
    return LocalTimes(local - offsets[at] * _MILLION, inside & forward, inside & ~forward)


def _changes(zone: tzinfo, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The seconds (k,) at which the offset changes, and the offsets (k + 1,) between them."""
    changes: list[int] = []
    offsets = [_offset(zone, first)]
    for start in range(first, last, _DAY):
        stop = min(start + _DAY, last)
        final = _offset(zone, stop)
        while offsets[-1] != final:
            low, high = (max(start, changes[-1]) if changes else start), stop
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, middle) == offsets[-1]:
                    low = middle
                else:
                    high = middle
            changes.append(high)
            offsets.append(_offset(zone, high))
    return np.array(changes, np.int64), np.array(offsets, np.int64)


def _offset(zone: tzinfo, seconds: int) -> int:
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
