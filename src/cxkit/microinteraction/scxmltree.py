"""An SCXML document as plain states and transitions, with whatever is not modelled refused by name.

State Chart XML is the recommendation of the W3C of 1 September 2015. What is modelled of it: states
flat or one level deep, events, conditions that are names, and sends that are delayed.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

import attrs

from cxkit.errors import DataError, DefinitionError

__all__ = ["CX", "SCXML", "Chart", "Edge", "Node", "Send", "chart_of", "refused"]

SCXML: Final = "http://www.w3.org/2005/07/scxml"
CX: Final = "urn:cxkit:microinteraction:1"
"""The namespace of what SCXML has no word for."""
_DELAY: Final = re.compile(r"(\d+|\d*\.\d+)(ms|s)")
_STATES: Final = ("state", "final")
_KNOWN: Final = {
    "scxml": {"name", "version", "initial", "datamodel", "binding"},
    "state": {"id", "initial"},
    "final": {"id"},
    "transition": {"event", "cond", "target", "type"},
    "onentry": set[str](),
    "onexit": set[str](),
    "initial": set[str](),
    "send": {"event", "delay", "id"},
    "cancel": {"sendid"},
    "log": {"label", "expr"},
}


@attrs.frozen
class Send:
    """An event that the chart sends to itself later."""

    event: str
    ms: float
    id: str


@attrs.frozen
class Edge:
    """A transition."""

    events: tuple[str, ...]
    cond: str | None
    target: str | None
    sends: tuple[Send, ...]
    notes: dict[str, str]
    shown: tuple[tuple[str, str], ...]


@attrs.define
class Node:
    """A state; ``inside`` holds those of a compound one."""

    name: str
    final: bool
    parent: str | None
    initial: str | None = None
    edges: list[Edge] = attrs.field(factory=list)
    inside: list[str] = attrs.field(factory=list)
    entry: list[Send] = attrs.field(factory=list)
    leave: list[Send] = attrs.field(factory=list)
    cancels: list[str] = attrs.field(factory=list)
    shown: list[tuple[str, str]] = attrs.field(factory=list)
    notes: dict[str, str] = attrs.field(factory=dict)


@attrs.define
class Chart:
    """The document."""

    name: str
    initial: str
    nodes: dict[str, Node]
    notes: dict[str, str]


def refused(feature: str, where: str) -> DefinitionError:
    """The error that names what is not modelled, and where it stands."""
    return DefinitionError(
        f"{where}: {feature} is not modelled; a microinteraction has states flat or one level "
        "deep, events, named conditions and delayed sends"
    )


def chart_of(text: str) -> Chart:
    """Read a document.

    Raises:
        DataError: It is not well-formed, declares a document type, or is no SCXML.
        DefinitionError: It has what is not modelled.
    """
    root = _parse(text)
    if _tag(root) != "scxml":
        raise DataError(f"this is no SCXML: the outermost element is <{_tag(root)}>")
    _check(root, "<scxml>")
    nodes: dict[str, Node] = {}
    tops = []
    for child in root:
        tag = _tag(child)
        if tag not in _STATES:
            raise refused(f"<{tag}>", "<scxml>")
        tops.append(_state(child, None, nodes))
    if not tops:
        raise refused("a chart without states", "<scxml>")
    initial = root.get("initial") or tops[0]
    chart = Chart(root.get("name") or "chart", initial, nodes, _notes(root))
    for node in nodes.values():
        if node.initial is not None and node.initial not in node.inside:
            raise refused(f"the initial state {node.initial!r}, not directly inside,", _where(node))
        targets = [edge.target for edge in node.edges]
        for target in [t for t in targets if t is not None and t not in nodes]:
            several = len(target.split()) > 1
            feature = "more than one target" if several else f"the target {target!r}, no state,"
            raise refused(feature, _where(node))
    if initial not in nodes:
        raise refused(f"the initial state {initial!r}", "<scxml>")
    return chart


def _parse(text: str) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")

    def refuse(*_: object) -> None:
        raise DataError(
            "this declares a document type (<!DOCTYPE ...>), which is not read, for it can make a "
            "small file grow without end; remove the declaration"
        )

    parser.StartDoctypeDeclHandler = refuse

    def begin(tag: str, found: dict[str, str]) -> None:
        builder.start(tag, found)

    def end(tag: str) -> None:
        builder.end(tag)

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise DataError(
            f"this is no well-formed XML: {expat.ErrorString(error.code)} at line {error.lineno}"
        ) from None
    return builder.close()


def _state(element: ET.Element, parent: str | None, nodes: dict[str, Node]) -> str:
    tag = _tag(element)
    name = element.get("id") or f"{tag}-{len(nodes) + 1}"
    where = f"<{tag} id={name!r}>"
    _check(element, where)
    if name in nodes:
        raise DataError(f"{where}: the id occurs more than once")
    node = nodes[name] = Node(name, tag == "final", parent, element.get("initial"))
    node.notes = _notes(element)
    for child in element:
        inner = _tag(child)
        _check(child, f"<{inner}> in {where}")
        if inner in _STATES and tag == "state":
            if parent is not None:
                raise refused("nesting of more than one level", where)
            node.inside.append(_state(child, name, nodes))
        elif inner == "transition":
            node.edges.append(_edge(child, where))
        elif inner == "initial":
            way = _edge(child[0], where) if len(child) == 1 else None
            if way is None or _tag(child[0]) != "transition" or way.sends or way.shown:
                raise refused("an <initial> that is more than one plain transition", where)
            node.initial = way.target
        elif inner == "onentry":
            sends, node.shown[len(node.shown) :] = _content(child, where)
            node.entry += sends
        elif inner == "onexit":
            node.cancels += [c.get("sendid") or "" for c in child if _tag(c) == "cancel"]
            node.leave += _content([c for c in child if _tag(c) != "cancel"], where)[0]
        else:
            raise refused(f"<{inner}>", where)
    if node.inside and node.initial is None:
        node.initial = node.inside[0]
    return name


def _edge(element: ET.Element, where: str) -> Edge:
    sends, shown = _content(element, f"<transition> in {where}")
    return Edge(
        tuple((element.get("event") or "").split()),
        element.get("cond"),
        element.get("target"),
        tuple(sends),
        _notes(element),
        tuple(shown),
    )


def _content(
    elements: ET.Element | list[ET.Element], where: str
) -> tuple[list[Send], list[tuple[str, str]]]:
    """What is done: delayed sends, and what the user perceives; a log does nothing."""
    sends, shown = [], []
    for child in elements:
        tag = _tag(child)
        if child.tag == f"{CX}}}feedback":
            shown.append((child.get("channel", ""), child.get("max-ms", "")))
            continue
        if tag not in {"send", "log"}:
            raise refused(f"<{tag}>", where)
        _check(child, f"<{tag}> in {where}")
        if tag == "send":
            delay = _DELAY.fullmatch(child.get("delay", "").strip())
            if delay is None or len(child) or not child.get("event"):
                raise refused("a send without a delay, or with content,", where)
            ms = float(delay[1]) * (1000 if delay[2] == "s" else 1)
            sends.append(Send(child.get("event", ""), ms, child.get("id", "")))
    return sends, shown


def _check(element: ET.Element, where: str) -> None:
    tag = _tag(element)
    if tag not in _KNOWN or not element.tag.startswith((SCXML, tag)):
        raise refused(f"<{tag}>", where)
    for name in element.attrib:
        if "}" not in name and name not in _KNOWN[tag]:
            raise refused(f"the attribute {name!r}", where)
    if tag in {"scxml", "state"} and len((element.get("initial") or "").split()) > 1:
        raise refused("more than one initial state", where)


def _notes(element: ET.Element) -> dict[str, str]:
    """Attributes in the namespace of cxkit."""
    head = f"{CX}}}"
    return {n.removeprefix(head): v for n, v in element.attrib.items() if n.startswith(head)}


def _tag(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _where(node: Node) -> str:
    return f"<{'final' if node.final else 'state'} id={node.name!r}>"
