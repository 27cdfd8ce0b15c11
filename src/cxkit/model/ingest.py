"""The door: any table -> journeys, and every row that could not be used, with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Codes
from cxkit.core.instants import TIME_UNITS
from cxkit.core.progress import ProgressLike, steps
from cxkit.core.timezones import find_zone
from cxkit.errors import DataError, DefinitionError, SchemaError
from cxkit.model.build import build
from cxkit.model.columns import Column
from cxkit.model.ingested import Ingested, count_duplicates, notes_on
from cxkit.model.journeys import Journeys
from cxkit.model.labels import read_customers, read_labels
from cxkit.model.nulls import mark_missing, null_texts
from cxkit.model.rejects import RejectLog
from cxkit.model.roles import read_numbers, read_times
from cxkit.model.tables import Table, open_table

__all__ = ["Ingested", "from_table", "further_columns", "ingest", "ingest_table"]

_ROLES: Final = ("customer", "time", "event", "channel", "value")


def ingest(
    table: object,
    *,
    customer: str,
    time: str,
    event: str | None = None,
    channel: str | None = None,
    value: str | None = None,
    columns: Iterable[str] | Mapping[str, str] = (),
    tz: str | tzinfo | None = None,
    time_unit: str | None = None,
    time_format: str | None = None,
    null_values: Iterable[str | float] = (),
    progress: ProgressLike = None,
) -> Ingested:
    """Read journeys from any table; rows that cannot be used are kept apart, with reasons.

    Args:
        table: A mapping of arrays or lists, a list of dicts or Touchpoints, a pandas or Polars
            frame, an Arrow table, or anything with ``__arrow_c_stream__``. It is not changed.
        customer: The column of the customer's id: text, kept exactly as it is, or whole numbers,
            also as floats. Ids of mixed kinds are read as text.
        time: The column of the time: instants, ISO 8601 text, or numbers with ``time_unit``.
        event: The column of what happened, text or whole numbers; ``None`` if there is none.
        channel: The column of where it happened; likewise.
        value: The column of the money of outcomes: numbers, also as text. Missing and NaN are no
            value; an infinite one is rejected.
        columns: Further columns to carry, or a mapping of new names to columns. Floats stay
            numbers; text, whole numbers and truth values become labels.
        tz: The zone of times that do not say theirs, such as ``"UTC"`` or ``"Europe/Amsterdam"``.
            Local times that were skipped when clocks went forward are rejected; of those that came
            twice the earlier is taken, and a note counts them.
        time_unit: For numbers (also as text): ``"s"``, ``"ms"``, ``"us"`` or ``"ns"`` since 1970.
        time_format: For text: how it is written, as in ``datetime.strptime``.
        null_values: What means missing, in every column: texts, and numbers, which also stand for
            what they are written like in text. A text such as ``"-1"`` holds in columns of numbers
            too. Empty text always means missing; times that are instants already are left alone.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)``.

    Returns:
        The journeys, sorted by customer and time (equal times keep the order of the table), the
        rejected rows, and counts that add up.

    Raises:
        SchemaError: It is no table; a column is missing, twice there, or of a kind that its role
            cannot use; times have no zone and ``tz`` is not given; numbers have no unit.
        DefinitionError: ``tz``, ``time_unit``, ``columns`` or ``null_values`` make no sense.
        MissingExtraError: The table needs pyarrow to be read.

    Example:
        >>> got = ingest(
        ...     {"who": ["ann", "bob", ""], "at": ["2024-03-01T10:00Z"] * 3},
        ...     customer="who",
        ...     time="at",
        ... )
        >>> got
        <Ingested: 3 rows, 2 accepted, 1 rejected>
        <Journeys: 2 journeys of 2 customers, 2 touchpoints, 2024-03-01 to 2024-03-01>
        rejected 1 x column 'who': no customer (first in row 2)
    """
    return ingest_table(
        open_table(table),
        None,
        customer=customer,
        time=time,
        event=event,
        channel=channel,
        value=value,
        columns=columns,
        tz=tz,
        time_unit=time_unit,
        time_format=time_format,
        null_values=null_values,
        progress=progress,
    )


def from_table(table: object, **roles: Any) -> Journeys:
    """Journeys from a table, all of whose rows must be usable; see :func:`ingest`.

    Raises:
        DataError: At least one row was rejected.

    Example:
        >>> from_table({"who": [7], "at": [0]}, customer="who", time="at", time_unit="s")
        <Journeys: 1 journeys of 1 customers, 1 touchpoints, 1970-01-01 to 1970-01-01>
    """
    got = ingest(table, **roles)
    if len(got.rejected):
        faults = "; ".join(got.rejected.summary())
        raise DataError(
            f"{len(got.rejected):,} of {got.rows:,} rows cannot be used: {faults}. "
            "cx.ingest(...) takes the others and keeps these apart"
        )
    return got.journeys


def ingest_table(
    table: Table,
    log: RejectLog | None,
    *,
    customer: str,
    time: str,
    event: str | None,
    channel: str | None,
    value: str | None,
    columns: Iterable[str] | Mapping[str, str],
    tz: str | tzinfo | None,
    time_unit: str | None,
    time_format: str | None,
    null_values: Iterable[str | float],
    progress: ProgressLike,
) -> Ingested:
    """:func:`ingest` for a table that is open already, with the rejects that it has already."""
    _check_time(time_unit, time_format)
    zone = None if tz is None else find_zone(tz)
    nulls = null_texts(null_values)
    further = further_columns(columns)
    log = RejectLog(table.rows) if log is None else log
    labels = {k: v for k, v in (("channel", channel), ("event", event)) if v is not None}

    def opened(source: str, role: str) -> Column:
        return mark_missing(table.column(source, role), nulls)

    with steps("reading columns", 4 + len(labels) + len(further), progress) as step:
        who = read_customers(opened(customer, "customer"), nulls, log)
        step()
        us, repeated = read_times(
            opened(time, "time"), nulls, log, zone=zone, unit=time_unit, pattern=time_format
        )
        step()
        read: dict[str, Codes | NDArray[np.float64]] = {}
        for role, source in labels.items():
            read[role] = read_labels(opened(source, role), nulls, role, log)
            step()
        if value is not None:
            read["value"] = read_numbers(opened(value, "value"), nulls, "value", log)
        step()
        for name, source in further.items():
            column = opened(source, f"columns ({name!r})")
            reader = read_numbers if column.kind == "decimal" else read_labels
            read[name] = reader(column, nulls, f"columns ({name!r})", log)
            step()
        kept = log.kept()
        if not kept.all():
            who, us = _compact(who, kept), us[kept]
            read = {
                name: _compact(column, kept) if isinstance(column, Codes) else column[kept]
                for name, column in read.items()
            }
        journeys = build(who, us, read)
        step()
    return Ingested(
        journeys,
        log.result(),
        table.rows,
        count_duplicates(journeys),
        tuple(notes_on(journeys, customer, repeated, zone)),
    )


def _check_time(unit: str | None, pattern: str | None) -> None:
    if unit is not None and unit not in TIME_UNITS:
        raise DefinitionError(f"time_unit must be one of {list(TIME_UNITS)}; found {unit!r}")
    if unit is not None and pattern is not None:
        raise DefinitionError("time_unit is for numbers and time_format for text; pass one of them")


def further_columns(columns: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """New names -> columns, from either way to say it.

    Raises:
        SchemaError: A new name is that of a role, or is there twice.

    Example:
        >>> further_columns(["campaign"])
        {'campaign': 'campaign'}
    """
    if isinstance(columns, str):
        columns = (columns,)
    pairs = columns.items() if isinstance(columns, Mapping) else ((name, name) for name in columns)
    further: dict[str, str] = {}
    for name, source in pairs:
        if name in _ROLES:
            raise SchemaError(
                f"{name!r} is a role of its own: pass {name}={source!r}, or rename it in columns, "
                f"such as columns={{'{name}_of_source': {source!r}}}"
            )
        if name in further:
            raise SchemaError(f"columns names {name!r} twice")
        further[name] = source
    return further


def _compact(column: Codes, kept: NDArray[np.bool_]) -> Codes:
    """The kept rows, without the labels that only rejected rows had."""
    return Codes.from_codes(column.codes[kept], column.vocabulary, missing=column.missing)
    return Codes.from_codes(column.codes[kept], column.vocabulary, missing=column.missing)
