"""How paths are shown, and the three labels that only tables add."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.codes import Label
from cxkit.core.result import MISSING
from cxkit.errors import DefinitionError

__all__ = [
    "CUT",
    "END",
    "JOIN",
    "OTHER",
    "START",
    "as_labels",
    "cut_path",
    "few_customers",
    "show_path",
    "text_labels",
]

START: Final = "(start)"
"""Before the first touchpoint of a journey."""
END: Final = "(end)"
"""After the last."""
OTHER: Final = "(other)"
"""All labels that are not listed."""
JOIN: Final = " > "
CUT: Final = "..."
_HEAD, _TAIL = 6, 5  # of a long path, so many labels are printed from either end


def few_customers(ends: NDArray[np.float64]) -> tuple[str, ...]:
    """What to tell where ends of intervals are NaN: a note, or none.

    Example:
        >>> few_customers(np.array([0.5, np.nan]))
        ('no interval (-): too few customers',)
    """
    return ("no interval (-): too few customers",) if np.isnan(ends).any() else ()


def show_path(path: Sequence[Label | None]) -> str:
    """The labels of a path in one line.

    Example:
        >>> show_path(["view", None, "buy"])
        'view > (missing) > buy'
    """
    return JOIN.join(MISSING if label is None else str(label) for label in path)


def cut_path(path: Sequence[Label | None]) -> tuple[Label | None, ...]:
    """A path that is too long to print, cut in the middle.

    Example:
        >>> len(cut_path(["view"] * 100))
        12
    """
    if len(path) <= _HEAD + 1 + _TAIL:
        return tuple(path)
    return (*path[:_HEAD], CUT, *path[-_TAIL:])


def text_labels(labels: Sequence[Label | None]) -> list[str | None]:
    """Labels as text, for a column that also has one of the labels of tables.

    Example:
        >>> text_labels([7, None])
        ['7', None]
    """
    return [None if label is None else str(label) for label in labels]


def as_labels(path: Sequence[Label | None]) -> Sequence[Label | None]:
    """A path that is given as labels.

    Raises:
        DefinitionError: It is no list, or a text, whose letters would pass for labels.

    Example:
        >>> as_labels(["view", "buy"])
        ['view', 'buy']
    """
    if isinstance(path, (str, bytes)) or not isinstance(path, Iterable):
        raise DefinitionError(f"a path is a list of labels, such as [{path!r}]; found {path!r}")
    return path
