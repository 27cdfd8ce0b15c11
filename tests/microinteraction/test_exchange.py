"""What leaves for other tools and comes back; and what cannot is refused by name."""

import json
import xml.etree.ElementTree as ET

import attrs
import pytest
from hypothesis import assume, given, settings

import cxkit.microinteraction as mi
from cxkit.errors import DataError, DefinitionError
from cxkit.microinteraction import LongLoop, Loop, Mode, Rule, State, Timer, Trigger, from_scxml
from tests.examples import some
from tests.microinteraction.specs import EVENTS, spec, specs, streams

HEAD = '<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0">'


def chart(inner, **more):
    return from_scxml(f"{HEAD}{inner}</scxml>", **more)


# ------------------------------------------------------------------ there and back


def plain(machine):
    """What SCXML can say of it."""
    return attrs.evolve(machine, loops=[], long_loops=[], version="1.0.0")


@settings(max_examples=some(60))
@given(specs(), streams())
def test_there_and_back_does_the_same(machine, stream):
    machine = plain(machine)
    try:
        text = mi.to_scxml(machine)
    except DefinitionError as error:
        assume(not any(w in str(error) for w in ("rule that stays", "holds a final state")))
        raise
    back = from_scxml(text, events=machine.events)
    assert set(back.states) == set(machine.states)
    kept, again = machine.run(), back.run()
    for number, (event, at) in enumerate(stream):
        guards = {"x": number % 2 == 0, "y": number % 3 == 0, "past": number > 4}
        one, two = kept.send(event, at, guards), again.send(event, at, guards)
        assert (one.state, one.handled, one.feedback, one.due) == (
            two.state, two.handled, two.feedback, two.due,
        )  # fmt: skip
        assert one.fired == two.fired


RICH = spec(
    {
        "idle": State({"a": Rule("sure", feedback=["visual"])}),
        "sure": State(
            {"b": Rule("gone", "!locked", mi.Feedback("haptic", 80), destructive=True)},
            Timer(2500, "idle", "audio"),
            entry="visual",
        ),
        "gone": State(final=True, failure=True),
        "kept": State({"a": "kept"}, Timer(0, "idle")),
    },
    id="rich",
    events={"a": "user", "b": "user", "fail": "system"},
    errors=["fail"],
    undo=["b"],
    modes=[Mode("asking", ["sure"], "one_off", on={"fail": Rule("kept")})],
)


def test_everything_that_can_be_said_comes_back():
    assert from_scxml(mi.to_scxml(RICH)) == RICH
    root = ET.fromstring(mi.to_scxml(RICH))  # noqa: S314  # our own text
    assert root.get("initial") == "idle"


@pytest.mark.parametrize("ms", [3_600_000, 1_234_567.5, 86_400_000 * 365, 0.001])
def test_long_timers_are_written_with_all_their_digits(ms):
    shown = mi.Feedback("visual", ms)
    machine = spec({"s": State({"a": Rule("t", None, shown)}), "t": State({}, Timer(ms, "s"))})
    assert from_scxml(mi.to_scxml(machine), events=EVENTS) == machine
    (written,) = mi.to_xstate(machine)["states"]["t"]["after"]
    assert float(written) == ms
    assert "e" not in written


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"loops": [Loop("l", ["s"], "count", 2, "t")]}, "loop 'l' is enforced"),
        ({"long_loops": [LongLoop("l", "a", "g", 2)]}, "long loop 'l' counts over visits"),
        ({"modes": [Mode("s", ["s"])]}, "mode 's' has the name of a state"),
        ({"modes": [Mode("m", ["t"])]}, "mode 'm' holds a final state"),
        ({"modes": [Mode("m n", ["s"])]}, "'m n' is no name in SCXML"),
        ({"events": {"a": "user", "a.b": "user"}}, "event 'a' stands in SCXML for 'a.b' too"),
        ({"states": {"s": State({"a": Rule(None)}, Timer(1, "t")), "t": State(final=True)}},
         "has a timer and a rule that stays"),
    ],
)  # fmt: skip
def test_what_scxml_cannot_say(more, told):
    states = more.pop("states", {"s": State({"a": "t"}), "t": State(final=True)})
    with pytest.raises(DefinitionError, match=told):
        mi.to_scxml(spec(states, **more))


# ------------------------------------------------------------------ what is read


def test_compound_states_are_modes():
    lamp = chart(
        '<state id="on" initial="low"><transition event="off" target="dark"/>'
        '<state id="low"><transition event="up" target="high"/></state>'
        '<state id="high"><transition event="off" target="low"/></state></state>'
        '<state id="dark"><transition event="up" target="on"/></state>'
    )
    assert lamp.replay(["up", "off", "off", "up"]).states_after() == ["high", "low", "dark", "low"]
    assert [m.id for m in lamp.modes] == ["on"]


TIMED = """
    <state id="a">{exit}<transition event="t" target="b">{way}</transition></state>
    <state id="b">{entry}<transition event="s" target="c"/></state>
    <state id="c"/>
"""


def test_delayed_sends_are_timers():
    send = '<send event="s" delay="1.5s"/>'
    for way in (
        {"entry": f"<onentry>{send}</onentry>"},
        {"way": send},
        {"exit": f"<onexit>{send}</onexit>"},
    ):
        filled = {"entry": "", "way": "", "exit": ""} | way
        machine = chart(TIMED.format(**filled))
        assert machine.states["b"].after == Timer(1500, "c")
        assert list(machine.events) == ["t"]


def test_events_descriptors():
    text = (
        '<state id="a"><transition event="foo.bar" target="b"/><transition event="foo *" '
        'target="c"/></state><state id="b"/><state id="c"/>'
    )
    with pytest.raises(DefinitionError, match=r"the event descriptor '\*', unless events are"):
        chart(text)
    machine = chart(text, events=["foo", "foo.bar.baz", "x"])
    ends = {e: machine.replay([e]).state[0] for e in machine.events}
    assert ends == {"foo.bar": "b", "foo": "c", "foo.bar.baz": "b", "x": "c"}


STATE = '<state id="a">{}</state><state id="b"/>'
REFUSED = {
    "<parallel>": '<parallel id="p"/>',
    "<datamodel>": "<datamodel/>",
    "<history>": STATE.format('<history id="h"/>'),
    "<invoke>": STATE.format("<invoke/>"),
    "<script>": STATE.format("<onentry><script/></onentry>"),
    "<raise>": STATE.format('<transition event="e" target="b"><raise event="f"/></transition>'),
    "nesting of more than one level": '<state id="a"><state id="b"><state id="c"/></state></state>',
    "the condition 'x > 3', which is no name,": STATE.format(
        '<transition event="e" cond="x > 3" target="b"/>'
    ),
    "a transition without an event but with a condition": STATE.format(
        '<transition cond="x" target="b"/><transition event="e"/>'
    ),
    "a transition without event and target": STATE.format("<transition/>"),
    "more than one target": STATE.format('<transition event="e" target="a b"/>'),
    "the target 'z', no state,": STATE.format('<transition event="e" target="z"/>'),
    "a send without a delay, or with content,": STATE.format(
        '<transition event="e"><send event="f"/></transition>'
    ),
    "the attribute 'target'": STATE.format(
        '<onentry><send event="f" delay="1s" target="x"/></onentry>'
    ),
    "a delayed send that not exactly one transition waits for": STATE.format(
        '<onentry><send event="f" delay="1s"/></onentry>'
    ),
    "a delayed send that leaving its state does not cancel": STATE.format(
        '<onentry><send event="f" delay="1s"/></onentry><transition event="f" target="b"/>'
        '<transition event="e" target="b"/>'
    ),
    "a delayed send that is under way while another state is active": (
        '<state id="a"><onentry><send event="f" delay="1s"/></onentry>'
        '<transition event="e" target="b"/></state>'
        '<state id="b"><transition event="f" target="a"/></state>'
    ),
    "a delayed send that not every way into its state sends": (
        '<state id="a"><transition event="e" target="b"><send event="f" delay="1s"/></transition>'
        '<transition event="g" target="b"/></state>'
        '<state id="b"><transition event="f" target="a"/></state>'
    ),
    "a delayed send of a compound state": (
        '<state id="a"><onentry><send event="f" delay="1s"/></onentry><state id="b"/></state>'
    ),
    "a transition without an event in a compound state": (
        '<state id="a"><transition target="c"/><state id="b"/></state><state id="c"/>'
    ),
    "a transition without a target, which lets the timer run on,": STATE.format(
        '<onentry><send event="f" delay="1s" id="i"/></onentry>'
        '<onexit><cancel sendid="i"/></onexit><transition event="f" target="b"/>'
        '<transition event="e"/>'
    ),
    "the event 'done.state.a' of the interpreter": STATE.format(
        '<transition event="done.state.a" target="b"/>'
    ),
    "a chart without events, which nothing can trigger,": STATE.format(""),
    "a chart without states": "",
    "the initial state 'z'": None,
    "the initial state 'a', not directly inside,": (
        '<state id="a" initial="a"><state id="b"/></state>'
    ),
    "an <initial> that is more than one plain transition": (
        '<state id="a"><initial><transition target="b"><send event="e" delay="1s"/></transition>'
        '</initial><state id="b"/></state>'
    ),
    "a second delayed send to one state": STATE.format(
        '<onentry><send event="f" delay="1s" id="i"/><send event="g" delay="2s" id="j"/></onentry>'
        '<onexit><cancel sendid="i"/><cancel sendid="j"/></onexit>'
        '<transition event="f" target="b"/><transition event="g" target="b"/>'
    ),
    "a delayed send to a compound state, or under a condition,": STATE.format(
        '<onentry><send event="f" delay="1s"/></onentry><transition event="f" cond="x" target="b"/>'
    ),
}


@pytest.mark.parametrize("feature", REFUSED)
def test_what_is_not_modelled_is_refused_by_name(feature):
    inner = REFUSED[feature]
    text = f"{HEAD}{inner}</scxml>"
    if inner is None:
        text = HEAD.replace("version", 'initial="z" version') + '<state id="a"/></scxml>'
    with pytest.raises(DefinitionError) as error:
        from_scxml(text)
    assert f": {feature} is not modelled" in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<scxml", "no well-formed XML"),
        ("<html/>", "this is no SCXML: the outermost element is <html>"),
        (f'<!DOCTYPE x [<!ENTITY a "b">]>{HEAD}</scxml>', "declares a document type"),
        (f'{HEAD}<state id="a"/><state id="a"/></scxml>', "the id occurs more than once"),
    ],
)
def test_what_is_no_scxml(text, told):
    with pytest.raises(DataError, match=told):
        from_scxml(text)


# ------------------------------------------------------------------ XState and pictures


def test_xstate():
    data = json.loads(json.dumps(mi.to_xstate(RICH)))
    assert data["initial"] == "idle"
    assert data["states"]["sure"] == {
        "entry": [{"type": "visual"}],
        "on": {
            "b": [{"target": "gone", "guard": "!locked",
                   "actions": [{"type": "haptic", "params": {"maxMs": 80}}]}],
            "fail": [{"target": "kept"}],
        },
        "after": {"2500": [{"target": "idle", "actions": [{"type": "audio"}]}]},
    }  # fmt: skip
    assert data["states"]["gone"] == {"type": "final"}
    assert data["states"]["kept"]["on"]["a"] == [{"target": "kept", "reenter": True}]
    stays = spec({"s": State({"a": Rule(None)}, Timer(5, "t")), "t": State(final=True)})
    assert mi.to_xstate(stays)["states"]["s"]["on"]["a"] == [{"target": "s", "reenter": True}]
    for machine, told in (
        (spec({"s": State({"a": Rule(None)}, Timer(5, "s"), "visual")}), "feedback on entry"),
        (spec({"s": State(), "t": State()}, loops=[Loop("l", ["s"], "count", 2, "t")]), "enforced"),
        (spec({"s": State()}, long_loops=[LongLoop("l", "a", "g", 2)]), "counts over visits"),
    ):
        with pytest.raises(DefinitionError, match=told):
            mi.to_xstate(machine)


NASTY = spec(
    {
        'a "quoted" <b>&\n': State({"a": Rule("x; y", 'g"')}),
        "x; y": State({"a": 'a "quoted" <b>&\n', "b": Rule(None)}, Timer(2000, "end")),
        "end": State(final=True),
        "no way": State(final=True, failure=True),
        "below": State({"a": "no way"}),
    },
    modes=[Mode("m }", ["x; y"])],
)


def test_pictures_name_every_state_and_escape_it():
    svg = NASTY.to_svg({"end": "7 <of> 9"})
    root = ET.fromstring(svg)  # noqa: S314  # our own text
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert 'a "quoted" <b>&\n' in texts
    assert "7 <of> 9" in texts
    assert "after 2s" in texts
    assert NASTY._repr_html_() == NASTY.to_svg()
    mermaid = mi.to_mermaid(NASTY)
    assert "s0: a #34;quoted#34; #60;b#62;#38;#10;" in mermaid
    assert "s1 --> s2: after 2s" in mermaid
    assert mermaid.count("-->") == 8
    dot = mi.to_graphviz(NASTY)
    assert '"a \\"quoted\\" <b>&\\n" -> "x; y" [label="a [g\\"]"];' in dot
    assert 'subgraph cluster_0 { label="m }"; "x; y"; }' in dot


def test_too_many_states_for_a_picture():
    big = spec({f"s{i}": State() for i in range(61)}, trigger=Trigger("manual", "a"))
    with pytest.raises(DefinitionError, match="61 states; more than 60 cannot be read"):
        big.to_svg()
    assert big._repr_html_().startswith("<pre>&lt;Microinteraction")
