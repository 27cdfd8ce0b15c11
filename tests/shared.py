"""What several test files need: the optional libraries, and reference data kept outside.

The data is too large, or not ours, to live in this repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

OPTIONAL = frozenset({"duckdb", "matplotlib", "pandas", "polars", "pyarrow", "pyspark", "scipy"})

_ROOT = Path(__file__).resolve().parents[1]


def shared(path: str) -> Path:
    """The file or folder ``path`` in the store of reference data; the test skips if it is absent.

    The store is the folder that the environment variable CXKIT_SHARED names, or else the folder
    ``shared`` beside the checkout.
    """
    store = Path(os.environ.get("CXKIT_SHARED") or _ROOT.parent / "shared")
    found = store / path
    if not found.exists():
        pytest.skip(f"no reference data {path!r} (set CXKIT_SHARED)", allow_module_level=True)
    return found
