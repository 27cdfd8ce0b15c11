"""What journeys hold: offsets, customers, and the columns of their touchpoints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import segment_ids
from cxkit.core.summary import SHARDS
from cxkit.errors import SchemaError, did_you_mean

__all__ = ["Column", "JourneyColumns"]

Column: TypeAlias = Codes | NDArray[np.float64]
_OPTIONAL: Final = ("channel", "event")


def _frozen_columns(columns: Mapping[str, Column]) -> Mapping[str, Column]:
    return MappingProxyType(
        {k: v if isinstance(v, Codes) else freeze(v) for k, v in columns.items()}
    )


@attrs.frozen(eq=False, repr=False)
class JourneyColumns:
    """The columns of :class:`cxkit.Journeys`, and how they are read.

    Attributes:
        offsets: (J + 1,) int64.
        customer: (J,) codes: the customer of each journey.
        time: (E,) datetime64[us], UTC.
        columns: The further touchpoint columns by name, each (E,).
    """

    offsets: IntArray = attrs.field(converter=freeze)
    customer: Codes
    time: NDArray[np.datetime64] = attrs.field(converter=freeze)
    columns: Mapping[str, Column] = attrs.field(converter=_frozen_columns)

    def __len__(self) -> int:
        """J, the number of journeys."""
        return len(self.offsets) - 1

    @property
    def touchpoints(self) -> int:
        """E, the number of touchpoints."""
        return len(self.time)

    @property
    def column_names(self) -> list[str]:
        """The touchpoint columns that were given, ``time`` first."""
        return ["time", *self.columns]

    @property
    def channel(self) -> Codes:
        """(E,) where; all missing if no channel was given."""
        return self._codes_or_missing("channel")

    @property
    def event(self) -> Codes:
        """(E,) what; all missing if no event was given."""
        return self._codes_or_missing("event")

    @property
    def value(self) -> NDArray[np.float64]:
        """(E,) money of outcomes, NaN where a touchpoint carries none."""
        found = self.columns.get("value")
        if isinstance(found, np.ndarray):
            return found
        return np.broadcast_to(np.float64(np.nan), self.time.shape)

    def codes(self, name: str) -> Codes:
        """A column of labels. Without touchpoints, no column need be there.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
        """
        # A store without touchpoints has no columns, and counting them must still give zeros.
        optional = name in _OPTIONAL or not self.touchpoints
        column = self._codes_or_missing(name) if optional else self._column(name)
        if not isinstance(column, Codes):
            labelled = [k for k, v in self.columns.items() if isinstance(v, Codes)]
            raise SchemaError(
                f"column {name!r} holds numbers, not labels; labels are in {labelled}"
            )
        return column

    def _column(self, name: str) -> Any:
        if name == "time":
            return self.time
        if name == "customer":
            return self.customer.take(segment_ids(self.offsets))
        try:
            return self.columns[name]
        except KeyError:
            raise SchemaError(
                f"no column {name!r}; the journeys have {self.column_names}."
                f"{did_you_mean(name, self.column_names)}"
            ) from None

    def _codes_or_missing(self, name: str) -> Codes:
        found = self.columns.get(name)
        return found if isinstance(found, Codes) else Codes.all_missing(self.touchpoints)

    @property
    def customers(self) -> int:
        """How many different customers have a journey here."""
        seen = np.zeros(self.customer.slots, dtype=bool)
        seen[self.customer.codes] = True
        return int(seen.sum())

    @cached_property
    def shards(self) -> IntArray:
        """(J,) the shard of each journey: the top bits of a hash of its customer."""
        top = 64 - (SHARDS - 1).bit_length()
        # Wide numbers, for they are multiplied: 64 shards of 5 slots do not fit a byte.
        table = (self.customer.vocabulary.hash64() >> np.uint64(top)).astype(np.int64)
        return freeze(table[self.customer.codes])

    @cached_property
    def shard_journeys(self) -> IntArray:
        """(SHARDS,) how many journeys there are in each shard."""
        return freeze(np.bincount(self.shards, minlength=SHARDS))

    @cached_property
    def row_shards(self) -> NDArray[np.uint8]:
        """(E,) the shard of each touchpoint: a byte each, kept because counting asks again."""
        return freeze(np.repeat(self.shards.astype(np.uint8), np.diff(self.offsets)))

    def __eq__(self, other: object) -> bool:
        """Equal when every journey and column is, by label, not by code."""
        if not isinstance(other, JourneyColumns):
            return NotImplemented
        return (
            np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.time, other.time)
            and self.customer == other.customer
            and self.columns.keys() == other.columns.keys()
            and all(_equal(column, other.columns[name]) for name, column in self.columns.items())
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        columns = {k: v if isinstance(v, Codes) else np.array(v) for k, v in self.columns.items()}
        return type(self), (np.array(self.offsets), self.customer, np.array(self.time), columns)

    def _over(self, rows: Any, offsets: IntArray, customer: Codes) -> Self:
        columns: dict[str, Column] = {
            name: column.take(rows) if isinstance(column, Codes) else column[rows]
            for name, column in self.columns.items()
        }
        return attrs.evolve(
            self, offsets=offsets, customer=customer, time=self.time[rows], columns=columns
        )


def _equal(left: Column, right: Column) -> bool:
    if isinstance(left, Codes) or isinstance(right, Codes):
        return bool(left == right) if type(left) is type(right) else False
    return bool(np.array_equal(left, right, equal_nan=True))
