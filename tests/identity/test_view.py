import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import DataError, DefinitionError, Journeys, SchemaError
from cxkit.identity import CustomerView, Facet, seen_in
from tests.shared import shared

DAY = 86_400
HOW = {"time_unit": "s"}
VIEW = CustomerView(
    [
        Facet("identity", 3),
        Facet("orders", 2, ttl="365d"),
        Facet("email", 1, ttl="90d", purpose="marketing"),
        Facet("store", 2, ttl="365d"),
    ]
)
NAMES = [facet.name for facet in VIEW.facets]
SEEN = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(NAMES), st.integers(0, 800)), max_size=15
)
TOLD = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["marketing", "other"]),
        st.integers(0, 800),
        st.booleans(),
    ),
    max_size=8,
)


def table_of(seen):
    return {
        "customer": [who for who, *_ in seen],
        "facet": [what for _, what, _ in seen],
        "time": [day * DAY for *_, day in seen],
    }


def consents_of(told):
    return {
        "customer": [who for who, *_ in told],
        "purpose": [what for _, what, *_ in told],
        "time": [day * DAY for *_, day, _ in told],
        "given": np.array([yes for *_, yes in told], bool),
    }


def at(day):
    return np.datetime64(day * DAY, "s")


def test_completeness_of_the_worked_example():
    path = shared("oracles/domain/seed_concepts.json")
    text = path.read_text(encoding="utf-8")
    cases = _cases(json.loads(text))
    case = next(c for c in cases if c.get("id") == "SEED-01")
    facets, seen = [], []
    for one in case["inputs"]["facets"]:
        ttl = None if one["ttl_days"] is None else f"{one['ttl_days']}d"
        facets.append(Facet(one["id"], one["weight"], ttl=ttl))
        if one["age_days"] is not None:
            seen.append(("ann", one["id"], 1000 - one["age_days"]))
    got = CustomerView(facets).assess(table_of(seen), at=at(1000), **HOW)
    expected = pytest.approx(case["expected"]["completeness"], abs=case["tolerance"])
    assert got.completeness[0] == expected


def _cases(value):
    if isinstance(value, dict):
        return [value, *(case for v in value.values() for case in _cases(v))]
    return [case for v in value for case in _cases(v)] if isinstance(value, list) else []


@given(SEEN, TOLD, st.integers(0, 900))
def test_equal_to_plain_loops(seen, told, day):
    got = VIEW.assess(table_of(seen), at=at(day), consents=consents_of(told), **HOW)
    assert got.customer.to_list() == sorted({who for who, *_ in seen})
    for row, who in enumerate(got.customer.to_list()):
        complete = usable = 0.0
        for place, facet in enumerate(VIEW.facets):
            days = [d for w, f, d in seen if (w, f) == (who, facet.name) and d <= day]
            age = day - max(days) if days else float("nan")
            np.testing.assert_equal(got.age[row, place], age)
            fresh = bool(days) and (facet.ttl is None or age <= int(facet.ttl[:-1]))
            word = [
                (d, n, yes)
                for n, (w, p, d, yes) in enumerate(told)
                if (w, p) == (who, facet.purpose) and d <= day
            ]
            allowed = facet.purpose is None or (bool(word) and max(word)[2])
            assert got.fresh[row, place] == fresh
            assert got.allowed[row, place] == allowed
            complete += facet.weight * fresh
            usable += facet.weight * (fresh and allowed)
        assert got.completeness[row] == complete / 8
        assert got.usable[row] == usable / 8


@given(SEEN, st.sampled_from(NAMES), st.integers(0, 800))
def test_knowing_more_never_lowers_it(seen, facet, day):
    before = VIEW.assess(table_of([*seen, ("a", "store", 0)]), at=at(800), **HOW)
    after = VIEW.assess(table_of([*seen, ("a", "store", 0), ("a", facet, day)]), at=at(800), **HOW)
    assert (after.completeness >= before.completeness).all()
    assert (after.usable >= before.usable).all()
    assert ((after.completeness >= 0) & (after.completeness <= 1)).all()


def test_exactly_the_time_to_live_is_fresh():
    seen = table_of([("a", "orders", 0)])
    assert VIEW.assess(seen, at=at(365), **HOW).fresh[0, 1]
    late = at(365) + np.timedelta64(1, "s")
    assert not VIEW.assess(seen, at=late, **HOW).fresh[0, 1]


def test_facets_that_touchpoints_show():
    journeys = Journeys.from_table(
        {"c": [1, 1, 2], "t": [0, 5 * DAY, 3 * DAY], "e": ["buy", "buy", "look"]},
        customer="c",
        time="t",
        event="e",
        time_unit="s",
    )
    table = seen_in(journeys, {"orders": "buy", "store": "look"})
    got = VIEW.assess(table, at=at(10))
    assert got.customer.to_list() == [1, 2]
    assert got.age[:, 1].tolist()[0] == 5
    assert got.age[1, 3] == 7
    none = seen_in(journeys, {"orders": "refund"})
    assert len(VIEW.assess(none, at=at(10))) == 0


def test_wrong_input():
    seen = table_of([("a", "ordres", 0)])
    with pytest.raises(DataError, match=r"no facet 'ordres'.*Did you mean 'orders'"):
        VIEW.assess(seen, at=at(1), **HOW)
    with pytest.raises(DataError, match="no customer"):
        VIEW.assess(table_of([("", "orders", 0)]), at=at(1), **HOW)
    with pytest.raises(DataError, match="no facet"):
        VIEW.assess(table_of([("a", None, 0)]), at=at(1), **HOW)
    wrong = {**consents_of([("a", "marketing", 0, True)]), "given": ["yes"]}
    with pytest.raises(SchemaError, match="truth values"):
        VIEW.assess(table_of([("a", "orders", 0)]), at=at(1), consents=wrong, **HOW)


@pytest.mark.parametrize(
    "facets",
    [
        [],
        [{"name": "a", "weight": 0}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": ""}],
        [{"name": "a", "weight": -1}],
        [{"name": "a", "weight": float("nan")}],
        [{"name": "a", "ttl": "soon"}],
    ],
)
def test_wrong_definitions(facets):
    with pytest.raises(DefinitionError):
        CustomerView([Facet(**facet) for facet in facets])


def test_as_data():
    assert CustomerView.from_dict(VIEW.to_dict()) == VIEW
    json.dumps(VIEW.to_dict())
    with pytest.raises(DataError, match="unknown field 'wait'"):
        Facet.from_dict({"name": "a", "wait": 2})
