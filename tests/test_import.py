"""``import cxkit`` is cheap: it loads no area, no optional library, nothing heavy."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import cxkit
from tests.shared import OPTIONAL

SOURCE = Path(cxkit.__file__).parent
RUNTIME = {"attrs", "cxkit", "numpy", "typing_extensions"}
EAGER = {"core", "errors", "model"}
ROOMS = sorted(
    room.name for room in pkgutil.iter_modules([str(SOURCE)]) if not room.name.startswith("_")
)
LAZY = [name for name in ROOMS if name not in EAGER]

# Standard modules that cost milliseconds, or that only readers of files and the report need.
HEAVY = {
    "argparse",
    "asyncio",
    "csv",
    "email",
    "gzip",
    "html",
    "http",
    "importlib.metadata",
    "multiprocessing",
    "sqlite3",
    "urllib.request",
    "xml",
}


def _loaded_by(code: str) -> set[str]:
    """The names of all modules that a fresh interpreter has loaded after ``code``."""
    tail = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code + tail], check=True, capture_output=True, text=True
    )
    return set(json.loads(run.stdout))


@pytest.fixture(scope="module")
def dependencies() -> set[str]:
    return _loaded_by("import attrs, numpy, typing_extensions")


@pytest.fixture(scope="module")
def added(dependencies: set[str]) -> set[str]:
    return _loaded_by("import cxkit") - dependencies


def test_the_import_is_seen(added: set[str]) -> None:
    assert "cxkit" in added


@pytest.mark.parametrize("room", LAZY)
def test_import_loads_no_area(added: set[str], room: str) -> None:
    assert [name for name in added if f"{name}.".startswith(f"cxkit.{room}.")] == []


def test_import_loads_no_optional_library(added: set[str]) -> None:
    assert {name.partition(".")[0] for name in added} & OPTIONAL == set()


def test_import_loads_nothing_heavy(added: set[str]) -> None:
    assert added & HEAVY == set()


@pytest.mark.parametrize("room", LAZY)
def test_a_room_loads_on_first_use_without_optional_libraries(room: str) -> None:
    loaded = _loaded_by(f"import cxkit\ncxkit.{room}")
    assert f"cxkit.{room}" in loaded
    assert {name.partition(".")[0] for name in loaded} & OPTIONAL == set()


def test_dir_lists_every_public_name_and_every_area() -> None:
    assert set(cxkit.__all__) | set(LAZY) | {"__version__"} <= set(dir(cxkit))


def test_every_name_in_dir_resolves() -> None:
    assert [name for name in dir(cxkit) if not hasattr(cxkit, name)] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="atribution"):
        cxkit.atribution  # noqa: B018


def _imported_on_load(tree: ast.Module) -> set[str]:
    """Top-level packages that a module imports when it loads: not in functions, not for typing."""
    found: set[str] = set()
    queue: list[ast.AST] = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            queue.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
        queue.extend(ast.iter_child_nodes(node))
    return found


def test_the_reader_of_imports_sees_what_it_should() -> None:
    tree = ast.parse(
        "import numpy.linalg\n"
        "from scipy import stats\n"
        "if TYPE_CHECKING:\n    import pandas\n"
        "try:\n    import polars\nexcept ImportError:\n    pass\n"
        "def f():\n    import duckdb\n"
        "class C:\n    import pyarrow\n"
    )
    assert _imported_on_load(tree) == {"numpy", "scipy", "polars", "pyarrow"}


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_a_module_loads_only_the_runtime_dependencies(path: Path) -> None:
    imported = _imported_on_load(ast.parse(path.read_text(encoding="utf-8")))
    assert imported - RUNTIME - sys.stdlib_module_names == set()
