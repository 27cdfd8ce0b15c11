"""How alike paths are: by their order, or by the labels that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze, smallest_unsigned
from cxkit.core.codes import Label
from cxkit.core.ragged import segment_ids, take_segments
from cxkit.core.result import Result
from cxkit.core.uniques import unique_sequences
from cxkit.errors import DefinitionError
from cxkit.flow.paths import as_labels, cut_path, show_path
from cxkit.flow.pathways.editdistance import edit_distances
from cxkit.flow.pathways.pathvariants import PathVariants, path_of
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys

__all__ = [
    "PathDistances",
    "SimilarPaths",
    "check_metric",
    "distinct_paths",
    "pair_distances",
    "path_distances",
    "similar_paths",
]

_METRICS: Final = ("edit", "jaccard", "weighted-jaccard")
_CELLS: Final = 1 << 22


def path_distances(
    paths: PathVariants | Journeys | Journey,
    by: str = "event",
    *,
    metric: str = "edit",
    most: int = 500,
) -> PathDistances:
    """How far the most frequent paths are from each other.

    Args:
        paths: The journeys, or the summary of their variants.
        by: A column of labels; that of the summary if there is one.
        metric: ``"edit"``: how many labels must be put in, taken out or exchanged, as a share of
            the longer path (Levenshtein distance / longest; 0 for the same path, 1 for paths with
            nothing in common in order). ``"jaccard"``: 1 less the labels that both hold as a share
            of those that either holds, whatever their order and number. ``"weighted-jaccard"``:
            the same with labels as often as they come, sum of minima / sum of maxima.
        most: How many paths at most, the most frequent ones.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: The metric is none of these, or a path is too long for ``"edit"``.

    Example:
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [1, 1, 2, 2, 2],
        ...         "sec": [1, 2, 1, 2, 3],
        ...         "what": ["view", "buy", "view", "cart", "buy"],
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> path_distances(journeys).matrix.round(3).tolist()
        [[0.0, 0.333], [0.333, 0.0]]
    """
    check_metric(metric)
    counts = paths if isinstance(paths, PathVariants) else PathVariants.of(paths, by=by)
    offsets, codes, weight, first = distinct_paths(counts, most)
    many = len(weight)
    left, right = np.triu_indices(many, 1)
    matrix = np.zeros((many, many))
    matrix[left, right] = pair_distances(offsets, codes, left, right, metric)
    return PathDistances(
        by=counts.by,
        metric=metric,
        paths=tuple(path_of(counts, row) for row in first.tolist()),
        journeys=weight,
        matrix=matrix + matrix.T,
        total_journeys=int(counts.journeys.sum()),
    )


def similar_paths(
    paths: PathVariants | Journeys | Journey,
    path: Sequence[Label | None],
    by: str = "event",
    *,
    metric: str = "edit",
    top: int = 20,
) -> SimilarPaths:
    """The paths of journeys that are most like a given one.

    Args:
        paths: The journeys, or the summary of their variants. All paths are compared.
        path: The labels of the path; it need not occur, nor need its labels.
        by: A column of labels; that of the summary if there is one.
        metric: See :func:`path_distances`.
        top: How many to list; of equally near ones the more frequent.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: The path is empty or a text, the metric is unknown, or a path is too long.
    """
    check_metric(metric)
    path = as_labels(path)
    if not len(path):
        raise DefinitionError("the path to compare with is empty; give at least one label")
    counts = paths if isinstance(paths, PathVariants) else PathVariants.of(paths, by=by)
    offsets, codes, weight, first = distinct_paths(counts, None)
    slots, own = len(counts.labels) + 1, []
    unknown: dict[Any, int] = {}
    for label in path:
        found = slots - 1 if label is None else counts.labels.find(label)
        own.append(unknown.setdefault(label, slots + len(unknown)) if found is None else found)
    wide = np.concatenate([codes.astype(np.int64), np.array(own, np.int64)])
    offsets = np.append(offsets, offsets[-1] + len(own))
    left = np.arange(len(weight))
    far = pair_distances(
        offsets,
        wide.astype(smallest_unsigned(slots + len(unknown))),
        left,
        np.full(len(left), len(left)),
        metric,
    )
    order = np.lexsort([-weight, far])[:top]
    return SimilarPaths(
        by=counts.by,
        metric=metric,
        path=tuple(path),
        paths=tuple(path_of(counts, row) for row in first[order].tolist()),
        journeys=weight[order],
        distance=far[order],
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PathDistances(Result):
    """How far paths are from each other.

    Attributes:
        by: The column.
        metric: Of the distances.
        paths: The labels of each path, the most frequent first.
        journeys: (n,) journeys that are each path.
        matrix: (n, n) distances from 0 to 1.
        total_journeys: All journeys, of these paths or not.
    """

    by: str
    metric: str
    paths: tuple[tuple[Label | None, ...], ...]
    journeys: IntArray = attrs.field(converter=freeze)
    matrix: NDArray[np.float64] = attrs.field(converter=freeze)
    total_journeys: int

    def columns(self) -> Mapping[str, Any]:
        """One row per path: its mean distance from all journeys of the table, and its nearest."""
        whole = max(int(self.journeys.sum()), 1)
        far = self.matrix + np.where(np.eye(len(self.journeys), dtype=bool), np.inf, 0)
        nearest = far.argmin(axis=1) if len(far) > 1 else np.zeros(len(far), np.int64)
        shown = [show_path(cut_path(path)) for path in self.paths]
        return {
            "path": shown,
            "journeys": self.journeys,
            "mean_distance": self.matrix @ self.journeys / whole,
            "nearest": [shown[at] for at in nearest.tolist()],
        }

    def title(self) -> str:
        """How many paths."""
        listed = int(self.journeys.sum())
        return (
            f"{self.metric} distances of {len(self.paths):,} paths by {self.by}: {listed:,} of "
            f"{self.total_journeys:,} journeys"
        )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SimilarPaths(Result):
    """Paths that are like a given one: one row each, the nearest first.

    Attributes:
        by: The column.
        metric: Of the distances.
        path: What they were compared with.
        paths: The labels of each.
        journeys: (n,) journeys that are it.
        distance: (n,) from 0 to 1.
    """

    by: str
    metric: str
    path: tuple[Label | None, ...]
    paths: tuple[tuple[Label | None, ...], ...]
    journeys: IntArray = attrs.field(converter=freeze)
    distance: NDArray[np.float64] = attrs.field(converter=freeze)

    def columns(self) -> Mapping[str, Any]:
        """One row per path."""
        return {
            "path": [show_path(cut_path(path)) for path in self.paths],
            "journeys": self.journeys,
            "distance": self.distance,
        }

    def title(self) -> str:
        """What they are like."""
        return f"paths like {show_path(cut_path(self.path))} by {self.by}, {self.metric} distance"


def distinct_paths(
    counts: PathVariants, most: int | None
) -> tuple[IntArray, NDArray[Any], IntArray, IntArray]:
    """The distinct paths of a summary, the most frequent first.

    Returns:
        Their offsets and codes, (S,) how many journeys each has, and (S,) a row of the summary.
    """
    first, variant = unique_sequences(counts.offsets, counts.codes)
    weight = np.zeros(len(first), np.int64)
    np.add.at(weight, variant, counts.journeys)
    size = np.diff(counts.offsets)[first]
    order = np.lexsort([size, -weight])[:most]
    first, size = first[order], size[order]
    offsets = np.append(0, np.cumsum(size))
    rows = np.arange(offsets[-1]) + np.repeat(counts.offsets[first] - offsets[:-1], size)
    return offsets, counts.codes[rows], weight[order], first


def pair_distances(
    offsets: IntArray, codes: NDArray[Any], left: IntArray, right: IntArray, metric: str
) -> NDArray[np.float64]:
    """(P,) the distance of each pair of sequences, from 0 to 1."""
    size = np.diff(offsets)
    if metric == "edit":
        longest = np.maximum(size[left], size[right])
        return np.asarray(edit_distances(offsets, codes, left, right) / longest)
    # Which labels each sequence holds, and how often: (sequence, label) pairs in order.
    slots = int(codes.max(initial=0)) + 1
    held, count = np.unique(segment_ids(offsets) * slots + codes, return_counts=True)
    if metric == "jaccard":
        count = np.ones_like(count)
    begin = np.searchsorted(held, np.arange(len(size) + 1) * slots)
    whole = np.diff(np.append(0, np.cumsum(count))[begin])
    out = np.empty(len(left))
    at_once = max(_CELLS // max(int(np.diff(begin).max(initial=1)), 1), 1)
    for first in range(0, len(left), at_once):
        some = slice(first, first + at_once)
        mine, rows = take_segments(begin, left[some])
        pair = segment_ids(mine)
        wanted = right[some][pair] * slots + held[rows] % slots
        at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        both = np.where(held[at] == wanted, np.minimum(count[rows], count[at]), 0)
        common = np.bincount(pair, both, len(mine) - 1)
        out[some] = 1 - common / (whole[left[some]] + whole[right[some]] - common)
    return out


def check_metric(metric: str) -> None:
    """Refuse a metric that is none."""
    if metric not in _METRICS:
        raise DefinitionError(f"metric must be one of {list(_METRICS)}; found {metric!r}")
