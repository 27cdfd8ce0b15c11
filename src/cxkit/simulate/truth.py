"""What the channels of a simulated world really did, and how near a model comes to it.

The estimand. Let every purchase opportunity v (a visit) have the log-odds

    z_v = base_v + sum over channels c of effect_c * reached_vc,

where ``reached_vc`` is 1 if any contact in channel c lies in the lookback before v, else 0. The
conversions that channel c *caused* are the expected conversions that are lost when every contact in
c is deleted and all else stays as it was::

    caused_c = sum over v of p(z_v) - p(z_v - effect_c * reached_vc),    p(z) = 1 / (1 + exp(-z))

This is the difference of two known expectations, not of two simulated worlds, so it has no noise.
It is negative for a channel that costs sales. The losses do not add up to the loss of all channels
together, since ``p`` is not linear.

Both expectations are over the decisions alone: customers, needs and contacts are those drawn. A
contact that another one brought about (a retargeting ad after a visit) stays when that is deleted,
so this is a channel's direct effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray, freeze
from cxkit.core.logistic import logistic
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DataError, DefinitionError, did_you_mean
from cxkit.simulate.rows import FloatArray
from cxkit.simulate.world import CHANNELS

if TYPE_CHECKING:
    from cxkit import attribution

__all__ = ["AgainstTruth", "Truth", "true_effects"]


def _frozen(array: FloatArray) -> FloatArray:
    return freeze(array)


def _frozen_counts(array: IntArray) -> IntArray:
    return freeze(array)


@attrs.frozen(eq=False, repr=False)
class Truth(Result):
    """What each channel of a simulated world caused. K channels.

    Attributes:
        touchpoints: (K,) contacts in each channel; carts, checkouts and purchases are outcomes and
            do not count.
        effect: (K,) change of the log-odds of a purchase for a customer whom the channel reached.
        caused: (K,) expected conversions that would be lost without the channel's contacts.
        conversions: The purchases that happened.
        expected: The purchases to be expected, given all contacts.
        baseline: The purchases to be expected if nobody had had any contact.
        channels: The K channels.

    Example:
        >>> import cxkit.simulate
        >>> truth = cxkit.simulate.retail(2_000, effects={"email": -0.5}).truth
        >>> truth.caused_by("email") < 0, truth.caused_by("web")
        (True, 0.0)
    """

    touchpoints: IntArray = attrs.field(converter=_frozen_counts)
    effect: FloatArray = attrs.field(converter=_frozen)
    caused: FloatArray = attrs.field(converter=_frozen)
    conversions: int
    expected: float
    baseline: float
    channels: tuple[str, ...] = CHANNELS

    @property
    def share(self) -> FloatArray:
        """(K,) shares of what the channels with a positive effect caused; NaN if there is none.

        A credit cannot be negative in most models, so the shares to aim at give nothing to a
        channel that did nothing or harm.
        """
        return _shares(self.caused)

    def caused_by(self, channel: str) -> float:
        """The conversions that a channel caused.

        Raises:
            DefinitionError: There is no such channel.
        """
        return float(self.caused[self._place(channel)])

    def columns(self) -> Mapping[str, ColumnLike]:
        """Channel, touchpoints, effect, caused, share."""
        return {
            "channel": list(self.channels),
            "touchpoints": self.touchpoints,
            "effect": self.effect,
            "caused": self.caused,
            "share": self.share,
        }

    def title(self) -> str:
        """The conversions in all."""
        return f"{self.conversions:,} conversions; {self.expected:,.1f} to be expected"

    def notes(self) -> tuple[str, ...]:
        """What nobody had to cause."""
        note = (
            f"without any contact: {self.baseline:,.1f}; what the channels cause one by one "
            f"({self.caused.sum():,.1f}) need not add up to the rest"
        )
        return (note,)

    def compare(
        self,
        credits_by_model: (
            attribution.Comparison | Mapping[str, attribution.Attribution | Mapping[Any, float]]
        ),
    ) -> AgainstTruth:
        """Hold what models say against the truth.

        Args:
            credits_by_model: What :func:`cxkit.attribution.compare` answered, or for each model its
                answer, or the conversions that it credits to each channel. A channel that is left
                out has none. ``None`` (no channel) may only have zero.

        Returns:
            One row for each model; see :class:`AgainstTruth`.

        Raises:
            DefinitionError: A channel is unknown.
            DataError: A credit is no finite number.

        Example:
            >>> import cxkit.simulate
            >>> truth = cxkit.simulate.retail(2_000).truth
            >>> itself = dict(zip(cxkit.simulate.CHANNELS, truth.caused))
            >>> row = truth.compare({"the truth": itself, "all to web": {"web": 100}}).to_dicts()[0]
            >>> row["rank_correlation"], row["misallocated"], row["error"]
            (1.0, 0.0, 0.0)
        """
        if not isinstance(credits_by_model, Mapping):
            credits_by_model = {a.model.name: a for a in credits_by_model.attributions}
        credit, told = np.zeros((2, len(credits_by_model), len(self.channels)))
        for row, (model, given) in enumerate(credits_by_model.items()):
            if isinstance(given, Mapping):
                credit[row] = told[row] = self._spread(model, given)
            else:
                credit[row] = self._spread(model, _told(given, "conversions"))
                told[row] = self._spread(model, _told(given, "incremental"))
        return AgainstTruth(
            model=tuple(credits_by_model),
            credited=credit.sum(axis=1),
            rank_correlation=np.array([_rank_correlation(row, self.caused) for row in told]),
            misallocated=np.array(
                [0.5 * float(np.abs(_shares(row) - self.share).sum()) for row in credit]
            ),
            error=np.abs(told - self.caused).sum(axis=1),
        )

    def _spread(self, model: str, given: Mapping[Any, float]) -> FloatArray:
        """(K,) the conversions of each channel."""
        spread = np.zeros(len(self.channels))
        for channel, amount in given.items():
            if not math.isfinite(amount):
                raise DataError(
                    f"the credit of {channel!r} by {model!r} must be a finite number; "
                    f"found {amount!r}"
                )
            if channel is not None or amount:
                spread[self._place(channel)] = amount
        return spread

    def _place(self, channel: object) -> int:
        if channel not in self.channels:
            raise DefinitionError(
                f"no channel {channel!r}; the simulated channels are {list(self.channels)}."
                f"{did_you_mean(channel, self.channels)}"
            )
        return self.channels.index(str(channel))


@attrs.frozen(eq=False, repr=False)
class AgainstTruth(Result):
    """How near models come to what the channels caused.

    A model that tells ``incremental`` conversions is ranked, and its error taken, by these: they
    are its estimate of what a channel caused. Any other says that by its credit.

    Attributes:
        model: Their names.
        credited: (M,) conversions that the model handed out in all.
        rank_correlation: (M,) Spearman's, between what the model says and conversions caused, over
            the channels; ties share the mean of their ranks. 1 is the right order, 0 is chance. NaN
            if either side is the same for every channel.
        misallocated: (M,) the part of the credit that is with the wrong channel: half the sum of
            the absolute differences of shares, where the share of a channel is its part of all that
            is positive. 0 to 1; NaN if nothing is positive.
        error: (M,) conversions: the sum over channels of the absolute differences. A model that
            credits every conversion to some channel cannot have a small one, for some conversions
            would have come anyway, and nothing corrects a harmful channel but a negative credit.
    """

    model: tuple[str, ...]
    credited: FloatArray = attrs.field(converter=_frozen)
    rank_correlation: FloatArray = attrs.field(converter=_frozen)
    misallocated: FloatArray = attrs.field(converter=_frozen)
    error: FloatArray = attrs.field(converter=_frozen)

    def columns(self) -> Mapping[str, ColumnLike]:
        """Model, credited, rank_correlation, misallocated, error."""
        return {
            "model": list(self.model),
            "credited": self.credited,
            "rank_correlation": self.rank_correlation,
            "misallocated": self.misallocated,
            "error": self.error,
        }


def true_effects(
    base: FloatArray, reached: NDArray[np.bool_], effect: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """The probability of each opportunity, what each channel caused, and what needs no cause.

    Args:
        base: (V,) log-odds without any contact.
        reached: (8, V) whether a contact of the channel lies in the lookback.
        effect: (8,) log-odds.

    Returns:
        (V,) probabilities, (8,) expected conversions lost without the channel, and the expected
        conversions without any contact.
    """
    log_odds = base.copy()
    # Channel by channel, not as a matrix product, whose last bit depends on the machine's library.
    for touched, by in zip(reached, effect, strict=True):
        log_odds += np.where(touched, by, 0.0)
    probability = logistic(log_odds)
    caused = [
        float((probability[touched] - logistic(log_odds[touched] - by)).sum())
        for touched, by in zip(reached, effect, strict=True)
    ]
    return probability, np.array(caused), float(logistic(base).sum())


def _told(answer: attribution.Attribution, name: str) -> dict[Any, float]:
    """A number of each label; the credit, where the model does not tell that one."""
    numbers = answer.estimates.get(name, answer.estimates["conversions"]).estimate
    return dict(zip(answer.labels, numbers.tolist(), strict=True))


def _shares(amounts: FloatArray) -> FloatArray:
    positive = np.maximum(amounts, 0.0)
    total = float(positive.sum())
    return positive / total if total > 0 else np.full(len(amounts), np.nan)


def _rank_correlation(left: FloatArray, right: FloatArray) -> float:
    a, b = _centred_ranks(left), _centred_ranks(right)
    # Twice the ranks are whole numbers: no rounding, so equal orders give 1.0 and not nearly so.
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size else math.nan


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Ranks, ties at their mean, less the mean rank."""
    below = (values[:, None] > values).sum(axis=1)
    ties = (values[:, None] == values).sum(axis=1)
    return np.asarray(below + (ties + 1) / 2 - (len(values) + 1) / 2, np.float64)
