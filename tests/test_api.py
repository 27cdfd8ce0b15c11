"""The public names: those of ``cxkit``, of its areas, and the public members of their classes.

After a change on purpose: ``python -m tests.test_api > tests/public_names.txt``, and CHANGELOG.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cxkit

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def _names(module: ModuleType) -> Iterator[str]:
    for name in module.__all__:
        thing = getattr(module, name)
        yield f"{module.__name__}.{name}"
        if inspect.ismodule(thing):
            yield from _names(thing)
        elif inspect.isclass(thing) and not issubclass(thing, Exception):
            members = {m for kind in thing.__mro__ if _is_ours(kind) for m in vars(kind)}
            yield from (f"{module.__name__}.{name}.{m}" for m in members if m[0] != "_")


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == cxkit.__name__


def public_names() -> list[str]:
    return sorted(set(_names(cxkit)))


def test_public_names_are_those_of_the_snapshot() -> None:
    assert public_names() == SNAPSHOT.read_text(encoding="utf-8").split()


def test_a_name_that_two_modules_export_is_one_thing() -> None:
    assert cxkit.EngagementScale is cxkit.engagement.EngagementScale
    assert cxkit.read_events is cxkit.interop.read_events
    assert cxkit.DataError is cxkit.errors.DataError


if __name__ == "__main__":
    print("\n".join(public_names()))
