"""Attribution by the letter of its definitions: plain Python, one touchpoint at a time."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from cxkit.core.codes import Codes
from cxkit.model.journeys import Journeys

SECOND = 1_000_000


class Row(NamedTuple):
    customer: int
    time: int  # seconds
    channel: str | None
    event: str
    value: float


class Path(NamedTuple):
    touches: list  # (place in the sorted log, channel, time)
    converted: bool
    value: float
    end: int
    customer: int


rows = st.builds(
    Row,
    customer=st.integers(0, 40),
    time=st.integers(0, 30),
    channel=st.sampled_from(["ad", "mail", "shop", None]),
    event=st.sampled_from(["view", "click", "buy"]),
    value=st.sampled_from([math.nan, 0.0, 1.0, 2.5, 10.0]),
)
logs = st.lists(rows, max_size=60)
options = st.fixed_dictionaries(
    {},
    optional={
        "lookback": st.sampled_from(["3s", "10s", None]),
        "goal_is_touch": st.booleans(),
        "touches": st.sampled_from([None, "view", ["view", "buy"], ["click"]]),
        "most_touches": st.sampled_from([None, 1, 2, 5]),
        "restart": st.booleans(),
    },
)


def to_journeys(log: list[Row]) -> Journeys:
    return Journeys.from_codes(
        customer=np.array([r.customer for r in log], np.int64),
        time=np.array([r.time * SECOND for r in log], np.int64),
        columns={
            "channel": Codes.of([r.channel for r in log]),
            "event": Codes.of([r.event for r in log]),
            "value": np.array([r.value for r in log], np.float64),
        },
    )


def cut(log, *, lookback=None, goal_is_touch=True, touches=None, most_touches=None, restart=True):
    """The paths of a log, with positions in the log sorted by customer and time."""
    ordered = sorted(log, key=lambda r: (r.customer, r.time))
    per_customer = defaultdict(list)
    for place, row in enumerate(ordered):
        per_customer[row.customer].append((place, row))
    names = None if touches is None else [touches] if isinstance(touches, str) else touches
    span = math.inf if lookback is None else int(lookback.removesuffix("s"))
    found = []
    for customer, mine in per_customer.items():
        current = []
        for place, row in mine:
            current.append((place, row))
            if row.event == "buy" or place == mine[-1][0]:
                kept = []
                for p, r in current:
                    if r.event == "buy" and not goal_is_touch:
                        continue
                    if names is not None and r.event not in names:
                        continue
                    if row.time - r.time <= span:
                        kept.append((p, r.channel, r.time))
                kept = kept if most_touches is None else kept[-most_touches:]
                converted = row.event == "buy"
                value = row.value if converted and not math.isnan(row.value) else 0.0
                found.append(Path(kept, converted, value, row.time, customer))
                current = [] if restart else current
    return found


def weights(name, path, parameter=None):  # noqa: PLR0911  # one return per rule
    """What each touch of a converting path earns, as exact fractions where there are any."""
    n = len(path.touches)
    if name == "first_touch":
        return [Fraction(int(i == 0)) for i in range(n)]
    if name == "last_touch":
        return [Fraction(int(i == n - 1)) for i in range(n)]
    if name == "linear":
        return [Fraction(1, n)] * n
    if name == "position_based":
        first, last, middle = (*parameter, 0)[:3]
        if n == 1:
            return [Fraction(1)]
        named = {0: first, n - 1: last}
        if n > 2 and middle:
            named[(n - 1) // 2] = middle
        rest = 1 - sum(named.values())
        if n == len(named):
            whole = sum(named.values())
            return [named[i] / whole if whole else Fraction(1, n) for i in range(n)]
        return [named.get(i, rest / (n - len(named))) for i in range(n)]
    labels = [channel for _, channel, _ in path.touches]
    if name == "last_non_direct":
        others = [i for i in range(n) if labels[i] not in parameter]
        return [Fraction(int(i == (others[-1] if others else n - 1))) for i in range(n)]
    if name == "participation":
        return [Fraction(1, labels.count(x)) for x in labels]
    if name == "linear_distinct":
        return [Fraction(1, labels.count(x) * len(set(labels))) for x in labels]
    if name == "label_weights":
        weigh = [parameter.get(x, Fraction(0)) for x in labels]
        whole = sum(weigh)
        return [w / whole if whole else Fraction(1, n) for w in weigh]
    raw = [2.0 ** (-(path.end - time) / parameter) for _, _, time in path.touches]
    return [w / sum(raw) for w in raw]


def chain(paths, order=1):
    """Transition counts of the attributed chain; a state is the last labels, "(" is START."""
    steps = defaultdict(lambda: defaultdict(Fraction))
    gains = defaultdict(Fraction)
    for path in paths:
        labels = [channel for _, channel, _ in path.touches]
        if path.converted and not labels:
            continue
        before = ["("] * order + labels
        states = [tuple(before[i : i + order]) for i in range(len(labels) + 1)]
        states.append("conversion" if path.converted else "null")
        for a, b in pairwise(states):
            steps[a][b] += 1
        if path.converted:
            gains[states[-2]] += Fraction(path.value)
    return steps, gains


def reach(steps, payoff, removed=None):
    """Expected payoff from START, by exact Gauss-Jordan; states of a removed label pay nothing."""
    states = [s for s in steps if removed is None or s[-1] != removed[0]]
    start = next((s for s in states if set(s) == {"("}), None)
    at = {s: i for i, s in enumerate(states)}
    size = len(states)
    system = [[Fraction(int(i == j)) for j in range(size)] + [Fraction(0)] for i in range(size)]
    for state, i in at.items():
        out = sum(steps[state].values())
        for to, often in steps[state].items():
            if to in at:
                system[i][at[to]] -= often / out
        system[i][-1] = payoff[state] / out
    for i in range(size):
        pivot = next(r for r in range(i, size) if system[r][i])
        system[i], system[pivot] = system[pivot], system[i]
        scale = system[i][i]
        system[i] = [x / scale for x in system[i]]
        for r in range(size):
            if r != i and system[r][i]:
                factor = system[r][i]
                system[r] = [x - factor * y for x, y in zip(system[r], system[i], strict=True)]
    return system[at[start]][-1] if start is not None else Fraction(0)


def removal(paths, order=1):
    """Removal effects by deleting one label at a time: (conversions, value) per label."""
    steps, gains = chain(paths, order)
    converts = defaultdict(Fraction, {s: steps[s]["conversion"] for s in list(steps)})
    labels = {s[-1] for s in steps if s[-1] != "("}
    effects = []
    for payoff in (converts, gains):
        whole = reach(steps, payoff)
        effects.append(
            {
                k: 1 - reach(steps, payoff, removed=(k,)) / whole if whole else Fraction(0)
                for k in labels
            }
        )
    return effects
