"""How likely each level is, when answers may be wrong.

An answer with confidence c is taken for right with probability c; otherwise for any other answer of
its scale, each as likely. An answer without a confidence is taken for right. An answer that is not
known is taken for any answer of the scale, each as likely. Criteria are independent. All of that is
a simple assumption of ours: it shows how much the level hangs on what is doubted.

Criteria belong to one stage each, so the stages are independent, and the chance to be at stage s or
above is the product of the chances of the stages up to s. The chance of one stage is exact: the
distribution of the weighted sum of its criteria, one criterion folded in after another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.intervals import divide
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DefinitionError
from cxkit.maturity.scoring import EPSILON, Ladder, highest, score, stages_met

if TYPE_CHECKING:
    from cxkit.maturity.assessed import Assessed
    from cxkit.maturity.model import MaturityModel

__all__ = ["LevelChances", "level_chances"]

_GRID: Final = 1e-9
_DRAWS_AT_ONCE: Final = 4096
_PARTS: Final = 20
_MOST_SUMS: Final = 4_000_000

Chances = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class LevelChances(Result):
    """The probability of each level.

    Attributes:
        model: The model.
        chance: stage -> probability that it is the level.
        draws: How many were drawn; ``None`` if the answer is exact.
    """

    model: MaturityModel
    chance: dict[int, float]
    draws: int | None

    @property
    def expected(self) -> float:
        """The mean level."""
        return float(sum(n * p for n, p in self.chance.items()))

    def columns(self) -> dict[str, ColumnLike]:
        """Stage, probability, and the probability of it or a higher one."""
        chances = np.array(list(self.chance.values()))
        return {
            "stage": [self.model.stage(n).id for n in self.chance],
            "n": list(self.chance),
            "chance": chances,
            "at_least": np.minimum(chances[::-1].cumsum()[::-1], 1.0),
        }

    def title(self) -> str:
        """The mean level."""
        how = "exact" if self.draws is None else f"{self.draws:,} draws"
        return f"level: {self.expected:.2f} on average ({how})"


def level_chances(
    assessed: Assessed, *, draws: int | None = None, rng: int | np.random.Generator = 0
) -> LevelChances:
    """The probability of each level, from the confidences of the answers.

    Args:
        assessed: Where the subject stands.
        draws: How many to draw; ``None`` for the exact answer.
        rng: A seed or a generator for the draws.

    Raises:
        DefinitionError: ``draws`` is less than 1, or there are too many cases to be exact.

    Example:
        >>> from cxkit import MaturityModel
        >>> from cxkit.maturity import Answer
        >>> model = MaturityModel.builtin("five-level")
        >>> answers = {f"managed.{d}": 1 for d in ("people", "process")}
        >>> now = model.assess(answers | {"managed.technology": Answer(1, confidence=0.8)})
        >>> level_chances(now).to_dicts()[1]["at_least"]  # it fails only where technology is absent
        0.9333333333333333
    """
    model = assessed.model
    if draws is not None and draws < 1:
        raise DefinitionError(f"draws is 1 or more, or None for the exact answer; found {draws}")
    chances = _chances(assessed)
    row, answers = assessed.position, assessed.of.answers
    applies = None if answers.applies is None else answers.applies[row : row + 1]
    ladder = Ladder.of(model)
    if draws is None:
        asked = [applies is None or bool(applies[0, i]) for i in range(len(model.criteria))]
        met = [_stage_chance(ladder, s, chances, asked) for s in range(len(ladder.threshold))]
        reach = np.append(np.cumprod([1.0, *met]), 0.0)
        found = reach[:-1] - reach[1:]
    else:
        found = _drawn(ladder, chances, applies, draws, np.random.default_rng(rng))
    levels = {stage.n: float(p) for stage, p in zip(model.stages, found, strict=True)}
    return LevelChances(model=model, chance=levels, draws=draws)


def _chances(assessed: Assessed) -> Chances:
    """For each criterion: what it may count, and how likely each is."""
    model, answers, row = assessed.model, assessed.of.answers, assessed.position
    worth, told = assessed.worth, answers.values[row]
    found: Chances = []
    for place, criterion in enumerate(model.criteria):
        sure = np.nan if answers.confidence is None else answers.confidence[row, place]
        scale = model.scale_of(criterion)
        every = np.array(scale.steps() if scale.values else np.linspace(0, 1, _PARTS + 1))
        steps = every
        bare = answers.evidenced is not None and not answers.evidenced[row, place]
        if criterion.evidence_required and bare and not np.isnan(told[place]):
            steps = np.minimum(steps, model.evidence_cap)  # whatever is true, there is no proof
        if np.isnan(told[place]):
            found.append((steps, np.full(len(steps), 1 / len(steps))))
        elif np.isnan(sure) or sure == 1:
            found.append((worth[place : place + 1], np.ones(1)))
        else:
            other = np.abs(every - told[place]) > EPSILON
            spread = np.full(int(other.sum()), (1 - sure) / max(int(other.sum()), 1))
            found.append((np.append(steps[other], worth[place]), np.append(spread, sure)))
    return found


def _stage_chance(ladder: Ladder, stage: int, chances: Chances, asked: list[bool]) -> float:
    """The exact chance that one stage is met."""
    mine = [i for i in np.flatnonzero(ladder.stage == stage) if asked[i]]
    whole = ladder.weight[mine].sum()
    need, grid = (ladder.threshold[stage] - EPSILON) * whole, _GRID * whole
    sums, mass = np.zeros(1), np.ones(1)
    for i in mine:
        worth, chance = chances[i]
        kept = worth >= ladder.gate[i] - EPSILON
        if len(sums) * len(worth) > _MOST_SUMS:
            raise DefinitionError(
                f"the answers to {len(mine)} criteria of one stage can add up to more than "
                f"{_MOST_SUMS:,} sums; say how many to draw, such as draws=10_000"
            )
        # What is enough is enough: larger sums need not be told apart.
        sums = np.minimum(sums[:, None] + ladder.weight[i] * worth[kept], need).ravel()
        mass = (mass[:, None] * chance[kept]).ravel()
        # Sums are told apart by their rounded values, but carried on as they are: what rounding
        # takes off would add up from one criterion to the next, past what the threshold allows.
        keys, first, place = np.unique(
            np.round(sums / grid), return_index=True, return_inverse=True
        )
        mass = np.asarray(np.bincount(place, mass, minlength=len(keys)), np.float64)
        sums = sums[first]
    return float(mass[sums >= need - grid].sum())


def _drawn(
    ladder: Ladder,
    chances: Chances,
    applies: NDArray[np.bool_] | None,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    counts = np.zeros(len(ladder.threshold) + 1)
    for start in range(0, draws, _DRAWS_AT_ONCE):
        size = min(_DRAWS_AT_ONCE, draws - start)
        worth = np.stack([rng.choice(w, size, p=p / p.sum()) for w, p in chances])
        asked = None if applies is None else np.broadcast_to(applies.T, worth.shape)
        sums = score(ladder, worth, asked)
        whole = ladder.to_stages(sums.weight)
        met = stages_met(ladder, divide(ladder.to_stages(sums.worth), whole), sums.passed)
        counts += np.bincount(highest(met), minlength=len(counts))
    return counts / draws
