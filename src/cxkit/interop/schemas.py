"""Files and tables of well-known tools, read by what these tools call things."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from cxkit.errors import DefinitionError, did_you_mean
from cxkit.interop.presets import SCHEMAS, Schema
from cxkit.model.ingest import Ingested

__all__ = ["read", "schema"]

_ROLES: Final = ("customer", "time", "event", "channel", "value")
_SAME: Final = {"rudderstack": "segment", "adobe": "xdm", "sitecore": "xconnect"}
_CARRIED: Final = ("session_id", "campaign", "source", "status", "resource", "engagement_value")


def schema(
    name: str,
    *,
    anonymous: bool = False,
    carry: Iterable[str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The arguments by which :func:`cxkit.ingest` reads what a tool exports.

    Args:
        name: ``"segment"`` (also ``"rudderstack"``), ``"ga4"``, ``"xdm"`` (``"adobe"``),
            ``"snowplow"``, ``"xconnect"`` (``"sitecore"``), ``"xes"`` or ``"ocel"``.
        anonymous: Whether the customer is the device or browser rather than the known person.
        carry: Which further columns to carry, by the names in ``SCHEMAS[name].fields``; by default
            those of session, campaign, source, status, resource and engagement value.
        changes: Arguments of :func:`cxkit.ingest` that take the place of the preset's.

    Returns:
        Keyword arguments for :func:`cxkit.ingest` and :func:`cxkit.read_events`.

    Raises:
        DefinitionError: There is no such preset or field, or it knows no anonymous customer.

    Example:
        >>> import cxkit as cx
        >>> row = {"user_id": "ann", "event_name": "purchase", "event_timestamp": 1709287200000000}
        >>> row["event_params"] = [{"key": "ga_session_id", "value": {"int_value": 7}}]
        >>> cx.ingest([row], **schema("ga4")).journeys["session_id"].to_list()
        [7]
    """
    preset = _find(name)
    fields = dict(preset.fields)
    if anonymous:
        if "anonymous_id" not in fields:
            raise DefinitionError(f"{preset.name!r} knows no anonymous customer")
        fields["customer"] = fields["anonymous_id"].removesuffix("?")
    further = [field for field in fields if field not in _ROLES]
    if carry is None:
        chosen = [field for field in further if field in _CARRIED]
    else:
        chosen = [carry] if isinstance(carry, str) else list(carry)
        for field in chosen:
            if field not in further:
                raise DefinitionError(
                    f"{preset.name!r} has no column {field!r} to carry; it has {sorted(further)}."
                    f"{did_you_mean(field, further)}"
                )
    roles: dict[str, Any] = {role: fields[role] for role in _ROLES if role in fields}
    roles["columns"] = {field: fields[field] for field in chosen}
    return roles | dict(preset.options) | changes


def read(
    path: str | os.PathLike[str],
    *,
    schema: str,
    anonymous: bool = False,
    carry: Iterable[str] | None = None,
    **options: Any,
) -> Ingested:
    """Read a file, or a folder of files, that a well-known tool exported.

    Args:
        path: The file or folder; see :func:`cxkit.read_events`.
        schema: The tool; see :func:`cxkit.interop.schema`.
        anonymous: Whether the customer is the device rather than the person.
        carry: Which further columns to carry.
        options: Arguments of :func:`cxkit.read_events` that take the place of the preset's, and
            ``object_type`` for ``"ocel"``.

    Returns:
        As of :func:`cxkit.read_events`.

    Raises:
        DefinitionError: There is no such preset.
        DataError: As of :func:`cxkit.read_events`.
        SchemaError: As of :func:`cxkit.read_events`.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "calls.jsonl")
        >>> call = '{"userId": "ann", "type": "page", "timestamp": "2024-03-01T10:00Z"}'
        >>> _ = path.write_text(call)
        >>> read(path, schema="segment").journeys.event.to_list()
        ['page']
    """
    preset = _find(schema)
    roles = _roles(preset.name, anonymous=anonymous, carry=carry, **options)
    if preset.name == "ocel":
        from cxkit.interop.ocel import read_ocel

        if "object_type" not in roles:
            raise DefinitionError("'ocel' needs object_type=: the objects whose journeys to read")
        return read_ocel(path, **roles)
    if preset.name == "xes":
        from cxkit.interop.xes import read_xes

        return read_xes(path, **roles)
    if preset.rows_in:
        from cxkit.interop.files import read_rows

        return read_rows(path, rows_in=preset.rows_in, **roles)
    from cxkit.interop.files import read_events

    return read_events(path, **roles)


_roles = schema  # `schema` is also an argument of `read`


def _find(name: str) -> Schema:
    found = SCHEMAS.get(_SAME.get(name, name))
    if found is None:
        known = [*SCHEMAS, *_SAME]
        raise DefinitionError(
            f"no schema {name!r}; there are {sorted(known)}.{did_you_mean(name, known)}"
        )
    return found
