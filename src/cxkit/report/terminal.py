"""Text for terminals that cannot write every letter."""

from __future__ import annotations

from typing import Final

__all__ = ["encodable"]

_PLAIN: Final = {"…": ".", "█": "#", **dict.fromkeys("▏▎▍▌▋▊▉", "")}
"""What stands for the signs of the text report on a terminal that lacks them."""


def encodable(text: str, encoding: str | None) -> str:
    r"""The text without what the encoding cannot write: no name may end a report halfway.

    Our own signs get plain stand-ins of the same width, so that tables stay aligned; letters of
    names are written as escapes.

    Example:
        >>> encodable("café █▍", "ascii"), encodable("café █▍", "latin-1")
        ('caf\\xe9 #', 'café #')
    """
    encoding = encoding or "utf-8"
    if _fits(text, encoding):
        return text
    lost = {c for c in set(text) if not c.isascii() and not _fits(c, encoding)}
    escaped = {c: c.encode("ascii", "backslashreplace").decode("ascii") for c in lost}
    return text.translate({ord(c): _PLAIN.get(c, escape) for c, escape in escaped.items()})


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
