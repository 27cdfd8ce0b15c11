"""The arguments of the door are said once, and shown wherever they are taken."""

import inspect

import pytest

import cxkit as cx
from cxkit import interop
from cxkit.errors import DefinitionError
from cxkit.interop.asked import Roles

ROADS = [
    cx.read_events,
    interop.fold.fold,
    interop.duckdb.fold,
    interop.parquet.fold,
    interop.spark.fold,
    interop.spark.score,
]


def test_roles_are_the_arguments_of_ingest():
    asked = inspect.signature(cx.ingest).parameters
    names = [name for name in asked if name not in {"table", "progress"}]
    assert list(Roles.__annotations__) == names
    kinds = {name: kind.__forward_arg__ for name, kind in Roles.__annotations__.items()}
    needed = {name for name, kind in kinds.items() if kind.startswith("Required[")}
    kinds |= {name: kinds[name][len("Required[") : -1] for name in needed}
    assert kinds == {name: asked[name].annotation for name in names}
    assert needed == {name for name in names if asked[name].default is inspect.Parameter.empty}


@pytest.mark.parametrize("road", ROADS, ids=lambda road: f"{road.__module__}.{road.__name__}")
def test_every_road_shows_them(road):
    shown = inspect.signature(road).parameters
    for name, parameter in inspect.signature(cx.ingest).parameters.items():
        if name in Roles.__annotations__:
            assert shown[name] == parameter
    assert not any(p.kind is p.VAR_KEYWORD for p in shown.values())


def test_a_name_that_is_none_is_refused_with_a_suggestion(tmp_path):
    (tmp_path / "log.csv").write_text("c,t\n")
    with pytest.raises(DefinitionError, match=r"no role 'evnt'.*Did you mean 'event'"):
        cx.read_events(tmp_path / "log.csv", customer="c", time="t", evnt="x")
    with pytest.raises(DefinitionError, match="time= is needed"):
        cx.read_events(tmp_path / "log.csv", customer="c")
