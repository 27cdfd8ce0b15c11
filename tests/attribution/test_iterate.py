"""Large systems: the solver against a dense one, its fallback, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit.attribution.chains import iterate
from cxkit.attribution.chains.contextchain import GramRows, build_chain
from cxkit.attribution.chains.iterate import solve_chain
from cxkit.errors import DataError
from tests.examples import some


def system(seed, size=12, columns=3):
    """A chain with a way out, and right-hand sides."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((size, size)) * (rng.random((size, size)) < 0.4)
    matrix /= np.maximum(matrix.sum(axis=0), 1e-9) * rng.uniform(1.01, 3, size)
    return matrix, rng.random((size, columns))


@pytest.mark.parametrize("rounds", [60, 2, 0])
@settings(max_examples=some(25))
@given(seed=st.integers(0, 10**6))
def test_a_system_is_solved(rounds, seed):
    matrix, given_ = system(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iterate, "_ROUNDS", rounds)  # the fewer, the more the power series does
        got = solve_chain(lambda x: matrix @ x, given_, given_, 1e-12)
    np.testing.assert_allclose(got, np.linalg.solve(np.eye(12) - matrix, given_), rtol=1e-9)


def test_nothing_to_solve_and_a_guess_that_is_right():
    matrix, given_ = system(1)
    right = np.linalg.solve(np.eye(12) - matrix, given_)
    steps = []
    got = solve_chain(lambda x: (steps.append(1), matrix @ x)[1], given_, right, 1e-9)
    assert np.array_equal(got, right)
    assert len(steps) == 2
    none = solve_chain(lambda x: x, np.zeros((4, 0)), np.zeros((4, 0)), 1e-9)
    assert none.shape == (4, 0)
    zero = solve_chain(lambda x: 0.5 * x, np.zeros((4, 2)), np.zeros((4, 2)), 1e-9)
    assert not zero.any()


def test_a_chain_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(iterate, "_SWEEPS", 50)
    with pytest.raises(DataError, match="hardly ever ends"):
        solve_chain(lambda x: x, np.ones((3, 1)), np.ones((3, 1)), 1e-9)


def test_a_path_that_only_the_power_series_can_follow():
    # Each state leads to the next: the matrix has no eigenvalue but zero.
    matrix = np.eye(200, k=-1)
    given_ = np.zeros((200, 1))
    given_[0] = 1
    got = solve_chain(lambda x: matrix @ x, given_, given_, 1e-12)
    np.testing.assert_allclose(got, 1.0)


@settings(max_examples=some(25))
@given(seed=st.integers(0, 10**6), order=st.integers(2, 4))
def test_both_forms_of_a_chain_step_alike(seed, order):
    rng = np.random.default_rng(seed)
    V, n = 3, 30
    grams = rng.integers(0, V, (n, order + 1))
    grams[::4, :-1] = V
    rows = GramRows(
        grams=grams,
        steps=rng.integers(1, 9, n).astype(float),
        contexts=grams[:, 1:],
        ends=rng.integers(0, 5, (3, n)).astype(float),
        labels=V,
    )
    chains = []
    for most in (0, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cxkit.attribution.chains.contextchain._MOST_CELLS", most)
            patch.setattr("cxkit.attribution.chains.contextchain._CELLS_PER_GRAM", 0)
            chains.append(build_chain(rows))
    listed, blocked = chains
    assert type(listed) is not type(blocked)
    # The same context in both: by its number as digits.
    place = np.zeros(len(listed.visits), np.int64)
    place[listed.source[listed.gram]] = blocked.source[blocked.gram]
    place[listed.target[listed.gram]] = blocked.target[blocked.gram]
    place[listed.context] = blocked.context
    mass = rng.random((len(blocked.visits), 2))
    for name in ("arrive", "expect"):
        wide = getattr(blocked, name)(
            np.where(np.isin(np.arange(len(mass)), place)[:, None], mass, 0)
        )
        got = getattr(listed, name)(mass[place])
        np.testing.assert_allclose(got, wide[place], atol=1e-12)
    np.testing.assert_allclose(listed.visits, blocked.visits[place])
    assert listed.last.tolist() == blocked.last[place].tolist()
    assert place[listed.start] == blocked.start
    removed = [c.remove(np.ones((len(c.visits), 2)), 1) for c in chains]
    np.testing.assert_array_equal(removed[0], removed[1][place])
