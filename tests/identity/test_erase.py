import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import Journeys, SchemaError, UnknownLabelError
from cxkit.core import packing
from cxkit.core.codes import Codes
from cxkit.identity import Pseudonyms, erase, stitch, traces
from tests.identity.strategies import IDENTIFIERS, ROWS, groups_of
from tests.identity.test_stitch import GUARDS, make
from tests.strategies import grouped, journeys_of, touchpoint_rows


@given(touchpoint_rows(min_rows=1), st.data())
def test_nothing_of_the_customer_is_left(rows, data):
    journeys = journeys_of(rows)
    gone = data.draw(st.sampled_from(sorted({row[0] for row in rows})))
    got = erase(journeys, gone)
    if got.touchpoints:  # journeys of no rows have no columns
        assert got == journeys_of([row for row in rows if row[0] != gone])
    assert got.touchpoints == sum(row[0] != gone for row in rows)
    assert [j.customer for j in got] == [who for who in grouped(rows) if who != gone]
    others = {value for row in rows if row[0] != gone for value in row}
    only = {v for row in rows if row[0] == gone for v in row if isinstance(v, str)} - others
    assert len(traces(only, got)) == 0
    for column in [got.customer, *got.columns.values()]:
        if isinstance(column, Codes):  # every label that is left is used
            assert set(column.vocabulary) == set(column.to_list()) - {None}


def test_not_even_in_memory_that_a_view_keeps():
    journeys = Journeys.from_codes(
        customer=Codes.of(["ann", "bob"]), time=np.arange(2), columns={"x": np.array([1.5, 2.5])}
    )
    got = erase(journeys, "ann")
    for array in (got.time, got.columns["x"], got.customer.codes):
        whole = array
        while whole.base is not None:
            whole = whole.base
        assert len(whole) == 1
    name = "a name too long to be there by chance"
    named = Journeys.from_codes(customer=Codes.of([name, "bob"]), time=np.arange(2))
    assert name.encode() in pickle.dumps(named)
    assert name.encode() not in pickle.dumps(erase(named, name))


def test_several_at_once_and_unknown_ones():
    journeys = Journeys.from_codes(customer=np.array([1, 2, 3]), time=np.arange(3))
    assert erase(journeys, [1, 3]).customer.to_list() == [2]
    assert len(erase(journeys, [1, 2, 3])) == 0
    assert erase(journeys, []) == journeys
    with pytest.raises(UnknownLabelError, match="no label 9"):
        erase(journeys, 9)


@given(rows=ROWS, guards=GUARDS, who=IDENTIFIERS)
def test_an_erased_customer_is_forgotten_and_the_others_stay(rows, guards, who):
    identity = make(rows, **guards)
    if who not in identity:
        return
    groups, nobody = groups_of(identity)
    mine = next(group for group in groups if who in group)
    got = identity.erase(*who)
    assert groups_of(got) == (groups - {mine}, nobody - mine)
    assert not {*got.identifiers.values(np.arange(len(got)))[1]} & (
        {v for _, v in mine} - {v for group in groups - {mine} for _, v in group}
    )
    # What is written out holds no value of theirs that nobody else has.
    left = {value for group in groups - {mine} for _, value in group}
    header, _ = packing.unpack(got.to_bytes(), "cxkit/identity/1", "identity")
    kept = {value for entry in header["identifiers"] for value in entry["values"]}
    assert kept == left
    assert not {value for _, value in header["rules"]["shared"]} - left


def test_a_kiosk_stays_a_kiosk():
    table = {"device": ["kiosk"] * 3, "email": ["ann@x", "bob@x", "cid@x"]}
    identity = stitch(table, left="device", right="email", max_shared=2)
    got = identity.erase("email", "ann@x")
    assert got.customers == 2
    assert got.rules.shared == (("device", "kiosk"),)
    assert got.erase("device", "kiosk").rules.shared == ()
    assert len(traces(["ann@x"], got)) == 0


def test_devices_of_nobody_else_go_too():
    table = {
        "cookie": ["hers", "ours", "ours"],
        "user": ["ann", "ann", "bob"],
        "t": [1, 2, 3],
    }
    identity = stitch(
        table, left="cookie", right="user", time="t", time_unit="s", devices="cookie"
    ).split(("cookie", "hers"), ("user", "ann"))
    with_link = stitch(
        table, left="cookie", right="user", time="t", time_unit="s", devices="cookie"
    )
    got = with_link.erase("user", "ann")
    assert ("cookie", "hers") not in got
    assert got.customer_of("cookie", "ours", at="1970-01-01") == "user:bob"
    assert identity.erase("user", "ann").rules.apart == ()


@pytest.mark.parametrize("gone", ["ann", "bob"])
def test_a_device_of_two_at_the_same_instant_stays_with_the_other(gone):
    table = {"device": ["tab", "tab"], "customer_id": ["ann", "bob"], "t": ["2024-03-01"] * 2}
    sides = {"left": "device", "right": "customer_id", "time": "t", "tz": "UTC"}
    identity = stitch(table, **sides, devices="device")
    got = identity.erase("customer_id", gone)
    (left,) = {"ann", "bob"} - {gone}
    assert ("device", "tab") in got
    assert ("customer_id", gone) not in got
    assert got.customer_of("device", "tab", at="2024-03-01") == f"customer_id:{left}"
    assert len(got.erase("customer_id", left)) == 0


@given(
    st.dictionaries(
        st.tuples(st.integers(5, 7), st.integers(0, 1)),
        st.sets(st.integers(5, 7), min_size=1),
        min_size=1,
    ),
    st.integers(5, 7),
)
def test_only_devices_on_which_nobody_else_identified_go(log, who):
    log = [(device, user, t) for (device, t), users in log.items() for user in users]
    devices, people, times = zip(*log, strict=True)
    if who not in people:
        return
    table = {"device": list(devices), "user": list(people), "t": list(times)}
    identity = stitch(table, left="device", right="user", time="t", time_unit="s", devices="device")
    left = identity.erase("user", who)
    assert {d for d in devices if ("device", d) in left} == {d for d, u, _ in log if u != who}
    assert {u for u in people if ("user", u) in left} == {*people} - {who}


def test_traces_look_everywhere():
    journeys = Journeys.from_codes(
        customer=np.array([17]),
        time=np.arange(1),
        columns={"page": Codes.of(["/me?mail=ann@x.org"])},
    )
    identity = stitch({"a": ["q"], "email": ["ann@x.org"]}, left="a", right="email")
    assert len(traces(["ann@x.org", 17], journeys, identity)) == 2
    assert [
        r["place"] for r in traces(["ann@x.org"], journeys, identity, part=True).to_dicts()
    ] == [
        "page",
        "email",
    ]
    assert traces(["17"], journeys).place == ("customer",)
    numbers = Journeys.from_codes(customer=np.array([-5, 5, 4170]), time=np.arange(3))
    assert traces(["-5"], numbers).found == traces([-5], numbers).found == (-5,)
    assert len(traces(["05", "--5", "-", ""], numbers)) == 0
    assert traces(["17"], numbers, part=True).found == (4170,)
    assert traces([5], numbers, part=True).found == (-5, 5)
    apart = identity.split(("a", "q"), ("email", "ann@x.org"))
    assert traces(["q"], apart).place == ("a", "rules")
    assert "0 traces" in repr(traces(["zz"], journeys))
    with pytest.raises(SchemaError, match="found list"):
        traces(["x"], [])


def test_erasing_by_a_pseudonym():
    hide = Pseudonyms(b"k" * 16)
    journeys = Journeys.from_codes(customer=Codes.of(["ann", "bob"]), time=np.arange(2))
    hidden = hide.apply(journeys)
    assert erase(hidden, hide.of("ann")).customer.to_list() == [hide.of("bob")]
