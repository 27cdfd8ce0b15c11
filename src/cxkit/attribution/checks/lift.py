"""Calibrating an attribution to experiments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.attribution.results import Attribution, label_name
from cxkit.core.arrays import freeze
from cxkit.core.codes import Label
from cxkit.core.intervals import check_level
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DataError, DefinitionError, UnknownLabelError, did_you_mean

__all__ = ["Calibration", "calibrate"]

FloatArray = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Calibration(Result):
    """Conversions per label, from a model and from lift tests together. L labels.

    Attributes:
        attribution: What was calibrated.
        modelled: (L,) what the model says: its ``incremental`` conversions if it tells any, else
            its credit.
        tested: (L,) incremental conversions by the test; NaN for a label without one.
        test_error: (L,) their standard errors.
        calibrated: (L,) both together.
        low: (L,) lower end of the interval; NaN where there is none.
        high: (L,) upper end.
        ratio: What the tests say of one conversion of the model, on the weighted mean.
        ratio_error: Its standard error, with what the labels differ by.
        between: Standard deviation of the true ratios over the labels; NaN with a single test.
        level: Of the intervals.
        conserved: Whether labels without a test were scaled so that all sums to the credit.
    """

    attribution: Attribution
    modelled: FloatArray = attrs.field(converter=freeze)
    tested: FloatArray = attrs.field(converter=freeze)
    test_error: FloatArray = attrs.field(converter=freeze)
    calibrated: FloatArray = attrs.field(converter=freeze)
    low: FloatArray = attrs.field(converter=freeze)
    high: FloatArray = attrs.field(converter=freeze)
    ratio: float
    ratio_error: float
    between: float
    level: float
    conserved: bool

    def columns(self) -> dict[str, ColumnLike]:
        """The label (under the name of ``by``), modelled, tested, test_error, calibrated, ends."""
        numbers: dict[str, ColumnLike] = {
            "modelled": self.modelled,
            "tested": self.tested,
            "test_error": self.test_error,
            "calibrated": self.calibrated,
            "low": self.low,
            "high": self.high,
        }
        return {label_name(self.attribution.by, numbers): self.attribution.labels, **numbers}

    def title(self) -> str:
        """The model, and what the tests say of it."""
        tests = int((~np.isnan(self.tested)).sum())
        return (
            f"{self.attribution.model.name} by {tests} lift tests: {self.ratio:.3f} ± "
            f"{self.ratio_error:.3f} for one conversion of the model"
        )

    def notes(self) -> list[str]:
        """What becomes of the total."""
        all_of_it = self.attribution.total_conversions
        given = float(self.calibrated.sum())
        if self.conserved:
            return ["labels without a test were scaled so that the conversions sum to the credit"]
        rest = f"the other {all_of_it - given:,.1f} are credited to no label"
        return [f"calibrated: {given:,.1f} of {all_of_it:,} conversions; {rest}"]


def calibrate(
    attribution: Attribution,
    tests: Mapping[Label, tuple[float, float]],
    *,
    conserve: bool = False,
    level: float = 0.95,
) -> Calibration:
    """Bring an attribution into line with experiments on some of its labels.

    A lift test (a hold-out, or regions switched off by lot) measures the conversions that a label
    caused in the period of the attribution. Each test gives a ratio to what the model says; the
    ratios are averaged by precision, where the precision counts both the error of the test and how
    much the true ratios differ between labels (DerSimonian and Laird 1986, "Meta-analysis in
    clinical trials", Controlled Clinical Trials 7). Then

    - a label *with* a test gets its own test and ``ratio * modelled``, weighted by precision
      (Morris 1983, "Parametric empirical Bayes inference", JASA 78): an exact test counts alone, a
      rough one leans on the others. A single test says nothing of how labels differ, and counts
      alone for its label;
    - a label *without* one gets ``ratio * modelled``, with an interval that says how far labels
      have differed (none from a single test);
    - a label for which the model says nothing, or less, gets its test as it is.

    What the model itself would vary by is left out: tests measure its bias, mostly larger. The
    errors are taken for normal; with fewer than about five tests the intervals are too short.

    Args:
        attribution: Of any model.
        tests: label -> (incremental conversions, standard error above 0). Not per cent: conversions
            in the same period and customers as the attribution.
        conserve: Scale the labels without a test so that all sums to the credit of the attribution.
            If not, what is left is credited to no label, and the result says how much that is.
        level: Of the intervals.

    Raises:
        UnknownLabelError: A test is of no label of the attribution.
        DataError: A test is not two finite numbers, or its error is not above 0; or nothing is left
            to conserve.
        DefinitionError: There is no test, none of a label to which the model gives anything, or the
            level is none.

    Example:
        >>> from cxkit.attribution import LastTouch, Paths, attribute_paths
        >>> rows = [("ad", 100, 0, 0), ("mail", 60, 0, 0), ("shop", 40, 0, 0)]
        >>> answer = attribute_paths(Paths.from_counts(rows), LastTouch())
        >>> calibrate(answer, {"ad": (20, 5), "mail": (30, 10)})
        last_touch by 2 lift tests: 0.308 ± 0.144 for one conversion of the model
        channel  modelled  tested  test_error  calibrated     low    high
        ad        100.000  20.000       5.000      20.833  11.171  30.496
        mail       60.000  30.000      10.000      24.444   8.148  40.741
        shop       40.000       -           -      12.315  -5.318  29.948
        calibrated: 57.6 of 200 conversions; the other 142.4 are credited to no label
    """
    check_level(level)
    labels = attribution.labels
    tested, error = _read(tests, labels)
    told = attribution.estimates.get("incremental", attribution.estimates["conversions"])
    modelled = np.array(told.estimate, np.float64)
    by_test = ~np.isnan(tested)
    pooled = by_test & (modelled > 0)
    if not pooled.any():
        raise DefinitionError(
            "calibrating needs a test of at least one label to which the model gives something; "
            f"tests are of {list(tests)}"
        )
    ratio, ratio_error, between = _pool(
        tested[pooled] / modelled[pooled], (error[pooled] / modelled[pooled]) ** 2
    )
    calibrated = ratio * modelled
    spread = np.abs(modelled) * math.sqrt(ratio_error**2 + between**2)
    alone = by_test & ~pooled if pooled.sum() > 1 else by_test
    calibrated[alone], spread[alone] = tested[alone], error[alone]
    both = pooled & ~alone
    noise = (error[both] / modelled[both]) ** 2
    weight = between**2 / (between**2 + noise)  # of the test
    calibrated[both] = weight * tested[both] + (1 - weight) * calibrated[both]
    spread[both] = modelled[both] * np.sqrt(weight * noise + ((1 - weight) * ratio_error) ** 2)
    if conserve:
        factor = _conserving(calibrated, by_test, float(attribution.conversions.sum()))
        calibrated[~by_test] *= factor
        spread[~by_test] *= abs(factor)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * spread
    return Calibration(
        attribution=attribution,
        modelled=modelled,
        tested=tested,
        test_error=error,
        calibrated=calibrated,
        low=calibrated - reach,
        high=calibrated + reach,
        ratio=ratio,
        ratio_error=ratio_error,
        between=between,
        level=level,
        conserved=conserve,
    )


def _read(
    tests: Mapping[Label, tuple[float, float]], labels: tuple[Label | None, ...]
) -> tuple[FloatArray, FloatArray]:
    """(L,) estimates and errors; NaN for labels without a test."""
    tested, error = np.full((2, len(labels)), np.nan)
    for label, test in tests.items():
        if label not in labels:
            known = [known for known in labels if known is not None]
            raise UnknownLabelError(
                f"no label {label!r} to calibrate; there are {known[:20]}."
                f"{did_you_mean(label, known)}"
            )
        try:
            estimate, spread = (float(number) for number in test)
        except (TypeError, ValueError):
            estimate = spread = math.nan
        if not math.isfinite(estimate) or not (math.isfinite(spread) and spread > 0):
            raise DataError(
                f"the test of {label!r} must be (incremental conversions, standard error above 0); "
                f"found {test!r}"
            )
        at = labels.index(label)
        tested[at], error[at] = estimate, spread
    return tested, error


def _pool(ratios: FloatArray, variances: FloatArray) -> tuple[float, float, float]:
    """The mean ratio, its standard error, and the standard deviation between labels."""
    weight = 1 / variances
    if len(ratios) == 1:
        return float(ratios[0]), float(math.sqrt(variances[0])), math.nan
    fixed = float((weight * ratios).sum() / weight.sum())
    spread = float((weight * (ratios - fixed) ** 2).sum()) - (len(ratios) - 1)
    between = max(spread / float(weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    weight = 1 / (variances + between)
    mean = float((weight * ratios).sum() / weight.sum())
    return mean, float(1 / math.sqrt(weight.sum())), math.sqrt(between)


def _conserving(calibrated: FloatArray, by_test: NDArray[np.bool_], whole: float) -> float:
    left = whole - float(calibrated[by_test].sum())
    rest = float(calibrated[~by_test].sum())
    if left < 0 or rest <= 0:
        raise DataError(
            f"nothing to conserve with: the tested labels have {whole - left:,.1f} of "
            f"{whole:,.1f} conversions, the others {rest:,.1f}; leave conserve=False"
        )
    return left / rest
