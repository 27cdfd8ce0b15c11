"""Linear systems of chains that are too large for a matrix, many right-hand sides at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cxkit.errors import DataError

__all__ = ["solve_chain"]

FloatArray = NDArray[np.float64]
Step: TypeAlias = Callable[[FloatArray], FloatArray]

_ROUNDS: Final = 60
_SWEEPS: Final = 20_000


def solve_chain(step: Step, given: FloatArray, guess: FloatArray, close: float) -> FloatArray:
    """Solve ``x = given + step(x)``, where ``step`` is linear and shrinks in the long run.

    BiCGStab (van der Vorst 1992, "Bi-CGSTAB", SIAM Journal on Scientific and Statistical Computing
    13), column by column at once; what it leaves, because it broke down or stalled, the power
    series finishes: ``x = given + step(given) + step(step(given)) ...``.

    Args:
        step: From (n, R) to (n, R).
        given: (n, R) right-hand sides.
        guess: (n, R) where to begin.
        close: How large the sum of absolute residuals of a column may be.

    Returns:
        (n, R) the solutions.

    Raises:
        DataError: A residual stays larger than ``close`` by a factor of thousand.
    """
    found = _bicgstab(step, given, guess, close)
    residual = given + step(found) - found
    for _ in range(_SWEEPS):
        worst = np.abs(residual).sum(axis=0).max(initial=0.0)
        if worst <= close:
            return found
        found += residual
        residual = step(residual)
    # `residual` is stepped, not computed anew, so that only true progress is counted.
    residual = given + step(found) - found
    if np.abs(residual).sum(axis=0).max(initial=0.0) <= 1000 * close:
        return found
    raise DataError(
        "this chain hardly ever ends: its visits do not settle; take a lower order, or paths "
        "that end sooner (lookback, most_touches)"
    )


def _bicgstab(step: Step, given: FloatArray, guess: FloatArray, close: float) -> FloatArray:
    """Where it leads; the guess in columns in which it leads nowhere."""
    x = guess.copy()
    r = step(x)
    r += given
    r -= x
    shadow, begun = r.copy(), np.abs(r).sum(axis=0)
    size = begun
    rho = alpha = omega = np.ones(x.shape[1])
    v, p, spare = np.zeros_like(x), np.zeros_like(x), np.empty_like(x)
    with np.errstate(all="ignore"):  # a column that breaks down is left to the power series
        for _ in range(_ROUNDS):
            if not (size > close).any():  # NaN is no reason to go on
                break
            new = np.einsum("ij,ij->j", shadow, r)
            beta = _ratio(new, rho) * _ratio(alpha, omega)
            rho = new
            p -= np.multiply(v, omega, out=spare)
            p *= beta
            p += r
            np.subtract(p, step(p), out=v)
            alpha = _ratio(rho, np.einsum("ij,ij->j", shadow, v))
            r -= np.multiply(v, alpha, out=spare)
            t = step(r)
            np.subtract(r, t, out=t)
            omega = _ratio(np.einsum("ij,ij->j", t, r), np.einsum("ij,ij->j", t, t))
            x += np.multiply(p, alpha, out=spare)
            x += np.multiply(r, omega, out=spare)
            r -= np.multiply(t, omega, out=spare)
            size = np.abs(r, out=spare).sum(axis=0)
        lost = ~(size < begun)
        x[:, lost] = guess[:, lost]
    return x


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """0 where there is nothing to divide: the column is done."""
    return np.divide(above, below, out=np.zeros(above.shape), where=below != 0)
