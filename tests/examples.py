"""How many random examples a test takes that says so itself."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["some"]

_USUAL = 25


def some(examples: int) -> int:
    """So many; fewer where the profile asks for fewer, as when only versions change."""
    allowed = settings().max_examples
    return examples if allowed >= _USUAL else min(examples, allowed)
