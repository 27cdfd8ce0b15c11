"""Spark shuffles and sorts, cxkit counts: one row comes back from each partition.

Spark hands Python sorted batches of Arrow, never one customer at a time: a call per customer costs
milliseconds, and there are millions of customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Unpack

import numpy as np

import cxkit.errors
from cxkit.core.spans import InstantLike, instant_us
from cxkit.core.summary import Summary
from cxkit.errors import CxError, DataError, DefinitionError, MissingExtraError, SchemaError
from cxkit.interop.asked import Counters, Roles, roles_of, source_columns, spelled_out
from cxkit.interop.fold import Folder
from cxkit.interop.folded import Folded
from cxkit.interop.scorewriter import scored
from cxkit.interop.stream import JourneyStream

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from cxkit.engagement import EngagementScale

__all__ = ["fold", "score"]

S = TypeVar("S", bound=Summary)

_BATCH: Final = 262_144
"""Rows that are counted at once: Spark hands out 10,000, too few to be worth a call each."""


@spelled_out
def fold(
    df: DataFrame,
    summary: Counters[S],
    *,
    then: str | Sequence[str] = (),
    **roles: Unpack[Roles],
) -> Folded[S]:
    """Count a Spark DataFrame: all rows of a customer in one partition, sorted, one summary each.

    The workers need cxkit, numpy, pandas and pyarrow: install cxkit there, or
    ``spark.addArtifact("cxkit.zip", pyfile=True)``.

    Args:
        df: The DataFrame.
        summary: What to count; see :func:`cxkit.interop.fold.fold`. Functions travel to the
            workers.
        then: The columns that order rows of one customer and instant, such as an event's number.
            Rows of a DataFrame have no order of their own: without these, such rows come in any.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The summaries, equal to those of all rows at once, and an account of every row. Rejected
        rows have the number -1, because rows of a DataFrame have none.

    Raises:
        DataError: A customer has more than 2,147,483,647 touchpoints.
        SchemaError: A column is not there; otherwise as in :func:`cxkit.ingest`.
        DefinitionError: As in :func:`cxkit.interop.fold.fold`.
        MissingExtraError: pyspark, or the pandas or pyarrow that it asks for, is not installed.

    Example:
        >>> import cxkit as cx
        >>> def transitions(events):  # a DataFrame
        ...     return cx.interop.spark.fold(
        ...         events,
        ...         cx.flow.Transitions,
        ...         customer="user",
        ...         time="ts",
        ...         event="action",
        ...         then="event_id",
        ...     ).summary.result()
    """
    kept = roles_of(roles)
    nothing: Folder[S] = Folder(summary, **roles)  # refuses what is wrong before Spark is asked
    sorted_rows = _sorted(df, kept, then)
    rows = sorted_rows.mapInArrow(
        partial(_fold_partition, summary, kept),
        "folded binary, kind string, message string",
    ).collect()
    total = nothing.finish()
    for row in rows:
        if row["kind"] is not None:
            raise getattr(cxkit.errors, row["kind"])(row["message"])
        total += Folded.from_bytes(bytes(row["folded"]), summary)
    return total


@spelled_out
def score(
    df: DataFrame,
    scale: EngagementScale,
    *,
    at: InstantLike,
    rejected: Literal["raise", "skip"] = "raise",
    **roles: Unpack[Roles],
) -> DataFrame:
    """The engagement score of every customer, as a DataFrame that is computed when it is used.

    Args:
        df: The DataFrame.
        scale: The scale.
        at: The instant of the scores.
        rejected: What to do about rows that cannot be used: ``"raise"`` an error, or ``"skip"``
            them. :func:`fold` counts them and gives reasons.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        One row per customer, with ``customer``, ``score``, ``touchpoints``, and ``excluded``, the
        touchpoints after ``at``, which earn nothing.

    Raises:
        SchemaError: A column is not there.
        DefinitionError: ``at`` or ``rejected`` is none; otherwise as in :func:`cxkit.ingest`.
        MissingExtraError: pyspark, or the pandas or pyarrow that it asks for, is not installed.

    Example:
        >>> import cxkit as cx
        >>> scale = cx.EngagementScale([cx.PointRule("purchase", 100)], half_life="14d")
        >>> def scores(events):  # a DataFrame
        ...     return cx.interop.spark.score(
        ...         events, scale, at="2024-06-01", customer="user", time="ts", event="action"
        ...     )
    """
    if rejected not in {"raise", "skip"}:
        raise DefinitionError(f"rejected must be 'raise' or 'skip'; found {rejected!r}")
    kept = roles_of(roles)
    sorted_rows = _sorted(df, kept, ())
    name = sorted_rows.schema[kept["customer"]].dataType.simpleString()
    text = name.startswith(("string", "char", "varchar"))
    return sorted_rows.mapInArrow(
        partial(_score_partition, scale, instant_us(at, name="at"), rejected == "skip", text, kept),
        f"customer {'string' if text else 'bigint'}, score double, touchpoints bigint, "
        "excluded bigint",
    )


def _sorted(df: Any, roles: Mapping[str, Any], then: str | Sequence[str]) -> Any:
    """The columns that are read, with all rows of a customer together and sorted."""
    try:
        import pandas as pd  # noqa: F401  # Spark wants both before it hands out Arrow
        import pyarrow as pa  # noqa: F401
        from pyspark.sql import functions
    except ImportError as error:
        library = (error.name or "pyspark").partition(".")[0]
        raise MissingExtraError.of(library, "spark", "cx.interop.spark") from error
    columns = source_columns(roles)
    ties = [then] if isinstance(then, str) else list(then)
    wanted = columns | {name: "then" for name in ties if name not in columns}
    for name, role in wanted.items():
        count = df.columns.count(name)
        if count != 1:
            few = f"no column {name!r}" if not count else f"{count} columns named {name!r}"
            hint = cxkit.errors.did_you_mean(name, df.columns)
            raise SchemaError(f"{few} for {role}; the DataFrame has {sorted(df.columns)}.{hint}")

    def column(name: str) -> Any:
        return functions.col("`" + name.replace("`", "``") + "`")

    order = [roles["customer"], *ties]
    if df.schema[roles["time"]].dataType.simpleString() != "string":
        # Times that are text are put in order by cxkit, which knows what they say.
        order.insert(1, roles["time"])
    return (
        df.select(*map(column, wanted))
        .repartition(column(roles["customer"]))
        .sortWithinPartitions(*map(column, order))
        .select(*map(column, columns))
    )


def _fold_partition(
    summary: Counters[S], roles: Mapping[str, Any], batches: Iterable[Any]
) -> Iterator[Any]:
    """One row: the summaries of a partition, or what is wrong with it."""
    import pyarrow as pa

    found: dict[str, Any] = {"folded": None, "kind": None, "message": None}
    try:
        folder: Folder[S] = Folder(summary, **roles)
        for table in _gathered(batches):
            folder.feed(table, rows=np.full(table.num_rows, -1))
        found["folded"] = folder.finish().to_bytes()
    except CxError as error:
        found["kind"], found["message"] = type(error).__name__, str(error)
    types = {"folded": pa.binary(), "kind": pa.string(), "message": pa.string()}
    yield pa.RecordBatch.from_arrays(
        [pa.array([found[name]], kind) for name, kind in types.items()], names=list(types)
    )


def _score_partition(
    scale: EngagementScale,
    at: int,
    skip: bool,  # noqa: FBT001  # positional, as it travels
    text: bool,  # noqa: FBT001
    roles: Mapping[str, Any],
    batches: Iterable[Any],
) -> Iterator[Any]:
    stream = JourneyStream(roles)
    for table in _gathered(batches):
        complete = stream.feed(table)
        if stream.reasons and not skip:
            (column, reason), count = next(iter(stream.reasons.items()))
            raise DataError(
                f"{count:,} rows of a partition cannot be used, column {column!r}: {reason}; "
                'rejected="skip" leaves them out, cx.interop.spark.fold gives an account of them'
            )
        for journeys in complete:
            yield scored(scale, at, journeys, text=text)
    for journeys in stream.finish():
        yield scored(scale, at, journeys, text=text)


def _gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """Small batches as larger tables."""
    import pyarrow as pa

    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _BATCH:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if rows:
        yield pa.Table.from_batches(waiting)
