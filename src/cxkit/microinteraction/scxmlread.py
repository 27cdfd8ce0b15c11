"""SCXML to microinteractions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from cxkit.microinteraction.parts import Feedback, Mode, Rule, State, Timer, Trigger
from cxkit.microinteraction.scxmltree import Chart, Edge, Node, Send, chart_of, refused
from cxkit.microinteraction.spec import Microinteraction

__all__ = ["from_scxml"]

_NAME: Final = re.compile(r"(!\s*)?([A-Za-z_][\w.\- ]*)")


def from_scxml(text: str, *, events: Iterable[str] = ()) -> Microinteraction:
    """A microinteraction from State Chart XML.

    A compound state becomes a mode, whose rules hold in the states inside. A send that is delayed,
    on the way into the only state that waits for it, becomes the timer of that state; a transition
    without an event becomes a timer of 0 ms. A condition is a name, perhaps with ``!`` before it,
    or ``true`` or ``false``. What else there is in SCXML is refused. The trigger is the first event
    that the initial state knows.

    Args:
        text: The document.
        events: Events that may come besides those that the chart names; with them descriptors that
            end in ``*`` are exact.

    Raises:
        DataError: It is not well-formed, declares a document type, or is no SCXML.
        DefinitionError: It has what a microinteraction has not: the error names the feature and the
            element.

    Example:
        >>> lamp = from_scxml(
        ...     '''<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" initial="off">
        ...          <state id="off"><transition event="press" target="on"/></state>
        ...          <state id="on"><transition event="press" target="off"/></state>
        ...        </scxml>'''
        ... )
        >>> lamp.replay(["press", "press"]).states_after()
        ['on', 'off']
        >>> from_scxml('<scxml xmlns="http://www.w3.org/2005/07/scxml"><parallel id="p"/></scxml>')
        Traceback (most recent call last):
        ...
        cxkit.errors.DefinitionError: <scxml>: <parallel> is not modelled; a microinteraction has
        states flat or one level deep, events, named conditions and delayed sends
    """
    return _Reader(chart_of(text), list(events)).read()


class _Reader:
    def __init__(self, chart: Chart, more: list[str]) -> None:
        self.chart = chart
        self.closed = bool(more)
        self.timers: dict[str, tuple[float, Edge]] = {}
        named = [
            event
            for node in chart.nodes.values()
            for edge in node.edges
            for event in edge.events
            if "*" not in event
        ]
        self.known = list(dict.fromkeys([*named, *more]))
        for event in named:
            if event.startswith("done."):
                raise refused(f"the event {event!r} of the interpreter", "<transition>")

    def read(self) -> Microinteraction:
        nodes = self.chart.nodes
        for node in nodes.values():
            if node.inside and (node.entry or node.leave or node.cancels):
                raise refused("a delayed send of a compound state", f"<state id={node.name!r}>")
        for send in dict.fromkeys(s for _, s in self._sends()):
            self._timer(send)
        leaves = {name: node for name, node in nodes.items() if not node.inside}
        states = {name: self._state(node) for name, node in leaves.items()}
        modes = [self._mode(node) for node in nodes.values() if node.inside]
        if not self.known:
            raise refused("a chart without events, which nothing can trigger,", "<scxml>")
        notes = self.chart.notes
        system, errors, undo = (notes.get(k, "").split() for k in ("system", "errors", "undo"))
        kinds: dict[str, Literal["user", "system"]] = {
            event: "system" if event in system else "user" for event in self.known
        }
        initial = self._leaf(self.chart.initial)
        home = nodes[initial].parent
        heard = [*states[initial].on, *(nodes[home].edges[0].events if home is not None and
                 nodes[home].edges else ()), *self.known]  # fmt: skip
        event = notes.get("trigger") or next(e for e in heard if e in kinds)
        kind: Any = "system" if event in system else "manual"
        return Microinteraction(
            id=self.chart.name,
            trigger=Trigger(kind, event),
            events=kinds,
            initial=initial,
            states=states,
            modes=modes,
            errors=errors,
            undo=undo,
        )

    # ------------------------------------------------------------------ states

    def _leaf(self, name: str) -> str:
        node = self.chart.nodes[name]
        return self._leaf(node.initial) if node.initial is not None and node.inside else name

    def _state(self, node: Node) -> State:
        timer = self._after(node)
        entry = _feedback(node.shown)
        if node.final and node.parent is None:
            return State(entry=entry, final=True, failure="failure" in node.notes)
        parent = self.chart.nodes[node.parent] if node.parent is not None else None
        edges = [*node.edges, *(parent.edges if parent is not None else [])]
        if timer is not None and timer.ms and any(e.target is None and e.events for e in edges):
            raise refused(
                "a transition without a target, which lets the timer run on,",
                f"<state id={node.name!r}>",
            )
        return State(self._rules(node), timer, entry)

    def _mode(self, node: Node) -> Mode:
        if any(not edge.events for edge in node.edges):
            raise refused(
                "a transition without an event in a compound state", f"<state id={node.name!r}>"
            )
        kind: Any = node.notes.get("mode", "ordinary")
        return Mode(node.name, node.inside, kind, node.notes.get("release"), self._rules(node))

    def _rules(self, node: Node) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        waited = self.timers.get(node.name)
        for edge in node.edges:
            if not edge.events or (waited is not None and edge is waited[1]):
                continue
            guard, never = _guard(edge, node)
            if never:
                continue
            rule = Rule(
                None if edge.target is None else self._leaf(edge.target),
                guard,
                _feedback(edge.shown),
                "destructive" in edge.notes,
                "confirmed" in edge.notes,
            )
            for event in self._meant(edge, node):
                found.setdefault(event, []).append(rule)
        return found

    def _meant(self, edge: Edge, node: Node) -> list[str]:
        """The events that the descriptors of a transition match, each once."""
        found = []
        for descriptor in edge.events:
            if "*" in descriptor and not self.closed:
                raise refused(
                    f"the event descriptor {descriptor!r}, unless events are given,",
                    f"<state id={node.name!r}>",
                )
            plain = descriptor.removesuffix("*").removesuffix(".")
            found += [
                event
                for event in self.known
                if not plain or event == plain or event.startswith(f"{plain}.")
            ]
        return list(dict.fromkeys(found))

    # ------------------------------------------------------------------ timers

    def _after(self, node: Node) -> Timer | None:
        plain = [edge for edge in node.edges if not edge.events]
        waits = self.timers.get(node.name)
        if not plain:
            if waits is None:
                return None
            ms, edge = waits
            return Timer(ms, self._leaf(str(edge.target)), _feedback(edge.shown))
        where = f"<state id={node.name!r}>"
        if len(plain) > 1 or plain[0].cond is not None or waits is not None:
            raise refused("a transition without an event but with a condition", where)
        if plain[0].target is None:
            raise refused("a transition without event and target", where)
        return Timer(0, self._leaf(plain[0].target), _feedback(plain[0].shown))

    def _sends(self) -> list[tuple[str, Send]]:
        """The state that each delayed send leads into, and the send."""
        found = []
        for node in self.chart.nodes.values():
            found += [(node.name, send) for send in node.entry]
            for edge in node.edges:
                into = node.name if edge.target is None else self._leaf(edge.target)
                found += [(into, send) for send in (*edge.sends, *node.leave)]
        return found

    def _timer(self, send: Send) -> None:
        """A delayed send is a timer if the state that waits for it, and it alone, sets it off."""
        where = f"<send event={send.event!r}>"
        waiting = [
            (node, edge)
            for node in self.chart.nodes.values()
            for edge in node.edges
            if any(_covers(descriptor, send.event) for descriptor in edge.events)
        ]
        if len(waiting) != 1 or waiting[0][1].events != (send.event,):
            raise refused("a delayed send that not exactly one transition waits for", where)
        node, edge = waiting[0]
        if node.inside or edge.cond is not None or edge.target is None:
            raise refused("a delayed send to a compound state, or under a condition,", where)
        if node.name in self.timers:
            raise refused("a second delayed send to one state", where)
        if {into for into, s in self._sends() if s == send} != {node.name}:
            raise refused("a delayed send that is under way while another state is active", where)
        if not self._always_sent(node, send):
            raise refused("a delayed send that not every way into its state sends", where)
        home = self.chart.nodes[node.parent].edges if node.parent is not None else []
        others = [e for e in (*node.edges, *home) if e is not edge and e.target is not None]
        if others and not (send.id and send.id in node.cancels):
            raise refused("a delayed send that leaving its state does not cancel", where)
        self.timers[node.name] = (send.ms, edge)
        self.known = [event for event in self.known if event != send.event]

    def _always_sent(self, node: Node, send: Send) -> bool:
        if send in node.entry:
            return True
        if self._leaf(self.chart.initial) == node.name:
            return False
        ways = [
            send in (*edge.sends, *source.leave)
            for source in self.chart.nodes.values()
            for edge in source.edges
            if edge.target is not None and self._leaf(edge.target) == node.name
        ]
        return all(ways)


def _covers(descriptor: str, event: str) -> bool:
    plain = descriptor.removesuffix("*").removesuffix(".")
    return not plain or event == plain or event.startswith(f"{plain}.")


def _guard(edge: Edge, node: Node) -> tuple[str | None, bool]:
    """The guard of a transition, and whether it never holds."""
    cond = None if edge.cond is None else edge.cond.strip()
    if cond is None or cond == "true":
        return None, False
    if cond == "false":
        return None, True
    name = _NAME.fullmatch(cond)
    if name is None:
        raise refused(f"the condition {cond!r}, which is no name,", f"<state id={node.name!r}>")
    return ("!" if name[1] else "") + name[2].strip(), False


def _feedback(shown: Iterable[tuple[str, str]]) -> list[Feedback]:
    return [Feedback(c, float(ms) if ms else None) for c, ms in shown]  # type: ignore[arg-type]  # a wrong channel is refused
