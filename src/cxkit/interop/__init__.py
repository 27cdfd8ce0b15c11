"""Files and other tools: how data comes in and leaves."""

from __future__ import annotations

from cxkit.interop import duckdb, fold, parquet, spark
from cxkit.interop.files import read_events, read_table
from cxkit.interop.folded import Folded
from cxkit.interop.ocel import read_ocel
from cxkit.interop.presets import SCHEMAS, Schema
from cxkit.interop.schemas import read, schema
from cxkit.interop.scorewriter import ScoreWriter
from cxkit.interop.unfold import unfold
from cxkit.interop.writeocel import write_ocel
from cxkit.interop.writexes import write_xes
from cxkit.interop.xes import read_xes

__all__ = [
    "SCHEMAS",
    "Folded",
    "Schema",
    "ScoreWriter",
    "duckdb",
    "fold",
    "parquet",
    "read",
    "read_events",
    "read_ocel",
    "read_table",
    "read_xes",
    "schema",
    "spark",
    "unfold",
    "write_ocel",
    "write_xes",
]
