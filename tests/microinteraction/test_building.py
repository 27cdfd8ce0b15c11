"""The form that reads like the prose gives the same as the parts."""

import pytest

from cxkit.errors import DefinitionError
from cxkit.microinteraction import (
    Feedback,
    LongLoop,
    Loop,
    Microinteraction,
    Mode,
    Rule,
    State,
    Timer,
    Trigger,
)

tell = Microinteraction.told


def test_the_same_as_from_its_parts():
    told = (
        tell("pay", version="2.0.0", title="Pay")
        .trigger("tap", control="button", label="Pay")
        .when("idle", show="visual")
        .on("tap", to="hint", unless="old hand")
        .on("tap", to="sending", given="online", show=["visual", "haptic"], within_ms=100)
        .on("tap", show=Feedback("audio", 50, "ping"), within_ms=70)
        .when("hint")
        .after("2s", to="sending")
        .when("sending")
        .on("ok", to="paid")
        .on("fail", to="retry", show="visual")
        .when("retry")
        .on("again", to="sending", destructive=True, confirmed=True)
        .after("1min", to="lost", show="audio", within_ms=10)
        .ends("paid", show="haptic")
        .ends("lost", failure=True)
        .system("ok")
        .failures("fail")
        .undo("again")
        .mode("sending", "sending", "retry", kind="one_off")
        .loop("tries", "sending", "retry", at_most=3, then="lost", closed=True)
        .loop("waits", until="the line is up")
        .loop("all", over="the bills")
        .loop("pulse", stop="tap")
        .long_loop("teach", counts="tap", guard="old hand", at_least=3)
        .done()
    )
    assert told == Microinteraction(
        id="pay",
        version="2.0.0",
        title="Pay",
        trigger=Trigger("manual", "tap", "button", "Pay"),
        events={"tap": "user", "ok": "system", "fail": "system", "again": "user"},
        initial="idle",
        states={
            "idle": State(
                {
                    "tap": [
                        Rule("hint", "!old hand"),
                        Rule("sending", "online",
                             [Feedback("visual", 100), Feedback("haptic", 100)]),
                        Rule(None, None, Feedback("audio", 50, "ping")),
                    ]
                },
                entry="visual",
            ),
            "hint": State(after=Timer(2000, "sending")),
            "sending": State({"ok": "paid", "fail": Rule("retry", feedback="visual")}),
            "retry": State(
                {"again": Rule("sending", destructive=True, confirmed=True)},
                Timer(60_000, "lost", Feedback("audio", 10)),
            ),
            "paid": State(final=True, entry="haptic"),
            "lost": State(final=True, failure=True),
        },
        errors=["fail"],
        undo=["again"],
        modes=[Mode("sending", ["sending", "retry"], "one_off")],
        loops=[
            Loop("tries", ["sending", "retry"], "count", 3, "lost", closed=True),
            Loop("waits", [], "condition", until="the line is up"),
            Loop("all", [], "collection", over="the bills"),
            Loop("pulse", [], "infinite", stop="tap"),
        ],
        long_loops=[LongLoop("teach", "tap", "old hand", 3)],
    )  # fmt: skip


def test_an_end_that_was_told_before():
    made = (
        tell("x").trigger("a").when("s").on("a", "e").when("e", show="visual")
        .ends("e", show="haptic", failure=True).ends("e").done()
    )  # fmt: skip
    assert made.states["e"] == State(entry=["visual", "haptic"], final=True, failure=True)


def test_a_system_trigger():
    low = (
        tell("low").trigger("battery", kind="system").when("s").on("battery", "t").ends("t").done()
    )
    assert low.events == {"battery": "system"}
    assert low.trigger.kind == "system"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (lambda: tell("x").done(), "needs a trigger and a state"),
        (lambda: tell("x").trigger("a").on("a"), r"say when\(state\) before on"),
        (lambda: tell("x").ends("e").after("1s", "e"), "before after"),
        (lambda: tell("x").when("s").on("a", given="g", unless="g"), "has one condition"),
        (lambda: tell("x").when("s").after("1s", "s").after("2s", "s"), "has a timer already"),
        (lambda: tell("x").when("s").after("soon", "s"), "after"),
        (lambda: tell("x").trigger("a").when("s").on("a", "t").done(), "there is no state 't'"),
        (
            lambda: tell("x").trigger("tap").when("s").undo("tapp").done(),
            "undo: there is no event 'tapp'.* 'tap'",
        ),
        (
            lambda: (
                tell("x").trigger("a").when("s").on("a").when("e").on("a", "s").ends("e").done()
            ),
            "state 'e' is final, so it has neither rules nor a timer",
        ),
        (
            lambda: tell("x").trigger("a").when("s").after("1s", "s").ends("s").done(),
            "state 's' is final, so it has neither rules nor a timer",
        ),
    ],
    ids=range(10),
)
def test_what_is_told_badly(told, words):
    with pytest.raises(DefinitionError, match=words):
        told()
