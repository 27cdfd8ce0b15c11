"""Shapley values of conversions, by named game."""

from __future__ import annotations

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.setcredit import SetModel
from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.shapley_rate import rate_game
from cxkit.attribution.models import known_model
from cxkit.attribution.rules.label_rules import LinearDistinct
from cxkit.attribution.summaries import Estimates
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.summary import SHARDS
from cxkit.errors import DefinitionError

__all__ = ["ShapleyConversions", "ShapleyRate", "credit_of_shards"]

FloatArray = NDArray[np.float64]


def credit_of_shards(sets: SetRows, amounts: NDArray[np.generic]) -> FloatArray:
    """(SHARDS, K + 1) amounts of sets, each in equal parts to the labels of its set.

    Args:
        sets: The label sets.
        amounts: (S,) what each row has to share.
    """
    size, slots = np.diff(sets.offsets), len(sets.labels) + 1
    at = np.repeat(sets.shard.astype(np.int64) * slots, size) + sets.codes
    parts = np.repeat(amounts / size, size)
    return sum_by(at, parts, SHARDS * slots).reshape(SHARDS, slots)


@known_model
@attrs.frozen
class ShapleyConversions(LinearDistinct):
    """Shapley values of the conversions of paths that lie inside a set of labels.

    The game: a set S of labels is worth the conversions of all paths that touched nothing but
    labels of S. Its Shapley values have a closed form, the same for any number of labels: every
    conversion in equal parts to the distinct labels of its path (Zhao, Mahboobi, Bagheri 2018,
    "Shapley Value Methods for Attribution Modeling in Online Advertising"). So no subset need be
    looked at, and no path without conversion changes anything: this is the rule
    :class:`~cxkit.attribution.LinearDistinct` under the name of its game, and it cannot tell a
    label that converts from one that is merely there.

    ``mta`` and the "simplified" method of ``shapley-attribution`` compute the same, and so do
    Harsanyi dividends (Adobe's "algorithmic" attribution says that it uses them). The touches of
    one label share its part, so that :func:`~cxkit.attribution.credit` works too; that is the
    *ordered* method of Zhao et al., whose table by position is in
    :func:`~cxkit.attribution.shapley_positions`. What Marketing-Attribution-Models calls Shapley
    value is another game (the rate of paths with exactly the set).

    Example:
        >>> from cxkit.attribution import Paths, attribute_paths
        >>> paths = Paths.from_counts([("ad > mail > ad", 2, 1, 90.0), ("mail", 1, 6, 30.0)])
        >>> attribute_paths(paths, ShapleyConversions()).conversions.tolist()
        [1.0, 2.0]
    """

    kind: ClassVar[str] = "shapley_conversions"


def _even(_: object, field: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 4 or value % 2:
        raise DefinitionError(
            f"{field.name}={value!r} of ShapleyRate must be an even number, 4 or more"
        )


@known_model
@attrs.frozen
class ShapleyRate(SetModel):
    """Shapley values of the rate of conversion among paths that lie inside a set of labels.

    The game: a set S of labels is worth the conversions per path, of all paths that touched nothing
    but labels of S; nothing where there is no such path, and nothing for the empty set. Paths
    without conversion count, so that a label on many paths in vain is worth little, and one that
    keeps from converting has a *negative* credit. The Shapley values sum to the rate of all paths;
    credits are the values times the paths, and sum to the conversions. By value: value per path.

    Paths without a touch are no part of the game: of those who were never touched, a log mostly
    knows only those who bought.

    Up to 20 labels every subset is looked at (sums over subsets take ``K * 2**K`` additions). With
    more, ``orders`` of the labels are drawn, each with its reverse; the standard error that this
    leaves in the conversions is told as ``sampling_error``, and is no part of the intervals.
    Intervals are of the game played anew without each shard up to 14 labels, and by its first
    differential from 15 to 20.

    Marketing-Attribution-Models plays another game under this name: the rate of the paths with
    *exactly* the set, and with more than four labels it drops those first in the alphabet.

    Attributes:
        orders: How many orders to draw if there are more than 20 labels.
        seed: Of the draws.

    Raises:
        DefinitionError: ``orders`` is no even number from 4 up.

    Example:
        >>> from cxkit.attribution import Paths, attribute_paths
        >>> rows = [("ad", 10, 90, 0), ("mail", 2, 98, 0), ("ad > mail", 8, 92, 0)]
        >>> attribute_paths(Paths.from_counts(rows), ShapleyRate()).conversions.round(2).tolist()
        [22.0, -2.0]
    """

    kind: ClassVar[str] = "shapley_rate"
    signed: ClassVar[bool] = True

    orders: int = attrs.field(default=200, validator=_even)
    seed: int = 0

    def credit_of_sets(self, sets: SetRows, weights: FloatArray | None) -> Estimates:
        """Shapley values times the paths; see :class:`SetModel`."""
        game = rate_game(sets, weights, orders=self.orders, rng=self.seed)
        given = np.ones((1, SHARDS)) if weights is None else weights
        paths = given @ np.bincount(sets.shard, sets.conversions + sets.nulls, SHARDS)
        out = np.zeros((4, len(given), len(sets.labels) + 1))
        out[0][:, game.slots] = game.conversions * paths[:, None]
        out[1][:, game.slots] = game.value * paths[:, None]
        out[2][:, game.slots] = game.conversions
        measures = {"added_rate": out[2]}
        if game.sampling_error is not None:
            out[3][:, game.slots] = game.sampling_error * paths[:, None]
            measures["sampling_error"] = out[3]
        return Estimates(conversions=out[0], value=out[1], measures=measures)
