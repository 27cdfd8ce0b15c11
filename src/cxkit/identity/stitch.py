"""The verb: pairs of identifiers -> customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from cxkit.core.spans import SpanLike, span_us
from cxkit.errors import DefinitionError
from cxkit.identity.blocked import BLOCKED
from cxkit.identity.guards import MaxShared, Rules
from cxkit.identity.identity import Identity
from cxkit.identity.pairs import Side, read_pairs

__all__ = ["stitch"]

_EXCLUSIVE: Final = ("customer_id",)


def stitch(
    pairs: object,
    *,
    left: Side,
    right: Side | Sequence[Side],
    time: str | None = None,
    exclusive: str | Iterable[str] = _EXCLUSIVE,
    max_shared: MaxShared = 100,
    blocked: Iterable[str] = BLOCKED,
    devices: str | Iterable[str] = (),
    within: SpanLike | None = None,
    after: SpanLike | None = None,
    prefer: Literal["earliest", "most_rows"] = "earliest",
    tz: str | None = None,
    time_unit: str | None = None,
) -> Identity:
    """Find out which identifiers are one customer.

    Two identifiers on one row are one customer, and so is whatever a chain of such rows connects,
    unless a guard forbids it. The answer depends on the set of pairs alone, not on their order.

    The guards, in order; what each of them takes out the next does not see:

    1. A pair with a *blocked* value (``"null"``, ``"test@..."``, zeros ...) joins nobody.
    2. An identifier paired with more than ``max_shared`` different ones is a kiosk or a default,
       not a person: none of its pairs joins anybody. Exclusive identifiers are exempt.
    3. A customer has one identifier of each *exclusive* namespace at most. Where pairs would join
       two, the best links stand and the others go: links are taken one by one, the earliest first
       (among equals the one on more rows, then that of the smaller identifiers), and a link is
       refused if it would put two together.

    Args:
        pairs: Any table.
        left: A column, whose name is the namespace of its identifiers; or a tuple of two columns,
            namespaces and values.
        right: Likewise, or several: each is paired with ``left``. A row that lacks one side joins
            nothing, but makes the other known.
        time: The column of the time at which the pair was seen.
        exclusive: Namespaces of which a customer has one at most, such as a loyalty card.
        max_shared: With how many different identifiers one may be paired: for all namespaces, or
            by namespace, such as ``{"device": 10, "ip": 3}`` (the others have no limit then).
        blocked: Values that join nobody. ``*`` at an end stands for any text.
        devices: Namespaces that pass from hand to hand. A device does not join the customers who
            identify on it; at any time it belongs to whoever identified on it next.
        within: How long before an identification a device is its owner's already; without, for
            any time.
        after: How long after the last identification it still is; without, not at all.
        prefer: ``"most_rows"`` swaps the first two criteria of the third guard.
        tz: The zone of times that do not say theirs.
        time_unit: Unit of times that are numbers: s, ms, us or ns.

    Returns:
        The identity. It keeps the pairs, so that it can be added to, split and explained.

    Raises:
        SchemaError: A column is not there or cannot be used.
        DefinitionError: An argument contradicts another or names a namespace that is not there.

    NaN, NaT, ``None`` and empty text are no identifiers. Rows without any, or without a usable
    time, are in ``.refused``.

    Example:
        >>> log = {
        ...     "device": ["d1", "d1", "d2", "d3", "d3"],
        ...     "customer_id": ["ann", "ann", "ann", "bob", "null"],
        ... }
        >>> identity = stitch(log, left="device", right="customer_id")
        >>> identity.explain(("device", "d1"), ("device", "d2"))
        device:d1 and device:d2 are one customer
        left             right            row
        device:d1        customer_id:ann    0
        customer_id:ann  device:d2          2
        >>> identity.refused
        1 pairs refused
        row  left       right             reason
          4  device:d3  customer_id:null  blocked value
    """
    if not devices and (within is not None or after is not None):
        raise DefinitionError("within and after are about devices: name them in devices")
    if devices and time is None:
        raise DefinitionError("whose a device is depends on the time; pass time=, its column")
    rules = Rules(
        exclusive=exclusive,
        max_shared=max_shared,
        blocked=blocked,
        devices=devices,
        within=None if within is None else span_us(within, name="within"),
        after=0 if after is None else span_us(after, name="after"),
        prefer=prefer,
    )
    read = read_pairs(pairs, left=left, right=right, time=time, tz=tz, time_unit=time_unit)
    rules.check_names(read.identifiers, default=exclusive is _EXCLUSIVE)
    return Identity(read, rules)
