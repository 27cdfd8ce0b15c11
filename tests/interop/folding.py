"""What the tests of every fold share: a log, every summary at once, and the whole to compare with.

Customers lie on every kind of edge: of a batch, of a file, of a partition that is empty or lacks
every channel.
"""

from functools import partial
from itertools import pairwise

import numpy as np

from cxkit.core.codes import Codes
from cxkit.model.journeys import Journeys
from tests.laws.test_summaries import CASES, close

ROLES = {
    "customer": "user",
    "time": "ts",
    "event": "what",
    "channel": "where",
    "value": "amount",
    "columns": ["campaign"],
}
COUNTERS = {case.id: partial(case.values[0].of, **case.values[1]) for case in CASES}
# Where the roads of all summaries are not asked for: these notice a row, an order, a value lost.
FEW = {name: COUNTERS[name] for name in ("PathVariants-0", "Transitions-2", "VisitValue-1")}
NAMES = ["user", "ts", "what", "where", "campaign", "amount"]


FIRST, LAST = "A first of all", "~ last of all"  # in every sort: numbers sort before letters too
LONG, TIES, BLANK, ONCE = "c007é", "c0 ties", "c0 without labels", "c0 once"


def log(seed=0, customers=40, rows=500):
    """Rows in any order: customer, microseconds, event, channel, campaign, value.

    Few different minutes, so that many rows of a customer share one; one customer has a third of
    all rows; the last of the crowd have no channel at all. Among them are customers who lie on the
    edges of everything: the first and the last, one with a single touchpoint, one whose touchpoints
    are all of one instant, and one without any label.
    """
    rng = np.random.default_rng(seed)
    who = np.where(rng.random(rows) < 0.3, 7, rng.integers(customers, size=rows))
    events, channels = [None, "view", "cart", "buy", "mail"], [None, "web", "app", "store"]
    found = [
        (
            f"c{c:03}é" if c % 5 else f"C{c:03}",
            int(rng.integers(200)) * 60_000_000,
            events[rng.integers(5)],
            channels[rng.integers(4)] if c < customers - 9 else None,
            int(rng.integers(1, 4)) if rng.random() < 0.8 else None,
            float(rng.integers(1, 9)) if rng.random() < 0.5 else float("nan"),
        )
        for c in who.tolist()
    ]
    nan = float("nan")
    found += [(FIRST, 0, "buy", "web", 1, 5.0), (ONCE, 60_000_000, "buy", None, None, nan)]
    found += [(LAST, at * 60_000_000, "view", "app", 2, nan) for at in range(3)]
    found += [(BLANK, at % 3 * 60_000_000, None, None, None, nan) for at in range(6)]
    found += [(TIES, 0, events[at % 5], channels[at % 4], at % 3 + 1, 1.0) for at in range(12)]
    # Every row anywhere, but those of one customer and instant in the order above.
    place = rng.permutation(len(found)).tolist()
    queues = {}
    for row in found:
        queues.setdefault(row[:2], []).append(row)
    return [queues[found[at][:2]].pop(0) for at in place]


def by_customer(rows):
    """The rows sorted by customer alone: those of one customer keep their order."""
    return sorted(rows, key=lambda row: row[0])


def columns_of(rows):
    """The rows as columns of Python values."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(NAMES)
    return {name: list(column) for name, column in zip(NAMES, columns, strict=True)}


def table_of(rows, **types):
    """The rows as an Arrow table; ``types`` are other types of columns."""
    import pyarrow as pa

    kinds = {
        "user": pa.string(),
        "ts": pa.timestamp("us", "UTC"),
        "what": pa.string(),
        "where": pa.string(),
        "campaign": pa.int64(),
        "amount": pa.float64(),
        **types,
    }
    columns = columns_of(rows)
    return pa.table({name: pa.array(columns[name], kinds[name]) for name in NAMES})


def journeys_of(rows):
    """The journeys of all rows at once, by the road that has no fold in it."""
    columns = columns_of(rows)
    return Journeys.from_codes(
        customer=Codes.of(columns["user"]),
        time=np.array(columns["ts"], np.int64),
        columns={
            "channel": Codes.of(columns["where"]),
            "event": Codes.of(columns["what"]),
            "value": np.array(columns["amount"], np.float64),
            "campaign": Codes.of(columns["campaign"]),
        },
    )


def whole(rows, counters=COUNTERS):
    """Every summary of all rows at once."""
    journeys = journeys_of(rows)
    return {name: counter(journeys) for name, counter in counters.items()}


def unequal(folded, rows):
    """The few summaries of a fold that are not those of the whole; its counts must be right."""
    check_counts(folded, rows)
    expected = whole(rows, FEW)
    assert set(folded.summaries) == set(expected)
    return [name for name in expected if not close(folded[name], expected[name])]


def check_counts(folded, rows):
    """Every row is accounted for."""
    assert folded.rows == len(rows)
    assert folded.touchpoints == len(rows)
    assert folded.journeys == len({row[0] for row in rows})
    assert not folded.reasons


def cut(rows, cuts):
    """The rows in parts; equal cuts make empty ones."""
    edges = [0, *sorted(cuts), len(rows)]
    return [rows[a:b] for a, b in pairwise(edges)]
