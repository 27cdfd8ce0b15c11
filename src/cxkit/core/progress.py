"""A bar on stderr for what takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

__all__ = ["ProgressLike", "steps"]

ProgressLike: TypeAlias = "bool | Callable[[int, int], object] | None"
"""``True`` for a bar, a function called with ``(done, total)``, or nothing."""

_PATIENCE: Final = 1.0  # seconds before the first bar: what is quick needs none
_WIDTH: Final = 30


@contextmanager
def steps(label: str, total: int, progress: ProgressLike) -> Iterator[Callable[..., None]]:
    """Count steps of a task.

    Args:
        label: What is being done.
        total: The number of steps.
        progress: ``True`` writes a bar to stderr, if that is a terminal and the task takes longer
            than a second; a function is called with ``(done, total)`` after every step; ``None``
            and ``False`` do nothing.

    Yields:
        A function to call after each step; ``step(n)`` counts several.

    Example:
        >>> seen = []
        >>> with steps("counting", 2, lambda done, total: seen.append((done, total))) as step:
        ...     step()
        ...     step()
        >>> seen
        [(1, 2), (2, 2)]
    """
    done = 0
    began = time.monotonic()
    bar = progress is True and sys.stderr.isatty()
    shown = False

    def step(count: int = 1) -> None:
        nonlocal done, shown
        done = min(done + count, total)
        if callable(progress):
            progress(done, total)
        elif bar and time.monotonic() - began >= _PATIENCE:
            filled = _WIDTH * done // max(total, 1)
            line = f"\r{label} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done:,}/{total:,}"
            sys.stderr.write(line)
            sys.stderr.flush()
            shown = True

    try:
        yield step
    finally:
        if shown:
            sys.stderr.write("\n")
