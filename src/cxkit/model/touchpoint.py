"""One timed contact of one customer, in one channel."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from numbers import Real
from types import MappingProxyType
from typing import Any, Final, SupportsFloat

import attrs
import numpy as np

from cxkit.core.codes import Label
from cxkit.core.instants import is_null
from cxkit.core.numerals import parse_floats
from cxkit.core.spans import InstantLike, instant_us
from cxkit.errors import DataError

__all__ = ["Touchpoint"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _utc(value: InstantLike) -> datetime:
    return _EPOCH + timedelta(microseconds=instant_us(value, name="time"))


def _read_only(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


def _label(value: Any, field: attrs.Attribute[Any]) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int))):
        raise DataError(f"{field.name} of a touchpoint is text or a whole number; found {value!r}")


def _customer(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    _label(value, field)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DataError(f"a touchpoint needs a customer; found {value!r}")


def _optional_label(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    _label(value, field)


def _number(value: SupportsFloat | str | None) -> float:
    """What the door takes for a value: numbers, also as text; nothing and empty text are NaN."""
    if type(value) is float:
        return value  # as mostly: services make a touchpoint for every event
    if is_null(value):
        return math.nan
    if isinstance(value, str):
        values, bad = parse_floats([value or "nan"])
        if not bad[0]:
            return float(values[0])
    # Truth values and numpy's spans of time count as numbers, and are none that anybody means.
    elif isinstance(value, (Real, Decimal)) and not isinstance(
        value, (bool, np.bool_, np.timedelta64)
    ):
        with contextlib.suppress(OverflowError):  # a whole number beyond the largest float
            return float(value)
    raise DataError(f"value of a touchpoint is a finite number, NaN or None; found {value!r}")


def _finite(_: object, __: object, value: float) -> None:
    if math.isinf(value):
        raise DataError(f"value of a touchpoint is a finite number or NaN; found {value}")


@attrs.frozen
class Touchpoint:
    """One timed contact of one customer with a brand, partner or product, in one channel.

    Attributes:
        customer: Who: text or a whole number.
        time: When: an instant (see :func:`cxkit.core.spans.instant_us`), kept as an aware UTC
            ``datetime``.
        event: What happened, such as ``"page_view"``; ``None`` if it is not known.
        channel: Where, such as ``"email"`` or ``"store"``; ``None`` if it is not known.
        value: Money of an outcome, in the one currency of the store; NaN where there is none, which
            may also be given as ``None``.
        properties: Further columns by name, such as ``{"campaign": "spring"}``.

    Raises:
        DefinitionError: The time is no instant, or has no zone.
        DataError: The customer is empty, or the value is infinite or no number.

    Example:
        >>> Touchpoint("ann", "2024-03-01T10:00Z", event="open", channel="email").time.hour
        10
    """

    customer: Label = attrs.field(validator=_customer)
    time: datetime = attrs.field(converter=_utc)
    event: Label | None = attrs.field(default=None, validator=_optional_label)
    channel: Label | None = attrs.field(default=None, validator=_optional_label)
    value: float = attrs.field(default=math.nan, converter=_number, validator=_finite, eq=repr)
    properties: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only, hash=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor: a read-only mapping cannot be pickled itself."""
        fields = (self.customer, self.time, self.event, self.channel, self.value)
        return Touchpoint, (*fields, dict(self.properties))

    @property
    def time_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return (self.time - _EPOCH) // timedelta(microseconds=1)

    @classmethod
    def _of_row(cls, row: Mapping[str, Any]) -> Touchpoint:
        """A touchpoint from one row of a store, whose columns were checked at the door."""
        rest = {k: v for k, v in row.items() if k not in _OWN}
        own = {k: row[k] for k in _OWN if k in row}
        return cls(**own, properties=rest)


_OWN: Final = ("customer", "time", "event", "channel", "value")
