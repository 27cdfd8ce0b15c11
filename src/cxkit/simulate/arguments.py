"""Arguments that every world takes."""

from __future__ import annotations

import operator
from typing import SupportsIndex, TypeAlias

import numpy as np

from cxkit.errors import DefinitionError

__all__ = ["RandomLike", "at_least_one", "generator"]

RandomLike: TypeAlias = int | np.random.Generator | np.random.SeedSequence


def at_least_one(value: SupportsIndex, name: str) -> int:
    """A whole number from 1 up.

    Raises:
        DefinitionError: It is none.
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise DefinitionError(f"{name} must be a whole number, 1 or more; found {value!r}")
    return number


def generator(rng: RandomLike) -> np.random.Generator:
    """A generator from a seed, or the generator itself.

    Raises:
        DefinitionError: It is neither.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            f"rng must be a seed (a whole number, 0 or more) or a numpy Generator; found {rng!r}"
        ) from error
