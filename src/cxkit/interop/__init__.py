"""Files and other tools: how data comes in and leaves."""

from __future__ import annotations

from cxkit.interop.files import read_events, read_table

__all__ = ["read_events", "read_table"]
