"""Clusters of journeys: a few paths that most journeys are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze, smallest_unsigned
from cxkit.core.codes import Label, Vocabulary
from cxkit.core.intervals import check_level, divide, shard_draws, share_interval
from cxkit.core.result import Result
from cxkit.core.summary import SHARDS
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import whole_number
from cxkit.errors import DefinitionError
from cxkit.flow.paths import cut_path, few_customers, show_path
from cxkit.flow.pathways.medoids import adjusted_rand, k_medoids, silhouettes
from cxkit.flow.pathways.pathvariants import PathVariants, path_of
from cxkit.flow.pathways.similarity import check_metric, distinct_paths, pair_distances
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys

__all__ = ["Clusters", "clusters"]

_MOST: Final = 5000


def clusters(
    paths: PathVariants | Journeys | Journey,
    k: int,
    by: str = "event",
    *,
    metric: str = "edit",
    most: int = 500,
    draws: int = 20,
    rng: int | np.random.Generator = 0,
    level: float = 0.95,
) -> Clusters:
    """Group journeys around k paths (k-medoids).

    The medoids are chosen among the most frequent paths, weighted with their journeys, nothing
    random (PAM; see ``cxkit.flow.medoids``); every other path goes to the nearest medoid. How
    stable that is tells a bootstrap: customers are drawn anew by shards and grouped again.

    Args:
        paths: The journeys, or the summary of their variants.
        k: How many clusters.
        by: A column of labels; that of the summary if there is one.
        metric: See :func:`~cxkit.flow.path_distances`.
        most: Among how many paths to choose, the most frequent ones, at most 5,000.
        draws: How many replicates tell the stability; 0 for none.
        rng: Of the replicates.
        level: Of the intervals.

    Raises:
        SchemaError: There is no such column, or it holds numbers.
        DefinitionError: There are fewer distinct paths than ``k``, an argument is wrong, or a path
            is too long for edit distances.

    Example:
        >>> words = ["ab", "ab", "abb", "xyz", "xyz", "xyy"]
        >>> journeys = Journeys.from_table(
        ...     {
        ...         "who": [i for i, word in enumerate(words) for _ in word],
        ...         "sec": [i for word in words for i, _ in enumerate(word)],
        ...         "what": list("".join(words)),
        ...     },
        ...     customer="who",
        ...     time="sec",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> [(row["path"], row["journeys"]) for row in clusters(journeys, 2).to_dicts()]
        [('a > b', 3), ('x > y > z', 3)]
    """
    check_level(level)
    check_metric(metric)
    k, most = whole_number(k, "k", most=_MOST), whole_number(most, "most", most=_MOST)
    draws = whole_number(draws, "draws", least=0)
    counts = paths if isinstance(paths, PathVariants) else PathVariants.of(paths, by=by)
    offsets, codes, weight, first = distinct_paths(counts, None)
    if most < k:
        raise DefinitionError(
            f"medoids are chosen among the most={most:,} most frequent paths, and {k:,} clusters "
            f"need as many; give most={k:,} or more"
        )
    chosen = min(most, len(weight))
    if chosen < k:
        raise DefinitionError(
            f"{k} clusters need as many different paths; there are {chosen:,} by {counts.by!r}"
        )
    left, right = np.triu_indices(chosen, 1)
    matrix = np.zeros((chosen, chosen))
    matrix[left, right] = pair_distances(offsets, codes, left, right, metric)
    matrix += matrix.T
    medoids = k_medoids(matrix, weight[:chosen], k)
    distance = _to_medoids(offsets, codes, medoids, metric)
    size = np.bincount(distance.argmin(axis=0), weight, k)
    order = np.argsort(-size, kind="stable")
    medoids, distance = medoids[order], distance[order]
    cluster = distance.argmin(axis=0)  # anew: of two as near the larger, as assign() has it
    per_shard = _by_shard(counts, first)
    part = np.zeros((SHARDS, k), np.int64)
    np.add.at(part.T, cluster, per_shard.T)
    occupied = part.sum(axis=1) > 0
    low, high = share_interval(part, part.sum(axis=1, keepdims=True), occupied, level=level)
    near = distance.min(axis=0)
    fits = silhouettes(matrix, weight[:chosen], cluster[:chosen], k)
    listed = np.bincount(cluster[:chosen], weight[:chosen], k)
    agree, stable = _stability(matrix, per_shard[:, :chosen], cluster[:chosen], k, draws, rng)
    return Clusters(
        by=counts.by,
        metric=metric,
        labels=counts.labels,
        paths=tuple(path_of(counts, row) for row in first[medoids].tolist()),
        distinct=np.bincount(cluster, minlength=k),
        journeys=part.sum(axis=0),
        share=divide(part.sum(axis=0), part.sum()),
        share_low=low,
        share_high=high,
        mean_distance=divide(np.bincount(cluster, weight * near, k), part.sum(axis=0)),
        silhouette=divide(
            np.bincount(cluster[:chosen], fits * weight[:chosen], k),
            listed,
        ),
        stability=stable,
        overall_silhouette=float(divide((fits * weight[:chosen]).sum(), weight[:chosen].sum())),
        agreement=agree,
        chosen=chosen,
        chosen_journeys=int(weight[:chosen].sum()),
    )


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Clusters(Result):
    """Clusters of journeys: one row each, the largest first.

    Attributes:
        by: The column.
        metric: Of the distances.
        labels: The K labels.
        paths: The path in the middle of each cluster.
        distinct: (k,) distinct paths.
        journeys: (k,) journeys.
        share: (k,) of all journeys.
        share_low: (k,) low end of its interval, the medoids held for fixed; NaN for too few
            customers.
        share_high: (k,) high end.
        mean_distance: (k,) of the journeys of the cluster from its medoid.
        silhouette: (k,) mean over the journeys whose paths the medoids were chosen from.
        stability: (k,) mean over the bootstrap of the Jaccard likeness with the likest cluster
            (Hennig 2007, Computational Statistics & Data Analysis 52): below 0.6 do not trust the
            cluster, from 0.75 up it is there. NaN without a bootstrap.
        overall_silhouette: Mean of all these journeys: near 0 there are no clusters.
        agreement: Mean adjusted Rand index with the clusterings of the bootstrap; NaN without.
        chosen: From how many distinct paths the medoids were chosen.
        chosen_journeys: How many journeys these are.
    """

    by: str
    metric: str
    labels: Vocabulary
    paths: tuple[tuple[Label | None, ...], ...]
    distinct: IntArray = attrs.field(converter=freeze)
    journeys: IntArray = attrs.field(converter=freeze)
    share: NDArray[np.float64] = attrs.field(converter=freeze)
    share_low: NDArray[np.float64] = attrs.field(converter=freeze)
    share_high: NDArray[np.float64] = attrs.field(converter=freeze)
    mean_distance: NDArray[np.float64] = attrs.field(converter=freeze)
    silhouette: NDArray[np.float64] = attrs.field(converter=freeze)
    stability: NDArray[np.float64] = attrs.field(converter=freeze)
    overall_silhouette: float
    agreement: float
    chosen: int
    chosen_journeys: int

    def assign(self, journeys: Journeys | Journey) -> IntArray:
        """(J,) the cluster of each journey: the one with the nearest medoid, the larger of two.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DefinitionError: A path is too long for edit distances.
        """
        many = as_journeys(journeys)
        if not len(many):
            return np.zeros(0, np.int64)
        column = many.codes(self.by)
        labels = self.labels.union(column.vocabulary)
        own = column.over(labels).codes.astype(np.int64)
        first, path = unique_sequences(many.offsets, own.astype(smallest_unsigned(len(labels))))
        size = np.diff(many.offsets)[first]
        begin = np.append(0, np.cumsum(size))
        rows = np.arange(begin[-1]) + np.repeat(many.offsets[first] - begin[:-1], size)
        wide = [own[rows]]
        for medoid in self.paths:
            found = [len(labels) if label is None else labels.index(label) for label in medoid]
            wide.append(np.array(found, np.int64))
            begin = np.append(begin, begin[-1] + len(found))
        codes = np.concatenate(wide).astype(smallest_unsigned(len(labels)))
        medoids = len(first) + np.arange(len(self.paths))
        near = _to_medoids(begin, codes, medoids, self.metric)[:, : len(first)]
        return freeze(near.argmin(axis=0)[path])

    def columns(self) -> Mapping[str, Any]:
        """One row per cluster."""
        names = (
            "distinct", "journeys", "share", "share_low", "share_high", "mean_distance",
            "silhouette", "stability",
        )  # fmt: skip
        return {
            "cluster": np.arange(len(self.paths)),
            "path": [show_path(cut_path(path)) for path in self.paths],
            **{name: getattr(self, name) for name in names},
        }

    def title(self) -> str:
        """How many clusters, and how good they are."""
        return (
            f"{len(self.paths)} clusters of {int(self.journeys.sum()):,} journeys by {self.by}: "
            f"silhouette {self.overall_silhouette:.2f}, agreement {self.agreement:.2f}"
        )

    def notes(self) -> tuple[str, ...]:
        """What the medoids were chosen from."""
        told = f"medoids chosen among {self.chosen:,} paths of {self.chosen_journeys:,} journeys"
        return (told, *few_customers(self.share_low))


def _to_medoids(
    offsets: IntArray, codes: NDArray[Any], medoids: IntArray, metric: str
) -> NDArray[np.float64]:
    """(k, S) the distance of every path from each medoid."""
    every = np.arange(len(offsets) - 1)
    return np.stack(
        [
            pair_distances(offsets, codes, np.full(len(every), medoid), every, metric)
            for medoid in medoids.tolist()
        ]
    )


def _by_shard(counts: PathVariants, first: IntArray) -> IntArray:
    """(SHARDS, S) journeys of each distinct path; ``first`` is a row of each."""
    _, variant = unique_sequences(counts.offsets, counts.codes)
    place = np.empty(len(first), np.int64)
    place[variant[first]] = np.arange(len(first))
    out = np.zeros((SHARDS, len(first)), np.int64)
    np.add.at(out, (counts.shard, place[variant]), counts.journeys)
    return out


def _stability(
    matrix: NDArray[np.float64],
    per_shard: IntArray,
    cluster: IntArray,
    k: int,
    draws: int,
    rng: int | np.random.Generator,
) -> tuple[float, NDArray[np.float64]]:
    """The mean adjusted Rand index, and the mean Jaccard likeness of each cluster."""
    weight, occupied = per_shard.sum(axis=0), per_shard.sum(axis=1) > 0
    agree, alike = [], np.zeros((draws, k))
    for draw, times in enumerate(shard_draws(rng, draws, occupied)):
        medoids = k_medoids(matrix, times @ per_shard, k)
        other = matrix[:, medoids].argmin(axis=1)
        agree.append(adjusted_rand(cluster, other, weight))
        both = np.zeros((k, k))
        np.add.at(both, (cluster, other), weight)
        either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
        alike[draw] = np.nan_to_num(divide(both, either)).max(axis=1)
    if not agree:
        return float("nan"), np.full(k, np.nan)
    return float(np.mean(agree)), alike.mean(axis=0)
