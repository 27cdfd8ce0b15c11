"""The customers of live scores: who is known, who is forgotten, and all of them as bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Label
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.engagement.livebytes import pack, unpack
from cxkit.engagement.livematch import Matcher
from cxkit.engagement.livestate import LiveState
from cxkit.engagement.scale import EngagementScale

__all__ = ["LiveCustomers"]

_CLASSES: dict[str, type[LiveCustomers]] = {}


class LiveCustomers(ABC):
    """What :class:`~cxkit.engagement.LiveScores` keeps of whom; that class adds the scores."""

    __slots__ = ("_matcher", "_state", "scale", "tolerance_us", "too_late")

    KIND: ClassVar[str]

    def __init__(self, scale: EngagementScale, tolerance_us: int | None) -> None:
        """Begin without customers; see :meth:`EngagementScale.live`."""
        self.scale: EngagementScale = scale
        self.tolerance_us: int | None = tolerance_us
        self.too_late: int = 0
        self._matcher = Matcher(scale)
        self._state: LiveState

    def __init_subclass__(cls) -> None:
        """Note the kind, so that bytes find it."""
        super().__init_subclass__()
        if hasattr(cls, "KIND"):
            _CLASSES[cls.KIND] = cls

    def __len__(self) -> int:
        """How many customers are known."""
        return len(self._state.slots)

    def __contains__(self, customer: object) -> bool:
        """Whether the customer is known."""
        return customer in self._state.slots

    def __iter__(self) -> Iterator[Label]:
        """The customers, in the order in which they were first seen."""
        return iter(self._state.slots)

    def __repr__(self) -> str:
        """How many customers, what was refused, and the scale."""
        late = "" if not self.tolerance_us else f", tolerance {show_span(self.tolerance_us)}"
        lost = "" if not self.too_late else f", {self.too_late:,} too late"
        return f"<LiveScores of {len(self):,} customers{late}{lost}: {self.scale!r}>"

    @property
    def nbytes(self) -> int:
        """Bytes of state in use, without the names of the customers."""
        return self._state.nbytes

    def forget(self, customer: Label) -> bool:
        """Forget a customer, as if never seen; whether there was one."""
        row = self._state.remove(customer)
        if row is not None:
            self._forgotten(row)
        return row is not None

    def forget_idle(self, idle: SpanLike, *, at: InstantLike) -> int:
        """Forget the customers whose latest touchpoint lies ``idle`` or more before ``at``.

        Returns:
            How many. With a half-life, choose ``idle`` such that nothing worth keeping is left:
            after 10 half-lives it is a thousandth.

        Raises:
            DefinitionError: ``idle`` is no span, or ``at`` no instant.
        """
        limit = instant_us(at, name="at") - span_us(idle, name="idle")
        slots = self._state.slots
        rows = np.fromiter(slots.values(), np.int64, len(slots))
        old = np.flatnonzero(self._state.columns()[0][rows, 0] <= limit)
        names = list(slots)
        for place in old.tolist():
            self.forget(names[place])
        return len(old)

    def advance(self, at: InstantLike) -> int:
        """Tell the time, so that touchpoints kept for late ones can be let go.

        From then on a touchpoint older than ``at`` by more than the tolerance is too late, unless
        it is its customer's latest. Call it from a timer where customers fall silent.

        Returns:
            For how many customers nothing is kept any more.

        Raises:
            DefinitionError: ``at`` is no instant.
        """
        return self._advance(instant_us(at, name="at"))

    def to_bytes(self) -> bytes:
        """The scale and the state of every customer, for a file or another process.

        It is JSON and arrays; pickle is never read.
        """
        rows = list(self._state.slots.values())
        ints, cells = self._state.take(rows)
        header = {
            "kind": self.KIND,
            "scale": self.scale.to_dict(),
            "tolerance_us": self.tolerance_us,
            "too_late": self.too_late,
            **self._header(),
        }
        return pack(header, list(self._state.slots), {"ints": ints, "cells": cells, **self._more()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are not those of live scores, or are damaged or cut short.
        """
        from cxkit.engagement import liveplain, liverules  # noqa: F401  # they are the kinds

        header, customers, arrays = unpack(data, set(_CLASSES))
        scale = EngagementScale.from_dict(header["scale"])
        found = _CLASSES[header["kind"]](scale, header["tolerance_us"])
        found.too_late = header["too_late"]
        found._restore(header, customers, arrays)  # noqa: SLF001  # its own class
        return found  # type: ignore[return-value]  # the kind is told by the bytes

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through bytes: views of memory cannot be pickled themselves."""
        return type(self).from_bytes, (self.to_bytes(),)

    def _count_late(self) -> None:
        """Note that a touchpoint came too late."""
        self.too_late += 1

    def _forgotten(self, row: int) -> None:  # noqa: B027  # not all keep anything else
        """Let go of what else is kept of a row."""

    def _advance(self, us: int) -> int:  # noqa: ARG002  # for those that keep something
        """Let go of what was kept for late touchpoints."""
        return 0

    def _header(self) -> dict[str, Any]:
        """What else the header of the bytes says."""
        return {}

    def _more(self) -> dict[str, NDArray[Any]]:
        """What else is kept, as arrays."""
        return {}

    @abstractmethod
    def _restore(
        self, header: dict[str, Any], customers: list[Label], arrays: dict[str, NDArray[Any]]
    ) -> None:
        """Take back the state of :meth:`to_bytes`."""
