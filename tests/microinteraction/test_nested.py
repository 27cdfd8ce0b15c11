"""Microinteractions within journeys."""

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import DataError, SchemaError
from cxkit.microinteraction import Microinteraction, nested

LIKE = (
    Microinteraction.told("like")
    .trigger("tap")
    .when("idle")
    .on("tap", to="liked", show="visual")
    .when("liked")
    .on("undo", to="idle", show="visual")
    .after("5s", to="kept")
    .ends("kept")
    .done()
)
PAY = (
    Microinteraction.told("pay")
    .trigger("pay")
    .when("ready")
    .on("pay", to="paid", given="card")
    .ends("paid")
    .done()
)
ROWS = [
    ("ann", 0, "view", None), ("ann", 5, "tap", "like"), ("ann", 6, "undo", "like"),
    ("ann", 7, "view", None), ("ann", 8, "tap", "like"), ("ann", 20, "scroll", "like"),
    ("ann", 21, "pay", "pay"), ("bob", 0, "pay", "pay"), ("cy", 0, "view", None),
]  # fmt: skip


def journeys(rows=ROWS):
    who, sec, what, which = zip(*rows, strict=True)
    return cx.Journeys.from_table(
        {"who": who, "sec": sec, "what": what, "microinteraction": which},
        customer="who", time="sec", time_unit="s", event="what", columns=["microinteraction"],
    )  # fmt: skip


CARD = np.array([True] * 7 + [False, False])


def test_each_where_it_stands():
    found = nested(journeys(), [LIKE, PAY], guards={"card": CARD})
    rows = [
        (r["customer"], r["microinteraction"], r["touchpoints"], r["seconds"], r["state"],
         r["ended"]) for r in found.to_dicts()
    ]  # fmt: skip
    assert rows == [
        ("ann", "like", 2, 1.0, "idle", "no"),
        ("ann", "like", 2, 12.0, "kept", "yes"),
        ("ann", "pay", 1, 0.0, "paid", "yes"),
        ("bob", "pay", 1, 0.0, "ready", "no"),
    ]
    assert [r["microinteraction"] for r in found.of(0)] == ["like", "like", "pay"]
    assert "4 microinteractions within 3 journeys" in repr(found)
    later = nested(journeys(), [LIKE, PAY], guards={"card": CARD}, until="1970-01-02")
    assert [r["state"] for r in later.of(0)] == ["idle", "kept", "paid"]


def test_points_for_their_ends():
    found = nested(journeys(), [LIKE, PAY], guards={"card": CARD}, until="1970-01-02")
    told = found.with_ends()
    assert told["microinteraction_end"].to_list() == [
        None, None, None, None, None, "like: kept", "pay: paid", None, None,
    ]  # fmt: skip
    goal = cx.Goal("pay", where={"microinteraction_end": "pay: paid"})
    kept = cx.Goal("scroll", where={"microinteraction_end": "like: kept"})
    scale = cx.EngagementScale([cx.PointRule(goal, 100), cx.PointRule(kept, 5)])
    assert scale.points(told).tolist() == [0, 0, 0, 0, 0, 5, 100, 0, 0]


def test_none_at_all():
    assert len(nested(cx.Journeys.empty(), [LIKE])) == 0
    only = nested(journeys([("cy", 0, "view", None)]), [LIKE])
    assert len(only) == 0
    assert only.with_ends()["microinteraction_end"].to_list() == [None]


def test_what_is_not_there():
    with pytest.raises(DataError, match=r"name the microinteractions \['pay'\], which are not"):
        nested(journeys(), [LIKE])
    with pytest.raises(SchemaError, match="no column 'moment'"):
        nested(journeys(), [LIKE, PAY], column="moment")
