"""Random data for property tests: small, with ties, repeats and missing labels on purpose."""

import numpy as np
from hypothesis import strategies as st

from cxkit.core.codes import Codes
from cxkit.model.journeys import Journeys

TEXTS = st.sampled_from(
    [
        *("a", "b", "web", "", "A", "é", "😀", "a\0", "a ", "NaN", "None", "0"),
        # Long texts are kept apart by numpy's string dtype, and were found to go their own way.
        *("b" * 16, "a" * 40 + "1", "a" * 40 + "2", "customer-000000000017", "é" * 10 + "\0"),
    ]
)
LABELS = st.one_of(st.none(), TEXTS)
EVENTS = ("view", "cart", "buy", "mail")
CHANNELS = ("web", "app", "store")


@st.composite
def offsets_and(draw, values, max_segments=12, max_length=6):
    """Offsets of non-empty segments, and one value per row."""
    sizes = draw(st.lists(st.integers(1, max_length), max_size=max_segments))
    rows = draw(st.lists(values, min_size=sum(sizes), max_size=sum(sizes)))
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64), rows


@st.composite
def touchpoint_rows(draw, max_rows=40, customers=5, min_rows=0):
    """Rows as plain tuples: customer, microseconds, event, channel, campaign, value."""
    row = st.tuples(
        st.integers(0, customers - 1).map("c{}".format),
        # Few different times, minutes apart, so that ties and pauses of each length occur.
        st.integers(0, 300).map(lambda m: m * 60_000_000),
        st.one_of(st.none(), st.sampled_from(EVENTS)),
        st.one_of(st.none(), st.sampled_from(CHANNELS)),
        st.one_of(st.none(), st.integers(1, 3)),
        st.one_of(st.just(float("nan")), st.integers(-3, 9).map(float)),
    )
    return draw(st.lists(row, min_size=min_rows, max_size=max_rows))


def journeys_of(rows):
    """Journeys of such rows."""
    if not rows:
        return Journeys.empty()
    customer, time, event, channel, campaign, value = zip(*rows, strict=True)
    return Journeys.from_codes(
        customer=Codes.of(list(customer)),
        time=np.array(time, np.int64),
        columns={
            "channel": Codes.of(list(channel)),
            "event": Codes.of(list(event)),
            "value": np.array(value, np.float64),
            "campaign": Codes.of(list(campaign)),
        },
    )


def grouped(rows):
    """The same rows as plain Python journeys: {customer: rows in order of time}, sorted."""
    found = {}
    for row in sorted(rows, key=lambda r: (r[0], r[1])):  # sorted() is stable, as the door is
        found.setdefault(row[0], []).append(row)
    return found


@st.composite
def reordered(draw, rows):
    """The same rows in another order; rows of one customer and instant keep theirs."""
    order = draw(st.permutations(range(len(rows))))
    found = {}
    for position in sorted(order):
        found.setdefault(rows[position][:2], []).append(rows[position])
    waiting = {key: iter(same) for key, same in found.items()}
    return [next(waiting[rows[position][:2]]) for position in order]
