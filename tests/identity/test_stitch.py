import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import DataError, DefinitionError, SchemaError, UnknownLabelError
from cxkit.identity import (
    BLOCKED,
    Identity,
    Rules,
    conflicts,
    exclusive as cutting,
    stitch,
)
from tests.identity import brute
from tests.identity.strategies import IDENTIFIERS, ROWS, SIDES, SPACES, UNTIMED, groups_of, table_of

GUARDS = st.fixed_dictionaries(
    {
        "exclusive": st.lists(st.sampled_from(SPACES), unique=True).map(tuple),
        "max_shared": st.one_of(st.none(), st.integers(1, 4)),
        "blocked": st.sampled_from([(), ("null",)]),
    }
)


def make(rows, *, timed=True, **guards):
    """Without the check of names, for random rows may lack a namespace."""
    sides = SIDES if timed else UNTIMED
    none = stitch(
        table_of([]), **sides, exclusive=(), **{k: v for k, v in guards.items() if k != "exclusive"}
    )
    rules = Rules(**guards)
    return Identity(none.pairs, rules).add(table_of(rows), **sides)


@pytest.mark.parametrize("timed", [True, False], ids=["timed", "untimed"])
@pytest.mark.parametrize("prefer", ["earliest", "most_rows"])
@given(rows=ROWS, guards=GUARDS)
def test_equal_to_the_rules_as_loops(timed, prefer, rows, guards):
    got = make(rows, timed=timed, prefer=prefer, **guards)
    expected = brute.stitch(rows, earliest=prefer == "earliest", timed=timed, **guards)
    assert groups_of(got) == expected


@given(rows=ROWS, guards=GUARDS)
def test_a_long_chain_of_conflicts_is_finished_one_by_one(rows, guards):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_MOST_ROUNDS", 0)
        got = groups_of(make(rows, **guards))
    assert got == brute.stitch(rows, **guards)


def test_a_chain_that_gives_one_link_a_round():
    # card, loyalty, card, loyalty ... seen in order: each link waits for the one before.
    n = 300
    table = {"card": [], "loyalty": [], "t": []}
    for step in range(2 * n - 1):
        table["card"].append((step + 1) // 2 + 1)
        table["loyalty"].append(step // 2 + 1)
        table["t"].append(step)
    got = stitch(
        table,
        left="card",
        right="loyalty",
        time="t",
        time_unit="s",
        exclusive=["card", "loyalty"],
    )
    assert got.customers == n
    assert all(got.customer_of("card", i) == got.customer_of("loyalty", i) for i in range(1, n + 1))


@given(rows=ROWS, guards=GUARDS, seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_sides_does_not_matter(rows, guards, seed):
    mixed = [(b, a, t) if seed.random() < 0.5 else (a, b, t) for a, b, t in rows]
    seed.shuffle(mixed)
    assert make(mixed, **guards) == make(rows, **guards)


def test_numbers_that_become_text_stay_who_they_are():
    # As text they are in another order, though the first and the last stay where they were.
    table = {
        "customer_id": [1, 2, 10, 99],
        "kind": ["email", "email", "email", "customer_id"],
        "value": ["a@x.org", "b@x.org", "c@x.org", "99"],
    }
    got = stitch(table, left="customer_id", right=("kind", "value"))
    found = [got.customer_of("email", f"{name}@x.org") for name in "abc"]
    assert found == ["customer_id:1", "customer_id:2", "customer_id:10"]
    assert got.customer_of("customer_id", 99) == "customer_id:99"


@given(st.lists(st.tuples(st.integers(-120, 120), st.integers(0, 9)), min_size=1, max_size=30))
def test_numbers_beside_text_are_stitched_as_the_same_text(pairs):
    ids, mails = zip(*pairs, strict=True)
    kinds = [*["email"] * len(pairs), "id"]
    values = [*map(str, mails), str(ids[0])]
    sides = {"left": "id", "right": ("kind", "value")}
    numbers = stitch({"id": [*ids, ids[0]], "kind": kinds, "value": values}, **sides)
    texts = stitch({"id": [*map(str, ids), str(ids[0])], "kind": kinds, "value": values}, **sides)
    assert numbers == texts


@given(rows=ROWS, guards=GUARDS, cut=st.integers(0, 30))
def test_added_later_is_stitched_at_once(rows, guards, cut):
    whole = make(rows, **guards)
    parts = make(rows[:cut], **guards).add(table_of(rows[cut:]), **SIDES)
    assert parts == whole
    assert parts.refused.to_dicts() == whole.refused.to_dicts()
    assert parts.provenance.to_dicts() == whole.provenance.to_dicts()


@given(rows=ROWS, guards=GUARDS)
def test_every_pair_is_accepted_refused_or_alone(rows, guards):
    identity = make(rows, **guards)
    both = sum(a is not None and b is not None for a, b, _ in rows)
    neither = sum(a is None and b is None for a, b, _ in rows)
    assert identity.pairs.rows == len(rows)
    assert identity.provenance.rows.sum() + len(identity.refused) == both + neither


@given(rows=ROWS, guards=GUARDS, a=IDENTIFIERS, b=IDENTIFIERS)
def test_an_explanation_is_a_shortest_chain_of_pairs(rows, guards, a, b):
    identity = make(rows, **guards)
    if a not in identity or b not in identity:
        with pytest.raises(UnknownLabelError):
            identity.explain(a, b)
        return
    got = identity.explain(a, b)
    same = any(a in group and b in group for group in groups_of(identity)[0])
    assert got.joined == same
    name = "{0[0]}:{0[1]}".format
    refused = {row["row"]: row["reason"] for row in identity.refused.to_dicts()}
    chain = [name(a)]
    for left, right, row, reason in zip(got.left, got.right, got.row, got.refused, strict=True):
        assert left == chain[-1]
        one, other, _ = rows[row]
        assert {name(one), name(other)} == {left, right}
        assert reason == refused.get(row, "")
        assert not (same and reason)
        chain.append(right)
    steps = _distance(rows, a, b, set() if not same else set(refused))
    assert len(got) == (steps or 0)
    if steps is not None:
        assert chain[-1] == name(b)


def _distance(rows, a, b, refused):
    reached, steps = {a}, 0
    while b not in reached:
        more = set()
        for row, (x, y, _) in enumerate(rows):
            if row not in refused and x is not None and y is not None:
                more |= {y} if x in reached else set()
                more |= {x} if y in reached else set()
        if more <= reached:
            return None
        reached |= more
        steps += 1
    return steps


@given(rows=ROWS, guards=GUARDS)
def test_bytes_and_pickles_bring_it_back(rows, guards):
    identity = make(rows, **guards)
    for copy in (Identity.from_bytes(identity.to_bytes()), pickle.loads(pickle.dumps(identity))):
        assert copy == identity
        assert copy.refused.to_dicts() == identity.refused.to_dicts()
        assert not copy.pairs.left.flags.writeable


def test_damaged_bytes_are_refused():
    data = stitch({"a": [1, 2], "b": ["x", "x"]}, left="a", right="b").to_bytes()
    with pytest.raises(DataError, match="no identity"):
        Identity.from_bytes(b"CXS1" + data[4:])
    for size in range(4, len(data)):
        with pytest.raises(DataError, match=r"damaged|schema"):
            Identity.from_bytes(data[:size])
    for wrong in (data.replace(b'"rows"', b'"sows"'), data.replace(b"identity/1", b"identity/9")):
        with pytest.raises(DataError):
            Identity.from_bytes(wrong)
    outside = bytearray(data)
    outside[data.index(b"]]}") + 3] = 99  # the first pair points nowhere
    with pytest.raises(DataError, match="damaged"):
        Identity.from_bytes(bytes(outside))


# ---------------------------------------------------------------------- names


def test_a_customer_keeps_its_name_when_later_pairs_come():
    table = {"cookie": ["z", "y"], "email": ["ann", "bob"], "t": [5, 6]}
    sides = {"left": "cookie", "right": "email", "time": "t", "time_unit": "s"}
    first = stitch(table, **sides)
    assert first.customer_of("email", "ann") == "cookie:z"
    later = first.add({"cookie": ["a", "a"], "email": ["ann", "bob"], "t": [7, 8]}, **sides)
    assert later.customer_of("email", "bob") == "cookie:z"
    assert later.customers == 1


def test_a_row_with_one_identifier_says_since_when_it_is_known():
    table = {"cookie": ["c1", "c2", "c1"], "email": [None, "ann", "ann"], "t": [1, 2, 3]}
    got = stitch(table, left="cookie", right="email", time="t", time_unit="s")
    assert got.customer_of("email", "ann") == "cookie:c1"
    assert len(got.refused) == 0


def test_numbers_and_digits_are_one():
    got = stitch({"a": [7, 8], "b": ["x", "y"]}, left="a", right="b")
    assert got.customer_of("a", "7") == got.customer_of("a", np.int64(7)) == "a:7"
    more = got.add({"a": ["7", "007"], "b": ["z", "w"]}, left="a", right="b")
    assert more.customer_of("b", "z") == more.customer_of("a", 7)
    assert more.customer_of("b", "w") != more.customer_of("a", 7)
    assert ("a", "07") not in got
    assert ("a", 1.5) not in got
    assert ("a",) not in got


def test_several_columns_on_the_right():
    table = {"rec": [1, 2, 3, 4], "mail": ["m", None, "n", None], "phone": ["p", "p", None, "q"]}
    got = stitch(table, left="rec", right=["mail", "phone"])
    assert got.customers == 3
    assert got.members("mail", "m") == [("mail", "m"), ("phone", "p"), ("rec", 1), ("rec", 2)]
    assert got.explain(("mail", "m"), ("rec", 2)).row.tolist() == [0, 0, 1]


# ---------------------------------------------------------------------- guards


def test_a_kiosk_joins_nobody():
    emails = [f"{n}@x" for n in range(30)]
    table = {"device": ["kiosk"] * 30 + ["d"], "email": [*emails, "0@x"]}
    got = stitch(table, left="device", right="email", max_shared=20)
    assert got.customers == 30
    assert got.customer_of("device", "kiosk") is None
    assert got.customer_of("device", "d") == got.customer_of("email", "0@x")
    assert got.refused.counts() == {"too widely shared": 30}
    by_space = stitch(table, left="device", right="email", max_shared={"email": 1})
    assert by_space.customers == 1 + 1  # the e-mail of two devices is nobody's, so d is alone


def test_repeats_do_not_make_a_kiosk():
    table = {"device": ["d"] * 1000, "email": ["a@x", "b@x"] * 500}
    assert stitch(table, left="device", right="email", max_shared=2).customers == 1


def test_an_exclusive_identifier_may_have_any_number_of_devices():
    table = {"device": list(range(500)), "customer_id": ["ann"] * 500}
    assert (
        stitch(table, left="device", right="customer_id", max_shared=3, blocked=()).customers == 1
    )


def test_two_cards_never_are_one_customer():
    table = {"device": ["d", "d", "d"], "card": ["b", "a", "a"], "t": [1, 2, 3]}
    sides = {"left": "device", "right": "card", "exclusive": "card"}
    timed = stitch(table, **sides, time="t", time_unit="s")
    assert timed.customer_of("device", "d", at="2024-01-01") == timed.customer_of("card", "b")
    assert timed.refused.counts() == {"would give a customer two of 'card'": 2}
    # Without times, or if asked, the link on more rows stands.
    for got in (
        stitch(table, **sides),
        stitch(table, **sides, time="t", time_unit="s", prefer="most_rows"),
    ):
        assert got.customer_of("device", "d") == got.customer_of("card", "a")
    direct = stitch({"a": [1], "b": [2]}, left="a", right="b", exclusive=["a", "b"])
    assert direct.customers == 1


@pytest.mark.parametrize(
    "value",
    [
        *("null", "NULL", " undefined ", "", "0", "000-000", "n/a", "N/A", "nan", "(not set)"),
        *("test@example.org", "00000000-0000-0000-0000-000000000000", "x@EXAMPLE.com", "None"),
    ],
)
def test_values_that_stand_for_nobody(value):
    got = stitch({"a": [1, 2], "b": [value, value]}, left="a", right="b")
    assert got.customers == 2
    if value.strip():
        assert got.customer_of("b", value) is None
        assert got.refused.counts() == {"blocked value": 2}
        free = stitch({"a": [1, 2], "b": [value, value]}, left="a", right="b", blocked=())
        assert free.customers == 1


def test_values_that_stand_for_somebody():
    values = ["contest@x.org", "nullarbor", "Noah", "100", "0a", "anne", "x@example.company"]
    got = stitch({"a": list(range(1, 8)), "b": values}, left="a", right="b")
    assert len(got.refused) == 0


def test_zero_and_minus_one_among_numbers():
    got = stitch({"a": ["x", "y", "z", "w"], "b": [0, 0, -1, 10]}, left="a", right="b")
    assert [got.customer_of("b", v) for v in (0, -1, 10)] == [None, None, "a:w"]
    assert stitch({"a": ["x"], "b": [0]}, left="a", right="b", blocked=("null",)).customers == 1
    assert set(BLOCKED) >= {"null", "undefined", "", "0", "n/a", "test@*"}


# ---------------------------------------------------------------------- splitting


def test_split_undoes_a_link_for_good():
    table = {"device": ["d1", "d2", "d2"], "email": ["ann", "ann", "bob"]}
    got = stitch(table, left="device", right="email")
    assert got.customers == 1
    apart = got.split(("device", "d2"), ("email", "ann"))
    assert apart.customers == 2
    assert apart.refused.to_dicts() == [
        {"row": 1, "left": "device:d2", "right": "email:ann", "reason": "split by hand"}
    ]
    again = apart.add({"device": ["d2"], "email": ["ann"]}, left="device", right="email")
    assert again.customers == 2
    assert Identity.from_bytes(again.to_bytes()) == again
    assert not apart.explain(("email", "ann"), ("email", "bob")).joined
    with pytest.raises(UnknownLabelError, match=r"no namespace 'emial'.*Did you mean 'email'"):
        got.split(("emial", "ann"), ("email", "bob"))


@given(rows=ROWS, guards=GUARDS, gone=IDENTIFIERS)
def test_without_an_identifier(rows, guards, gone):
    identity = make(rows, **guards)
    if gone not in identity:
        return
    got = identity.without(gone)
    expected = [(None if a == gone else a, None if b == gone else b, t) for a, b, t in rows]
    assert gone not in got
    if gone not in groups_of(identity)[1] and not identity.decision.shared.any():
        assert groups_of(got) == brute.stitch(expected, **guards)
    # Nobody comes together by forgetting, but whom an exclusive identifier kept apart.
    if not guards["exclusive"]:
        for group in groups_of(got)[0]:
            assert any(group <= old for old in groups_of(identity)[0])


# ---------------------------------------------------------------------- bad input


def test_bad_cells_cost_their_row():
    table = {
        "a": [1.0, float("nan"), 2.5, 4.0, None, 6.0],
        "b": ["x", "y", "x", None, None, "\ud800"],
    }
    got = stitch(table, left="a", right="b")
    assert got.customer_of("a", 1) == got.customer_of("b", "x")
    reasons = {r["row"]: r["reason"] for r in got.refused.to_dicts()}
    assert reasons == {
        2: "a: not a whole number, so no label for a",
        4: "no identifier",
        5: "b: text that is not valid Unicode",
    }
    assert ("b", "y") in got
    assert ("a", 4) in got


def test_rows_without_a_time_are_refused():
    table = {"a": [1, 2], "b": ["x", "x"], "t": ["2024-01-01", "soon"]}
    got = stitch(table, left="a", right="b", time="t", tz="UTC")
    assert got.refused.row.tolist() == [1]
    assert got.refused.reason[0].startswith("t: ")
    assert got.customer_of("a", 2) == "a:2"


def test_a_cycle_self_pairs_and_repeats():
    n = 1000
    table = {"lk": ["id"] * (2 * n), "lv": [*range(1, n + 1)] * 2, "rk": ["id"] * (2 * n)}
    table["rv"] = [*range(2, n + 1), 1, *range(1, n + 1)]
    got = stitch(table, **UNTIMED)
    assert got.customers == 1
    assert got.refused.counts() == {"self-pair": n}
    assert len(got.explain(("id", 1), ("id", n // 2 + 1))) == n // 2


def test_a_super_node_of_a_million():
    n = 1_000_000
    table = {"device": np.zeros(n, np.int64) + 5, "email": np.arange(1, n + 1)}
    free = stitch(table, left="device", right="email", max_shared=None)
    assert free.customers == 1
    assert len(free.explain(("email", 1), ("email", n))) == 2
    assert stitch(table, left="device", right="email").customers == n


def test_nothing_at_all():
    got = stitch({"a": [], "b": []}, left="a", right="b")
    assert (len(got), got.customers, len(got.refused), len(got.provenance)) == (0, 0, 0, 0)
    assert repr(
        got
    ) == "<Identity: 0 identifiers of 0 customers, from 0 rows; a (0), b (0)>" or "empty" in repr(
        got
    )
    assert got.resolve({"a": [3]}, ["a"]).to_list() == ["a:3"]
    assert got.add({"a": [1], "b": [2]}, left="a", right="b").customers == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"left": "a", "right": "x"}, SchemaError, "no column 'x'"),
        ({"left": "a", "right": []}, DefinitionError, "right is empty"),
        ({"left": "a", "right": [3]}, DefinitionError, "neither a column"),
        ({"left": "a", "right": "b", "exclusive": "B"}, DefinitionError, "Did you mean 'b'"),
        ({"left": "a", "right": "b", "max_shared": 0}, DefinitionError, "from 1 up"),
        ({"left": "a", "right": "b", "max_shared": {"c": 3}}, DefinitionError, "namespace 'c'"),
        ({"left": "a", "right": "b", "within": "1d"}, DefinitionError, "about devices"),
        ({"left": "a", "right": "b", "devices": "a"}, DefinitionError, "pass time="),
        ({"left": "a", "right": "b", "prefer": "best"}, DefinitionError, "prefer must be"),
        (
            {"left": "a", "right": "b", "devices": "a", "exclusive": "a", "time": "t"},
            DefinitionError,
            "both exclusive and devices",
        ),
        ({"left": ("k", "a"), "right": "b"}, DefinitionError, "without ':'"),
        ({"left": "t", "right": "b"}, SchemaError, "'t'"),
    ],
)
def test_wrong_arguments(options, error, message):
    table = {"a": [1], "b": [2], "t": np.array(["2024-01-01"], "M8[s]"), "k": ["e:mail"]}
    with pytest.raises(error, match=message):
        stitch(table, **options)


def test_tables_of_pairs_with_and_without_times_do_not_mix():
    timed = stitch({"a": [1], "b": [2], "t": [0]}, left="a", right="b", time="t", time_unit="s")
    with pytest.raises(SchemaError, match="pass time= for both or"):
        timed.add({"a": [1], "b": [2]}, left="a", right="b")


def test_any_table_will_do():
    pd, pl, pa = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    table = {"device": ["d1", "d2", None], "email": ["ann", "ann", "bob"]}
    plain = stitch(table, left="device", right="email")
    for other in (pd.DataFrame(table), pl.DataFrame(table), pa.table(table)):
        assert stitch(other, left="device", right="email") == plain


def test_rules_as_data():
    rules = Rules(
        exclusive="card",
        max_shared={"ip": 3},
        devices=["ip"],
        within=5,
        apart=[(("a", 1), ("b", "x"))],
        shared=[("a", 2)],
    )
    assert Rules.from_dict(rules.to_dict()) == rules
    with pytest.raises(DataError, match="unknown field"):
        Rules.from_dict({**rules.to_dict(), "exclusiv": []})
    with pytest.raises(DataError, match="damaged"):
        Rules.from_dict({**rules.to_dict(), "apart": [1]})


def test_no_warnings_and_read_only():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = stitch({"a": [1, 2], "b": [3, 3]}, left="a", right="b")
    for array in (got.pairs.left, got.decision.customer, got.decision.status, got.provenance.row):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert got != 1
    assert "5" not in repr(got)


def test_results_say_what_they_are():
    got = stitch({"a": [1, 2], "b": ["x", "null"]}, left="a", right="b")
    assert repr(got.explain(("a", 1), ("a", 2))).startswith("nothing connects a:1 and a:2")
    assert repr(got.provenance).startswith("1 links that were accepted")
    assert repr(got.refused).startswith("1 pairs refused")
    assert len(got.explain(("a", 1), ("a", 1))) == 0
    assert got.explain(("a", 1), ("a", 1)).joined
    assert got.provenance.to_dicts() == [
        {"customer": "a:1", "left": "a:1", "right": "b:x", "rows": 1, "row": 0}
    ]


@pytest.mark.parametrize("other", ["cookie", "zip"])  # before and after customer_id in the alphabet
@pytest.mark.parametrize("prefer", ["earliest", "most_rows"])
@given(
    rows=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 5), st.integers(0, 3)), max_size=25),
    max_shared=st.one_of(st.none(), st.integers(1, 3)),
    timed=st.booleans(),
)
def test_links_to_one_customer_are_decided_as_any_others(other, prefer, rows, max_shared, timed):
    # The short way for sides of which one is exclusive, against the way for any pairs.
    values, customers, times = ([row[k] for row in rows] for k in range(3))
    table = {other: values, "customer_id": customers, "t": times}
    given_time = {"time": "t", "time_unit": "s"} if timed else {}

    def decision(left, right):
        made = stitch(
            table, left=left, right=right, prefer=prefer, max_shared=max_shared, **given_time
        )
        return made.decision

    for sides in ((other, "customer_id"), ("customer_id", other)):
        short = decision(*sides)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conflicts, "_owners", lambda *_: None)
            whole = decision(*sides)
        for name in ("group", "customer", "shared", "status"):
            assert getattr(short, name).tolist() == getattr(whole, name).tolist()
