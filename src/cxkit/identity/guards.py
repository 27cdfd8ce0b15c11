"""What keeps strangers apart: the rules of stitching, and which identifiers join nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.records import check_fields
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.identity.blocked import BLOCKED
from cxkit.identity.identifiers import Identifier, Identifiers
from cxkit.identity.unionfind import Hooks

__all__ = ["MaxShared", "Rules", "widely_shared"]

MaxShared: TypeAlias = int | Mapping[str, int] | None

_SCHEMA: Final = "cxkit/identity-rules/1"


def _names(given: Iterable[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _identifiers(given: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple((str(namespace), value) for namespace, value in given)


def _apart(given: Iterable[Any]) -> tuple[tuple[Identifier, Identifier], ...]:
    return tuple(((str(a), v), (str(b), w)) for (a, v), (b, w) in given)


@attrs.frozen
class Rules:
    """What may join two identifiers, and what may not.

    Attributes:
        exclusive: Namespaces of which a customer has one identifier at most.
        max_shared: With how many different identifiers one may be paired before it counts as
            shared by many people: for every namespace, or by namespace (the others have no limit
            then). ``None`` for no limit. Exclusive identifiers have none: they are the customer.
        blocked: Values that join nobody; see :data:`~cxkit.identity.BLOCKED`.
        devices: Namespaces that pass from hand to hand: their identifiers belong, at any time, to
            whoever identified on them next.
        within: How long before an identification a device is its owner's already; microseconds,
            ``None`` for any time.
        after: How long after it the device still is, if nobody else came; microseconds.
        prefer: Which links stand when exclusive identifiers conflict: the ``"earliest"`` or those
            of ``"most_rows"``.
        apart: Pairs that were split by hand.
        shared: Identifiers known to be shared, whatever their count.
    """

    exclusive: tuple[str, ...] = attrs.field(default=("customer_id",), converter=_names)
    max_shared: MaxShared = 100
    blocked: tuple[str, ...] = attrs.field(default=BLOCKED, converter=_names)
    devices: tuple[str, ...] = attrs.field(default=(), converter=_names)
    within: int | None = None
    after: int = 0
    prefer: Literal["earliest", "most_rows"] = "earliest"
    apart: tuple[tuple[Identifier, Identifier], ...] = attrs.field(default=(), converter=_apart)
    shared: tuple[Identifier, ...] = attrs.field(default=(), converter=_identifiers)

    def __attrs_post_init__(self) -> None:
        """Check."""
        limits = self.max_shared
        if isinstance(limits, Mapping):
            object.__setattr__(self, "max_shared", dict(sorted(limits.items())))
        for limit in limits.values() if isinstance(limits, Mapping) else [limits]:
            if limit is not None and (type(limit) is not int or limit < 1):
                raise DefinitionError(
                    f"max_shared must be a whole number from 1 up, such numbers by namespace, or "
                    f"None; found {limit!r}"
                )
        both = set(self.exclusive) & set(self.devices)
        if both:
            raise DefinitionError(
                f"{sorted(both)} cannot be both exclusive and devices: a device passes from hand "
                "to hand, an exclusive identifier is one customer's for ever"
            )
        if self.prefer not in {"earliest", "most_rows"}:
            raise DefinitionError(
                f"prefer must be 'earliest' or 'most_rows'; found {self.prefer!r}"
            )

    def limit(self, namespace: str) -> int | None:
        """With how many identifiers one of a namespace may be paired, or ``None``."""
        if namespace in self.exclusive:
            return None
        limits = self.max_shared
        return limits.get(namespace) if isinstance(limits, Mapping) else limits

    def check_names(self, identifiers: Identifiers, *, default: bool) -> None:
        """Refuse namespaces that are not there: a guard with a typing error guards nothing.

        Args:
            identifiers: What is there; if nothing is, nothing is refused.
            default: Whether ``exclusive`` is the default, which need not be there.

        Raises:
            DefinitionError: A rule names a namespace that no identifier has.
        """
        limits = self.max_shared if isinstance(self.max_shared, Mapping) else {}
        named = {"max_shared": limits, "devices": self.devices}
        if not default:
            named["exclusive"] = self.exclusive
        for argument, names in named.items():
            for name in names if identifiers.namespaces else ():
                if name not in identifiers.namespaces:
                    raise DefinitionError(
                        f"{argument} names the namespace {name!r}; the pairs have "
                        f"{list(identifiers.namespaces)}."
                        f"{did_you_mean(name, identifiers.namespaces)}"
                    )

    def to_dict(self) -> dict[str, Any]:
        """The rules as plain data for JSON."""
        limits = self.max_shared
        return {
            "schema": _SCHEMA,
            "exclusive": list(self.exclusive),
            "max_shared": dict(limits) if isinstance(limits, Mapping) else limits,
            "blocked": list(self.blocked),
            "devices": list(self.devices),
            "within": self.within,
            "after": self.after,
            "prefer": self.prefer,
            "apart": [[list(a), list(b)] for a, b in self.apart],
            "shared": [list(identifier) for identifier in self.shared],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rules:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema.
        """
        fields = [f.name for f in attrs.fields(cls)]
        check_fields(data, _SCHEMA, "set of identity rules", [], fields)
        try:
            return cls(**{name: data[name] for name in fields if name in data})
        except (TypeError, ValueError) as error:
            raise DataError(f"these identity rules are damaged: {error}") from error


def widely_shared(hooks: Hooks, identifiers: Identifiers, rules: Rules) -> NDArray[np.bool_]:
    """(I,) which identifiers are paired with more different ones than their limit.

    Args:
        hooks: The pairs that count.
        identifiers: The identifiers.
        rules: The limits.
    """
    limits = {name: rules.limit(name) for name in identifiers.namespaces}
    mask = hooks.paired_with_more(
        [(identifiers.range(name), limit) for name, limit in limits.items() if limit is not None]
    )
    for identifier in rules.shared:
        found = identifiers.find(*identifier)
        if found is not None:
            mask[found] = True
    return mask
