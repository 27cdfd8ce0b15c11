"""Tests, and examples of the documentation, that need an optional library.

Pytest hands a page only to the hooks of folders above it, so this stands at the top.
"""

from __future__ import annotations

import doctest
import importlib.util
from collections.abc import Generator

import pytest

from tests.shared import OPTIONAL


def _missing_library(error: BaseException) -> str | None:
    """The optional library whose absence made an example of the documentation fail."""
    while error is not None:
        if isinstance(error, ImportError):
            absent = [name for name in sorted(OPTIONAL) if importlib.util.find_spec(name) is None]
            for name in absent:
                if (error.name or "").partition(".")[0] == name or name in str(error):
                    return name
        error = error.__cause__ or error.__context__
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Skip what needs a library which is not installed, and only for that reason."""
    try:
        return (yield)
    except doctest.UnexpectedException as failure:
        library = _missing_library(failure.exc_info[1])
        if library is None:
            raise
        pytest.skip(f"{item.name} needs {library}")
    except ImportError as absent:  # a test that goes into a room whose library is not installed
        library = _missing_library(absent)
        if library is None:
            raise
        pytest.skip(f"{item.name} needs {library}")
