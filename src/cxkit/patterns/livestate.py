"""What every live engine of this room keeps of its customers, and how that is saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from cxkit.core.batches import check_customer, check_customers
from cxkit.core.codes import Label
from cxkit.core.packing import pack, unpack
from cxkit.errors import DataError

__all__ = ["DROPPED", "EARLY", "LATE", "NEVER", "LiveState"]

NEVER: Final = 2**62
"""An instant that does not come."""
LATE: Final = 0
EARLY: Final = 1
DROPPED: Final = 2
"""Where the counts of what was lost stand."""
_SMALLEST: Final = 16
_OWN: Final = (("final", "<i8", -NEVER), ("due", "<i8", NEVER))


class LiveState(ABC):
    """Customers in slots, numbers of each in arrays, what was lost, and bytes of it all."""

    WHAT: ClassVar[str]
    SCHEMA: ClassVar[str]
    # What an engine keeps of every customer beside this: name, dtype, and the number at first.
    STATE: ClassVar[tuple[tuple[str, str, int], ...]] = ()

    def __init__(self, width: int = 1) -> None:
        """Begin without customers.

        Args:
            width: How many numbers of each STATE a customer has.
        """
        self._lost = [0, 0, 0]
        self._width = width
        self._clock = -NEVER  # every touchpoint of anybody up to here has come
        self._soonest = NEVER  # no customer is due before
        self._slots: dict[Label, int] = {}
        self._names: list[Label] = []
        self._hold(_SMALLEST, {})

    def __len__(self) -> int:
        """How many customers were seen."""
        return len(self._slots)

    def __contains__(self, customer: object) -> bool:
        """Whether a touchpoint of the customer was seen."""
        return customer in self._slots

    def __iter__(self) -> Iterator[Label]:
        """The customers, in the order in which they were first seen."""
        return iter(self._names)

    @property
    def too_late(self) -> int:
        """How many touchpoints came later than the tolerance allows, and were left out."""
        return self._lost[LATE]

    @property
    def released_early(self) -> int:
        """How many touchpoints were taken before their time because too many waited."""
        return self._lost[EARLY]

    @property
    def dropped(self) -> int:
        """How much an engine could not keep for want of room."""
        return self._lost[DROPPED]

    def to_bytes(self) -> bytes:
        """The definition and the state of every customer, for a file or another process.

        It is JSON and arrays; pickle is never read.
        """
        header = {
            "definition": self._header(),
            "customers": [who if isinstance(who, str) else int(who) for who in self._names],
            "clock": self._clock,
            "lost": self._lost,
        }
        size = len(self._arrays["due"])
        used = {k: a[: len(self) * (len(a) // size)] for k, a in self._arrays.items()}
        return pack(self.SCHEMA, header, {**used, **self._rows()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are of something else, or are damaged or cut short.
        """
        header, arrays = unpack(data, cls.SCHEMA, cls.WHAT)
        try:
            live = cls._from_header(header["definition"])
            live._read(header, arrays)  # noqa: SLF001  # its own class
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(f"the bytes of these {cls.WHAT} are damaged: {error}") from error
        return live

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through bytes: views of memory cannot be pickled themselves."""
        return type(self).from_bytes, (self.to_bytes(),)

    def _read(self, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        self._names = header["customers"]
        check_customers(self._names, {})
        self._slots = {customer: slot for slot, customer in enumerate(self._names)}
        self._clock = header["clock"]
        too_late, early, dropped = header["lost"]
        self._lost = [too_late, early, dropped]
        self._hold(max(len(self), _SMALLEST), arrays)
        self._take_rows(arrays)
        self._soonest = int(self._arrays["due"].min())

    @property
    def _text(self) -> bool | None:
        """Whether the customers are text; ``None`` where there are none."""
        return isinstance(self._names[0], str) if self._names else None

    def _hold(self, size: int, old: dict[str, NDArray[Any]]) -> None:
        """Make room for so many customers.

        Reading one element through a memoryview of an array costs a tenth of array indexing.
        """
        count = len(self._slots)
        self._arrays: dict[str, NDArray[Any]] = {}
        for column in (*_OWN, *self.STATE):
            name, kind, empty = column
            width = 1 if column in _OWN else self._width
            array = np.full(size * width, empty, np.dtype(kind).newbyteorder("="))
            if count:
                array[: count * width] = old[name][: count * width]
            self._arrays[name] = array
        self._finals: Any = self._view("final")
        self._dues: Any = self._view("due")

    def _view(self, name: str) -> Any:
        array: Any = self._arrays[name]
        return memoryview(array)

    def _add(self, customer: Label) -> int:
        """A slot for a customer who was not seen before."""
        check_customer(customer, text=self._text)
        slot = len(self._slots)
        if slot >= len(self._dues):
            self._hold(2 * slot, self._arrays)
        self._slots[customer] = slot
        self._names.append(customer)
        return slot

    @abstractmethod
    def _header(self) -> dict[str, Any]:
        """The definition as plain data."""

    @classmethod
    @abstractmethod
    def _from_header(cls, header: dict[str, Any]) -> Self:
        """An engine without customers from :meth:`_header`."""

    @abstractmethod
    def _rows(self) -> dict[str, NDArray[Any]]:
        """What customers have different numbers of, as flat arrays."""

    @abstractmethod
    def _take_rows(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take back what :meth:`_rows` gave."""
