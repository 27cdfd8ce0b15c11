"""What patterns give: the matches one by one, and the share of journeys that match."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.intervals import divide, share_interval
from cxkit.core.result import Result
from cxkit.core.spans import InstantLike, instant_us
from cxkit.core.summary import PARAMETER, SHARDS, parameter, total
from cxkit.core.threads import in_parts
from cxkit.errors import DefinitionError
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.model.summaries import JourneySummary
from cxkit.patterns.match import search
from cxkit.patterns.sequence import Pattern

__all__ = ["PatternCounts", "PatternMatches", "PatternShare", "find", "require"]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PatternMatches(Result):
    """The matches of a pattern: one row each, in order of journeys and of their start.

    Attributes:
        pattern: What was looked for.
        journey: (M,) the position of the journey.
        customer: (M,) codes: whose journey it is.
        start_row: (M,) the row of the first step among all touchpoints.
        end_row: (M,) the row of the last step; an absence has no row of its own.
        start: (M,) datetime64[us], UTC: when the first step was.
        end: (M,) datetime64[us], UTC: when the last step was; the deadline of an absence.
    """

    pattern: Pattern
    journey: IntArray = attrs.field(converter=freeze)
    customer: Codes
    start_row: IntArray = attrs.field(converter=freeze)
    end_row: IntArray = attrs.field(converter=freeze)
    start: NDArray[np.datetime64] = attrs.field(converter=freeze)
    end: NDArray[np.datetime64] = attrs.field(converter=freeze)

    def __len__(self) -> int:
        """M, the number of matches."""
        return len(self.journey)

    def columns(self) -> Mapping[str, Any]:
        """One row per match."""
        return {
            "journey": self.journey,
            "customer": self.customer.to_list(),
            "start_row": self.start_row,
            "end_row": self.end_row,
            "start": self.start,
            "end": self.end,
        }

    def title(self) -> str:
        """How many."""
        return f"{len(self):,} matches of {self.pattern!r}"


def find(journeys: Journeys | Journey, pattern: Pattern, at: InstantLike | None) -> PatternMatches:
    """The matches of a pattern; see :meth:`Pattern.matches`."""
    until, many = _until(pattern, at), as_journeys(journeys)
    require(journeys, pattern)
    journey, start, last, instant = _search_all(many, pattern, until)
    times = many.time
    return PatternMatches(
        pattern=pattern,
        journey=journey,
        customer=many.customer.take(journey),
        start_row=start,
        end_row=last,
        start=times[start],
        end=instant.view("datetime64[us]"),
    )


def require(journeys: Journeys | Journey, pattern: Pattern) -> None:
    """Refuse a pattern that names what the data does not have: a typing error would match wrongly.

    Raises:
        UnknownLabelError: There is no such event or channel.
    """
    if isinstance(journeys, Journeys) and journeys.touchpoints:
        for goal in (*pattern.steps, *pattern.without, *pattern.then_no):
            goal.require(journeys)


@attrs.frozen(eq=False, repr=False)
class PatternCounts(JourneySummary):
    """How many journeys match a pattern, as a summary that adds up.

    Attributes:
        pattern: The pattern.
        at: The instant up to which the data is complete, as ISO text; ``None`` for all of it.
        journeys: (64,) journeys in every shard that began up to ``at``.
        matched: (64,) journeys with at least one match.
        matches: (64,) matches that are reported.

    Example:
        >>> from cxkit import Journeys
        >>> PatternCounts.of(Journeys.empty(), pattern=Pattern(["view", "cart"])).matches.sum()
        np.int64(0)
    """

    pattern: Pattern = attrs.field(kw_only=True, metadata=parameter(Pattern.from_dict))
    at: str | None = attrs.field(kw_only=True, metadata=PARAMETER)
    journeys: IntArray = attrs.field(kw_only=True, metadata=total("shard"))
    matched: IntArray = attrs.field(kw_only=True, metadata=total("shard"))
    matches: IntArray = attrs.field(kw_only=True, metadata=total("shard"))

    @classmethod
    def of(
        cls, journeys: Journeys | Journey, /, *, pattern: Pattern, at: InstantLike | None = None
    ) -> Self:
        """Count; a part of the data that lacks a label of the pattern does not match by it.

        Args:
            journeys: The journeys.
            pattern: The pattern.
            at: As for :meth:`Pattern.matches`. Journeys that begin after it are not counted: of
                them nothing was known then.

        Raises:
            DefinitionError: As for :meth:`Pattern.matches`.
        """
        many, until = as_journeys(journeys), _until(pattern, at)
        journey, _, _, _ = _search_all(many, pattern, until)
        first = np.ones(len(journey), dtype=bool)
        np.not_equal(journey[1:], journey[:-1], out=first[1:])
        shards = many.shards
        known = np.ones(len(many), dtype=bool)
        if until is not None:
            known = many.time[many.offsets[:-1]].view(np.int64) <= until
        return cls(
            pattern=pattern,
            at=None if until is None else _iso(until),
            journeys=np.bincount(shards[known], minlength=SHARDS),
            matched=np.bincount(shards[journey[first]], minlength=SHARDS),
            matches=np.bincount(shards[journey], minlength=SHARDS),
        )

    def result(self, *, level: float = 0.95) -> PatternShare:
        """The share of journeys that match, with its interval.

        Args:
            level: How often intervals made like this hold the true share, between 0 and 1.

        Raises:
            DefinitionError: ``level`` is not between 0 and 1.
        """
        share = divide(self.matched.sum(), self.journeys.sum())
        (low,), (high,) = share_interval(
            self.matched[:, None], self.journeys[:, None], self.occupied(), level=level
        )
        return PatternShare(
            pattern=self.pattern,
            at=self.at,
            journeys=int(self.journeys.sum()),
            matched=int(self.matched.sum()),
            matches=int(self.matches.sum()),
            share=float(share),
            share_low=float(low),
            share_high=float(high),
        )


@attrs.frozen(repr=False, kw_only=True)
class PatternShare(Result):
    """How many journeys match a pattern: one row.

    Attributes:
        pattern: The pattern.
        at: The instant up to which the data is complete, as ISO text; ``None`` for all of it.
        journeys: J, the journeys that began up to ``at``.
        matched: Those with at least one match.
        matches: The matches that are reported.
        share: Of the journeys, those that match; NaN without journeys.
        share_low: Low end of its interval (delete-a-group jackknife over the customers' shards);
            NaN for too few customers. Where none matches, the high end is the exact one of a
            binomial share.
        share_high: High end.
    """

    pattern: Pattern
    at: str | None
    journeys: int
    matched: int
    matches: int
    share: float
    share_low: float
    share_high: float

    def columns(self) -> Mapping[str, Any]:
        """One row."""
        names = ("journeys", "matched", "matches", "share", "share_low", "share_high")
        return {
            "pattern": [" > ".join(step.name for step in self.pattern.steps)],
            **{name: [getattr(self, name)] for name in names},
        }

    def title(self) -> str:
        """The pattern, and until when."""
        return f"{self.pattern!r}" + ("" if self.at is None else f", until {self.at}")


def _search_all(
    many: Journeys, pattern: Pattern, at: int | None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    parts = in_parts(partial(search, many, pattern, at), many.offsets)
    journey, start, last, instant = (np.concatenate(c) for c in zip(*parts, strict=True))
    return journey, start, last, instant


def _until(pattern: Pattern, at: InstantLike | None) -> int | None:
    if at is not None:
        return instant_us(at, name="at")
    if pattern.then_no:
        raise DefinitionError(
            "whether nothing came can be told only up to an instant: give at=..., up to which the "
            "data is complete. It has no default, for the last touchpoint of some data says "
            "nothing about any one customer"
        )
    return None


def _iso(us: int) -> str:
    return f"{np.datetime64(us, 'us')}Z"
