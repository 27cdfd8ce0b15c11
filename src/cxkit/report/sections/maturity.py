"""Where the firm stands: assessments, channels and roadmaps that were given."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from cxkit.errors import DefinitionError
from cxkit.maturity import Assessed, ChannelMaturity, Roadmap
from cxkit.plot import channel_stages, ladder, radar, roadmap
from cxkit.report.document import Block, Column, Fact, Facts, Figure, Paragraph, Section, Table
from cxkit.report.sections.tables import sentences, told_table
from cxkit.report.show import show_name

__all__ = ["Maturity", "as_maturity", "maturity_section"]

Maturity: TypeAlias = "Assessed | ChannelMaturity | Roadmap"

_LADDER = (
    Column("stage", "stage"),
    Column("attainment", "attained", "share"),
    Column("threshold", "takes", "share"),
    Column("met", "met", "text"),
    Column("counts", "counts", "text"),
)
_STEPS = (
    Column("criterion", "criterion"),
    Column("stage", "stage"),
    Column("dimension", "dimension"),
    Column("from", "from", "number", 2),
    Column("to", "to", "number", 2),
    Column("cost", "cost", "number", 2),
)
_CHANNELS = (
    Column("channel", "channel"),
    Column("level", "level", "count"),
    Column("traffic", "traffic", "number", 0),
    Column("silo_lead", "ahead of the others", "number", 2),
)
_FEWEST_SPOKES = 3


def as_maturity(given: Maturity | Iterable[Maturity]) -> tuple[Maturity, ...]:
    """What was given, one or several.

    Raises:
        DefinitionError: Something is none of what a section can tell.
    """
    kinds = (Assessed, ChannelMaturity, Roadmap)
    found = (given,) if isinstance(given, kinds) else tuple(given)
    for one in found:
        if not isinstance(one, kinds):
            raise DefinitionError(
                "maturity is what model.assess returned for one subject, assess_channels, roadmap, "
                f"or several of these; found {type(one).__name__}"
            )
    return found


def maturity_section(given: tuple[Maturity, ...]) -> Section:
    """Each of what was given, in its order."""
    blocks: list[Block] = []
    for number, one in enumerate(given):
        end = f"_{number + 1}" if number else ""
        if isinstance(one, Assessed):
            blocks += _assessed(one, end)
        elif isinstance(one, Roadmap):
            blocks += _roadmap(one, end)
        else:
            blocks += _channels(one, end)
    return Section(
        "maturity",
        "Where the firm stands",
        "The level is the highest stage that is met together with all below it: the weighted mean "
        "of its answers reaches the threshold, and so does every gate. What is not known counts as "
        "nothing.",
        "The answers are what somebody said; the numbers are no truer than they are.",
        tuple(blocks),
    )


def _assessed(found: Assessed, end: str) -> list[Block]:
    low, high = found.level_interval
    facts = [
        Fact(f"level{end}", "level", low),
        Fact(f"stage{end}", "stage", found.stage, "label"),
        *([Fact(f"phase{end}", "phase", found.phase, "label")] if found.phase else []),
        Fact(f"level_high{end}", "level at best", high),
        Fact(f"progress{end}", "next stage attained", found.progress, "share"),
        Fact(f"completeness{end}", "answers known", found.completeness, "share"),
    ]
    if not math.isnan(found.agreement):
        facts.append(Fact(f"agreement{end}", "agreement, alpha", found.agreement, "number", 2))
    notes = [note for note in found.notes() if not note.startswith("profile")]
    blocks: list[Block] = [Facts(tuple(facts)), Figure(f"ladder{end}", ladder(found).scene())]
    if sum(d.parent is None for d in found.model.dimensions) >= _FEWEST_SPOKES:
        blocks.append(Figure(f"profile{end}", radar(found).scene()))
    if notes:
        blocks.append(Paragraph(sentences(notes)))
    model = found.model
    return [
        *blocks,
        told_table(
            found, f"stages{end}", f"Stages of {show_name(model.id)} {model.version}", _LADDER
        ),
        Table(
            f"dimensions{end}",
            "Dimensions: weighted mean of the answers, and the level each would have alone",
            (
                Column("dimension", "dimension"),
                Column("profile", "worth", "share"),
                Column("capability", "level alone", "count"),
            ),
            tuple((name, v, found.capability[name]) for name, v in found.profile.items()),
        ),
    ]


def _roadmap(plan: Roadmap, end: str) -> list[Block]:
    return [
        Figure(f"roadmap{end}", roadmap(plan).scene()),
        told_table(
            plan,
            f"steps{end}",
            f"The cheapest way: {show_name(plan.title())}",
            _STEPS,
            shown=60,
            note=sentences(plan.notes()),
        ),
    ]


def _channels(found: ChannelMaturity, end: str) -> list[Block]:
    blocks: list[Block] = [
        Facts(
            (
                Fact(f"channels{end}", "channels", len(found.channel)),
                Fact(f"range{end}", "levels apart", found.range),
                Fact(f"disconnect{end}", "disconnect", found.disconnect, "number", 3),
                Fact(
                    f"disconnect_down{end}", "of it downwards", found.disconnect_down, "number", 3
                ),
            )
        )
    ]
    if found.assessments is not None:
        blocks.append(Figure(f"channel-stages{end}", channel_stages(found).scene()))
    note = (
        "Disconnect: mean difference of level over the switches of channel, as a share of the "
        "ladder. Ahead: the level less the mean of the other channels, weighted by traffic. "
    )
    blocks.append(
        told_table(
            found,
            f"channel_levels{end}",
            "Level of each channel",
            _CHANNELS,
            shown=60,
            note=note + sentences(found.notes()),
        )
    )
    return blocks
