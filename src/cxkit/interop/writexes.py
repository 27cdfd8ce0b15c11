"""Journeys as a log in XES, for tools of process mining."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import quoteattr

import numpy as np

from cxkit.core.codes import Codes
from cxkit.core.ragged import chunks
from cxkit.errors import DefinitionError
from cxkit.model.journeys import Journeys

__all__ = ["write_xes"]

_KEYS: Final = {"event": "concept:name", "value": "cost:total", "resource": "org:resource"}
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Cost" prefix="cost" uri="http://www.xes-standard.org/cost.xesext"/>
"""
_ILLEGAL: Final = {code for code in range(32) if code not in {9, 10, 13}} | {0xFFFE, 0xFFFF}


def write_xes(journeys: Journeys, path: str | os.PathLike[str]) -> None:
    """Write journeys as a log in XES, one trace per journey.

    The customer becomes the trace's ``concept:name``, the event ``concept:name``, the value
    ``cost:total``, a column ``resource`` becomes ``org:resource``; other columns keep their names.
    These four are text in XES, also where labels are numbers. What is missing is left out.
    :func:`cxkit.interop.read_xes` reads the file back.

    Args:
        journeys: The journeys.
        path: Where to; ``.xes``, or ``.xes.gz`` to pack it.

    Raises:
        DefinitionError: The ending is another, or a label holds a character that XML cannot hold.

    Example:
        >>> import pathlib, tempfile
        >>> from cxkit.interop import read_xes
        >>> path = pathlib.Path(tempfile.mkdtemp(), "log.xes")
        >>> journeys = Journeys.from_codes(customer=np.array([7]), time=np.array([0]))
        >>> write_xes(journeys, path)
        >>> read_xes(path, event=None, columns=()).journeys
        <Journeys: 1 journeys of 1 customers, 1 touchpoints, 1970-01-01 to 1970-01-01>
    """
    path = Path(path)
    name = path.name.lower()
    if not name.endswith((".xes", ".xes.gz")):
        raise DefinitionError(f"{path.name!r} must end in .xes or .xes.gz")
    cells = {key: _cells(_KEYS.get(key, key), column) for key, column in journeys.columns.items()}
    cases = _tags("string", "concept:name", journeys.customer)
    opened: Any = gzip.open if name.endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8", newline="\n") as out:
        out.write(_HEAD)
        for j0, j1, e0, e1 in chunks(journeys.offsets):
            _write(out, journeys, cells, cases[journeys.customer.codes[j0:j1]], (j0, j1, e0, e1))
        out.write("</log>\n")


def _write(
    out: IO[str],
    journeys: Journeys,
    cells: dict[str, Any],
    cases: Any,
    part: tuple[int, int, int, int],
) -> None:
    j0, j1, e0, e1 = part
    times = np.datetime_as_string(journeys.time[e0:e1], unit="us", timezone="UTC").tolist()
    lines = [f'<date key="time:timestamp" value="{time}"/>' for time in times]
    rows = zip(lines, *(cell(e0, e1) for cell in cells.values()), strict=True)
    events = [f"<event>{''.join(row)}</event>\n" for row in rows]
    bounds = (journeys.offsets[j0 : j1 + 1] - e0).tolist()
    for case, begin, end in zip(cases, bounds, bounds[1:], strict=False):
        out.write(f"<trace>{case}\n{''.join(events[begin:end])}</trace>\n")


def _cells(key: str, column: Any) -> Any:
    """What a chunk of a column is in XML: a function of its bounds."""
    if isinstance(column, Codes):
        whole = column.vocabulary.labels.dtype.kind == "i" and key not in _KEYS.values()
        tags = _tags("int" if whole else "string", key, column)
        return lambda e0, e1: tags[column.codes[e0:e1]]

    def numbers(e0: int, e1: int) -> list[str]:
        begin = f"<float key={quoteattr(key)} value="
        found = column[e0:e1].tolist()
        return ["" if value != value else f'{begin}"{value!r}"/>' for value in found]  # noqa: PLR0124  # NaN

    return numbers


def _tags(tag: str, key: str, column: Codes) -> Any:
    """(K + 1,) the element of each label, and nothing for the missing one."""
    found = [""] * column.slots
    for at, label in enumerate(column.vocabulary):
        text = str(label)
        if not _ILLEGAL.isdisjoint(map(ord, text)):
            raise DefinitionError(f"{key} {text!r} holds a character that XML cannot hold")
        found[at] = f"<{tag} key={quoteattr(key)} value={quoteattr(text)}/>"
    return np.array(found, dtype=object)
