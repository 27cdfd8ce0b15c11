"""What a fold gives: summaries, and an account of every row."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, Self, TypeVar

import attrs
import numpy as np

from cxkit.core.summary import Summary
from cxkit.errors import DataError, DefinitionError, MergeError, did_you_mean
from cxkit.interop.asked import Counters, named_counters, zeros
from cxkit.model.rejects import Rejected

__all__ = ["Folded", "add_reasons", "first_rejects", "no_rejects"]

S = TypeVar("S", bound=Summary)

_MOST_SHOWN: Final = 1000
_LINES: Final = 8


@attrs.frozen(eq=False, repr=False)
class Folded(Generic[S]):
    """What a fold gives: the summaries, and an account of every row.

    Two of them add up, as summaries do, if they were made by the same counters.

    Attributes:
        summaries: name -> summary. A single one that was not named has the name of its class.
        rows: How many rows were read: ``touchpoints + sum(reasons.values())``.
        touchpoints: How many of them could be used.
        journeys: How many journeys they made, one per customer.
        rejected: The first 1,000 rows that could not be used, in order of row.
        reasons: (column, reason) -> how many rows it cost, the most first, of all rows.

    Example:
        >>> from cxkit import flow
        >>> from cxkit.interop.fold import fold
        >>> table = {"who": [1, 1, 2], "at": [0, 9, 4], "what": ["see", "buy", "see"]}
        >>> fold([table], flow.DropOff, customer="who", time="at", event="what", time_unit="s")
        <Folded: 3 rows, 3 touchpoints in 2 journeys, 0 rejected; DropOff>
    """

    summaries: Mapping[str, S]
    rows: int
    touchpoints: int
    journeys: int
    rejected: Rejected
    reasons: Mapping[tuple[str, str], int]

    @property
    def summary(self) -> S:
        """The summary, if there is only one.

        Raises:
            DefinitionError: There are several.
        """
        if len(self.summaries) != 1:
            raise DefinitionError(
                f"there are {len(self.summaries)} summaries, {sorted(self.summaries)}; "
                "choose one: folded['name']"
            )
        return next(iter(self.summaries.values()))

    def __getitem__(self, name: str) -> S:
        """A summary by name.

        Raises:
            DefinitionError: There is none of this name.
        """
        if name not in self.summaries:
            raise DefinitionError(
                f"no summary {name!r}; there is {sorted(self.summaries)}."
                f"{did_you_mean(name, self.summaries)}"
            )
        return self.summaries[name]

    def __add__(self, other: Self) -> Self:
        """Both together: of two parts of the data that share no customer.

        Raises:
            MergeError: They were made by other counters.
        """
        if not isinstance(other, Folded):
            return NotImplemented
        if set(self.summaries) != set(other.summaries):
            raise MergeError(
                f"cannot add what was folded into {sorted(self.summaries)} and into "
                f"{sorted(other.summaries)}; fold both parts into the same summaries"
            )
        return attrs.evolve(
            self,
            summaries={k: v + other.summaries[k] for k, v in self.summaries.items()},
            rows=self.rows + other.rows,
            touchpoints=self.touchpoints + other.touchpoints,
            journeys=self.journeys + other.journeys,
            rejected=first_rejects(self.rejected, other.rejected),
            reasons=add_reasons(self.reasons, other.reasons),
        )

    def __repr__(self) -> str:
        """Rows, journeys, names of summaries, and why rows were rejected."""
        used = f"{self.touchpoints:,} touchpoints in {self.journeys:,} journeys"
        lost = sum(self.reasons.values())
        names = ", ".join(self.summaries)
        lines = [f"<Folded: {self.rows:,} rows, {used}, {lost:,} rejected; {names}>"]
        for (column, reason), count in list(self.reasons.items())[:_LINES]:
            where = f"column {column!r}: " if column else ""
            lines.append(f"rejected {count:,} x {where}{reason}")
        return "\n".join(lines)

    def to_bytes(self) -> bytes:
        """All of it as bytes, for a file or another machine; never pickle."""
        text = json.dumps(
            {
                "summaries": {
                    name: base64.b64encode(summary.to_bytes()).decode("ascii")
                    for name, summary in self.summaries.items()
                },
                "rows": self.rows,
                "touchpoints": self.touchpoints,
                "journeys": self.journeys,
                "rejected": {k: list(v) for k, v in _plain(self.rejected).items()},
                "reasons": [[*key, count] for key, count in self.reasons.items()],
            }
        )
        return text.encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes, summary: Counters[S]) -> Self:
        """Read back what :meth:`to_bytes` wrote.

        Args:
            data: The bytes.
            summary: What was folded into, as it was given to ``fold``.

        Raises:
            DataError: The bytes are none of a fold into these summaries.
            MergeError: The summaries were made with other parameters.
        """
        empty = zeros(named_counters(summary))
        try:
            found = json.loads(data)
            parts = found["summaries"]
        except (ValueError, KeyError, TypeError):
            raise DataError(f"these bytes are no Folded; they begin with {data[:8]!r}") from None
        if set(parts) != set(empty):
            raise DataError(f"these bytes hold {sorted(parts)}, not {sorted(empty)}")
        read = {
            name: zero + type(zero).from_bytes(base64.b64decode(parts[name]))
            for name, zero in empty.items()
        }
        return cls(
            read,
            found["rows"],
            found["touchpoints"],
            found["journeys"],
            _rejected(**found["rejected"]),
            {(column, reason): count for column, reason, count in found["reasons"]},
        )


def first_rejects(left: Rejected, right: Rejected) -> Rejected:
    """The first 1,000 rows of both, in order of row, wherever batches begin."""
    if not len(right) and len(left) <= _MOST_SHOWN:
        return left
    rows = [row for some in (left, right) for row in zip(*_plain(some).values(), strict=True)]
    rows.sort()
    columns = list(zip(*rows[:_MOST_SHOWN], strict=True)) or [()] * 4
    return _rejected(*columns)


def no_rejects() -> Rejected:
    """Not a single row."""
    return _rejected((), (), (), ())


def _rejected(
    row: Sequence[int], column: Sequence[str], found: Sequence[str], reason: Sequence[str]
) -> Rejected:
    return Rejected(np.array(row, np.int64), column, found, reason)


def add_reasons(
    left: Mapping[tuple[str, str], int], right: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """The counts of both, the most first; the order does not depend on which came first."""
    both = Counter(left)
    both.update(right)
    return dict(sorted(both.items(), key=lambda item: (-item[1], item[0])))


def _plain(rejected: Rejected) -> dict[str, Any]:
    columns = dict(rejected.columns())
    columns["row"] = rejected.row.tolist()
    return columns
