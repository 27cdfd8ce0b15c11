"""Random pairs of identifiers: few values, so that they meet, conflict and repeat."""

from hypothesis import strategies as st

SPACES = ("card", "device", "email")
VALUES = ("a", "b", "c", "null", "a much longer value 1", "a much longer value 2")
IDENTIFIERS = st.tuples(st.sampled_from(SPACES), st.sampled_from(VALUES))
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), IDENTIFIERS), st.one_of(st.none(), IDENTIFIERS), st.integers(0, 6)
    ),
    max_size=30,
)
SIDES = {"left": ("lk", "lv"), "right": ("rk", "rv"), "time": "t", "time_unit": "s"}
UNTIMED = {"left": ("lk", "lv"), "right": ("rk", "rv")}


def table_of(rows):
    """The rows as a table of namespaces and values."""
    sides = [(a or (None, None), b or (None, None), t) for a, b, t in rows]
    return {
        "lk": [a[0] for a, _, _ in sides],
        "lv": [a[1] for a, _, _ in sides],
        "rk": [b[0] for _, b, _ in sides],
        "rv": [b[1] for _, b, _ in sides],
        "t": [t for *_, t in sides],
    }


def groups_of(identity):
    """The groups of an identity as plain sets, and the identifiers of nobody."""
    found = {}
    for node, group in enumerate(identity.decision.group.tolist()):
        found.setdefault(group, set()).add(identity.identifiers[node])
    nobody = {
        identity.identifiers[node]
        for node, who in enumerate(identity.decision.customer.tolist())
        if who < 0
    }
    return {frozenset(members) for members in found.values()}, nobody
