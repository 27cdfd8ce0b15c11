"""The policy of a funnel in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cxkit.flow.funnels.funnel import Funnel
    from cxkit.flow.funnels.policy import Without

__all__ = ["told"]

_TIES: Final = {
    "order": "steps of the same instant count in the order of the input",
    "strict": "each step is strictly later than the one before",
    "any": "steps of the same instant count in whatever order serves best",
}


def told(funnel: Funnel) -> str:
    """The policy of a funnel in words."""
    within = f"at most {funnel.within}" if funnel.within else "any time"
    entry = {"any": "any", "first": "the first", "last": "the last"}[funnel.entry]
    if funnel.order == "any":
        parts = [f"that many of the steps in any order, {within} after {entry} of them"]
    else:
        between = "no others between" if funnel.adjacent else "others between allowed"
        parts = [
            f"all steps in order, {between}, {within} after {entry} entry",
            *_told_gaps("at least", funnel.step_after),
            *_told_gaps("at most", funnel.step_within),
            _TIES[funnel.ties],
        ]
    if funnel.without:
        parts.append("without " + ", ".join(map(_told_without, funnel.without)) + " between")
    if funnel.hold is not None:
        parts.append(f"all with the same {funnel.hold}")
    return "unit: journeys, with " + "; ".join(parts)


def _told_gaps(how: str, given: str | tuple[str | None, ...] | None) -> list[str]:
    if not isinstance(given, tuple):
        return [] if given is None else [f"each step {how} {given} after the one before"]
    return [
        f"step {number} {how} {span} after the one before"
        for number, span in enumerate(given, start=2)
        if span is not None
    ]


def _told_without(one: Without) -> str:
    if one.after == 1 and one.before is None:
        return one.goal.name
    return f"{one.goal.name} (steps {one.after} to {one.before or 'the last'})"
