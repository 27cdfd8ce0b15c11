"""The most engaged customers, and the touchpoints behind their scores."""

from __future__ import annotations

from typing import Final

import numpy as np

from cxkit.engagement import Explanation
from cxkit.model.journeys import Journeys
from cxkit.report.document import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Paragraph,
    People,
    Person,
    Section,
    Table,
)
from cxkit.report.fold import Row
from cxkit.report.plan import Plan
from cxkit.report.show import show_value

__all__ = ["people_section"]

_PEOPLE: Final = 20
_SHOWN: Final = 15
_KEPT: Final = 200

_COLUMNS: Final = (
    Column("time", "time (UTC)", "text"),
    Column("event", "event"),
    Column("earned", "earned", "number"),
    Column("points", "points", "number"),
    Column("channel", "channel"),
)


def people_section(journeys: Journeys, plan: Plan) -> Section:
    """The twenty highest scores, each taken apart."""
    scores = plan.scale.score(journeys, at=plan.at)
    best = scores.top(_PEOPLE)
    people = []
    for place, (customer, score) in enumerate(
        zip(best.customer.to_list(), best.values.tolist(), strict=True)
    ):
        if score > 0:
            people.append(_person(place, customer, score, best.explain(place)))
    values = np.asarray(scores.values)
    quarters = np.quantile(values, [0.5, 0.9]).tolist()
    blocks: list[Block] = [
        Facts(
            (
                Fact("mean", "mean score", float(values.mean()), "number"),
                Fact("median", "median score", quarters[0], "number"),
                Fact("top_tenth", "the top tenth has at least", quarters[1], "number"),
                Fact("without", "customers without a point", int((values == 0).sum())),
            )
        ),
        People("people", tuple(people))
        if people
        else Paragraph("No customer has a score above zero."),
    ]
    ageing = (
        "points do not age"
        if plan.scale.half_life is None
        else f"points lose half their worth in {plan.scale.half_life}"
    )
    return Section(
        "people",
        "The most engaged customers",
        f"A score is the sum of the points of a customer's touchpoints; {ageing}. {plan.at_told} "
        "With each customer stand the touchpoints that the score is made of.",
        "Customers are named here: share this part only with those who may know them. A long "
        "history scores high by its length alone.",
        tuple(blocks),
    )


def _person(place: int, customer: Cell, score: float, why: Explanation) -> Person:
    rows = np.flatnonzero(why.earned != 0)
    largest = np.lexsort((rows, -np.abs(why.earned[rows])))
    kept = rows[largest[:_KEPT]]
    events = why.event.take(kept).to_list()
    channels = why.channel.take(kept).to_list()
    times = np.datetime_as_string(why.time[kept], unit="m").tolist()
    told: tuple[Row, ...] = tuple(
        (time.replace("T", " "), event, earned, points, channel)
        for time, event, channel, points, earned in zip(
            times,
            events,
            channels,
            why.points[kept].tolist(),
            why.earned[kept].tolist(),
            strict=True,
        )
    )
    shown = told[:_SHOWN]
    note = ""
    if len(rows) > len(shown):
        hidden = float(why.earned[rows[largest[_SHOWN:]]].sum())
        note = (
            f"The {_SHOWN} that earned most; {len(rows) - _SHOWN:,} more earned "
            f"{show_value(hidden)} points."
        )
    return Person(
        rank=place + 1,
        customer=customer,
        score=score,
        touchpoints=len(rows),
        reasons=_reasons(why),
        table=Table(
            f"person_{place + 1}",
            "Touchpoints behind the score, the largest first",
            _COLUMNS,
            told,
            shown,
            note=note,
        ),
    )


def _reasons(why: Explanation) -> tuple[tuple[Cell, int, float], ...]:
    """Per rule: how often it gave points, and how many."""
    names, which = np.unique(np.array(why.rule, dtype=object), return_inverse=True)
    gave = why.earned != 0
    times = np.bincount(which[gave], minlength=len(names)).tolist()
    points = np.bincount(which[gave], why.earned[gave], len(names)).tolist()
    found = [(str(n), t, p) for n, t, p in zip(names, times, points, strict=True) if t]
    return tuple(sorted(found, key=lambda reason: (-abs(reason[2]), reason[0])))
