"""The customer view: what is known of each customer, how old it is, and what may be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.codes import Codes
from cxkit.core.ragged import segment_ids
from cxkit.core.records import check_fields
from cxkit.core.result import Result
from cxkit.core.spans import InstantLike, SpanLike, instant_us, show_span, span_us
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.identity.observations import read_observations
from cxkit.model.goal import GoalLike, as_goal
from cxkit.model.journeys import Journeys

__all__ = ["CustomerView", "Facet", "Views", "seen_in"]

_SCHEMA: Final = "cxkit/customer-view/1"
_DAY_US: Final = 86_400_000_000


@attrs.frozen
class Facet:
    """One thing that can be known of a customer, such as orders or a consented e-mail.

    Attributes:
        name: What it is called.
        weight: How much it counts in the completeness; not negative.
        ttl: How long it stays fresh, for instance ``"365d"``; ``None`` for ever.
        purpose: For what the customer must have consented before it may be used; ``None`` if no
            consent is needed.

    Example:
        >>> Facet("orders", weight=2, ttl="365d").ttl_us
        31536000000000
    """

    name: str
    weight: float = 1.0
    ttl: SpanLike | None = None
    purpose: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check."""
        if not self.name or not isinstance(self.name, str):
            raise DefinitionError(f"a facet needs a name; found {self.name!r}")
        if not 0 <= self.weight < np.inf:
            raise DefinitionError(
                f"weight of {self.name!r} must be a number from 0 up; found {self.weight!r}"
            )
        if self.ttl is not None:
            span_us(self.ttl, name="ttl")

    @property
    def ttl_us(self) -> int | None:
        """How long it stays fresh, in microseconds."""
        return None if self.ttl is None else span_us(self.ttl, name="ttl")

    def to_dict(self) -> dict[str, Any]:
        """The facet as plain data for JSON."""
        ttl = None if self.ttl_us is None else show_span(self.ttl_us)
        return {"name": self.name, "weight": self.weight, "ttl": ttl, "purpose": self.purpose}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facet:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: A field is unknown or missing.
        """
        check_fields(data, None, "facet", ["name"], ["weight", "ttl", "purpose"])
        return cls(**data)


def _facets(given: Iterable[Facet]) -> tuple[Facet, ...]:
    return tuple(given)


@attrs.frozen
class CustomerView:
    """Which facets make up the view of a customer: a definition.

    Completeness is the weight of the facets that are present and fresh, divided by all weight
    (an own definition). Usable is the same of those that are allowed too. Both lie in 0..1; getting
    to know a facet, or knowing it newer, never lowers either.

    Attributes:
        facets: At least one, with names of their own and some weight.

    Example:
        >>> view = CustomerView(
        ...     [Facet("identity", 3), Facet("orders", 2, ttl="365d"), Facet("email", 1, ttl="90d")]
        ... )
        >>> known = {
        ...     "customer": ["ann", "ann", "bob"],
        ...     "facet": ["identity", "orders", "email"],
        ...     "time": ["2024-01-01", "2023-11-01", "2023-01-01"],
        ... }
        >>> view.assess(known, at="2024-01-02", tz="UTC")
        what is known of 2 customers
        customer  completeness  usable  identity_days  orders_days  email_days
        ann             0.8333  0.8333          1.000       62.000           -
        bob             0.0000  0.0000              -            -     366.000
    """

    facets: tuple[Facet, ...] = attrs.field(converter=_facets)

    def __attrs_post_init__(self) -> None:
        """Check."""
        names = [facet.name for facet in self.facets]
        if len(set(names)) < len(names):
            raise DefinitionError(f"facets need names of their own; found {names}")
        if not sum(facet.weight for facet in self.facets) > 0:
            raise DefinitionError("a view needs at least one facet of some weight")

    def assess(
        self,
        observations: object,
        *,
        at: InstantLike,
        consents: object | None = None,
        customer: str = "customer",
        facet: str = "facet",
        time: str = "time",
        tz: str | None = None,
        time_unit: str | None = None,
    ) -> Views:
        """What is known of every customer at an instant.

        Args:
            observations: Any table: whose facet was seen when. Later rows than ``at`` do not count,
                of several the latest does.
            at: The instant.
            consents: Any table with the columns ``customer``, ``purpose``, ``given`` (true or
                false) and ``time``: the latest up to ``at`` holds. Without one, no purpose is
                consented to.
            customer: The column of the customer.
            facet: The column of the facet's name.
            time: The column of the time.
            tz: The zone of times that do not say theirs.
            time_unit: Unit of times that are numbers.

        Raises:
            SchemaError: A column is not there or cannot be used.
            DataError: A row cannot be used, or names a facet that the view does not have.
        """
        now = instant_us(at, name="at")
        how = {"tz": tz, "time_unit": time_unit}
        seen = read_observations(observations, customer, facet, time, now, **how)
        self._check(seen.what)
        told = None
        if consents is not None:
            told = read_observations(consents, customer, "purpose", time, now, value="given", **how)
        who = seen.customer.vocabulary
        age = np.full((len(who), len(self.facets)), np.nan)
        allowed = np.ones(age.shape, dtype=bool)
        fresh = np.zeros(age.shape, dtype=bool)
        for place, one in enumerate(self.facets):
            last = seen.latest(one.name, who)
            known = last >= 0
            us = now - seen.time[last[known]]
            age[known, place] = us / _DAY_US
            fresh[known, place] = True if one.ttl_us is None else us <= one.ttl_us
            if one.purpose is not None:
                allowed[:, place] = False if told is None else told.granted(one.purpose, who)
        return Views(self, Codes(np.arange(len(who)), who), age, fresh, allowed)

    def _check(self, facets: Codes) -> None:
        names = [facet.name for facet in self.facets]
        for name in facets.vocabulary:
            if name not in names:
                raise DataError(
                    f"no facet {name!r} in the view; there are {names}.{did_you_mean(name, names)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The view as plain data for JSON."""
        return {"schema": _SCHEMA, "facets": [facet.to_dict() for facet in self.facets]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CustomerView:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        check_fields(data, _SCHEMA, "customer view", ["facets"])
        return cls([Facet.from_dict(facet) for facet in data["facets"]])


@attrs.frozen(eq=False, repr=False)
class Views(Result):
    """What is known of N customers, in F facets.

    Attributes:
        view: The definition.
        customer: (N,) customers, sorted.
        age: (N, F) days since the facet was last seen; NaN if it never was.
        fresh: (N, F) present and not older than it may be.
        allowed: (N, F) no consent is needed, or it was given.
    """

    view: CustomerView
    customer: Codes
    age: NDArray[np.float64] = attrs.field(converter=freeze)
    fresh: NDArray[np.bool_] = attrs.field(converter=freeze)
    allowed: NDArray[np.bool_] = attrs.field(converter=freeze)

    @property
    def completeness(self) -> NDArray[np.float64]:
        """(N,) weight of the fresh facets, of all weight."""
        return self._share(self.fresh)

    @property
    def usable(self) -> NDArray[np.float64]:
        """(N,) weight of the fresh facets that may be used, of all weight."""
        return self._share(self.fresh & self.allowed)

    def columns(self) -> Mapping[str, Any]:
        """The customer, both shares, and the age of each facet in days."""
        ages = {
            f"{facet.name}_days": self.age[:, place] for place, facet in enumerate(self.view.facets)
        }
        shares = {"completeness": self.completeness, "usable": self.usable}
        return {"customer": self.customer.to_list(), **shares, **ages}

    def title(self) -> str:
        """How many customers."""
        return f"what is known of {len(self.customer):,} customers"

    def _share(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        weights = np.array([facet.weight for facet in self.view.facets], np.float64)
        return np.asarray((mask * weights).sum(axis=1) / weights.sum())


def seen_in(journeys: Journeys, facets: Mapping[str, GoalLike]) -> dict[str, Any]:
    """Facets that touchpoints show: observations for :meth:`CustomerView.assess`.

    Args:
        journeys: The journeys.
        facets: Facet -> the event (or goal) that shows it.

    Returns:
        A table with the columns customer, facet and time.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": ["ann", "ann"], "sec": [1, 2], "what": ["buy", "look"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> seen_in(journeys, {"orders": "buy"})["facet"]
        ['orders']
    """
    owner = segment_ids(journeys.offsets)
    who: list[Any] = []
    names: list[str] = []
    times: list[IntArray] = [np.zeros(0, np.int64)]
    for name, goal in facets.items():
        rows = np.flatnonzero(as_goal(goal).matches(journeys))
        who += journeys.customer.take(owner[rows]).to_list()
        names += [name] * len(rows)
        times.append(journeys.time.view(np.int64)[rows])
    return {
        "customer": who,
        "facet": names,
        "time": [f"{t}Z" for t in np.concatenate(times).view("M8[us]").astype(str).tolist()],
    }
