"""The map from identifiers to customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

import attrs
import numpy as np

from cxkit.core.codes import Codes, Label
from cxkit.core.spans import InstantLike, instant_us
from cxkit.identity.decide import Decision, decide
from cxkit.identity.erase import everything_of, forget
from cxkit.identity.explain import (
    Explanation,
    Provenance,
    Refused,
    chain,
    headline,
    provenance,
    refused,
)
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import Identifier, Identifiers, name_of
from cxkit.identity.pairs import Pairs, Side, read_pairs
from cxkit.identity.resolve import Known, resolve_journeys, resolve_table
from cxkit.model.journeys import Journeys

__all__ = ["Identity"]

_NOBODY: Final = -1


@attrs.frozen(eq=False, repr=False)
class Identity:
    """Which identifiers are one customer. Made by :func:`~cxkit.identity.stitch`.

    A customer is called by the identifier that was seen first, as text ``namespace:value``; without
    times by the smallest. So a customer keeps its name when later data is added, and when two
    customers turn out to be one, the older name stays.

    Identifiers that are blocked or too widely shared belong to nobody.

    Attributes:
        pairs: What it was made from.
        rules: By which rules.

    Example:
        >>> from cxkit.identity import stitch
        >>> identity = stitch(
        ...     {"cookie": ["c1", "c2", "c3"], "email": ["ann@x.org", "ann@x.org", "bob@x.org"]},
        ...     left="cookie",
        ...     right="email",
        ... )
        >>> identity
        <Identity: 5 identifiers of 2 customers, from 3 rows; cookie (3), email (2)>
        >>> identity.customer_of("cookie", "c2"), identity.customer_of("email", "bob@x.org")
        ('cookie:c1', 'cookie:c3')
    """

    pairs: Pairs
    rules: Rules

    @property
    def identifiers(self) -> Identifiers:
        """All identifiers."""
        return self.pairs.identifiers

    def __len__(self) -> int:
        """How many identifiers there are."""
        return len(self.identifiers)

    def __contains__(self, identifier: object) -> bool:
        """Whether an identifier ``(namespace, value)`` is known."""
        return (
            isinstance(identifier, tuple)
            and len(identifier) == 2
            and self.identifiers.find(*identifier) is not None
        )

    @cached_property
    def decision(self) -> Decision:
        """What was decided of every pair and identifier, as numbers."""
        return decide(self.pairs, self.rules)

    @property
    def _known(self) -> Known:
        return Known(self.identifiers, self.decision, self.rules)

    @property
    def customers(self) -> int:
        """How many customers there are."""
        own = self.decision.customer == np.arange(len(self))
        return int(own.sum())

    def customer_of(
        self, namespace: str, value: Label, *, at: InstantLike | None = None
    ) -> str | None:
        """The customer of one identifier.

        Args:
            namespace: What kind of identifier.
            value: The identifier.
            at: When; needed for a device on which somebody identified.

        Returns:
            The customer's name; ``None`` if the identifier is blocked or too widely shared.

        Raises:
            UnknownLabelError: The identifier is not known.
            DataError: It is a device whose customer depends on the time, and ``at`` is not given.
        """
        node = np.array([self.identifiers.number(namespace, value)])
        us = None if at is None else np.array([instant_us(at, name="at")])
        found = int(self._known.holders(node, us)[0])
        return None if found == _NOBODY else name_of(self.identifiers[found])

    def members(self, namespace: str, value: Label) -> list[Identifier]:
        """All identifiers that are joined with one, itself among them; of any time.

        Example:
            >>> from cxkit.identity import stitch
            >>> stitch({"a": [1, 2], "b": [7, 7]}, left="a", right="b").members("a", 1)
            [('a', 1), ('a', 2), ('b', 7)]
        """
        group = self.decision.group
        mine = np.flatnonzero(group == group[self.identifiers.number(namespace, value)])
        return [self.identifiers[node] for node in mine.tolist()]

    def resolve(
        self,
        table: object,
        identifiers: Sequence[str] | Mapping[str, Side],
        *,
        time: str | None = None,
        tz: str | None = None,
        time_unit: str | None = None,
    ) -> Codes:
        """The customer of every row of a table.

        Args:
            table: Any table.
            identifiers: The columns, whose names are the namespaces, or ``{namespace: column}``;
                best first: the first identifier of a row that belongs to somebody counts.
            time: The column of the time; needed for devices.
            tz: The zone of times that do not say theirs.
            time_unit: Unit of times that are numbers.

        Returns:
            (E,) customers. An identifier that is not known is a customer of its own. Missing where
            a row has no identifier, or only such as are blocked or too widely shared.

        Raises:
            SchemaError: A column is not there or cannot be used.
            DataError: Devices need a time.

        Example:
            >>> from cxkit.identity import stitch
            >>> identity = stitch({"a": [1, 2], "b": [7, 7]}, left="a", right="b")
            >>> identity.resolve({"b": [None, 7], "a": [3, 3]}, ["b", "a"]).to_list()
            ['a:3', 'a:1']
        """
        return resolve_table(self._known, table, identifiers, time=time, tz=tz, time_unit=time_unit)

    def apply(
        self,
        journeys: Journeys,
        identifiers: str | Mapping[str, str],
        *,
        nobody: Literal["raise", "drop"] = "raise",
    ) -> Journeys:
        """Journeys of customers from journeys of identifiers.

        Args:
            journeys: Journeys whose customer is an identifier, such as a device.
            identifiers: The namespace of the journeys' customer; or ``{namespace: column}``, best
                first, where the column ``"customer"`` is the journeys' customer.
            nobody: ``"drop"`` touchpoints that belong to nobody, or ``"raise"``.

        Returns:
            One journey per customer, with all columns.

        Raises:
            DataError: Touchpoints belong to nobody, and ``nobody`` is ``"raise"``.
        """
        return resolve_journeys(self._known, journeys, identifiers, nobody=nobody)

    def explain(self, a: Identifier, b: Identifier) -> Explanation:
        """Why two identifiers are one customer, or why not: the shortest chain of pairs.

        Args:
            a: An identifier ``(namespace, value)``.
            b: Another.

        Returns:
            The chain of accepted pairs; if there is none, the shortest chain of pairs at all, with
            the reason for each that was refused; no row if nothing connects them.

        Raises:
            UnknownLabelError: One of them is not known.
        """
        ends = self.identifiers.number(*a), self.identifiers.number(*b)
        return chain(self.pairs, self.decision, self.rules, *ends)

    @property
    def provenance(self) -> Provenance:
        """Every accepted link with its customer, its first row and how many rows say it."""
        return provenance(self.pairs, self.decision)

    @property
    def refused(self) -> Refused:
        """Every pair and row that was refused, and why."""
        return refused(self.pairs, self.decision, self.rules)

    def add(
        self,
        pairs: object,
        *,
        left: Side,
        right: Side | Sequence[Side],
        time: str | None = None,
        tz: str | None = None,
        time_unit: str | None = None,
    ) -> Identity:
        """The identity with more pairs: equal to stitching all at once.

        Takes the arguments of :func:`~cxkit.identity.stitch` that say where the pairs are.

        Raises:
            SchemaError: A column cannot be used, or one table has times and the other none.
        """
        more = read_pairs(pairs, left=left, right=right, time=time, tz=tz, time_unit=time_unit)
        return Identity(self.pairs + more, self.rules)

    def split(self, a: Identifier, b: Identifier) -> Identity:
        """Undo a link: every pair of these two, given or yet to come, is refused from now on.

        :meth:`explain` shows which link it was.

        Raises:
            UnknownLabelError: One of them is not known.
        """
        ids = self.identifiers
        both = ids[ids.number(*a)], ids[ids.number(*b)]
        return Identity(self.pairs, attrs.evolve(self.rules, apart=(*self.rules.apart, both)))

    def without(self, *identifiers: Identifier) -> Identity:
        """As if these identifiers had never been seen: what only they joined falls apart.

        Identifiers that were too widely shared stay so: taking one of their partners away must not
        join the others.

        Raises:
            UnknownLabelError: One of them is not known.
        """
        numbers = [self.identifiers.number(*identifier) for identifier in identifiers]
        nodes = np.array(numbers, np.int64)
        return Identity(*forget(self.pairs, self.decision, self.rules, nodes))

    def erase(self, namespace: str, value: Label) -> Identity:
        """Forget the customer of an identifier: all its identifiers, and every pair with them.

        Devices on which nobody else ever identified go too. An identifier of nobody, such as a
        shared device, goes alone.

        Raises:
            UnknownLabelError: The identifier is not known.
        """
        node = self.identifiers.number(namespace, value)
        nodes = everything_of(self.decision, self.rules, node)
        return Identity(*forget(self.pairs, self.decision, self.rules, nodes))

    def __eq__(self, other: object) -> bool:
        """Equal when rules, identifiers and the customer of each at any time are."""
        if not isinstance(other, Identity):
            return NotImplemented
        return (
            self.rules == other.rules
            and self.identifiers == other.identifiers
            and np.array_equal(self.decision.customer, other.decision.customer)
            and self.decision.timeline.same_as(other.decision.timeline)
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    def __repr__(self) -> str:
        """How many identifiers, customers and rows, and what was refused."""
        return headline(self.pairs, self.decision, self.customers)

    def to_bytes(self) -> bytes:
        """The identity as bytes, with all its pairs; never pickle."""
        from cxkit.identity.saved import pack

        return pack(self.pairs, self.rules)

    @classmethod
    def from_bytes(cls, data: bytes) -> Identity:
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            DataError: The bytes are not those of an identity, or are damaged or cut short.
        """
        from cxkit.identity.saved import unpack

        return cls(*unpack(data))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through bytes, so that the copy is read-only too."""
        return Identity.from_bytes, (self.to_bytes(),)
