"""Funnels by trying out everything: every choice of touchpoints, in plain Python."""

from itertools import combinations, permutations

from hypothesis import strategies as st

from cxkit import DefinitionError, Goal
from cxkit.core.spans import span_us
from cxkit.flow import Funnel, Without
from tests.strategies import CHANNELS, EVENTS

SPANS = st.sampled_from(["1min", "5min", "20min", "1h", "3h"])


def rows_of_ties(customers=2, max_rows=14, min_rows=6):
    """Rows with few different events and minutes, so that steps are done and instants shared."""
    row = st.tuples(
        st.integers(0, customers - 1).map("c{}".format),
        st.integers(0, 8).map(lambda m: m * 5 * 60_000_000),
        st.sampled_from([*EVENTS[:2], *EVENTS]),
        st.sampled_from(CHANNELS),
        st.one_of(st.none(), st.integers(1, 2)),
        st.integers(1, 2).map(float),
    )
    return st.lists(row, min_size=min_rows, max_size=max_rows)


GOALS = st.one_of(
    st.sampled_from(EVENTS[:2]),
    st.sampled_from(EVENTS[:3]),
    st.builds(Goal, st.sampled_from(EVENTS[:2]), st.sampled_from(CHANNELS[:2])),
    st.builds(Goal, st.sampled_from(EVENTS[:2]), value=st.sampled_from([(2, None), (None, 1)])),
    st.builds(Goal, st.sampled_from(EVENTS[:2]), where=st.just({"campaign": 1})),
)


@st.composite
def funnels(draw):
    """Funnels with every combination of options that means something."""
    steps = draw(st.lists(GOALS, min_size=draw(st.integers(1, 3)), max_size=4))
    gaps = len(steps) - 1
    in_order = draw(st.sampled_from([True, True, True, False]))
    adjacent = in_order and draw(st.sampled_from([False, False, False, True]))
    options = {
        "within": draw(st.one_of(st.none(), SPANS)),
        "hold": draw(st.sampled_from([None, None, "campaign", "channel"])),
        "entry": draw(
            st.sampled_from(["any", "any", "first", "last"] if in_order else ["any", "first"])
        ),
        "order": "given" if in_order else "any",
        "adjacent": adjacent,
    }
    if in_order:
        options["ties"] = draw(
            st.sampled_from(["order", "strict"] if adjacent else ["order", "strict", "any"])
        )
        for name in ("step_within", "step_after"):
            each = st.lists(st.one_of(st.none(), SPANS), min_size=gaps, max_size=gaps)
            options[name] = draw(st.one_of(st.none(), st.none(), SPANS, each))
    if not adjacent and gaps:
        between = st.integers(1, gaps).flatmap(
            lambda after: st.builds(
                Without,
                GOALS,
                st.just(after),
                st.one_of(st.none(), st.integers(after + 1, gaps + 1)),
            )
        )
        one = st.one_of(GOALS, between) if in_order else st.just("mail")
        options["without"] = draw(st.one_of(st.just([]), st.lists(one, max_size=2)))
    try:
        return Funnel(steps, **options)
    except DefinitionError:  # such as steps that can never be reached
        return Funnel(steps, options["within"])


def dense_case(rng):
    """Rows and a funnel, so that most journeys get far: what hypothesis rarely tries."""
    spans = ["5min", "10min", "20min", "40min"]

    def goal():
        event, kind = rng.choice(["view", "view", "cart", "cart", "buy"]), rng.random()
        if kind < 0.12:
            return Goal(event, rng.choice(CHANNELS[:2]))
        if kind < 0.22:
            return Goal(event, value=rng.choice([(2, None), (None, 1)]))
        return Goal(event, where={"campaign": rng.choice([1, 2])}) if kind < 0.3 else event

    rows = [
        (
            f"c{rng.randrange(2)}",
            rng.randrange(7) * 5 * 60_000_000,
            rng.choice(["view", "view", "cart", "cart", "buy"]),
            rng.choice(CHANNELS[:2]),
            rng.choice([None, 1, 1, 2]),
            rng.choice([1.0, 2.0]),
        )
        for _ in range(rng.randrange(5, 15))
    ]
    size = rng.randrange(2, 5)
    in_order = rng.random() < 0.8
    adjacent = in_order and rng.random() < 0.15
    options = {
        "within": rng.choice([None, None, *spans]),
        "hold": rng.choice([None, None, None, "campaign", "channel"]),
        "entry": rng.choice(["any", "any", "first", "last"] if in_order else ["any", "first"]),
        "order": "given" if in_order else "any",
        "adjacent": adjacent,
    }
    if in_order:
        ties = ["order", "strict"] if adjacent else ["order", "strict", "any", "any"]
        options["ties"] = rng.choice(ties)
        for name in ("step_within", "step_after"):
            each = [rng.choice([None, *spans]) for _ in range(size - 1)]
            options[name] = rng.choice([None, None, None, rng.choice(spans), each])
    if not adjacent and rng.random() < 0.4:
        first = rng.randrange(1, size)
        one = Without(goal(), first, rng.choice([None, rng.randrange(first + 1, size + 1)]))
        options["without"] = [one, goal()][: rng.randrange(1, 3)] if in_order else ["buy"]
    steps = [goal() for _ in range(size)]
    try:
        return rows, Funnel(steps, **options)
    except DefinitionError:
        return rows, Funnel(steps, options["within"])


def matches(goal, row):
    return goal.reached_by(row[2], row[3], row[5], {"campaign": row[4]})


def slow_passage(funnel, rows):
    """The touchpoints of each step of one journey, -1 where there is none."""
    everything = list(range(len(rows)))
    if funnel.hold is None:
        views = [everything]
    else:
        column = {"campaign": 4, "channel": 3}[funnel.hold]
        labels = {row[column] for row in rows} - {None}
        views = [[i for i in everything if rows[i][column] == label] for label in labels]
    one = _in_order if funnel.order == "given" else _any_order
    found = [one(funnel, rows, view) for view in views]
    deepest = max((len(way) for way in found), default=0)
    ways = [way for way in found if len(way) == deepest]
    best = min(ways, key=lambda way: way[-1:]) if ways else []
    return [*best, *[-1] * (len(funnel.steps) - deepest)]


def _in_order(funnel, rows, view):
    by_instant = funnel.ties != "order" and not funnel.adjacent

    def place(i):
        return rows[i][1] if by_instant else i

    ways = list(_chains(funnel, rows, view, by_instant))
    if not ways:
        return []
    deepest = max(map(len, ways))
    # The earliest end; then the latest step before it, and so on back.
    best = min(
        (way for way in ways if len(way) == deepest),
        key=lambda way: (place(way[-1]), *(-place(i) for i in way[-2::-1])),
    )
    if not by_instant:
        return best
    return [
        next(i for i in view if rows[i][1] == rows[at][1] and matches(step, rows[i]))
        for at, step in zip(best, funnel.steps, strict=False)
    ]


def _chains(funnel, rows, view, by_instant):
    entries = [i for i in view if matches(funnel.steps[0], rows[i])]
    if entries and funnel.entry != "any":
        only = entries[0] if funnel.entry == "first" else entries[-1]
        entries = [i for i in entries if (rows[i][1] == rows[only][1] if by_instant else i == only)]
    pending = [[i] for i in entries]
    while pending:
        way = pending.pop()
        yield way
        if len(way) < len(funnel.steps):
            pending += [
                [*way, i] for i in view if i not in way and _follows(funnel, rows, view, way, i)
            ]


def _us(span):
    return None if span is None else span_us(span, name="span")


def _gap(given, gap):
    return _us(given[gap] if isinstance(given, tuple) else given)


def _follows(funnel, rows, view, way, i):
    last, gap, by_instant = way[-1], len(way) - 1, funnel.ties != "order"
    pause = rows[i][1] - rows[last][1]
    if not matches(funnel.steps[gap + 1], rows[i]):
        return False
    if funnel.ties == "any":
        if pause < 0:
            return False
    elif i < last or (funnel.ties == "strict" and pause <= 0):
        return False
    if funnel.adjacent and view.index(i) != view.index(last) + 1:
        return False
    least, most = _gap(funnel.step_after, gap), _gap(funnel.step_within, gap)
    if (least is not None and pause < least) or (most is not None and pause > most):
        return False
    if funnel.within is not None and rows[i][1] - rows[way[0]][1] > _us(funnel.within):
        return False
    for one in funnel.without:
        end = len(funnel.steps) if one.before is None else one.before
        if not one.after <= gap + 1 < end:
            continue
        for x in view:
            between = rows[last][1] < rows[x][1] < rows[i][1] if by_instant else last < x < i
            if between and matches(one.goal, rows[x]):
                return False
    return True


def _any_order(funnel, rows, view):
    def done(seen):
        """How many steps these touchpoints can be, each one of them."""
        for size in range(len(funnel.steps), 0, -1):
            for some in combinations(seen, min(size, len(seen))):
                for steps in permutations(funnel.steps, len(some)):
                    if len(some) == size and all(
                        matches(s, rows[i]) for s, i in zip(steps, some, strict=True)
                    ):
                        return size
        return 0

    starts = [i for i in view if any(matches(step, rows[i]) for step in funnel.steps)]
    best = []
    for start in starts[:1] if funnel.entry == "first" else starts:
        way, seen = [], []
        for i in view[view.index(start) :]:
            if any(matches(one.goal, rows[i]) for one in funnel.without):
                break
            if funnel.within is not None and rows[i][1] - rows[start][1] > _us(funnel.within):
                break
            seen = [*seen, i] if any(matches(step, rows[i]) for step in funnel.steps) else seen
            if done(seen) > len(way):
                way.append(i)
        if len(way) > len(best) or (len(way) == len(best) and way[-1] <= best[-1]):
            best = way
    return best
