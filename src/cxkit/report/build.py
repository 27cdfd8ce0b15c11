"""One call from journeys to a report."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs

from cxkit.attribution import AttributionModel
from cxkit.core.progress import ProgressLike, steps
from cxkit.core.spans import InstantLike, SpanLike
from cxkit.core.vocabulary import Label
from cxkit.engagement import EngagementScale
from cxkit.errors import DataError
from cxkit.flow import DisconnectRule, Friction, Funnel, JourneyPlan
from cxkit.maturity import ChannelMaturity
from cxkit.model.goal import GoalLike, as_goal
from cxkit.model.ingest import Ingested
from cxkit.model.journey import Journey
from cxkit.model.journeys import Journeys, as_journeys
from cxkit.report import sections
from cxkit.report.document import Document, Facts, Section
from cxkit.report.html import render_html
from cxkit.report.plain import render_dict
from cxkit.report.plan import Plan
from cxkit.report.show import show_name, show_value
from cxkit.report.text import render_text
from cxkit.strategy import StrategyMap

__all__ = ["Report", "report"]

_NOTEBOOK_HEIGHT: Final = "48rem"


@attrs.frozen(repr=False)
class Report:
    """A report, to be read as text, HTML or JSON; all three hold the same numbers.

    Attributes:
        document: The sections and their blocks, as plain values.

    Example:
        >>> import cxkit as cx
        >>> made = cx.report.report(cx.simulate.retail(200, rng=1).journeys, goal="purchase")
        >>> made.to_dict()["sections"]["overview"]["facts"]["channels"]
        8
        >>> made.html().startswith("<!DOCTYPE html>")
        True
    """

    document: Document

    @property
    def title(self) -> str:
        """The heading."""
        return self.document.title

    def text(self, *, width: int = 80) -> str:
        """The report for a terminal.

        Args:
            width: The longest line, in columns, at least 40. Tables that are wider are told in
                parts; names are cut.
        """
        return render_text(self.document, width=width)

    def html(self) -> str:
        """The report as one HTML file that loads and runs nothing: write it as UTF-8."""
        return render_html(self.document)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values; NaN is ``None``, and no table is cut."""
        return render_dict(self.document)

    def to_json(self) -> str:
        """:meth:`to_dict` as JSON, ASCII only."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        """The title and the figures that are looked for first."""
        overview = next(s for s in self.document.sections if s.key == "overview")
        facts = [fact for b in overview.blocks if isinstance(b, Facts) for fact in b.facts]
        told = ", ".join(
            f"{show_value(fact.value, fact.kind, fact.decimals)} {fact.name}"
            for fact in facts
            if fact.kind in {"count", "number"} and isinstance(fact.value, (int, float))
        )
        return f"<Report: {self.title}; {told}; .text(), .html(), .to_dict()>"

    def _repr_html_(self) -> str:
        """The report in a frame of its own: its style must not reach the notebook."""
        inner = html.escape(self.html(), quote=True)
        return (
            f'<iframe sandbox="" title="{html.escape(self.title, quote=True)}" srcdoc="{inner}" '
            f'style="width:100%;height:{_NOTEBOOK_HEIGHT};border:0"></iframe>'
        )


def report(  # a report has many options, all with defaults
    source: Ingested | Journeys | Journey,
    *,
    goal: GoalLike,
    scale: EngagementScale | None = None,
    lookback: SpanLike | None = None,
    by: str = "channel",
    campaign: str | None = "campaign",
    funnel: Funnel | Sequence[Label] | None = None,
    session_gap: SpanLike = "30min",
    at: InstantLike | None = None,
    goal_is_touch: bool = True,
    models: Iterable[AttributionModel] | None = None,
    friction: Friction | None = None,
    disconnect: DisconnectRule | None = None,
    plan: JourneyPlan | None = None,
    strategy: StrategyMap | None = None,
    maturity: sections.Maturity | Iterable[sections.Maturity] | None = None,
    title: str | None = None,
    progress: ProgressLike = None,
) -> Report:
    """Report on the journeys of customers: what there is, what it is worth, what leads to the goal.

    Args:
        source: What :func:`cxkit.ingest` or :func:`cxkit.read_events` returned, so that the report
            tells what was rejected too; or journeys, one per customer.
        goal: The event that is a conversion.
        scale: How touchpoints earn points. By default one is made from the data, by how much
            more often paths with an event end at the goal (see
            :func:`cxkit.report.defaults.default_scale`); the report says so.
        lookback: How long before a conversion a touchpoint may earn credit; ``None``: no limit.
        by: The column whose labels share conversions and visits.
        campaign: A further column for value per visit; left out if the data does not have it.
        funnel: The steps. By default the events that set paths to the goal apart (see
            :func:`cxkit.report.defaults.default_funnel`); the report says so.
        session_gap: A longer pause ends a visit.
        at: The instant of the scores; by default the last touchpoint of the data.
        goal_is_touch: Whether the conversion's own touchpoint is the last touch of its path.
        models: The attribution models, each of which shares the conversions. By default the rules,
            the Markov chain, and those that compare paths with and without a label.
        friction: How effort is measured; by default its parts are counted and not put together.
        disconnect: What a disconnect moment is; without a rule nothing is said of them.
        plan: The journey as designed, to be compared with the paths to the goal.
        strategy: What the goals are for: its findings, the points by theme, its KPIs.
        maturity: Where the firm stands: what :meth:`MaturityModel.assess
            <cxkit.MaturityModel.assess>` returned for one subject,
            :func:`cxkit.maturity.assess_channels`, :func:`cxkit.maturity.roadmap`, or several of
            these in a list.
        title: The heading.
        progress: ``True`` for a bar on stderr when it takes longer than a second, or a function
            that is called with ``(done, total)``.

    Returns:
        The report. The same input gives the same report, to the byte; it does not hold the date on
        which it was made.

    Raises:
        DataError: There is no touchpoint to report on.
        SchemaError: There is no column ``by``, or it holds numbers.
        UnknownLabelError: The goal, or a step of the funnel, does not occur in the data.
        DefinitionError: A span, an instant or a definition makes no sense.

    Example:
        >>> import cxkit as cx
        >>> got = cx.ingest(
        ...     {
        ...         "who": ["ann", "ann", "bob"],
        ...         "when": ["2024-03-01", "2024-03-02", "2024-03-02"],
        ...         "what": ["look", "buy", "look"],
        ...         "where": ["mail", "web", "web"],
        ...     },
        ...     customer="who",
        ...     time="when",
        ...     event="what",
        ...     channel="where",
        ...     tz="UTC",
        ... )
        >>> cx.report.report(got, goal="buy").to_dict()["sections"]["overview"]["facts"][
        ...     "converted"
        ... ]
        1
    """
    journeys = source.journeys if isinstance(source, Ingested) else as_journeys(source)
    wanted = as_goal(goal)
    _require_touchpoints(source, journeys)
    wanted.require(journeys)
    journeys.codes(by)
    has_labels = bool(len(journeys.codes(by).vocabulary))
    if campaign is not None and (campaign not in journeys.columns or campaign == by):
        campaign = None
    what = Plan.of(
        journeys,
        wanted,
        scale=scale,
        funnel=funnel,
        at=at,
        by=by,
        campaign=campaign,
        lookback=lookback,
        session_gap=session_gap,
        goal_is_touch=goal_is_touch,
        models=models,
        friction=friction,
        disconnect=disconnect,
        journey_plan=plan,
    )
    told = source if isinstance(source, Ingested) else journeys
    stands = () if maturity is None else sections.as_maturity(maturity)
    makers: list[Callable[[], Section]] = [
        lambda: sections.reading_section(told),
        lambda: sections.overview_section(journeys, what),
        *([lambda: sections.visits_section(journeys, what)] if has_labels else []),
        *([lambda: sections.attribution_section(journeys, what)] if has_labels else []),
        lambda: sections.funnel_section(journeys, what),
        lambda: sections.transitions_section(journeys, what),
        lambda: sections.paths_section(journeys, what),
        *([] if plan is None else [lambda: sections.planned_section(journeys, what, plan)]),
        lambda: sections.friction_section(journeys, what),
        lambda: sections.returning_section(journeys, what),
        lambda: sections.people_section(journeys, what),
        *(
            []
            if strategy is None
            else [lambda: sections.strategy_section(journeys, what, strategy)]
        ),
        *([lambda: sections.maturity_section(stands)] if stands else []),
    ]
    made: list[Section] = []
    with steps("making the report", len(makers), progress) as step:
        for make in makers:
            made.append(make())
            step()
    heading = title if title is not None else f"Customer journeys to {wanted.name}"
    definition = what.to_dict() | {
        "strategy": None if strategy is None else strategy.to_dict(),
        "maturity": [_model_of(one) for one in stands],
    }
    document = Document(show_name(heading), _lead(what, has_labels), definition, tuple(made))
    return Report(document)


def _require_touchpoints(source: object, journeys: Journeys) -> None:
    if journeys.touchpoints:
        return
    why = "the data has no touchpoint"
    if isinstance(source, Ingested) and len(source.rejected):
        faults = "; ".join(source.rejected.summary())
        why = f"all {source.rows:,} rows were rejected: {faults}"
    raise DataError(f"there is nothing to report on: {why}")


def _model_of(one: sections.Maturity) -> dict[str, Any] | None:
    """Which model something was assessed by; ``None`` for channels whose levels were given."""
    holder = one.assessments if isinstance(one, ChannelMaturity) else one
    if holder is None:
        return None
    model = holder.model
    return {"id": model.id, "version": model.version, "digest": model.digest}


def _lead(plan: Plan, has_labels: bool) -> tuple[str, ...]:  # noqa: FBT001  # private
    goal = show_name(plan.goal.name)
    what = f"The goal is {goal}: each touchpoint that reaches it is one conversion."
    lines = [f"{what} Whatever was not asked for was chosen; each section says what, and why."]
    if not has_labels:
        lines.append(
            f"No touchpoint has a {show_name(plan.by)}, so there is no section on visits or "
            "attribution."
        )
    return tuple(lines)
