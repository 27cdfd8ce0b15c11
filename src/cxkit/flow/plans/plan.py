"""The journey as designed: stages, the touchpoints expected in them, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from cxkit.core.records import check_fields
from cxkit.errors import DefinitionError
from cxkit.flow.asked import one_of
from cxkit.flow.plans.planstages import (
    Order,
    PlanStage,
    StepLike,
    is_name,
    stage_from_dict,
    stage_to_dict,
)
from cxkit.model.goal import Goal

if TYPE_CHECKING:
    from cxkit.flow.plans.alignment import Alignments, PlanExplanation
    from cxkit.flow.plans.planresults import PlanResult
    from cxkit.flow.plans.planstages import PlanStep
    from cxkit.model.journey import Journey
    from cxkit.model.journeys import Journeys

__all__ = ["JourneyPlan"]

_SCHEMA: Final = "cxkit/journey-plan/1"
_MOST_GOALS: Final = 64  # a bit for each in one word

_Stages: TypeAlias = "Mapping[str, Sequence[StepLike]] | Sequence[PlanStage]"


def _as_stages(stages: _Stages) -> tuple[PlanStage, ...]:
    if isinstance(stages, Mapping):
        return tuple(PlanStage(name, steps) for name, steps in stages.items())
    given: Any = stages
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DefinitionError(
            "a plan has stages, such as {'look': ['view'], 'buy': ['cart', 'purchase']}; "
            f"found {stages!r}"
        )
    for each in given:
        if not isinstance(each, PlanStage):
            raise DefinitionError(f"a stage of a plan is a PlanStage; found {each!r}")
    return tuple(given)


@attrs.frozen
class JourneyPlan:
    """The journey as designed, to be compared with the journeys that there are.

    The plan allows sequences: all its stages, or all but optional ones, each with its steps in the
    allowed order, optional steps present or not. A journey is *aligned* to the allowed sequence
    from which it differs least: the cost is 1 for every expected step that is missing and 1 for
    every touchpoint too many (van der Aalst, Adriansyah and van Dongen 2012, "Replaying history on
    process models for conformance checking and performance analysis", WIREs Data Mining and
    Knowledge Discovery 2). The least cost is found exactly.

    Where several alignments cost the same, steps are done by the earliest touchpoints that can.

    What each touchpoint then is:

    - ``done``: it does a step of the plan, or repeats one that may be;
    - ``repeated``: it would do a step that another touchpoint does;
    - ``misplaced``: it would do a step that nothing else does, but in the wrong place;
    - ``failed``: it tells that a step did not succeed;
    - ``extra``: the plan knows nothing of it (``ignored``, if these do not count).

    And each step: ``done``, ``misplaced``, ``failed`` (tried, never done), ``skipped``, or
    ``left_out`` where that is allowed.

    Attributes:
        stages: Stages; or a mapping from the name of a stage to its steps.
        order: ``"fixed"``: stages come one after another as listed. ``"any"``: in any order, but
            each as a whole.
        unplanned: What touchpoints that no step of the plan knows are: ``"extra"``, each costs 1,
            or ``"ignored"``, for plans that name only what matters.
        name: How the plan is called.

    Raises:
        DefinitionError: There is no stage, two have one name, an option is unknown, or there are
            too many goals (64) or combinations of orders (4,096).

    Example:
        >>> plan = JourneyPlan({"look": ["view"], "buy": ["cart", "purchase"]})
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 1], "when": [0, 9, 9], "what": ["view", "view", "purchase"]},
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     time_unit="s",
        ... )
        >>> plan.explain(journeys[0])
        plan of 1: fitness 0.667, 1 of 3 steps missing, 1 touchpoint too many
        time                 stage  step      status    event     channel
        1970-01-01 00:00:00  look   view      done      view      (missing)
        1970-01-01 00:00:09  look   view      repeated  view      (missing)
        (missing)            buy    cart      skipped   (missing)  (missing)
        1970-01-01 00:00:09  buy    purchase  done      purchase  (missing)
    """

    stages: tuple[PlanStage, ...] = attrs.field(converter=_as_stages)
    order: Order = attrs.field(
        default="fixed", kw_only=True, validator=one_of("a plan", "fixed", "any")
    )
    unplanned: Literal["extra", "ignored"] = attrs.field(
        default="extra", kw_only=True, validator=one_of("a plan", "extra", "ignored")
    )
    name: str = attrs.field(default="plan", kw_only=True, validator=is_name)

    def __attrs_post_init__(self) -> None:
        """See that the plan can be followed, and compared with."""
        from cxkit.flow.plans.planstates import plan_states

        names = [stage.name for stage in self.stages]
        if not names:
            raise DefinitionError("a plan has one stage at least")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError(f"two stages of a plan have one name: {twice}")
        if len(self.goals) > _MOST_GOALS:
            raise DefinitionError(
                f"a plan knows at most {_MOST_GOALS} different goals; found {len(self.goals)}"
            )
        plan_states(self)

    @property
    def steps(self) -> tuple[PlanStep, ...]:
        """All steps, stage by stage."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Every goal that the plan knows, once: expected ones, then failures."""
        steps = self.steps
        failed = (goal for step in steps for goal in step.failed)
        return tuple(dict.fromkeys([*(step.goal for step in steps), *failed]))

    def align(self, journeys: Journeys | Journey) -> Alignments:
        """What each touchpoint and each step is, and how well each journey fits.

        Args:
            journeys: The journeys, cut as the plan is meant: a plan of one purchase is compared
                with ``journeys.until("purchase")``, not with whole lives.
        """
        from cxkit.flow.plans.alignment import Alignments

        return Alignments.of(journeys, self)

    def explain(self, journey: Journey | Journeys) -> PlanExplanation:
        """One journey beside the plan, touchpoint by touchpoint and step by step.

        Raises:
            DefinitionError: There is not exactly one journey.
        """
        from cxkit.flow.plans.alignment import explain_plan

        return explain_plan(self, journey)

    def count(self, journeys: Journeys | Journey, *, level: float = 0.95) -> PlanResult:
        """How far the journeys follow the plan, by step and by stage.

        A step that the data knows nothing of is no error here, for that is what the comparison may
        be made to find; the result's notes say so.

        Args:
            journeys: The journeys; no journeys give zeros.
            level: Of the intervals.
        """
        from cxkit.flow.plans.plancounts import PlanCounts

        return PlanCounts.of(journeys, plan=self).result(level=level)

    def lint(self, journeys: Journeys | None = None) -> tuple[str, ...]:
        """What is odd about the plan, in sentences; none if nothing is.

        Args:
            journeys: Also say which goals of the plan these never hold.

        Example:
            >>> JourneyPlan({"a": ["view"], "b": ["view"]}).lint()[0]
            "'view' is expected in the stages 'a' and 'b': touchpoints go to the earlier one first"
        """
        from cxkit.flow.plans.planlint import lint_plan

        return lint_plan(self, journeys)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data for JSON."""
        return {
            "schema": _SCHEMA,
            "name": self.name,
            "order": self.order,
            "unplanned": self.unplanned,
            "stages": [stage_to_dict(stage) for stage in self.stages],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JourneyPlan:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            DataError: The data is of another schema, lacks a field or has one too many.
        """
        check_fields(data, _SCHEMA, "journey plan", ["stages"], ["name", "order", "unplanned"])
        options = {name: data[name] for name in ("name", "order", "unplanned") if name in data}
        return cls([stage_from_dict(stage) for stage in data["stages"]], **options)
