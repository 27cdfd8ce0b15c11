import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core.multiplicity import benjamini_hochberg, holm

P = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=8)


def by_hand_holm(p):
    """The definition, a test at a time: the smallest level at which the test rejects."""
    tests = sorted(x for x in p if not math.isnan(x))
    return [
        x
        if math.isnan(x)
        else min(1, max(y * (len(tests) - i) for i, y in enumerate(tests) if y <= x))
        for x in p
    ]


def by_hand_bh(p):
    tests = sorted(x for x in p if not math.isnan(x))
    m = len(tests)
    return [
        x if math.isnan(x) else min([1, *(y * m / (i + 1) for i, y in enumerate(tests) if y >= x)])
        for x in p
    ]


@given(P)
def test_holm_is_its_definition(p):
    assert holm(p).tolist() == pytest.approx(by_hand_holm(p), nan_ok=True)


@given(P)
def test_benjamini_hochberg_is_its_definition(p):
    assert benjamini_hochberg(p).tolist() == pytest.approx(by_hand_bh(p), nan_ok=True)


def test_the_example_of_the_paper():
    """Benjamini and Hochberg 1995, section 4.1: four of 15 rejected at 0.05; Holm rejects three."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert int((benjamini_hochberg(p) <= 0.05).sum()) == 4
    assert int((holm(p) <= 0.05).sum()) == 3


def test_shapes_and_the_given_stay():
    p = np.array([[0.01, 0.02], [0.03, math.nan]])
    assert holm(p).shape == (2, 2)
    assert p[0, 0] == 0.01
    assert holm([]).shape == (0,)
