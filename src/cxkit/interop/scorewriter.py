"""Scores of more customers than fit into memory: written down batch by batch."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cxkit.core.codes import TEXT
from cxkit.core.spans import InstantLike, instant_us
from cxkit.errors import CxWarning, DataError, MissingExtraError
from cxkit.model.journeys import Journeys, as_journeys

if TYPE_CHECKING:
    from cxkit.engagement import EngagementScale

__all__ = ["ScoreWriter", "scored"]


class ScoreWriter:
    """Writes the scores of journeys to a Parquet file, batch by batch as they come.

    It is handed to a fold, which calls it with the journeys of every batch, so that counting and
    scoring take one pass over the data. The file has one row per journey, with ``customer``,
    ``score``, ``touchpoints``, and ``excluded``, the touchpoints after ``at``, which earn nothing.
    It appears when the block ends; if the block fails, there is none.

    Args:
        path: The file. What is there already is replaced.
        scale: The scale.
        at: The instant of the scores.

    Attributes:
        rows: How many scores were written.

    Raises:
        DefinitionError: ``at`` is no instant.
        DataError: The file cannot be written; or customers are numbers in one batch and text in
            another.
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import cxkit as cx
        >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.parquet")
        >>> scale = cx.EngagementScale([cx.PointRule("buy", 100)])
        >>> tables = [{"who": ["ann", "bob"], "at": [0, 0], "what": ["buy", "see"]}]
        >>> with ScoreWriter(path, scale, at="2024-06-01") as scores:
        ...     folded = cx.interop.fold.fold(
        ...         tables,
        ...         cx.flow.Transitions,
        ...         each=scores,
        ...         customer="who",
        ...         time="at",
        ...         event="what",
        ...         time_unit="s",
        ...     )
        >>> cx.interop.read_table(path)["score"]
        [100.0, 0.0]
    """

    def __init__(
        self, path: str | os.PathLike[str], scale: EngagementScale, *, at: InstantLike
    ) -> None:
        """Nothing is written yet."""
        try:
            import pyarrow as pa  # noqa: F401  # before a pass over the data, not in it
        except ImportError as error:
            raise MissingExtraError.of("pyarrow", "arrow", "writing scores") from error
        self.rows: int = 0
        self._path = Path(path)
        self._part = self._path.with_name(f".{self._path.name}.part")
        self._scale = scale
        self._at = instant_us(at, name="at")
        self._met: set[Any] = set()
        self._text: bool | None = None  # customers that are text; unknown before the first batch
        self._out: Any = None

    def __call__(self, journeys: Journeys) -> None:
        """Score some journeys, and write their scores."""
        given = as_journeys(journeys)
        if not len(given):
            return
        text = given.customer.vocabulary.labels.dtype == TEXT
        if self._text is None:
            self._open(text=text)
        elif text != self._text:
            raise DataError("customers are numbers in one batch and text in another")
        self._met.update(given.event.vocabulary)
        self._out.write_batch(scored(self._scale, self._at, given, text=text))
        self.rows += len(given)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the file in its place, or take away what there is of it."""
        if kind is not None:
            if self._out is not None:
                self._out.close()
                self._part.unlink()
            return
        if self._text is None:
            self._open(text=True)
        self._out.close()
        self._part.replace(self._path)
        wanted = {rule.goal.event for rule in self._scale.rules}
        if self.rows and not wanted & self._met:
            warnings.warn(
                f"not one event of the scale {self._scale.name!r} is in the data, so every score "
                f"is 0: the scale has {sorted(map(str, wanted))}",
                CxWarning,
                stacklevel=2,
            )

    def _open(self, *, text: bool) -> None:
        from pyarrow import parquet

        self._text = text
        empty = scored(self._scale, self._at, Journeys.empty(), text=text)
        try:
            self._out = parquet.ParquetWriter(self._part, empty.schema)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise DataError(f"cannot write {os.fspath(self._path)!r}: {why}") from error


def scored(scale: EngagementScale, at: int, journeys: Journeys, *, text: bool) -> Any:
    """The scores of journeys as an Arrow record batch.

    Args:
        scale: The scale.
        at: The instant, in microseconds since 1970.
        journeys: The journeys.
        text: Whether customers are to be text, also where all are numbers.
    """
    import pyarrow as pa

    from cxkit.engagement.scoring import aged_sums

    values, excluded = aged_sums(scale, journeys, at)
    labels = list(journeys.customer.vocabulary)
    names = pa.array(map(str, labels) if text else labels, pa.string() if text else pa.int64())
    # By Arrow: numpy 2.1 fails to pick texts by codes of a byte.
    who = names.take(pa.array(journeys.customer.codes))
    return pa.RecordBatch.from_arrays(
        [who, pa.array(values), pa.array(np.diff(journeys.offsets)), pa.array(excluded)],
        names=["customer", "score", "touchpoints", "excluded"],
    )
