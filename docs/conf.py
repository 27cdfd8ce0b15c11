"""Sphinx configuration. Build: sphinx-build -n -W --keep-going docs docs/_build/html."""

from __future__ import annotations

import ast
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.nodes import make_refnode

import cxkit

project = "cxkit"
author = "The cxkit authors"
copyright = f"2026, {author}"  # noqa: A001 - the name is Sphinx's
pyproject = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
version = release = pyproject["project"]["version"]

sys.path.insert(0, str(Path(__file__).with_name("_ext")))
extensions = [
    "against_truth",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "cxkit"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# The build needs no network, so names of other projects are not links. Names of cxkit must be.
nitpick_ignore_regex = [
    (r"py:.*", r"(~|\.)?(_|np|npt|numpy|attrs?|collections|contextlib|datetime|os|pathlib)\b.*"),
    (r"py:.*", r"(random|types|typing|typing_extensions|pandas|polars|pyarrow|matplotlib)\b.*"),
    (r"py:.*", r"(NDArray|\w+Like|Any|Self|Literal|TypeAlias|Path|Axes)"),
    (r"py:.*", r"(Callable|Generator|Hashable|Iterable|Iterator|Mapping|Sequence|TextIO)"),
    (r"py:.*", r"((cxkit\.interop\.\w+\.)?S|cxkit\.strategy\.map\._T|Label)"),  # type variables
    (r"py:.*", r"(sections\.)?Maturity"),  # an alias: what the report takes for maturity
    (r"py:.*", r"DataFrame"),  # Spark's
    (r"py:.*", r"(date|datetime|timedelta|tzinfo|ClassVar|Final|Protocol|TypeVar|optional)"),
]


def import_what_only_type_checkers_see() -> None:
    """Give modules the names that they import under TYPE_CHECKING, so that every type is a link.

    Without them Sphinx shows the types of a whole class as bare text. By now everything is
    imported, so that the circles that the flag is there to break are none.
    """
    for area in cxkit.__all__:
        getattr(cxkit, area)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "cxkit" or not getattr(module, "__file__", None):
            continue
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                for line in node.body:
                    with suppress(ImportError):  # an optional library
                        code = compile(ast.Module([line], []), name, "exec")
                        exec(code, module.__dict__)  # noqa: S102  # our own imports


import_what_only_type_checkers_see()

MEMBERS = {"attribute", "classmethod", "method", "property", "staticmethod"}


def attribute_docstring(self: GoogleDocstring) -> tuple[str, list[str]]:
    """An attribute's docstring is prose: napoleon would read the words before a colon as a type."""
    return "", self._dedent(self._consume_to_end())


GoogleDocstring._consume_inline_attribute = attribute_docstring  # noqa: SLF001 - there is no option


def link_by_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.reference | None:
    """Link ``Journeys``, or the module path where it is defined, to where it is documented.

    Members are found by ``Class.member``.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].split(".")
    found = [
        (len(name), name, entry)
        for name, entry in env.domains.python_domain.objects.items()
        if entry.objtype != "module"
        and name.split(".")[-(depth := 2 if entry.objtype in MEMBERS else 1) :] == target[-depth:]
    ]
    if not found:
        return None
    # The shortest name is the public one: cxkit.Journeys, not cxkit.model.journeys.Journeys.
    _, name, entry = min(found)
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("missing-reference", link_by_short_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
