"""Identifiers: a namespace (what kind of id) and a value, as one whole number each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.codes import TEXT, Codes, Label, Vocabulary
from cxkit.errors import DefinitionError, UnknownLabelError, did_you_mean

__all__ = ["Identifier", "Identifiers", "encode", "name_of"]

Identifier: TypeAlias = tuple[str, Label]
"""A namespace such as ``"email"`` and a value in it."""

_NONE: Final = -1


@attrs.frozen(eq=False, repr=False)
class Identifiers:
    """Distinct identifiers, numbered in order of namespace, then value.

    Attributes:
        namespaces: The S namespaces, sorted.
        vocabularies: The values of each.

    Example:
        >>> ids = Identifiers(("card", "email"), (Vocabulary.of([7, 9]), Vocabulary.of(["a@x"])))
        >>> len(ids), ids.find("email", "a@x"), ids[1]
        (3, 2, ('card', 9))
    """

    namespaces: tuple[str, ...] = ()
    vocabularies: tuple[Vocabulary, ...] = ()

    @cached_property
    def bounds(self) -> IntArray:
        """(S + 1,) the identifiers of namespace s are ``bounds[s]`` to before ``bounds[s + 1]``."""
        return np.cumsum([0, *map(len, self.vocabularies)], dtype=np.int64)

    def __len__(self) -> int:
        """How many there are."""
        return sum(map(len, self.vocabularies))

    def __getitem__(self, node: int) -> Identifier:
        """The identifier of a number."""
        at = int(np.searchsorted(self.bounds, node, side="right")) - 1
        place = node - int(self.bounds[at])
        return self.namespaces[at], self.vocabularies[at].labels[place : place + 1].tolist()[0]

    def __eq__(self, other: object) -> bool:
        """Equal when namespaces and values are."""
        if not isinstance(other, Identifiers):
            return NotImplemented
        return self.namespaces == other.namespaces and self.vocabularies == other.vocabularies

    __hash__: ClassVar[None]  # type: ignore[assignment]  # compared, never a key

    def range(self, namespace: str) -> slice:
        """The numbers of a namespace; an empty slice if there is none of that name."""
        if namespace not in self.namespaces:
            return slice(0, 0)
        at = self.namespaces.index(namespace)
        return slice(int(self.bounds[at]), int(self.bounds[at + 1]))

    def within(self, namespaces: Sequence[str]) -> NDArray[np.bool_]:
        """(I,) which identifiers are of one of the namespaces."""
        mask = np.zeros(len(self), dtype=bool)
        for namespace in namespaces:
            mask[self.range(namespace)] = True
        return mask

    def find(self, namespace: str, value: object) -> int | None:
        """The number of an identifier, or ``None``. 7 and "7" are found as one another."""
        if namespace not in self.namespaces:
            return None
        at = self.namespaces.index(namespace)
        vocabulary = self.vocabularies[at]
        place = vocabulary.find(same_kind(value, vocabulary))
        return None if place is None else int(self.bounds[at]) + place

    def number(self, namespace: str, value: object) -> int:
        """The number of an identifier.

        Raises:
            UnknownLabelError: There is none such.
        """
        found = self.find(namespace, value)
        if found is not None:
            return found
        if namespace not in self.namespaces:
            raise UnknownLabelError(
                f"no namespace {namespace!r}; there are {list(self.namespaces)}."
                f"{did_you_mean(namespace, self.namespaces)}"
            )
        vocabulary = self.vocabularies[self.namespaces.index(namespace)]
        raise UnknownLabelError(
            f"no identifier {name_of((namespace, value))!r} among the {len(vocabulary):,} of "
            f"{namespace!r}.{did_you_mean(value, vocabulary)}"
        )

    def values(self, nodes: NDArray[Any]) -> tuple[list[str], list[Label]]:
        """Namespaces and values of some identifiers, as columns."""
        at = np.searchsorted(self.bounds, nodes, side="right") - 1
        values = np.empty(len(nodes), dtype=object)
        for s in np.unique(at).tolist():
            mine = at == s
            values[mine] = self.vocabularies[s].labels[nodes[mine] - self.bounds[s]].tolist()
        return [self.namespaces[s] for s in at.tolist()], values.tolist()

    def names(self, nodes: NDArray[Any]) -> NDArray[Any]:
        """(n,) text ``namespace:value`` of some identifiers."""
        at = np.searchsorted(self.bounds, nodes, side="right") - 1
        names = np.empty(len(nodes), dtype=TEXT)
        for s in np.unique(at).tolist():
            mine = at == s
            values = self.vocabularies[s].labels[nodes[mine] - self.bounds[s]].astype(TEXT)
            names[mine] = np.strings.add(np.array(f"{self.namespaces[s]}:", dtype=TEXT), values)
        return names

    def union(self, other: Identifiers) -> tuple[Identifiers, IntArray, IntArray]:
        """All identifiers of both, and where those of each are in it.

        Returns:
            The union and two tables, (I + 1,) and (I' + 1,). The last entry of each is -1, so that
            -1, no identifier, stays -1.
        """
        names = tuple(sorted({*self.namespaces, *other.namespaces}))
        empty = Vocabulary.of(())
        mine = dict(zip(self.namespaces, self.vocabularies, strict=True))
        theirs = dict(zip(other.namespaces, other.vocabularies, strict=True))
        both = tuple(mine.get(n, empty).union(theirs.get(n, empty)) for n in names)
        union = Identifiers(names, both)
        base = dict(zip(names, union.bounds.tolist(), strict=False))
        tables = [
            np.concatenate(
                [
                    *(
                        base[n] + v.positions_in(both[names.index(n)])[:-1].astype(np.int64)
                        if v is not both[names.index(n)]
                        else np.arange(base[n], base[n] + len(v))
                        for n, v in side.items()
                    ),
                    [_NONE],
                ]
            ).astype(np.int64)
            for side in (mine, theirs)
        ]
        return union, tables[0], tables[1]

    def places_in(self, other: Identifiers) -> IntArray:
        """(I + 1,) the number that each has in ``other``; -1 where it has none, and at the end."""
        table = np.full(len(self) + 1, _NONE, np.int64)
        for namespace, vocabulary in zip(self.namespaces, self.vocabularies, strict=True):
            if namespace not in other.namespaces:
                continue
            theirs = other.vocabularies[other.namespaces.index(namespace)]
            both = vocabulary.union(theirs)
            number = np.full(len(both), _NONE, np.int64)
            there = other.range(namespace)
            number[theirs.positions_in(both)[:-1]] = np.arange(there.start, there.stop)
            table[self.range(namespace)] = number[vocabulary.positions_in(both)[:-1]]
        return table

    def keep(self, kept: NDArray[np.bool_]) -> tuple[Identifiers, IntArray]:
        """Only some identifiers, and (I + 1,) where they are now; -1 for those that are gone.

        Nothing of the others is left, not even in the memory of the labels.
        """
        parts = []
        for namespace, vocabulary in zip(self.namespaces, self.vocabularies, strict=True):
            labels = vocabulary.labels[kept[self.range(namespace)]]
            if len(labels):
                parts.append((namespace, Vocabulary(labels)))
        table = np.full(len(self) + 1, _NONE, np.int64)
        table[:-1][kept] = np.arange(int(kept.sum()))
        return Identifiers(tuple(n for n, _ in parts), tuple(v for _, v in parts)), table


def name_of(identifier: tuple[str, object]) -> str:
    """An identifier as text.

    Example:
        >>> name_of(("email", "ann@example.org"))
        'email:ann@example.org'
    """
    return f"{identifier[0]}:{identifier[1]}"


def same_kind(value: object, vocabulary: Vocabulary) -> object:
    """A value as the vocabulary would hold it: a number as text, or digits as a number."""
    text = vocabulary.labels.dtype == TEXT
    if text and isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    if not text and isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value) if str(int(value)) == value else value
    return value


def encode(
    sides: Sequence[tuple[str | Codes, Codes]],
) -> tuple[Identifiers, list[IntArray]]:
    """Number the identifiers of several columns together.

    Args:
        sides: For each, the namespace (one for all rows, or a column) and (E,) values.

    Returns:
        The identifiers, and for each side (E,) their numbers, -1 where the row has none.
    """
    known = Identifiers()
    found: list[tuple[IntArray, IntArray]] = []  # numbers of a side, and where they are by now
    for namespace, values in sides:
        mine, nodes = _one(namespace, values)
        known, old, new = known.union(mine)
        found = [(numbers, old[table]) for numbers, table in found]
        found.append((nodes, new))
    return known, [_moved(nodes, table) for nodes, table in found]


def _moved(nodes: IntArray, table: IntArray) -> IntArray:
    """Numbers by a table whose last entry is -1."""
    size = len(table) - 1
    # The ends alone tell nothing: numbers that became text are in another order (1, 10, 2, 99).
    if (
        size
        and table[size - 1] - table[0] == size - 1
        and bool((table[1:size] - table[: size - 1] == 1).all())
    ):
        # It only shifts them.
        moved = nodes + table[0]
        if table[0] and len(nodes) and int(nodes.min()) < 0:
            moved[nodes < 0] = _NONE
        return np.asarray(moved)
    return np.asarray(table[nodes])


def _one(namespace: str | Codes, values: Codes) -> tuple[Identifiers, IntArray]:
    lost = values.is_missing()
    names = [namespace] if isinstance(namespace, str) else list(namespace.vocabulary)
    for name in names:
        if not isinstance(name, str) or ":" in name:
            raise DefinitionError(
                f"a namespace is text without ':', such as 'email'; found {name!r}"
            )
    if isinstance(namespace, str):
        nodes = values.codes.astype(np.int64)
        if lost.any():
            nodes[lost] = _NONE
        return Identifiers((namespace,), (values.vocabulary,)), nodes
    lost |= namespace.is_missing()
    if lost.all():
        return Identifiers(), np.full(len(lost), _NONE, np.int64)
    size = len(values.vocabulary)
    keys = namespace.codes[~lost].astype(np.int64) * size + values.codes[~lost]
    codes = Codes.of(keys)
    distinct = codes.vocabulary.labels
    kinds = distinct // size
    parts = []
    for s in np.unique(kinds).tolist():
        labels = values.vocabulary.labels[distinct[kinds == s] % size]
        name = namespace.vocabulary.labels[s : s + 1].tolist()[0]
        parts.append((name, Vocabulary(labels)))
    nodes = np.full(len(lost), _NONE, np.int64)
    nodes[~lost] = codes.codes
    return Identifiers(tuple(n for n, _ in parts), tuple(v for _, v in parts)), nodes
