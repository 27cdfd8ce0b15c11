"""Microinteractions within journeys: the moments that touchpoints belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import cut_offsets
from cxkit.core.result import ColumnLike, Result
from cxkit.core.spans import InstantLike
from cxkit.errors import DataError
from cxkit.microinteraction.spec import Microinteraction
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Nested", "nested"]

_NOTHING: Final[Mapping[str, NDArray[np.bool_]]] = {}


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Nested(Result):
    """The microinteractions within journeys, one row for each, in the order of the journeys.

    Attributes:
        journeys: The journeys.
        journey: (M,) the journey that it is in.
        first: (M,) the row of its first touchpoint.
        size: (M,) how many touchpoints it has.
        names: Its microinteraction.
        states: The state at its end.
        ended: (M,) whether that is final.
    """

    journeys: Journeys
    journey: IntArray = attrs.field(converter=freeze)
    first: IntArray = attrs.field(converter=freeze)
    size: IntArray = attrs.field(converter=freeze)
    names: list[str]
    states: list[str]
    ended: NDArray[np.bool_] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, ColumnLike]:
        """A row for each microinteraction."""
        who = np.array(self.journeys.customer.to_list(), object)
        last = self.first + self.size - 1
        begin, end = self.journeys.time[self.first], self.journeys.time[last]
        return {
            "customer": who[self.journey].tolist(),
            "journey": self.journey,
            "begin": begin,
            "microinteraction": self.names,
            "touchpoints": self.size,
            "seconds": (end - begin).astype(np.int64) / 1e6,
            "state": self.states,
            "ended": ["yes" if e else "no" for e in self.ended.tolist()],
        }

    def of(self, journey: int) -> list[dict[str, Any]]:
        """Those within one journey, as dictionaries."""
        return [row for row in self.to_dicts() if row["journey"] == journey]

    def with_ends(self, name: str = "microinteraction_end") -> Journeys:
        """The journeys with a column of ends: ``"like: liked"`` where one came to its end.

        It stands at the last touchpoint of each microinteraction that ended, and is missing
        elsewhere; a ``Goal`` may ask for it by ``where``.

        Args:
            name: The name of the column.
        """
        done = np.flatnonzero(self.ended)
        told = [f"{self.names[i]}: {self.states[i]}" for i in done.tolist()]
        labels = sorted(set(told))
        place = {label: i for i, label in enumerate(labels)}
        codes = np.full(self.journeys.touchpoints, -1)
        codes[(self.first + self.size - 1)[done]] = [place[label] for label in told]
        column = Codes.from_codes(codes, labels)
        columns = {**self.journeys.columns, name: column}
        return attrs.evolve(self.journeys, columns=columns)

    def title(self) -> str:
        """How many, in how many journeys."""
        return f"{len(self.names):,} microinteractions within {len(self.journeys):,} journeys"


def nested(
    journeys: Journeys | Journey,
    microinteractions: Iterable[Microinteraction],
    *,
    column: str = "microinteraction",
    guards: Mapping[str, NDArray[np.bool_]] = _NOTHING,
    until: InstantLike | None = None,
) -> Nested:
    """The microinteractions that touchpoints name, each replayed within its journey.

    Touchpoints of a journey that stand side by side and name the same microinteraction are one
    instance of it; a touchpoint that names none, or another, ends it.

    Args:
        journeys: The journeys.
        microinteractions: Those that may be named.
        column: The column that names them.
        guards: condition -> (E,) whether it holds at each touchpoint.
        until: See :meth:`Microinteraction.replay`.

    Raises:
        SchemaError: There is no such column.
        DataError: A touchpoint names a microinteraction that is not given.

    Example:
        >>> like = (
        ...     Microinteraction.told("like")
        ...     .trigger("tap")
        ...     .when("idle")
        ...     .on("tap", to="liked", show="visual")
        ...     .ends("liked")
        ...     .done()
        ... )
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": ["ann"] * 3,
        ...         "sec": [0, 5, 9],
        ...         "what": ["view", "tap", "view"],
        ...         "microinteraction": [None, "like", None],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     time_unit="s",
        ...     event="what",
        ...     columns=["microinteraction"],
        ... )
        >>> moments = nested(journeys, [like])
        >>> [(row["microinteraction"], row["state"]) for row in moments.of(0)]
        [('like', 'liked')]
        >>> moments.with_ends()["microinteraction_end"].to_list()
        [None, 'like: liked', None]
    """
    many = as_journeys(journeys)
    known = {spec.id: spec for spec in microinteractions}
    labels = many.codes(column) if len(many) else Codes.all_missing(0)
    unknown = [label for label in labels.vocabulary if str(label) not in known]
    if unknown:
        raise DataError(
            f"touchpoints name the microinteractions {unknown[:5]}, which are not given; there are "
            f"{sorted(known)}"
        )
    changed = np.ones(many.touchpoints, bool)
    changed[1:] = labels.codes[1:] != labels.codes[:-1]
    cut = many
    if len(many):
        offsets, _ = cut_offsets(many.offsets, changed, many.customer.codes)
        home = np.searchsorted(many.offsets, offsets[:-1], side="right") - 1
        cut = attrs.evolve(many, offsets=offsets, customer=many.customer.take(home))
    else:
        home = np.zeros(0, np.int64)
    code = labels.codes[cut.offsets[:-1]].astype(np.int64)
    states = np.full(len(cut), None, object)
    ended = np.zeros(len(cut), bool)
    for name, spec in known.items():
        number = labels.vocabulary.find(name)
        mine = np.flatnonzero(code == number) if number is not None else np.zeros(0, np.int64)
        if not len(mine):
            continue
        rows = np.repeat(code == number, np.diff(cut.offsets))
        own = {guard: values[rows] for guard, values in guards.items()}
        found = spec.replay(cut[mine], guards=own, until=until)
        states[mine], ended[mine] = found.state, found.ended
    kept = np.flatnonzero(code < len(labels.vocabulary))
    names = [str(label) for label in labels.vocabulary]
    return Nested(
        journeys=many,
        journey=home[kept],
        first=cut.offsets[:-1][kept],
        size=np.diff(cut.offsets)[kept],
        names=[names[c] for c in code[kept].tolist()],
        states=states[kept].tolist(),
        ended=ended[kept],
    )
