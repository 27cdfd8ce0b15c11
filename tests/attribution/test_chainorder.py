"""The order of a chain: worlds whose order is known, and likelihoods by hand."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from cxkit.attribution import ChainCounts, Paths, choose_order
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys


def world(order, customers=3_000, seed=1):
    """Paths over three labels in which the next one depends on so many before it."""
    rng = np.random.default_rng(seed)
    paths = []
    for _ in range(customers):
        path = [int(rng.integers(3))]
        while rng.random() < 0.85 and len(path) < 40:
            known = len(path) >= order and rng.random() < 0.8
            follows = (sum(path[-order:]) + path[-min(order, len(path))]) % 3
            path.append(follows if known else int(rng.integers(3)))
        paths.append(path)
    size = [len(p) for p in paths]
    event = np.zeros(sum(size), int)
    event[np.cumsum(size) - 1] = rng.random(customers) < 0.3
    return Journeys.from_codes(
        customer=np.repeat(np.arange(customers), size),
        time=np.arange(sum(size)),
        columns={"channel": np.concatenate(paths), "event": event},
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_order_of_a_world_is_found(order):
    got = choose_order(ChainCounts.of(world(order), goal=1, order=4))
    assert (got.by_bic, got.by_held_out) == (order, order)
    assert got.order.tolist() == [1, 2, 3, 4]
    assert (got.gain_low[1:] < got.gain[1:]).all()
    assert repr(got).startswith(f"order of the chain: {order} by BIC, {order} on unseen customers")


def test_the_likelihood_is_that_of_the_steps():
    rows = [("a > b > a", 2, 1, 0), ("b > b", 1, 3, 0), ("a", 0, 4, 0)]
    got = choose_order(Paths.from_counts(rows), highest=3)
    for at, order in enumerate((1, 2, 3)):
        steps, left = Counter(), Counter()
        for path, conversions, nulls, _ in rows:
            states = ["("] * order + path.split(" > ")
            for end, often in (("conversion", conversions), ("null", nulls)):
                for i in range(order, len(states) + 1):
                    context = tuple(states[i - order : i])
                    steps[context, states[i] if i < len(states) else end] += often
                    left[context] += often
        expected = sum(n * math.log(n / left[c]) for (c, _), n in steps.items() if n)
        assert got.log_likelihood[at] == pytest.approx(expected)
        assert got.contexts[at] == len(left)
        free = len(left) * 3 - 2
        assert got.parameters[at] == free
        assert got.bic[at] == pytest.approx(free * math.log(sum(steps.values())) - 2 * expected)
        assert got.steps == sum(steps.values())
    assert got.by_held_out is None
    assert np.isnan(got.held_out).all()
    assert "too few customers" in repr(got)


def test_unseen_paths_are_judged_by_the_others():
    """One fold by hand: Witten and Bell's mixture, from the customers of the other folds."""
    journeys = world(1, customers=200, seed=5)
    got = choose_order(ChainCounts.of(journeys, goal=1, order=1))
    paths = []
    event, channel = journeys.event.to_list(), journeys.channel.to_list()
    for j, (i, e) in enumerate(zip(journeys.offsets[:-1], journeys.offsets[1:], strict=True)):
        end = "conversion" if event[e - 1] == 1 else "null"
        paths.append((int(journeys.shards[j]) % 8, ["(", *channel[i:e], end]))
    outcomes = len({s for _, p in paths for s in p[1:]})
    total = 0.0
    for fold in range(8):
        one, two = Counter(), Counter()
        for of, path in paths:
            if of != fold:
                one.update(path[1:])
                two.update(pairwise(path))
        whole = sum(one.values())
        after, distinct = Counter(), Counter()
        for (a, _), n in two.items():
            after[a] += n
            distinct[a] += 1
        for of, path in paths:
            if of == fold:
                for a, b in pairwise(path):
                    chance = (one[b] + len(one) / outcomes) / (whole + len(one))
                    chance = (two[a, b] + distinct[a] * chance) / (after[a] + distinct[a])
                    total += math.log(chance)
    assert got.held_out[0] == pytest.approx(total / len(paths), rel=1e-9)


def test_nothing_to_choose_from_is_refused():
    with pytest.raises(DefinitionError, match="no path with a touch"):
        choose_order(Paths.from_counts([("", 1, 0, 0)]))
    chain = ChainCounts.of(world(1, customers=30), goal=1, order=2)
    assert choose_order(chain, highest=1).order.tolist() == [1]
    with pytest.raises(DefinitionError, match="does not hold one of 3"):
        choose_order(chain, highest=3)
    with pytest.raises(DefinitionError, match="level must lie"):
        choose_order(chain, level=0)
