"""Rules that look at the labels of the touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from cxkit.attribution.models import known_model
from cxkit.attribution.rules.rules import MOST_WEIGHT, RuleModel
from cxkit.attribution.touchpaths.converting import Touches
from cxkit.core.codes import Label
from cxkit.core.ragged import chunks, segment_ids, segment_sum
from cxkit.core.result import show_label
from cxkit.core.whole import real_number
from cxkit.errors import DefinitionError

if TYPE_CHECKING:
    from cxkit.attribution.results import Attribution

__all__ = ["LabelWeights", "LastNonDirect", "LinearDistinct", "Participation", "PresenceShare"]

FloatArray = NDArray[np.float64]
Weights: TypeAlias = "Mapping[Label | None, float] | Iterable[tuple[Label | None, float]]"

_MOST_CELLS = 1 << 20


def _labels(value: Label | Iterable[Label | None] | None) -> tuple[Label | None, ...]:
    if isinstance(value, float):
        raise DefinitionError(f"direct names labels: text or whole numbers; found {value!r}")
    given = [value] if value is None or isinstance(value, (str, int)) else list(value)
    if not given:
        raise DefinitionError("direct is empty: then this is LastTouch(); name the direct labels")
    return tuple(sorted(set(given), key=lambda label: (label is None, str(label))))


@known_model
@attrs.frozen
class LastNonDirect(RuleModel):
    """All credit to the last touch that is not direct; to the last one, if all of them are.

    The default of web analytics (Google Analytics calls it last click, and means by direct a visit
    without a known source). Which labels are direct is said here: nothing is guessed from a name.

    Attributes:
        direct: The labels that give way to others; ``None`` among them is a missing label.

    Raises:
        DefinitionError: No label is named.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("ad > direct", 2, 0, 0), ("direct", 1, 0, 0)])
        >>> LastNonDirect().count_paths(paths).result().conversions.tolist()
        [2.0, 1.0]
    """

    kind: ClassVar[str] = "last_non_direct"

    direct: tuple[Label | None, ...] = attrs.field(default=("direct",), converter=_labels)

    @property
    def name(self) -> str:
        """The model's name in tables, with the labels unless they are the default."""
        told = ", ".join(map(show_label, self.direct))
        return self.kind if self.direct == ("direct",) else f"{self.kind}({told})"

    @property
    def names(self) -> tuple[Label | None, ...]:
        """The direct labels."""
        return self.direct

    @override
    def credit(self, touches: Touches) -> FloatArray:
        begin, end = touches.offsets[:-1], touches.offsets[1:]
        direct = np.zeros(len(touches.labels) + 1, dtype=bool)
        for label in self.direct:
            if label is None:
                direct[-1] = True
            elif label in touches.labels:
                direct[touches.labels.index(label)] = True
        at = np.where(direct[touches.codes], -1, np.arange(len(touches.codes)))
        last = np.maximum.reduceat(at, begin) if len(begin) else begin
        credit = np.zeros(len(at))
        credit[np.where(last < 0, end - 1, last)] = 1.0
        return credit


@known_model
@attrs.frozen
class LinearDistinct(RuleModel):
    """The same credit to every distinct label of the path, however often it was touched.

    Within a label its touches share equally. This is also the Shapley value of the game in which a
    set of labels wins the conversions whose path lies within it (Zhao, Mahboobi and Bagheri 2018,
    "Shapley Value Methods for Attribution Modeling in Online Advertising"), and what several tools
    sell as algorithmic attribution. mta calls it linear.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > a", 3, 0, 0)])
        >>> LinearDistinct().count_paths(paths).result().conversions.tolist()
        [1.5, 1.5]
    """

    kind: ClassVar[str] = "linear_distinct"

    @override
    def credit(self, touches: Touches) -> FloatArray:
        presence = _presence(touches)
        distinct = segment_sum(presence, touches.offsets)
        return np.asarray(presence / np.repeat(distinct, np.diff(touches.offsets)))


@known_model
@attrs.frozen
class Participation(RuleModel):
    """Full credit to every distinct label of the path: credits do not sum to the conversions.

    The credit of a label is the number of conversions that it took part in (Adobe's participation,
    PostHog's influenced conversions), and its share is the share of conversions with it. Shared
    out within each conversion this is :class:`LinearDistinct`; scaled to the total,
    :class:`PresenceShare`.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > a", 3, 0, 0), ("b", 1, 0, 0)])
        >>> Participation().count_paths(paths).result().share.tolist()
        [0.75, 1.0]
    """

    kind: ClassVar[str] = "participation"
    conserves: ClassVar[bool] = False

    @override
    def credit(self, touches: Touches) -> FloatArray:
        return _presence(touches)


@known_model
@attrs.frozen
class PresenceShare(RuleModel):
    """Participations, scaled so that they sum to the conversions.

    Some tools (do-attribution by default) call this a removal effect: if the paths with a label are
    taken away, or led to nothing, so many conversions go. A chain of high order comes to the same
    numbers, for it has every path by heart. It knows nothing of paths without conversion.

    Example:
        >>> from cxkit.attribution import Paths
        >>> paths = Paths.from_counts([("a > b > a", 3, 0, 0), ("b", 1, 0, 0)])
        >>> PresenceShare().count_paths(paths).result().conversions.round(3).tolist()
        [1.714, 2.286]
    """

    kind: ClassVar[str] = "presence_share"
    per_touch: ClassVar[bool] = False
    proportional: ClassVar[bool] = True

    @override
    def credit(self, touches: Touches) -> FloatArray:
        return _presence(touches)


def _pairs(weights: Weights) -> tuple[tuple[Label | None, float], ...]:
    given = weights.items() if isinstance(weights, Mapping) else weights
    try:
        pairs = [(label, weight) for label, weight in given]
    except (TypeError, ValueError):
        raise DefinitionError(
            f"weights are a mapping of labels to numbers, or pairs of them; found {weights!r}"
        ) from None
    pairs = [(label, real_number(weight, f"the weight of {label!r}")) for label, weight in pairs]
    for label, weight in pairs:
        if not 0 <= weight <= MOST_WEIGHT:
            raise DefinitionError(
                f"the weight of {label!r} must lie between 0 and {MOST_WEIGHT:g}; found {weight}"
            )
    return tuple(sorted(pairs, key=lambda pair: (pair[0] is None, str(pair[0]))))


@known_model
@attrs.frozen
class LabelWeights(RuleModel):
    """Credit to the touches of a path in proportion to a given weight of their label.

    With the removal effects of a chain as weights (:meth:`of_removal`) this spreads them over
    single touches, which a chain by itself cannot: what marketing-attribution-models does under the
    name of Markov. It is another answer than the chain's: a repeated label counts again, and only
    labels that meet on a path compete. Where no touch of a path has a weight, they share equally.

    Attributes:
        weights: (label, weight) pairs, or a mapping; labels that are not named have none. Intervals
            take them for known.

    Raises:
        DefinitionError: A weight is no number from 0 to 1e100.

    Example:
        >>> from cxkit.attribution import Paths, attribute_paths
        >>> paths = Paths.from_counts([("a > b", 4, 1, 0), ("b", 0, 5, 0)])
        >>> model = LabelWeights({"a": 3, "b": 1})
        >>> attribute_paths(paths, model).conversions.tolist()
        [3.0, 1.0]
    """

    kind: ClassVar[str] = "label_weights"

    weights: tuple[tuple[Label | None, float], ...] = attrs.field(converter=_pairs)

    @property
    def name(self) -> str:
        """The model's name in tables, without the weights."""
        return self.kind

    @property
    def names(self) -> tuple[Label | None, ...]:
        """The labels that have a weight."""
        return tuple(label for label, weight in self.weights if weight)

    @classmethod
    def of_removal(cls, attribution: Attribution) -> LabelWeights:
        """With the removal effects of a chain as weights.

        Args:
            attribution: The answer of a :class:`~cxkit.attribution.Markov` model.

        Raises:
            DefinitionError: It has no removal effects.
        """
        effects = attribution.removal_effect
        if effects is None:
            raise DefinitionError(f"{attribution.model.name} has no removal effects; use Markov()")
        return cls(zip(attribution.labels, effects.tolist(), strict=True))

    @override
    def credit(self, touches: Touches) -> FloatArray:
        table = np.zeros(len(touches.labels) + 1)
        for label, weight in self.weights:
            if label is None:
                table[-1] = weight
            elif label in touches.labels:
                table[touches.labels.index(label)] = weight
        weight = table[touches.codes]
        size = np.diff(touches.offsets)
        whole = segment_sum(weight, touches.offsets)
        weight[np.repeat(whole == 0, size)] = 1.0
        whole = np.where(whole == 0, size, whole)
        return np.asarray(weight / np.repeat(whole, size))


def _presence(touches: Touches) -> FloatArray:
    """(T,) one over how often the label of each touch occurs on its path."""
    slots = len(touches.labels) + 1
    out = np.empty(len(touches.codes))
    for p0, p1, e0, e1 in chunks(touches.offsets):
        cell = segment_ids(touches.offsets[p0 : p1 + 1] - e0) * slots
        cell += touches.codes[e0:e1]
        if (p1 - p0) * slots <= _MOST_CELLS:
            often = np.bincount(cell, minlength=(p1 - p0) * slots)[cell]
        else:
            _, place, counts = np.unique(cell, return_inverse=True, return_counts=True)
            often = counts[place]
        np.divide(1.0, often, out=out[e0:e1])
    return out
