"""The merge law: whatever can be counted can be added.

A :class:`Summary` holds only totals, so that two of them add up to the summary of both parts, in
any order, batch by batch or machine by machine. Only :meth:`Summary.result` divides.

The totals are kept in :data:`SHARDS` parts by a hash of the customer, which gives every result an
interval from the summary alone: see ``cxkit.core.intervals``.

A subclass is a frozen attrs class whose fields say by their metadata what they are::

    @attrs.frozen(eq=False, repr=False)
    class Visits(Summary):
        by: str = attrs.field(metadata=PARAMETER)
        labels: Vocabulary = attrs.field(metadata=AXIS)
        visits: NDArray[np.int64] = attrs.field(metadata=total("shard", "labels"))

and addition, the zero, bytes and equality follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze, rebuild
from cxkit.core.codes import TEXT, Vocabulary
from cxkit.core.packing import damaged, pack, unpack
from cxkit.errors import DataError, MergeError

__all__ = [
    "AXIS",
    "PARAMETER",
    "SHARDS",
    "Summary",
    "merge_all",
    "parameter",
    "total",
]

SHARDS: Final = 64
"""In how many parts a summary is kept."""

_KIND: Final = "cxkit.kind"
_AXES: Final = "cxkit.axes"
_DECODE: Final = "cxkit.decode"
_SCHEMA: Final = "cxkit/summary/1"

PARAMETER: Final[Mapping[str, Any]] = {_KIND: "parameter"}
"""Metadata of a field that must be equal in summaries that are added."""
AXIS: Final[Mapping[str, Any]] = {_KIND: "axis"}
"""Metadata of a field that holds the vocabulary of an axis."""


def parameter(decode: Callable[[Any], Any]) -> Mapping[str, Any]:
    """Metadata of a parameter that has ``to_dict``; ``decode`` is its ``from_dict``."""
    return {_KIND: "parameter", _DECODE: decode}


def total(*axes: str) -> Mapping[str, Any]:
    """Metadata of an array that adds up.

    Args:
        axes: The axes of the array. The name of an :data:`AXIS` field has K + 1 slots, the last for
            missing, and is translated when vocabularies unite. Any other name has a fixed length.
    """
    return {_KIND: "total", _AXES: axes}


class Summary(ABC):
    """Totals that add up, and the result they give."""

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    @classmethod
    @abstractmethod
    def of(cls, /, *args: Any, **kwargs: Any) -> Self:
        """Count: journeys come first, the parameters of the summary by name."""

    @abstractmethod
    def result(self) -> Any:
        """Divide: the answer that the totals give."""

    @classmethod
    def fields(cls, kind: str) -> list[attrs.Attribute[Any]]:
        """The fields of one kind: ``"parameter"``, ``"axis"`` or ``"total"``."""
        every: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)  # type: ignore[arg-type]  # a subclass is an attrs class
        return [f for f in every if f.metadata.get(_KIND) == kind]

    def __attrs_post_init__(self) -> None:
        """Make the totals read-only."""
        for field in self.fields("total"):
            object.__setattr__(self, field.name, freeze(getattr(self, field.name)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        return rebuild, (type(self), {f.name: getattr(self, f.name) for f in self._all()})

    def __add__(self, other: Self) -> Self:
        """The summary of both parts together.

        Raises:
            MergeError: The other is no such summary, or was made with other parameters.
        """
        if not isinstance(other, type(self)):
            return NotImplemented
        parameters = self._same_parameters(other)
        return type(self)(**parameters, **self._merged(other))

    def _merged(self, other: Self) -> dict[str, Any]:
        """The axes and totals of both together; a summary with rows of its own overrides this."""
        merged: dict[str, Any] = {}
        for field in self.fields("axis"):
            merged[field.name] = getattr(self, field.name).union(getattr(other, field.name))
        for field in self.fields("total"):
            merged[field.name] = self._spread(field, merged) + other._spread(field, merged)
        return merged

    def __eq__(self, other: object) -> bool:
        """Equal when parameters, labels and totals are."""
        if type(other) is not type(self):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in self._all())

    def __repr__(self) -> str:
        """The parameters, and the result that the totals give."""
        told = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in self.fields("parameter"))
        return f"<{type(self).__name__}: {told}>\n{self.result()!r}"

    def occupied(self) -> NDArray[np.bool_]:
        """(SHARDS,) which shards hold anything at all."""
        seen = np.zeros(SHARDS, dtype=bool)
        for field in self.fields("total"):
            if field.metadata[_AXES][:1] == ("shard",):
                totals = getattr(self, field.name)
                seen |= (totals != 0).reshape(SHARDS, -1).any(axis=1)
        return seen

    def to_bytes(self) -> bytes:
        """The summary as bytes, for a file or another machine; never pickle."""
        header: dict[str, Any] = {"summary": type(self).__name__, "parameters": {}, "axes": {}}
        for field in self.fields("parameter"):
            value = getattr(self, field.name)
            coded = _DECODE in field.metadata and value is not None
            header["parameters"][field.name] = value.to_dict() if coded else value
        for field in self.fields("axis"):
            vocabulary = getattr(self, field.name)
            kind = "text" if vocabulary.labels.dtype == TEXT else "number"
            axis: dict[str, Any] = {"kind": kind, "labels": list(vocabulary)}
            if vocabulary.was_text:
                axis["was_text"] = True
            header["axes"][field.name] = axis
        return pack(_SCHEMA, header, {f.name: getattr(self, f.name) for f in self.fields("total")})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are not those of such a summary, or are cut short.
        """
        header, totals = unpack(data, _SCHEMA, f"summary {cls.__name__}")
        if header.get("summary") != cls.__name__:
            raise DataError(f"these bytes are a {header.get('summary')}, not a {cls.__name__}")
        values: dict[str, Any] = {}
        try:
            for field in cls.fields("parameter"):
                value = header["parameters"][field.name]
                decode = field.metadata.get(_DECODE)
                if decode is not None and value is not None:
                    values[field.name] = decode(value)
                else:
                    values[field.name] = _tuples(value)
            for field in cls.fields("axis"):
                axis = header["axes"][field.name]
                dtype = TEXT if axis["kind"] == "text" else np.int64
                values[field.name] = Vocabulary(
                    np.array(axis["labels"], dtype=dtype), was_text=axis.get("was_text") is True
                )
            return cls(**values, **{f.name: totals[f.name] for f in cls.fields("total")})
        except (KeyError, TypeError):
            raise damaged(f"summary {cls.__name__}") from None

    def _all(self) -> list[attrs.Attribute[Any]]:
        return [*self.fields("parameter"), *self.fields("axis"), *self.fields("total")]

    def _same_parameters(self, other: Self) -> dict[str, Any]:
        for field in self.fields("parameter"):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if mine != theirs:
                raise MergeError(
                    f"cannot add two {type(self).__name__} with different {field.name}: "
                    f"{mine!r} and {theirs!r}; count both parts with the same one"
                )
        return {f.name: getattr(self, f.name) for f in self.fields("parameter")}

    def _spread(self, field: attrs.Attribute[Any], merged: Mapping[str, Any]) -> NDArray[Any]:
        """A total laid out over the united vocabularies."""
        array: NDArray[Any] = getattr(self, field.name)
        for place, name in enumerate(field.metadata[_AXES]):
            if name in merged and isinstance(merged[name], Vocabulary):
                own: Vocabulary = getattr(self, name)
                if own == merged[name]:
                    continue
                shape = list(array.shape)
                shape[place] = len(merged[name]) + 1
                wide = np.zeros(shape, array.dtype)
                index: list[Any] = [slice(None)] * array.ndim
                index[place] = own.positions_in(merged[name])
                wide[tuple(index)] = array
                array = wide
        return array


def merge_all(summaries: Iterable[Summary]) -> Any:
    """Add summaries up; the order does not matter.

    Raises:
        MergeError: There is none to add.
    """
    result: Summary | None = None
    for summary in summaries:
        result = summary if result is None else result + summary
    if result is None:
        raise MergeError("there is no summary to add; give at least one, such as S.zero()")
    return result


def _tuples(value: Any) -> Any:
    """JSON has no tuples: parameters that are sequences are tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))
    return bool(left == right)
