"""Many journeys, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.core.ragged import cut_offsets, take_segments
from cxkit.core.spans import SpanLike, span_us
from cxkit.errors import SchemaError
from cxkit.model.columnar import Column, JourneyColumns
from cxkit.model.goal import GoalLike, as_goal

if TYPE_CHECKING:
    from cxkit.model.journey import Journey

__all__ = ["Journeys", "as_journeys"]


@attrs.frozen(eq=False, repr=False)
class Journeys(JourneyColumns):
    """Many journeys, as columns: the ordered touchpoints that customers actually had.

    Journey ``j`` is the rows ``offsets[j]:offsets[j + 1]`` of every touchpoint column, in order of
    time; touchpoints of the same instant keep the order of the input. No journey is empty. A
    customer may have several journeys, for instance one per session.

    Made by :func:`cxkit.ingest`, :meth:`from_table` or :meth:`from_codes`, which check and sort;
    the constructor trusts its arguments. All arrays are read-only.

    Attributes:
        offsets: (J + 1,) int64.
        customer: (J,) codes: the customer of each journey.
        time: (E,) datetime64[us], UTC.
        columns: The further touchpoint columns by name, each (E,): :class:`~cxkit.core.codes.Codes`
            or float64. ``channel``, ``event`` and ``value`` are among them if they were given.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["b", "a", "b"],
        ...         "when": ["2024-01-02", "2024-01-01", "2024-01-01"],
        ...         "what": ["buy", "look", "look"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     tz="UTC",
        ... )
        >>> journeys
        <Journeys: 2 journeys of 2 customers, 3 touchpoints, 2024-01-01 to 2024-01-02; event (2)>
        >>> [t.event for t in journeys[1]]
        ['look', 'buy']
    """

    # ------------------------------------------------------------------ made from

    @classmethod
    def from_table(cls, table: object, **roles: Any) -> Journeys:
        """Journeys from any table, all of whose rows must be usable.

        Takes the arguments of :func:`cxkit.ingest`, which is the form that keeps bad rows apart.

        Raises:
            DataError: At least one row was rejected; the error names the first ones.
            SchemaError: A column is missing or of a kind that cannot be used.
        """
        from cxkit.model.ingest import from_table

        return from_table(table, **roles)

    @classmethod
    def from_codes(
        cls,
        *,
        customer: NDArray[Any] | Codes,
        time: NDArray[Any],
        columns: Mapping[str, Column | NDArray[Any]] | None = None,
    ) -> Journeys:
        """Journeys from arrays that are encoded already: the fastest way in.

        Args:
            customer: (E,) codes, or whole numbers, which are the customers' ids.
            time: (E,) datetime64, or int64 microseconds since 1970; UTC.
            columns: name -> (E,) codes, whole numbers (labels) or floats.

        Raises:
            SchemaError: Lengths differ, a dtype cannot be used, or a name is reserved.
            DataError: A customer is missing, or a time lies outside the years 1900 to 2200.
        """
        from cxkit.model.build import from_codes

        return from_codes(customer=customer, time=time, columns=columns or {})

    @classmethod
    def empty(cls) -> Journeys:
        """No journey at all."""
        none = np.zeros(0, "datetime64[us]")
        return cls(np.zeros(1, np.int64), Codes.all_missing(0), none, {})

    @classmethod
    def concat(cls, parts: Iterable[Journeys]) -> Journeys:
        """The journeys of all parts, one part after another.

        Journeys stay as they are: a customer who is in two parts has journeys in both. Columns that
        a part lacks are missing there.
        """
        from cxkit.model.build import concat

        return concat(list(parts))

    def append(self, more: Journeys) -> Journeys:
        """The touchpoints of both, pooled by customer: how late data comes in without a re-sort.

        The same as building from all rows, the rows of ``self`` first: one journey per customer,
        and of touchpoints at the same instant those of ``self`` come first. For one percent of new
        rows it takes a fifth of the time of a build. Columns that only one of the two has are
        missing in the rows of the other.

        Args:
            more: Journeys of the same customers, of new ones, or both.

        Raises:
            SchemaError: A column holds labels in one of the two and numbers in the other.

        Example:
            >>> def read(*seconds):
            ...     table = {"who": ["ann"] * len(seconds), "sec": list(seconds)}
            ...     return Journeys.from_table(table, customer="who", time="sec", time_unit="s")
            >>> read(1, 5).append(read(3)) == read(1, 3, 5)
            True
        """
        from cxkit.model.appending import append

        return append(self, more)

    # ------------------------------------------------------------------ a container

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: int) -> Journey: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any] | Sequence[int]) -> Journeys: ...
    def __getitem__(self, key: Any) -> Any:
        """A column by name, one journey by position, or journeys by slice, mask or positions.

        Raises:
            SchemaError: There is no such column, or as for :meth:`take`.
            IndexError: There is no such journey.
        """
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, (int, np.integer)):
            from cxkit.model.journey import Journey

            at = int(key) + len(self) if key < 0 else int(key)
            if not 0 <= at < len(self):
                raise IndexError(f"journey {key} of {len(self)}")
            return Journey(self.take(slice(at, at + 1)))
        return self.take(key)

    def __iter__(self) -> Iterator[Journey]:
        """The journeys one by one: for looking at some, not for work over all."""
        return (self[j] for j in range(len(self)))

    def take(self, which: slice | NDArray[Any] | Sequence[int]) -> Journeys:
        """The chosen journeys.

        Args:
            which: A slice, a (J,) boolean mask, or positions in any order.

        Raises:
            SchemaError: A mask is not as long as there are journeys, or it is neither a mask nor
                positions.
            IndexError: There is no journey at a position.
        """
        if isinstance(which, slice) and which.step in {None, 1}:
            j0, j1, _ = which.indices(len(self))
            j1 = max(j0, j1)
            rows: Any = slice(int(self.offsets[j0]), int(self.offsets[j1]))
            offsets = self.offsets[j0 : j1 + 1] - self.offsets[j0]
            return self._over(rows, offsets, self.customer.take(slice(j0, j1)))
        chosen = which if isinstance(which, slice) else np.asarray(which)
        if isinstance(chosen, np.ndarray) and not chosen.size and chosen.dtype != bool:
            chosen = np.zeros(0, np.int64)  # an empty list has the dtype of floats
        if isinstance(chosen, np.ndarray):
            self._check_choice(chosen)
        positions = np.arange(len(self))[chosen]
        offsets, rows = take_segments(self.offsets, positions)
        return self._over(rows, offsets, self.customer.take(positions))

    def where(self, keep: NDArray[np.bool_]) -> Journeys:
        """Only some touchpoints; a journey that keeps none is gone.

        Args:
            keep: (E,) which touchpoints stay.

        Raises:
            SchemaError: It is no mask, or not as long as there are touchpoints.
        """
        from cxkit.model.recut import kept_rows

        mask = np.asarray(keep)
        if not mask.size:
            mask = mask.astype(bool)  # an empty list has the dtype of floats
        if mask.dtype != bool:
            raise SchemaError(
                f"where takes a mask, True for each touchpoint that stays; found dtype "
                f"{mask.dtype}; compare a column, such as journeys.event.equals('view'), or choose "
                "journeys by position with take"
            )
        if mask.shape != (self.touchpoints,):
            advice = (
                "it is as long as there are journeys: choose journeys with take"
                if mask.shape == (len(self),)
                else "make it from columns of these very journeys"
            )
            raise SchemaError(
                f"the mask for where has {_size(mask)} entries, the journeys have "
                f"{self.touchpoints:,} touchpoints; {advice}"
            )
        rows, offsets, journeys = kept_rows(self.offsets, mask)
        return self._over(rows, offsets, self.customer.take(journeys))

    def _check_choice(self, chosen: NDArray[Any]) -> None:
        """See that an array is a mask of journeys, or positions."""
        if chosen.dtype == bool and chosen.shape != (len(self),):
            advice = (
                "it is as long as there are touchpoints: choose touchpoints with where"
                if chosen.shape == (self.touchpoints,)
                else "make it from one entry for each of these very journeys"
            )
            raise SchemaError(
                f"the mask for take has {_size(chosen)} entries, there are {len(self):,} "
                f"journeys; {advice}"
            )
        if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
            raise SchemaError(
                "take needs a slice, a mask of journeys or their positions as whole numbers; found "
                f"{chosen.ndim} dimensions of dtype {chosen.dtype}"
            )

    def __repr__(self) -> str:
        """How many, of whom, when, and which columns."""
        period = ""
        if self.touchpoints:
            first, last = self.time.min(), self.time.max()
            period = f", {str(first)[:10]} to {str(last)[:10]}"
        columns = ", ".join(
            f"{name} ({len(column.vocabulary):,})" if isinstance(column, Codes) else name
            for name, column in self.columns.items()
        )
        return (
            f"<Journeys: {len(self):,} journeys of {self.customers:,} customers, "
            f"{self.touchpoints:,} touchpoints{period}{'; ' + columns if columns else ''}>"
        )

    # ------------------------------------------------------------------ re-cutting

    def sessions(self, gap: SpanLike = "30min") -> Journeys:
        """Cut into visits: a pause *longer* than ``gap`` begins a new one. No column is copied.

        Example:
            >>> two = Journeys.from_table(
            ...     {"c": [1, 1, 1], "t": [0, 1800, 3601]}, customer="c", time="t", time_unit="s"
            ... )
            >>> two.sessions("30min").offsets.tolist()
            [0, 2, 3]
        """
        from cxkit.model.recut import session_starts

        return self._cut(session_starts(self, span_us(gap, name="gap")))

    def until(self, goal: GoalLike, lookback: SpanLike | None = None) -> Journeys:
        """Cut into paths: each ends where the goal is reached, or at the end of the journey.

        Args:
            goal: The goal, or the name of its event.
            lookback: Keep only touchpoints at most this long before the end of their path: before
                the conversion, or before the last touchpoint of a path without one.

        Returns:
            The paths. Without ``lookback`` no column is copied, and every touchpoint is in one.
        """
        from cxkit.model.recut import recent, starts_after

        paths = self._cut(starts_after(as_goal(goal).matches(self)))
        if lookback is None:
            return paths
        return paths.where(recent(paths, span_us(lookback, name="lookback")))

    def _cut(self, starts: NDArray[np.bool_]) -> Journeys:
        if not len(self):
            return self
        offsets, who = cut_offsets(self.offsets, starts, self.customer.codes)
        customer = Codes(who, self.customer.vocabulary)
        return attrs.evolve(self, offsets=offsets, customer=customer)


def _size(mask: NDArray[Any]) -> str:
    """How many entries there are, along every dimension."""
    return " x ".join(f"{size:,}" for size in mask.shape)


def as_journeys(journeys: Journeys | Journey) -> Journeys:
    """Journeys from themselves, or from one journey: how every analysis takes either.

    Raises:
        SchemaError: It is neither.
    """
    if isinstance(journeys, Journeys):
        return journeys
    inner = getattr(journeys, "journeys", None)
    if isinstance(inner, Journeys):
        return inner
    raise SchemaError(
        f"expected Journeys or a Journey, found {type(journeys).__name__}; "
        "make them with cx.ingest(table, customer=..., time=...) or Journeys.from_table"
    )
