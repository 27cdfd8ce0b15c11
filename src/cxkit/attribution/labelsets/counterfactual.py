"""The logistic counterfactual: how many conversions would be lost without a label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.labelsets.counterfactual_fit import MOST_NARROW, Design, fit, refit
from cxkit.attribution.labelsets.counterfactual_loss import losses, shifts
from cxkit.attribution.labelsets.setcredit import SetModel
from cxkit.attribution.labelsets.setrows import SetRows
from cxkit.attribution.labelsets.shapley import credit_of_shards
from cxkit.attribution.models import known_model
from cxkit.attribution.summaries import Estimates, weigh
from cxkit.attribution.touchpaths.cutting import sum_by
from cxkit.core.intervals import divide
from cxkit.core.ragged import take_segments
from cxkit.core.summary import SHARDS
from cxkit.core.uniques import unique_sequences
from cxkit.core.whole import real_number
from cxkit.errors import DefinitionError

__all__ = ["LogisticCounterfactual"]

FloatArray = NDArray[np.float64]

_MOST_ANEW: Final = 1 << 22  # members of sets, times sets of weights


def _ridge(value: Any) -> float:
    return real_number(value, "ridge of LogisticCounterfactual")


def _positive(_: object, field: attrs.Attribute[float], value: float) -> None:
    if isinstance(value, bool) or not (math.isfinite(value) and value > 0):
        raise DefinitionError(
            f"{field.name}={value!r} of LogisticCounterfactual must be a number above 0: without "
            "it, a label whose every path converts has no finite coefficient"
        )


@known_model
@attrs.frozen
class LogisticCounterfactual(SetModel):
    """Credit by the conversions that would be lost without a label, by logistic regression.

    The recommended model where effects may differ in sign: it compares paths that a label is on
    with paths that are alike but for it, and it sees the paths without conversion.

    The log-odds of a conversion are taken to be ``b0 + sum of b[k] over the labels k of the path``,
    each once however often it was touched. The coefficients are those of the largest likelihood,
    less ``ridge / 2 * sum(b[k]**2)``: with 1, a normal prior of standard deviation 1, which hardly
    shows in thousands of paths and keeps coefficients finite where a label always or never
    converts. Then every label k is deleted from all paths that hold it::

        incremental[k] = sum over sets S with k of paths(S) * (p(S) - p(S without k))

    ``incremental`` has a sign, and need not add up to anything: when one contact is missing,
    another may do, and some convert without any. *Credit* shares all conversions in proportion to
    what is positive of it, so that it conserves; a label that costs conversions has none. If no
    label has a positive increment, the credit is that of
    :class:`~cxkit.attribution.ShapleyConversions`. In value, a set loses the same part of what its
    conversions are worth as of its chance to convert.

    What it cannot do: a cause that is in no column (an intent that brings both the contact and the
    conversion) is taken for an effect; labels that always occur together share one; a label on
    every path has nothing to be compared with, and no increment; effects that depend on order, on
    the number of contacts, or on one another are averaged. A null path ends with whatever touched
    the customer last, so that a contact far from any decision looks harmful beside the visit in
    which a conversion takes place: say by ``touches`` and ``lookback`` what could have mattered.
    Paths without a touch are left out, for of those who were never touched a log mostly knows only
    those who bought.

    Sources: the loss when a label is deleted, under a fitted model of the response, is the causal
    quantity of Dalessandro, Perlich, Stitelman, Provost 2012, "Causally motivated attribution for
    online advertising" (ADKDD), without their mean over orders. Shao and Li 2011, "Data-driven
    multi-touch attribution models" (KDD), fit the same regression and read its coefficients, and so
    does the package ``mta``. ``incremental`` is an estimate from a log, and no experiment.

    Intervals are of the model fitted anew without each shard or, where there are so many sets that
    this would take long, of its first differential. Beyond 200 labels there are none (NaN), which
    the notes of the answer say, as they do where no label has a positive increment.

    Attributes:
        ridge: The penalty, above 0.

    Raises:
        DefinitionError: ``ridge`` is no number above 0.

    Example:
        >>> from cxkit.attribution import Paths, attribute_paths
        >>> rows = [("ad", 30, 170, 0), ("mail", 10, 190, 0), ("ad > mail", 15, 185, 0)]
        >>> answer = attribute_paths(Paths.from_counts(rows), LogisticCounterfactual())
        >>> answer.estimates["incremental"].estimate.round(1).tolist(), answer.share.tolist()
        ([13.8, -23.9], [1.0, 0.0])
    """

    kind: ClassVar[str] = "logistic_counterfactual"
    floored: ClassVar[bool] = True

    ridge: float = attrs.field(default=1.0, converter=_ridge, validator=_positive)

    def credit_of_sets(self, sets: SetRows, weights: FloatArray | None) -> Estimates:
        """Shares of the positive increments; see :class:`SetModel`.

        Under weights the shares are those of all increments, in the same proportion.
        """
        game = _Counts(sets, self.ridge)
        given = np.ones((1, SHARDS)) if weights is None else weights
        out = np.zeros((5, len(given), len(sets.labels) + 1))
        if weights is not None and not game.design.narrow:
            out[:] = np.nan
        else:
            out[2:][..., game.slots] = game.answer(weights)
            out[:2] = _credit(out[2:4], sets, given, floored=weights is None)
        names = ("incremental", "value_incremental", "coefficient")
        measures = dict(zip(names, out[2:], strict=True))
        return Estimates(conversions=out[0], value=out[1], measures=measures)

    def remarks(self, whole: Mapping[str, FloatArray], *, labels: int, bare: bool) -> list[str]:
        """Where credit does not follow the increments, and where there are no intervals."""
        told = []
        if bare:
            told.append(
                f"no intervals: they are made for up to {MOST_NARROW} labels, on sets that are not "
                f"too many and large; {labels:,} labels occur"
            )
        for credit, lost in (("conversions", "incremental"), ("value", "value_incremental")):
            if not whole[credit].any() or (whole[lost] > 0).any():
                continue
            if credit == "value" and whole[credit].sum() <= 0 and (whole["incremental"] > 0).any():
                told.append("the value, which is not positive, is shared like the conversions")
                continue
            told.append(
                f"no label has a positive increment in {credit}: the credit is in equal parts to "
                "the labels of each path, and says nothing of their effects"
            )
        return told


def _credit(lost: FloatArray, sets: SetRows, weights: FloatArray, *, floored: bool) -> FloatArray:
    """(2, B, K + 1) conversions and value, shared by what is positive of the increments.

    Not floored, a label that costs conversions has a negative credit in the same proportion: the
    same number where it is positive, but smooth where it is not, which intervals need.
    """
    totals = (sets.conversions, sets.value)
    whole = np.stack([weights @ np.bincount(sets.shard, a, SHARDS) for a in totals])[..., None]
    # A value that is nothing, or negative, has no shares of its own.
    lost = np.stack([lost[0], np.where(whole[1] > 0, lost[1], lost[0])])
    gained = np.maximum(lost, 0.0)
    given = gained if floored else lost
    shared = divide(given, gained.sum(axis=2, keepdims=True)) * whole
    none = np.isnan(shared[..., :1])
    if none.any():
        even = weights @ np.stack([credit_of_shards(sets, a) for a in totals])
        shared = np.where(none, even, shared)
    return shared + 0.0  # no -0.0


class _Counts:
    """Distinct sets of the labels that occur, with their counts per shard. U sets, L labels."""

    def __init__(self, sets: SetRows, ridge: float) -> None:
        self.slots = np.flatnonzero(np.bincount(sets.codes, minlength=len(sets.labels) + 1))
        first, self.group = unique_sequences(sets.offsets, sets.codes)
        offsets, rows = take_segments(sets.offsets, first)
        place = np.zeros(len(sets.labels) + 1, np.int64)
        place[self.slots] = np.arange(len(self.slots))
        self.design = Design(place[sets.codes[rows]], offsets, len(self.slots), ridge)
        self.shard = sets.shard.astype(np.int64)
        self.rows = [
            np.asarray(a, np.float64)
            for a in (sets.conversions + sets.nulls, sets.conversions, sets.value)
        ]

    def totals(self) -> list[FloatArray]:
        """(U,) paths, conversions and value of each set."""
        return [sum_by(self.group, a, self.design.sets) for a in self.rows]

    def answer(self, weights: FloatArray | None) -> FloatArray:
        """(3, B, L) increments in conversions, in value, and coefficients."""
        paths, conversions, value = self.totals()
        design = self.design
        if not 0 < conversions.sum() < paths.sum():
            # Where all convert, or none, nothing can be compared.
            return np.zeros((3, 1 if weights is None else len(weights), design.labels))
        best = fit(design, paths, conversions)
        if weights is None or bool((weights == 1).all()):
            found = _answer(design, best[None], paths[None], value[None])
            return np.repeat(found, 1 if weights is None else len(weights), axis=1)
        if len(weights) * len(design.codes) > _MOST_ANEW:
            return self._shifted(weights, best)
        at = self.shard * design.sets + self.group
        paths, conversions, value = (
            weigh(weights, sum_by(at, a, SHARDS * design.sets).reshape(SHARDS, -1))
            for a in self.rows
        )
        converted, often = conversions.sum(axis=1), paths.sum(axis=1)
        some = (converted > 0) & (converted < often)
        found = np.zeros((3, len(weights), design.labels))
        anew = refit(design, paths[some], conversions[some], best)
        found[:, some] = _answer(design, anew, paths[some], value[some])
        return found

    def _shifted(self, weights: FloatArray, best: FloatArray) -> FloatArray:
        """The same by the first differential at the weights 1."""
        paths, _, value = self.totals()
        whole = _answer(self.design, best[None], paths[None], value[None])
        often = np.bincount(self.shard, self.rows[0], SHARDS)
        scale = (weights @ often) / often.sum()
        ratio = divide(weights, scale[:, None])
        each = shifts(self.design, self.group, self.shard, self.rows, best)
        found = np.asarray(whole + (ratio - 1) @ each)
        # Losses grow with the number of paths, coefficients do not.
        found[:2] *= scale[:, None]
        return found


def _answer(
    design: Design, coefficients: FloatArray, paths: FloatArray, value: FloatArray
) -> FloatArray:
    """(3, G, L) increments in conversions and in value, and the coefficients."""
    lost = losses(design, coefficients, paths, value)
    return np.concatenate([lost, coefficients[None, :, 1:]])
