"""Removal effects of another tool, which simulates them.

The figures are what ChannelAttribution 2.2.5 answered to ``markov_model`` for these paths with
``order``, ``nsim_start=2e6``, ``max_step=100000``, ``conv_par=0.005`` and ``seed=1``, rounded to
four digits. Nothing of it is needed to run this.
"""

from __future__ import annotations

import numpy as np
import pytest

from cxkit.attribution import Markov, Paths, attribute_paths

PATHS = [
    ("b > a > b > c > e > c", 0, 13, 0.0),
    ("e > d > e > a", 7, 2, 22.99),
    ("b > b > d > b", 5, 10, 45.2),
    ("d", 3, 27, 15.1),
    ("e > c > b > d > e", 8, 34, 84.16),
    ("b > b > a > a > b", 3, 23, 4.65),
    ("d > e > e > d", 8, 12, 114.6),
    ("e > b > c > c > d > d", 0, 19, 0.0),
    ("e", 1, 17, 41.36),
    ("c > d > c > e > c > d", 4, 16, 22.15),
    ("c > d > c > c", 7, 8, 154.96),
    ("c > e > c", 5, 3, 9.16),
    ("c > c > a > d > d", 3, 30, 34.04),
    ("a > b > b > a", 4, 1, 12.16),
    ("d > c > c > b", 8, 12, 36.33),
    ("c > b > d > e > d > c", 0, 30, 0.0),
    ("c > b > a > e > a", 4, 7, 21.53),
    ("d > a > a > a > a", 7, 33, 67.37),
    ("a > b > c", 4, 19, 62.42),
    ("d > d > c > c", 8, 32, 113.55),
    ("a > c > e > d > a", 4, 21, 27.08),
    ("c > b > a > d > e > c", 0, 1, 0.0),
    ("b > c > e > b > d", 0, 0, 0.0),
    ("b", 4, 0, 24.3),
    ("e > c > a > e", 0, 20, 0.0),
    ("b > c > b > b > b > a", 6, 15, 94.05),
    ("b > d > c > d > a > e", 1, 38, 5.81),
    ("d > c", 6, 12, 34.48),
    ("d > a", 2, 26, 38.15),
    ("c > e > b > a > d > b", 8, 22, 115.28),
    ("d > d > a > e > a > a", 4, 4, 36.87),
    ("e > e > e > e > b", 7, 10, 19.0),
    ("d", 8, 32, 80.63),
    ("e > a > a > b", 0, 24, 0.0),
    ("b", 4, 17, 12.2),
    ("e > e > e > d", 4, 23, 83.9),
    ("c > c > e > e > b", 5, 1, 61.39),
    ("e > a > b > e > d > c", 1, 28, 1.03),
    ("a > c > c > c", 2, 20, 16.69),
    ("c", 0, 0, 0.0),
]
SIMULATED = {
    1: ([0.4751, 0.5351, 0.5189, 0.5774, 0.4325], [0.4437, 0.4779, 0.5423, 0.6, 0.4467]),
    2: ([0.457, 0.5602, 0.5324, 0.5749, 0.5477], [0.451, 0.5407, 0.5597, 0.6362, 0.5393]),
    3: ([0.4028, 0.4853, 0.5253, 0.6867, 0.4677], [0.378, 0.4057, 0.532, 0.7351, 0.4419]),
}


@pytest.mark.parametrize("order", SIMULATED)
def test_what_channelattribution_simulates_is_what_is_solved_here(order):
    got = attribute_paths(Paths.from_counts(PATHS), Markov(order))
    assert got.labels == ("a", "b", "c", "d", "e")
    conversions, value = SIMULATED[order]
    np.testing.assert_allclose(got.removal_effect, conversions, atol=0.003)
    told = got.estimates["value_removal_effect"].estimate
    np.testing.assert_allclose(told, value, atol=0.005)  # few dear conversions: more noise
