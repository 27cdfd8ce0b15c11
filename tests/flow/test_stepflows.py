"""Step matrices, Sankey diagrams and windows around an event, one journey at a time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys, UnknownLabelError
from cxkit.flow import (
    Around,
    Funnel,
    PathsAround,
    PathVariants,
    StepFlows,
    Transitions,
    cut_around,
    difference,
    paths_after,
    paths_before,
    sankey,
    step_matrix,
    variants,
)
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

few = settings(max_examples=some(25))
START, END, OTHER = "(start)", "(end)", "(other)"
WINDOWS = st.builds(
    Around,
    st.sampled_from(["view", "buy"]),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    within=st.sampled_from([None, "30min", "2h"]),
    which=st.sampled_from(["first", "last", "every"]),
)


def slow_windows(rows, window):
    """(window, place of the anchor in it) for every anchor."""
    found = []
    for part in grouped(rows).values():
        hits = [
            at
            for at, row in enumerate(part)
            if window.event is None or row[2] == window.event.event
        ]
        if window.event is None:
            hits = [0]
        chosen = {"first": hits[:1], "last": hits[-1:], "every": hits}[window.which]
        for at in chosen:
            span = {None: 10**18, "30min": 30 * 60e6, "2h": 7200e6}[window.within]
            near = [
                k
                for k in range(len(part))
                if -window.before <= k - at <= window.after
                and abs(part[k][1] - part[at][1]) <= span
            ]
            found.append(([part[k][2] for k in near], near.index(at)))
    return found


@few
@given(touchpoint_rows(customers=8), WINDOWS)
def test_windows_are_those_cut_one_by_one(rows, window):
    want = slow_windows(rows, window)
    got = cut_around(journeys_of(rows), window)
    assert [[t.event for t in journey] for journey in got] == [path for path, _ in want]
    counted = PathsAround.of(journeys_of(rows), window=window).result(top=100)
    assert dict(zip(counted.paths, counted.journeys.tolist(), strict=True)) == Counter(
        tuple(path) for path, _ in want
    )


@few
@given(
    touchpoint_rows(customers=8), st.one_of(st.just(Around(after=3)), WINDOWS), st.integers(1, 5)
)
def test_steps_are_those_counted_one_by_one(rows, window, top):
    if window.before + window.after == 0:
        window = Around(window.event, after=1)
    want = slow_windows(rows, window)
    flows = StepFlows.of(journeys_of(rows), window=window)
    steps = list(range(-window.before, window.after + 1))

    def at(path, middle, step):
        place = middle + step
        return START if place < 0 else END if place >= len(path) else path[place]

    seen = Counter(x for path, _ in want for x in path)
    matrix, links = flows.matrix(top=top), flows.result(top=top)
    named = [x for x in matrix.rows if x not in {START, END, OTHER}]
    assert len(named) == min(top, len(seen))
    assert all(seen[x] >= seen[y] for x in named for y in seen if y not in named)

    def fold(label):
        return label if label in {START, END} or label in named else OTHER

    assert matrix.total == links.total == len(want)
    assert matrix.steps.tolist() == steps
    for row, label in enumerate(matrix.rows):
        for column, step in enumerate(steps):
            count = sum(fold(at(p, m, step)) == label for p, m in want)
            assert matrix.count[row, column] == count
    if want:
        assert (matrix.count.sum(axis=0) == len(want)).all()
        assert matrix.share.sum(axis=0) == pytest.approx(1)
    counted = Counter(
        (step, fold(at(p, m, step)), fold(at(p, m, step + 1)))
        for p, m in want
        for step in steps[:-1]
    )
    for edge in (START, END):  # what is not there yet, or no more, does not flow
        for step in steps[:-1]:
            counted.pop((step, edge, edge), None)
    got = {(row["step"], row["from"], row["to"]): row["count"] for row in links.to_dicts()}
    assert got == counted
    nodes = links.nodes()
    for step, label, count in zip(nodes["step"], nodes["label"], nodes["count"], strict=True):
        if label not in {START, END}:
            assert count == sum(fold(at(p, m, step)) == label for p, m in want)


def test_totals_are_those_of_the_funnel_and_of_the_journeys():
    journeys = cx.simulate.retail(300, rng=1).journeys
    plain = sankey(journeys, steps=4, top=3)
    first = plain.step == 0
    assert plain.count[first].sum() == plain.total == len(journeys)
    cart = sankey(journeys, steps=4, around="add_to_cart", top=3)
    reached = Funnel(["add_to_cart"]).count(journeys).reached[0]
    assert cart.count[cart.step == 0].sum() == cart.total == reached
    for step in range(1, 4):  # what leaves a step is what entered it, but for what is over
        entered = sum(
            n
            for s, n, t in zip(plain.step, plain.count, plain.target, strict=True)
            if s == step - 1 and t != END
        )
        assert plain.count[plain.step == step].sum() == entered


def test_a_step_matrix_and_transitions_tell_the_same():
    journeys = cx.simulate.retail(200, rng=2).journeys
    longest = int(np.diff(journeys.offsets).max())
    links = sankey(journeys, steps=longest, top=100)
    inner = Counter()
    for row in links.to_dicts():
        if END not in (row["from"], row["to"]):
            inner[row["from"], row["to"]] += row["count"]
    table = Transitions.of(journeys).result().to_dicts()
    assert {(row["from"], row["to"]): row["count"] for row in table} == inner


def test_paths_before_and_after():
    rows = [
        (f"c{i}", at, x, None, None, 0.0)
        for i, w in enumerate(["avb", "vb", "b", "xvbz"])
        for at, x in enumerate(w)
    ]
    journeys = journeys_of(rows)
    before = paths_before(journeys, "b", touches=1)
    assert dict(zip(before.paths, before.journeys.tolist(), strict=True)) == {
        ("v", "b"): 3,
        ("b",): 1,
    }
    after = paths_after(journeys, "v")
    assert dict(zip(after.paths, after.journeys.tolist(), strict=True)) == {
        ("v", "b"): 2,
        ("v", "b", "z"): 1,
    }
    assert after.total_journeys == 3
    with pytest.raises(UnknownLabelError, match="no event 'q'"):
        paths_after(journeys, "q")


def test_windows_do_not_add_up_with_other_windows():
    a, b = (PathsAround.zero(window=Around("buy", after=n)) for n in (1, 2))
    with pytest.raises(cx.MergeError, match="different window"):
        a + b
    assert Around.from_dict(Around("buy", before=2, within="1h").to_dict()) == Around(
        "buy", before=2, within="1h"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"before": 1}, "there is nothing before it"),
        ({"which": "last"}, "there is nothing before it"),
        ({"event": "buy", "after": -1}, "after must be a whole number from 0 to 1,000"),
        ({"event": "buy", "before": 2.5}, "before must be a whole number"),
        ({"event": "buy", "which": "some"}, "which must be one of"),
    ],
)
def test_a_window_makes_sense(arguments, message):
    with pytest.raises(DefinitionError, match=message):
        Around(**arguments)


def test_bad_questions_and_nothing_to_show():
    with pytest.raises(DefinitionError, match="a window of one touchpoint has no steps"):
        StepFlows.of(Journeys.empty(), window=Around(after=0))
    with pytest.raises(DefinitionError, match="top must be a whole number"):
        sankey(Journeys.empty(), top=0)
    with pytest.raises(UnknownLabelError, match="no event 'q'"):
        step_matrix(journeys_of([("c", 0, "a", None, 1, 0.0)]), around="q")
    empty = step_matrix(Journeys.empty())
    assert (empty.total, empty.rows, empty.to_dicts()) == (0, (), [])
    assert sankey(Journeys.empty()).to_dicts() == []
    assert "0 journeys" in repr(sankey(Journeys.empty()))
    assert sankey(Journeys.empty()).nodes()["step"] == []


def test_whole_numbers_as_labels_are_text_where_text_is_added():
    rows = [("c", at, None, None, at, 0.0) for at in range(3)]
    table = step_matrix(journeys_of(rows), by="campaign", steps=3)
    assert set(table.rows) == {"0", "1", "2", END}
    assert step_matrix(journeys_of(rows), by="campaign", steps=2).rows == (0, 1, 2)


# ---------------------------------------------------------------------------- two groups


def two_groups(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(1200):
        group = c % 2
        chance = 0.5 + (shift if group else 0)
        rows += [(f"{group}-{c}", 0, "view", None, None, 0.0)]
        rows += [(f"{group}-{c}", 1, "buy" if rng.random() < chance else "leave", None, None, 0.0)]
    journeys = journeys_of(rows)
    second = np.array([str(label).startswith("1") for label in journeys.customer.to_list()])
    return journeys[~second], journeys[second]


KINDS = {
    "transitions": Transitions.of,
    "steps": lambda js: StepFlows.of(js, window=Around(after=2)),
    "variants": PathVariants.of,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_shares_of_both_groups_are_those_of_each_alone(kind):
    journeys = cx.simulate.retail(400, rng=4).journeys
    a, b = journeys[:150], journeys[150:]
    found = difference(kind(a), kind(b), fewest=1)
    assert found.not_listed == 0
    for group, name in ((a, "a"), (b, "b")):
        alone = {}
        summary = kind(group)
        if isinstance(summary, PathVariants):
            table = summary.result(top=10**6)
            alone = {
                " > ".join(map(str, p)): s for p, s in zip(table.paths, table.share, strict=True)
            }
        else:
            result = summary.result(top=100) if isinstance(summary, StepFlows) else summary.result()
            keys = [k for k in ("step", "from", "to") if k in found.names]
            alone = {tuple(row[k] for k in keys): row["share"] for row in result.to_dicts()}
        for row in found.to_dicts():
            key = row["path"] if "path" in row else tuple(row[k] for k in found.names)
            if np.isnan(row[f"share_{name}"]):
                assert row[f"count_{name}"] == 0
            else:
                assert row[f"share_{name}"] == pytest.approx(alone.get(key, 0.0))


def test_a_difference_is_found_and_chance_is_not():
    a, b = two_groups(1, shift=0.3)
    found = difference(Transitions.of(a), Transitions.of(b))
    row = next(row for row in found.to_dicts() if row["to"] == "buy")
    assert row["difference"] == pytest.approx(0.3, abs=0.1)
    assert row["difference_low"] < 0.3 < row["difference_high"]
    assert row["p_adjusted"] < 1e-6
    false = [
        difference(Transitions.of(x), Transitions.of(y)).p_adjusted.min() < 0.05
        for x, y in (two_groups(seed) for seed in range(40))
    ]
    assert sum(false) <= 6  # Holm: at most 5 percent, 2 of 40 expected


def test_a_group_differs_from_itself_in_nothing():
    a, _ = two_groups(1)
    found = difference(PathVariants.of(a), PathVariants.of(a))
    assert found.difference.tolist() == [0, 0]
    assert found.p.tolist() == [1, 1]


def test_what_cannot_be_compared_is_refused():
    a, b = two_groups(1)
    with pytest.raises(cx.MergeError, match="cannot compare Transitions with PathVariants"):
        difference(Transitions.of(a), PathVariants.of(b))
    with pytest.raises(cx.MergeError, match="different by"):
        difference(Transitions.of(a), Transitions.of(b, by="channel"))
    with pytest.raises(DefinitionError, match="control must be one of"):
        difference(Transitions.of(a), Transitions.of(b), control="bonferroni")
    empty = difference(Transitions.of(Journeys.empty()), Transitions.of(Journeys.empty()))
    assert empty.to_dicts() == []
    rare = difference(PathVariants.of(a), PathVariants.of(b), fewest=10**6)
    assert rare.not_listed == 2
    assert "too rare to test: 2 cells" in repr(rare)
    assert variants(a).total_variants == 2
