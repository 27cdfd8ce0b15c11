"""Games and regressions on label sets by the letter of their definitions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
from hypothesis import strategies as st

from cxkit.attribution import Paths

LABELS = "abcd"

path_rows = st.lists(
    st.tuples(
        st.lists(st.sampled_from([*LABELS, None]), max_size=5),
        st.integers(0, 3),
        st.integers(0, 4),
        st.sampled_from([0.0, 1.0, 2.5, 10.0]),
    ).map(lambda row: (row[0], row[1], row[2], row[3] if row[1] else 0.0)),
    max_size=8,
)


def paths_of(rows):
    return Paths.from_counts(rows)


def players(rows):
    """The labels that are touched on a path that occurs, sorted, the missing one last."""
    touched = {label for path, c, n, _ in rows for label in path if c or n}
    return sorted(touched, key=lambda label: (label is None, label))


def rate(rows, inside, amount=1):
    """Conversions (amount 1) or value (amount 3) per path, of the paths that lie inside a set."""
    mine = [r for r in rows if r[0] and set(r[0]) <= set(inside)]
    paths = sum(r[1] + r[2] for r in mine)
    return Fraction(sum(Fraction(r[amount]) for r in mine), paths) if paths else Fraction(0)


def conversions(rows, inside, amount=1):
    return sum(
        (Fraction(r[amount]) for r in rows if r[0] and set(r[0]) <= set(inside)), Fraction(0)
    )


def shapley(labels, worth):
    """The mean of what each label adds, over all orders, as fractions."""
    value = dict.fromkeys(labels, Fraction(0))
    for order in permutations(labels):
        for place, label in enumerate(order):
            value[label] += worth(order[: place + 1]) - worth(order[:place])
    return {label: v / math.factorial(len(labels)) for label, v in value.items()}


def table(rows):
    """(U, L) which labels, and (U,) paths, conversions and value of every distinct set."""
    labels = players(rows)
    sets = sorted(
        {tuple(sorted({labels.index(x) for x in r[0]})) for r in rows if r[0] and r[1] + r[2]}
    )
    X = np.array([[float(k in s) for k in range(len(labels))] for s in sets])
    counts = np.zeros((3, len(sets)))
    for path, c, n, v in rows:
        if path and c + n:
            at = sets.index(tuple(sorted({labels.index(x) for x in path})))
            counts[:, at] += [c + n, c, v]
    return X.reshape(len(sets), len(labels)), *counts


def random_rows(rng, labels, paths=400, longest=6):
    """Paths over many labels."""
    return [
        (
            rng.choice(labels, rng.integers(1, longest)).tolist(),
            int(c := rng.integers(0, 3)),
            int(rng.integers(0, 4)),
            float(rng.integers(1, 9)) * bool(c),
        )
        for _ in range(paths)
    ]
