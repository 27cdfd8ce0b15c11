import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import DataError, Journeys, SchemaError
from cxkit.core.codes import Codes
from cxkit.identity import stitch
from cxkit.identity.timeline import Timeline

LOG = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(10, 13)), max_size=25)


@given(
    log=LOG,
    asked=st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 33)), max_size=20),
    within=st.one_of(st.none(), st.integers(1, 20)),
    after=st.integers(0, 10),
)
def test_whoever_identified_next(log, asked, within, after):
    line = Timeline.of(*np.array(log, np.int64).reshape(-1, 3).T, within=within, after=after)
    got = line.holder(*np.array(asked, np.int64).reshape(-1, 2).T).tolist()
    for (device, at), holder in zip(asked, got, strict=True):
        mine = [(t, who) for d, t, who in log if d == device]
        later = min([x for x in mine if x[0] >= at], default=None)
        last = max((t for t, _ in mine if t < at), default=None)
        earlier = None if last is None else min(who for t, who in mine if t == last)
        expected = -1
        if later and (within is None or later[0] - at <= within):
            expected = later[1]
        elif last is not None and at - last <= after:
            expected = earlier
        assert holder == expected
    devices = np.arange(4)
    assert line.holds(devices).tolist() == [any(d == x for d, *_ in log) for x in range(4)]


TABLE = {
    "cookie": ["tablet", "tablet", "phone", None],
    "user": ["ann", "bob", "bob", "cid"],
    "t": ["2024-01-02Z", "2024-01-05T00:00Z", "2024-01-03T00:00Z", "2024-01-03T00:00Z"],
}
TABLE["t"][0] = "2024-01-02T00:00Z"
SIDES = {"left": "cookie", "right": "user", "time": "t"}


@pytest.fixture
def identity():
    return stitch(TABLE, **SIDES, devices="cookie", within="2d")


def test_a_shared_device_joins_nobody(identity):
    assert stitch(TABLE, **SIDES).customer_of("user", "ann") == "cookie:tablet"
    names = {identity.customer_of("user", who) for who in ("ann", "bob", "cid")}
    assert names == {"user:ann", "user:bob", "user:cid"}


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2023-12-30", "cookie:tablet"),  # more than two days before anyone
        ("2023-12-31", "user:ann"),
        ("2024-01-02", "user:ann"),
        ("2024-01-02T00:00:01Z", "cookie:tablet"),
        ("2024-01-03", "user:bob"),
        ("2024-01-06", "cookie:tablet"),  # nobody came after
    ],
)
def test_a_device_belongs_to_the_next(identity, at, who):
    assert identity.customer_of("cookie", "tablet", at=at) == who


def test_without_a_time_nobody_can_tell(identity):
    with pytest.raises(DataError, match="'cookie:tablet' depends on the time: pass at="):
        identity.customer_of("cookie", "tablet")
    with pytest.raises(DataError, match="time= for"):
        identity.resolve({"cookie": ["tablet"]}, ["cookie"])


def test_after_the_last(identity):
    kept = stitch(TABLE, **SIDES, devices="cookie", within="2d", after="1d")
    assert kept.customer_of("cookie", "tablet", at="2024-01-06") == "user:bob"
    assert kept.customer_of("cookie", "tablet", at="2024-01-07") == "cookie:tablet"
    assert kept != identity


def test_what_a_device_explains(identity):
    got = identity.explain(("user", "ann"), ("user", "bob"))
    assert not got.joined
    assert got.refused == ("holds for a time", "holds for a time")
    assert "not joined" in repr(got)


def test_tables_and_journeys_get_the_same_customers(identity):
    log = {
        "cookie": ["tablet", "tablet", "phone", "tablet", "new", None],
        "user": [None, None, None, "ann", None, "bob"],
        "t": [
            "2024-01-01Z",
            "2024-01-04Z",
            "2024-01-03Z",
            "2024-01-04Z",
            "2024-01-04Z",
            "2024-01-04Z",
        ],
    }
    log["t"] = [t.replace("Z", "T00:00Z") for t in log["t"]]
    got = identity.resolve(log, ["user", "cookie"], time="t")
    expected = ["user:ann", "user:bob", "user:bob", "user:ann", "cookie:new", "user:bob"]
    assert got.to_list() == expected

    journeys = Journeys.from_table(
        {**log, "cookie": [c or "none" for c in log["cookie"]], "n": list(range(6))},
        customer="cookie",
        time="t",
        columns=["user", "n"],
    )
    stitched = identity.apply(journeys, {"user": "user", "cookie": "customer"})
    assert stitched.touchpoints == 6
    owner = {
        n: journey.customer for journey in stitched for n in journey.journeys.codes("n").to_list()
    }
    assert [owner[n] for n in range(6)] == expected


def test_journeys_of_nobody():
    identity = stitch({"cookie": ["a", "b"], "user": ["ann", "ann"]}, left="cookie", right="user")
    journeys = Journeys.from_codes(
        customer=Codes.of(["a", "b", "null", "a"]),
        time=np.arange(4),
        columns={"event": Codes.of(["x", "y", "z", None])},
    )
    with pytest.raises(DataError, match="1 of 4 touchpoints belong to nobody"):
        identity.apply(journeys, "cookie")
    got = identity.apply(journeys, "cookie", nobody="drop")
    assert (len(got), got.touchpoints, got.customers) == (1, 3, 1)
    assert got.event.to_list() == ["x", "y", None]
    with pytest.raises(ValueError, match="nobody must be"):
        identity.apply(journeys, "cookie", nobody="keep")
    with pytest.raises(SchemaError, match="no column 'usr'"):
        identity.apply(journeys, {"user": "usr"})
    with pytest.raises(ValueError, match="identifiers is empty"):
        identity.resolve({"cookie": [1]}, [])


def test_journeys_with_labels_that_they_do_not_use():
    identity = stitch({"cookie": ["a", "b"], "user": ["ann", "ann"]}, left="cookie", right="user")
    journeys = Journeys.from_codes(customer=Codes.of(["a", "b", "c"]), time=np.arange(3))
    assert identity.apply(journeys[1:2], "cookie").customer.to_list() == ["cookie:a"]


def test_rows_that_cannot_be_resolved_are_named(identity):
    with pytest.raises(DataError, match="rows that cannot be used: 1 x column 't'"):
        identity.resolve({"cookie": ["phone"], "t": ["soon"]}, ["cookie"], time="t", tz="UTC")
