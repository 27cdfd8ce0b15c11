"""Differences of two attributions, with customers who are in both."""

from __future__ import annotations

import numpy as np
import pytest

from cxkit.attribution import (
    FirstTouch,
    LastTouch,
    Linear,
    Markov,
    Paths,
    credit_difference,
    tally,
)
from cxkit.core.codes import Codes
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys


def world(seed, customers=900, tilt=0.0, names=("ad", "mail", "shop")):
    rng = np.random.default_rng(seed)
    rows = 4_000
    codes = np.where(rng.random(rows) < tilt, 0, rng.integers(0, len(names), rows))
    return Journeys.from_codes(
        customer=rng.integers(0, customers, rows),
        time=rng.integers(0, 10**12, rows),
        columns={
            "channel": Codes.from_codes(codes, list(names)),
            "event": rng.integers(0, 6, rows),
            "value": rng.integers(1, 5, rows).astype(float),
        },
    )


@pytest.mark.parametrize("model", [Linear(), Markov(1), Markov(2)], ids=lambda m: m.name)
def test_a_difference_of_periods_is_that_of_leaving_customers_out(model):
    before, after = world(1), world(2, tilt=0.3)
    got = credit_difference(tally(before, 3, model), tally(after, 3, model))
    first, second = (tally(js, 3, model).result() for js in (before, after))
    assert got.difference.tolist() == pytest.approx(list(second.share - first.share))
    left = []
    for shard in range(64):
        part = [
            tally(js.take(np.flatnonzero(js.shards != shard)), 3, model).result().share
            for js in (before, after)
        ]
        left.append(part[1] - part[0])
    error = np.sqrt(63 * np.var(left, axis=0))
    np.testing.assert_allclose(got.high - got.difference, 1.99834 * error, rtol=1e-4)
    assert got.p[0] < 0.001
    assert (got.p_adjusted >= got.p).all()
    assert repr(got).startswith(f"difference of share by channel: {model.name}\nchannel")


def test_the_same_customers_under_two_models_are_pairs():
    journeys = world(3)
    one, two = (tally(journeys, 3, m) for m in (FirstTouch(), LastTouch()))
    same = credit_difference(one, one)
    assert same.difference.tolist() == [0.0, 0.0, 0.0]
    assert same.p.tolist() == [1.0, 1.0, 1.0]
    assert "last_touch less first_touch" in repr(credit_difference(one, two, number="value"))
    effects = [tally(journeys, 3, Markov(k)) for k in (1, 2)]
    assert len(credit_difference(*effects, number="removal_effect")) == 3


def test_no_difference_is_found_where_there_is_none():
    found = []
    for seed in range(40):
        one, two = (tally(world(2 * seed + i), 3, Linear()) for i in (10, 11))
        got = credit_difference(one, two)
        found.append((got.low <= 0) & (got.high >= 0))
    assert 0.88 <= np.mean(found) <= 0.99


def test_labels_that_only_one_has():
    one = tally(world(4, names=("ad", "mail")), 3, Linear())
    two = tally(world(5, names=("mail", "zoo")), 3, Linear())
    got = credit_difference(one, two)
    assert got.labels == ("ad", "mail", "zoo")
    assert got.first[2] == got.second[0] == 0.0
    assert got.difference.sum() == pytest.approx(0.0, abs=1e-12)


def test_what_cannot_be_compared_is_refused():
    journeys = world(6)
    one = tally(journeys, 3, Linear())
    with pytest.raises(DefinitionError, match="by the same column"):
        credit_difference(one, tally(journeys, 3, Linear(), by="event"))
    with pytest.raises(DefinitionError, match=r"linear has no 'shares'.*Did you mean 'share'"):
        credit_difference(one, one, number="shares")
    with pytest.raises(DefinitionError, match="level must lie"):
        credit_difference(one, one, level=7)


def test_without_customers_there_is_no_interval():
    one, two = (
        Linear().count_paths(Paths.from_counts([("a > b", n, 0, 0), (["b", None], 1, 0, 0)]))
        for n in (1, 3)
    )
    got = credit_difference(one, two)
    assert got.labels == ("a", "b", None)
    assert got.difference.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.isnan([got.low, got.high, got.p, got.p_adjusted]).all()
