"""The right to be forgotten: one customer out of everything, and the proof that nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import TEXT, Codes, Label, Vocabulary
from cxkit.core.result import Result
from cxkit.errors import SchemaError
from cxkit.identity.decide import Decision, identified
from cxkit.identity.guards import Rules
from cxkit.identity.identifiers import name_of, same_kind
from cxkit.identity.pairs import Pairs
from cxkit.model.columnar import Column
from cxkit.model.journeys import Journeys

if TYPE_CHECKING:
    from cxkit.identity.identity import Identity

__all__ = ["Traces", "erase", "everything_of", "forget", "traces"]

_NOBODY: Final = -1


def erase(journeys: Journeys, customers: Label | Iterable[Label]) -> Journeys:
    """Journeys without some customers: no touchpoint and no label of theirs is left.

    All columns are new arrays, and labels that only these customers had are gone from the
    vocabularies too. Summaries hold totals and customers' names only if they were counted by them:
    count them again from what this returns.

    Args:
        journeys: The journeys.
        customers: A customer, or several.

    Raises:
        UnknownLabelError: One of them is not among the journeys' customers.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {"who": ["ann", "bob"], "sec": [1, 2], "what": ["call", "buy"]},
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> left = erase(journeys, "ann")
        >>> left.customers, list(left.event.vocabulary), len(traces(["ann", "call"], left))
        (1, ['buy'], 0)
    """
    single = isinstance(customers, (str, int, np.integer))
    several: Iterable[Label] = [customers] if single else customers  # type: ignore[list-item, assignment]  # narrowed by a name
    codes = [journeys.customer.vocabulary.index(who) for who in several]
    # By positions, never by a slice: a slice would keep the whole of the old arrays in memory.
    kept = journeys.take(np.flatnonzero(~np.isin(journeys.customer.codes, codes)))
    columns: dict[str, Column] = {
        name: _compact(column) if isinstance(column, Codes) else column
        for name, column in kept.columns.items()
    }
    return attrs.evolve(kept, customer=_compact(kept.customer), columns=columns)


def _compact(column: Codes) -> Codes:
    return Codes.from_codes(column.codes, column.vocabulary, missing=column.missing)


@attrs.frozen(eq=False, repr=False)
class Traces(Result):
    """Where values are still found.

    Attributes:
        store: (n,) position of the store among those that were searched.
        place: (n,) the column, or the namespace of an identity.
        found: (n,) the label.
    """

    store: tuple[int, ...]
    place: tuple[str, ...]
    found: tuple[Label, ...]

    def columns(self) -> Mapping[str, Any]:
        """``store``, ``place`` and ``found``."""
        return {"store": self.store, "place": self.place, "found": [str(v) for v in self.found]}

    def title(self) -> str:
        """How many were found."""
        return f"{len(self.store):,} traces"


def traces(values: Iterable[Label], *stores: Journeys | Identity, part: bool = False) -> Traces:
    """Search stores for values that should be gone: customers' names, e-mails, card numbers.

    Args:
        values: What to look for.
        stores: Journeys or identities. Every label of every column is looked at, used or not.
            7 and "7" are found as one another, in columns of text and of whole numbers.
        part: Also find labels that hold a value as a part, such as an address with an e-mail in it.
            Whole numbers are searched as they are written, so that 17 is found in 4170.

    Raises:
        SchemaError: A store is neither.

    Example:
        >>> from cxkit.identity import stitch
        >>> identity = stitch({"a": ["x1"], "email": ["ann@x.org"]}, left="a", right="email")
        >>> traces(["ann@x.org"], identity).to_dicts()
        [{'store': 0, 'place': 'email', 'found': 'ann@x.org'}]
        >>> len(traces(["ann@x.org"], identity.erase("a", "x1")))
        0
    """
    wanted = list(values)
    rows = [
        (at, place, label)
        for at, store in enumerate(stores)
        for place, vocabulary in _vocabularies(store)
        for label in _search(vocabulary, wanted, part=part)
    ]
    columns: Sequence[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [(), (), ()]
    return Traces(*columns)


def _vocabularies(store: Journeys | Identity) -> Iterator[tuple[str, Vocabulary]]:
    if isinstance(store, Journeys):
        yield "customer", store.customer.vocabulary
        for name, column in store.columns.items():
            if isinstance(column, Codes):
                yield name, column.vocabulary
        return
    identifiers = getattr(store, "identifiers", None)
    if identifiers is None:
        raise SchemaError(f"a store is Journeys or an Identity; found {type(store).__name__}")
    yield from zip(identifiers.namespaces, identifiers.vocabularies, strict=True)
    told = [*(i for pair in store.rules.apart for i in pair), *store.rules.shared]
    yield "rules", Vocabulary.of([str(value) for _, value in told])


def _search(vocabulary: Vocabulary, wanted: list[Label], *, part: bool) -> list[Label]:
    found: dict[Label, None] = {}
    texts = vocabulary.labels.astype(TEXT) if part else None
    for value in wanted:
        if texts is not None and str(value):
            hits = np.strings.find(texts, np.array(str(value), dtype=TEXT)) >= 0
            found |= dict.fromkeys(vocabulary.labels[hits].tolist())
        else:
            exact = same_kind(value, vocabulary)
            if exact in vocabulary:
                found[exact] = None  # type: ignore[index]  # it is a label, for it was found
    return list(found)


def everything_of(decision: Decision, rules: Rules, node: int) -> IntArray:
    """The identifiers that go when the customer of one is forgotten.

    Its group, and the devices on which nobody else ever identified. An identifier of nobody goes
    alone.
    """
    if decision.customer[node] == _NOBODY:
        return np.array([node])
    # By the pairs, not by the timeline, which knows only one of those who identified at once.
    _, device, person = identified(decision.pairs, decision.begun, rules)
    mine = decision.customer[person] == decision.customer[node]
    held = decision.group[device]
    groups = [int(decision.group[node]), *np.setdiff1d(held[mine], held[~mine]).tolist()]
    return np.flatnonzero(np.isin(decision.group, groups))


def forget(
    pairs: Pairs, decision: Decision, rules: Rules, nodes: NDArray[Any]
) -> tuple[Pairs, Rules]:
    """Pairs and rules as if some identifiers had never been seen.

    Identifiers that were too widely shared stay so by name: a kiosk that loses one of its many
    customers must not join the others.
    """
    ids = pairs.identifiers
    gone = np.zeros(len(ids), dtype=bool)
    gone[nodes] = True
    touched = gone[pairs.left] | gone[pairs.right]
    partners = np.union1d(pairs.left[touched], pairs.right[touched])
    wide = partners[decision.shared[partners] & ~gone[partners]]
    names = {name_of(ids[node]) for node in nodes.tolist()}
    shared = {*rules.shared, *(ids[node] for node in wide.tolist())}
    left_rules = attrs.evolve(
        rules,
        shared=sorted((i for i in shared if name_of(i) not in names), key=name_of),
        apart=[pair for pair in rules.apart if not names & {*map(name_of, pair)}],
    )
    return pairs.keep(~gone), left_rules
