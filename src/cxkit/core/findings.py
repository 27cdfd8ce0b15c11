"""What a lint finds."""

from __future__ import annotations

import attrs

from cxkit.core.result import ColumnLike, Result

__all__ = ["Finding", "Findings"]


@attrs.frozen
class Finding:
    """One thing that is wrong.

    Attributes:
        code: One of the codes of the lint that found it.
        place: Where: an item of a strategy map; of a microinteraction a state, ``state/event``,
            ``state/@after``, a mode, a loop or the trigger.
        sentence: What is wrong.
        suggestion: What to do.
    """

    code: str
    place: str
    sentence: str
    suggestion: str


@attrs.frozen(eq=False, repr=False)
class Findings(Result):
    """What is wrong, in order of the codes.

    Attributes:
        found: The findings.

    Example:
        >>> Findings((Finding("AL008", "kpi-1", "nobody answers for it", "name one person"),))
        1 finding
        code   place  sentence               suggestion
        AL008  kpi-1  nobody answers for it  name one person
    """

    found: tuple[Finding, ...]

    def __len__(self) -> int:
        """How many."""
        return len(self.found)

    def pairs(self) -> list[tuple[str, str]]:
        """Code and place of each."""
        return [(f.code, f.place) for f in self.found]

    def columns(self) -> dict[str, ColumnLike]:
        """Code, place, what is wrong and what to do."""
        names = ("code", "place", "sentence", "suggestion")
        return {name: [getattr(f, name) for f in self.found] for name in names}

    def title(self) -> str:
        """How many."""
        if len(self.found) == 1:
            return "1 finding"
        return f"{len(self.found)} findings" if self.found else "nothing found"
