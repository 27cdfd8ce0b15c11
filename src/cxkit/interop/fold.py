"""Counting data that does not fit into memory: sorted batches in, summaries out.

Whoever sorts by customer (DuckDB, a folder of Parquet, Spark) hands batches of rows to a
:class:`Folder`. It turns each into journeys, counts them and forgets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, Unpack

from cxkit.core.arrays import IntArray
from cxkit.core.summary import Summary, merge_all
from cxkit.interop.asked import Counters, Roles, named_counters, spelled_out, zeros
from cxkit.interop.folded import Folded
from cxkit.interop.stream import JourneyStream
from cxkit.model.journeys import Journeys

__all__ = ["Folder", "fold"]

S = TypeVar("S", bound=Summary)


@spelled_out
def fold(
    tables: Iterable[object],
    summary: Counters[S],
    *,
    each: Callable[[Journeys], object] | None = None,
    **roles: Unpack[Roles],
) -> Folded[S]:
    """Count tables that come one after another, sorted by customer.

    Args:
        tables: Arrow record batches, or any tables that :func:`cxkit.ingest` takes. Rows are sorted
            by customer (numbers by size, text by code point) over all of them; a customer may begin
            in one and go on in the next. The rows of one customer may come in any order.
        summary: What to count: a summary such as ``cx.flow.Transitions``; with parameters
            ``functools.partial(cx.flow.Transitions.of, by="channel")``; any function that makes a
            summary of journeys, such as ``lambda j: Transitions.of(j.sessions("30min"))``; or
            several by name, counted in one pass. A function is also called with no journey, for the
            summary to begin with, and then with some at a time.
        each: Called with the journeys of every batch, once they are complete and in order of
            customer, before they are forgotten: to write down a score for each, say.
        **roles: Which column is what, and how to read it, as in :func:`cxkit.ingest`.

    Returns:
        The summaries, equal to those of all rows at once, and an account of every row. Rows are
        counted from 0 over all tables.

    Raises:
        DataError: The rows are not sorted by customer, a column changes its kind between tables,
            or one customer has more than 2,147,483,647 touchpoints.
        SchemaError: As in :func:`cxkit.ingest`.
        DefinitionError: ``summary`` is none, or as in :func:`cxkit.ingest`.

    Example:
        >>> import functools
        >>> from cxkit import flow
        >>> tables = [
        ...     {"who": ["ann", "bob"], "at": [0, 5], "what": ["see", "see"]},
        ...     {"who": ["bob", "cid"], "at": [9, 1], "what": ["buy", "see"]},
        ... ]
        >>> folded = fold(
        ...     tables,
        ...     {"steps": flow.Transitions, "ends": functools.partial(flow.DropOff.of, by="event")},
        ...     customer="who",
        ...     time="at",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> folded
        <Folded: 4 rows, 4 touchpoints in 3 journeys, 0 rejected; steps, ends>
        >>> folded["steps"].result().to_dicts()[0]["to"]
        'buy'
    """
    folder = Folder(summary, each=each, **roles)
    for at, table in enumerate(tables):
        folder.feed(table, where=f"table {at}")
    return folder.finish()


class Folder(Generic[S]):
    """Counts batches of rows that are sorted by customer; see :func:`fold`.

    Args:
        summary: What to count; see :func:`fold`.
        each: Called with the journeys of every batch; see :func:`fold`.
        **roles: Which column is what; see :func:`fold`.

    Example:
        >>> from cxkit import flow
        >>> folder = Folder(flow.PathVariants, customer="who", time="at", time_unit="s")
        >>> folder.feed({"who": [1, 2], "at": [0, 0]})
        >>> folder.feed({"who": [2, 2], "at": [5, 9]})
        >>> folder.finish().journeys
        2
    """

    def __init__(
        self,
        summary: Counters[S],
        *,
        each: Callable[[Journeys], object] | None = None,
        **roles: Unpack[Roles],
    ) -> None:
        """Nothing is counted yet."""
        self._each = each
        self._stream = JourneyStream(roles)
        self._counters: dict[str, Callable[[Journeys], S]] = named_counters(summary)
        self._stacks = {name: [zero] for name, zero in zeros(self._counters).items()}
        self._journeys = 0

    def feed(
        self, table: object, *, rows: IntArray | None = None, where: str = "", first_row: int = 0
    ) -> None:
        """Count one more batch.

        Args:
            table: The batch.
            rows: (E,) the number of each row in the source, for the list of rejected rows; by
                default they are counted on.
            where: What to call the batch in errors, such as the name of its file.
            first_row: The number of its first row there, likewise.

        Raises:
            DataError: It is not sorted, or does not come after the batch before; a column is of
                another kind than before; or a customer has too many touchpoints.
            SchemaError: As in :func:`fold`.
        """
        self._count(self._stream.feed(table, rows=rows, where=where, first_row=first_row))

    def finish(self) -> Folded[S]:
        """Count the journey that was kept back, and hand out everything."""
        stream = self._stream
        self._count(stream.finish())
        return Folded(
            {name: merge_all(reversed(stack)) for name, stack in self._stacks.items()},
            stream.rows,
            stream.touchpoints,
            self._journeys,
            stream.rejected,
            stream.reasons,
        )

    def _count(self, complete: list[Journeys]) -> None:
        for journeys in complete:
            self._journeys += len(journeys)
            if self._each is not None:
                self._each(journeys)
            for name, counter in self._counters.items():
                _push(self._stacks[name], counter(journeys))


def _push(stack: list[S], summary: S) -> None:
    """Add a summary to a stack whose sizes fall by halves at least.

    A summary that grows with the data (of paths, say) is then added to a large one only a few
    times, not once for every batch; one that does not grow is added at once.
    """
    stack.append(summary)
    while len(stack) > 1 and 2 * _size(stack[-1]) >= _size(stack[-2]):
        top = stack.pop()
        stack[-1] = stack[-1] + top


def _size(summary: Summary) -> int:
    """How many numbers and labels a summary holds."""
    totals = sum(int(getattr(summary, field.name).size) for field in summary.fields("total"))
    return totals + sum(len(getattr(summary, field.name)) for field in summary.fields("axis"))
