"""How far each journey gets through a funnel, some journeys at a time."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import IntArray
from cxkit.core.ragged import chunks
from cxkit.core.threads import in_parts
from cxkit.flow.funnels.chain import steps_reached
from cxkit.flow.funnels.passages import passages_of
from cxkit.flow.funnels.policy import Rules
from cxkit.model.journeys import Journeys

__all__ = ["depths", "passages"]

_CHUNK: Final = 1 << 18  # larger than elsewhere: a chunk costs several calls per step


def depths(journeys: Journeys, rules: Rules) -> NDArray[np.uint8]:
    """(J,) how many steps each journey reaches."""
    out = np.zeros(len(journeys), np.uint8)
    work = _write_plain if rules.plain else _write_depths
    in_parts(partial(work, journeys, rules, out), journeys.offsets)
    return out


def passages(journeys: Journeys, rules: Rules) -> IntArray:
    """(J, steps) the touchpoint that was each step of each journey; -1 where there is none."""
    out = np.empty((len(journeys), len(rules.steps)), np.int64)
    in_parts(partial(_write_passages, journeys, rules, out), journeys.offsets)
    return out


def _write_plain(
    journeys: Journeys, rules: Rules, out: NDArray[np.uint8], begin: int, end: int
) -> None:
    """Where nothing special is asked, there is no need to know which touchpoint was which step."""
    for j0, j1, _, _ in chunks(journeys.offsets, _CHUNK, within=(begin, end)):
        part = journeys.take(slice(j0, j1))
        rows = {step: np.flatnonzero(step.matches(part)) for step in dict.fromkeys(rules.steps)}
        steps_reached(
            [rows[step] for step in rules.steps],
            part.offsets,
            part.time.view(np.int64),
            limit=rules.limit,
            entry=rules.entry,
            strict=rules.ties == "strict",
            out=out[j0:j1],
        )


def _write_depths(
    journeys: Journeys, rules: Rules, out: NDArray[np.uint8], begin: int, end: int
) -> None:
    for j0, j1, _, _ in chunks(journeys.offsets, _CHUNK, within=(begin, end)):
        part = passages_of(journeys.take(slice(j0, j1)), rules)
        np.sum(part >= 0, axis=1, out=out[j0:j1])


def _write_passages(journeys: Journeys, rules: Rules, out: IntArray, begin: int, end: int) -> None:
    for j0, j1, e0, _ in chunks(journeys.offsets, _CHUNK, within=(begin, end)):
        part = passages_of(journeys.take(slice(j0, j1)), rules)
        out[j0:j1] = np.where(part < 0, part, part + e0)
